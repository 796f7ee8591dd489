"""`on_records` on one core, all but the network, against base64 + `json.loads` of the same records.

Promise: at 0.3 of their speed or more. Batches hold 100 records as Rekognition writes them, one
camera, a frame a second, the same people in sight all the time, so that no sighting begins or ends.
Decoding alone, the function's work (streamctl.ops.intake.take: decode, load, fold, save), and the
batch processor of Powertools for AWS Lambda with decoding alone as its handler, alternate, batch by
batch. The network is cut at boto3's client: its calls are answered from memory. A second ratio cuts
it where botocore would send its requests, so botocore's own work counts as ours.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.kinesis_stream_event import KinesisStreamRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from benchmarks import inputs, offline, report
from benchmarks.report import Table
from streamctl.aws.session import Aws
from streamctl.ops import intake

BATCHES: Final = 60
_WARMING: Final = 5  # until the story remembers as many frames as it ever will
_COLUMNS: Final = ("batch of 100", "KB", "decode ms", "p95", "on_records ms", "p95", "ratio")
_POWERTOOLS: Final = BatchProcessor(event_type=EventType.KinesisDataStreams)

Batch = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Lengths:
    """Seconds of each batch: decoded alone, by Powertools, and handled."""

    decode: list[float] = field(default_factory=list)
    powertools: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)


def measure() -> Iterator[Table]:
    yield Table(
        f"on_records: throughput on one core, medians of {BATCHES} batches",
        (*_COLUMNS, "aim", "with botocore", "Powertools ms", "p95", "ratio"),
        [_row(kind, said) for kind, said in inputs.frames().items()],
        [
            "ratio: the time of base64 + json.loads over the time of on_records",
            "with botocore: the same ratio, its signing, writing and reading included",
            "Powertools: its batch processor, which decodes each record and does nothing with it",
            inputs.source(),
        ],
    )


def _row(kind: str, said: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    batches = list(inputs.batches(said, _WARMING + BATCHES))
    size = statistics.mean(map(_bytes, batches))
    found = _alternating(offline.InMemory(), batches)
    with_botocore = _alternating(offline.unsent(offline.Network()), batches)
    return (
        kind,
        f"{size / 1e3:.0f}",
        *report.milliseconds(found.decode),
        *report.milliseconds(found.ours),
        _ratio(found.decode, found.ours),
        ">= 0.3",
        _ratio(with_botocore.decode, with_botocore.ours),
        *report.milliseconds(found.powertools),
        _ratio(found.decode, found.powertools),
    )


def _ratio(one: Sequence[float], other: Sequence[float]) -> str:
    return f"{statistics.median(one) / statistics.median(other):.2f}"


def _alternating(aws: Aws, batches: Sequence[Batch]) -> Lengths:
    offline.remember_run(aws)
    found = Lengths()
    with contextlib.redirect_stdout(io.StringIO()):  # the function's log
        for warm, batch in enumerate(batches, -_WARMING):
            began = time.perf_counter()
            _decode(batch)
            decoded = time.perf_counter()
            answer = _decode_by_powertools(batch)
            by_powertools = time.perf_counter()
            to_come_again = intake.take(aws, offline.SETTING, batch)
            handled = time.perf_counter()
            assert not to_come_again, "the batch was handled"
            assert answer == {"batchItemFailures": []}, "so it was by Powertools"
            if warm >= 0:
                found.decode.append(decoded - began)
                found.powertools.append(by_powertools - decoded)
                found.ours.append(handled - by_powertools)
    return found


def _decode(batch: Batch) -> None:
    for record in batch:
        json.loads(base64.b64decode(record["kinesis"]["data"]))


def _decode_by_powertools(batch: Batch) -> Any:
    return process_partial_response(
        event={"Records": batch},
        record_handler=_as_json,
        processor=_POWERTOOLS,
        context=LambdaContext(),
    )


def _as_json(record: KinesisStreamRecord) -> Any:
    return record.kinesis.data_as_json()


def _bytes(batch: Batch) -> int:
    return sum(len(base64.b64decode(record["kinesis"]["data"])) for record in batch)
