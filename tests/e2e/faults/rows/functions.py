"""Rows in which functions are killed, clocks are lost, and the table forgets a run."""

from __future__ import annotations

import threading

from tests.e2e.faults.row import Rows, Script
from tests.e2e.faults.stage import NAME, ON_CLOCK, ON_RECORDS, ON_SWEEP, Stage

ROWS = Rows()

KILLED_AT = {
    "killed while LIVE": ("dynamodb.PutItem", "before", "LIVE"),
    "killed while DRAINING": ("dynamodb.PutItem", "before", "DRAINING"),
    "killed before Stop": ("rekognition.StopStreamProcessor", "before", "DRAINING"),
    "killed after Stop": ("rekognition.StopStreamProcessor", "after", "DRAINING"),
    "killed before Delete": ("rekognition.DeleteStreamProcessor", "before", "DRAINING"),
    "killed after Delete": ("rekognition.DeleteStreamProcessor", "after", "DRAINING"),
    "killed before the end is told": ("events.PutEvents", "before", "DRAINING"),
}


def _killed(operation: str, when: str, phase: str) -> Script:
    def script(on: Stage) -> None:
        on.start()
        if phase == "LIVE":
            on.wait_phase("LIVE")
            on.fault(operation, kills=when, caller=ON_CLOCK)
            on.play()
        else:
            on.play()
            on.wait_phase(phase)
            on.fault(operation, kills=when, caller=ON_CLOCK)
        on.gone(within_s=300)

    return script


for _name, _where in KILLED_AT.items():
    ROWS.row(_name, cut=_name == "killed after Stop")(_killed(*_where))


@ROWS.row("on-records killed thrice", cut=True)
def on_records_killed(on: Stage) -> None:
    on.start()
    on.fault("dynamodb.PutItem", kills="after", caller=ON_RECORDS)
    on.fault("dynamodb.PutItem", kills="before", caller=ON_RECORDS)
    on.fault("dynamodb.PutItem", kills="after", caller=ON_RECORDS, skip=1)
    on.play()
    on.gone(within_s=200)


@ROWS.row("clock message lost")
def clock_lost(on: Stage) -> None:
    on.start()
    on.fault("sqs.Message", code="Lost", target=on.output("ClockQueueUrl").rpartition("/")[2])
    on.play()
    on.gone(within_s=300)


@ROWS.row("clock queue off")
def clocks_off(on: Stage) -> None:
    on.start()
    on.switch_off_clocks()
    on.play()
    on.gone(within_s=300)


@ROWS.row("run deleted from the table")
def run_deleted(on: Stage) -> None:
    on.start()
    pushing = on.play_behind()
    with on.watch.must_live(NAME):
        on.wait_told("Sighting Started")
        key = {"key": {"S": f"run#{on.camera_arn()}"}}
        on.client("dynamodb").delete_item(TableName=on.table(), Key=key)
        pushing.wait(60)
    on.gone(within_s=300)


@ROWS.row("sweep and clock at once")
def sweep_and_clock(on: Stage) -> None:
    on.start()
    over = threading.Event()

    def sweep() -> None:
        functions = on.client("lambda")
        while not over.is_set():
            functions.invoke(FunctionName=ON_SWEEP, Payload=b"{}")

    sweeping = [threading.Thread(target=sweep) for _ in range(2)]
    for each in sweeping:
        each.start()
    try:
        on.play()
        on.gone()
    finally:
        over.set()
        for each in sweeping:
            each.join()
