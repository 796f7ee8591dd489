"""Rows in which what belongs to a processor is taken away while it runs."""

from __future__ import annotations

import time

from tests.e2e.faults.row import Rows
from tests.e2e.faults.stage import Stage

ROWS = Rows()


@ROWS.row("camera deleted while running")
def camera_deleted(on: Stage) -> None:
    on.start()
    on.play()
    on.client("kinesisvideo").delete_stream(StreamARN=on.camera_arn())
    on.gone(within_s=200)


@ROWS.row("collection deleted while running")
def collection_deleted(on: Stage) -> None:
    on.start()
    on.play()
    on.client("rekognition").delete_collection(CollectionId="staff")
    on.wait_told("Processor Failed", within_s=60)
    on.gone(within_s=200)


@ROWS.row("results deleted while running")
def results_deleted(on: Stage) -> None:
    on.start()
    on.play()
    on.played += on.records()
    time.sleep(2)  # what was put is read by then, or lost with the stream: not ours to keep
    on.client("kinesis").delete_stream(StreamName=on.results())
    on.gone(within_s=200)
