"""`on_records` on one core, all but the network, against base64 + `json.loads` of the same records.

Promise: at 0.3 of their speed or more. Batches hold 100 records as Rekognition writes them, one
camera, a frame a second, the same people in sight all the time, so that no sighting begins or ends.
Decoding alone and the function's work (streamctl.ops.intake.take: decode, load, fold, save)
alternate, batch by batch. The network is cut at boto3's client: its calls are answered from memory.
A second ratio cuts it where botocore would send its requests, so botocore's own work counts as ours.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from benchmarks import inputs, offline, report
from benchmarks.report import Table
from streamctl.aws.session import Aws
from streamctl.ops import intake

BATCHES: Final = 60
_WARMING: Final = 5  # until the story remembers as many frames as it ever will
_COLUMNS: Final = ("batch of 100", "KB", "decode ms", "p95", "on_records ms", "p95", "ratio")

Batch = list[dict[str, Any]]


def measure() -> Iterator[Table]:
    yield Table(
        f"on_records: throughput on one core, medians of {BATCHES} batches",
        (*_COLUMNS, "aim", "with botocore"),
        [_row(kind, said) for kind, said in inputs.frames().items()],
        [
            "ratio: the time of base64 + json.loads over the time of on_records",
            "with botocore: the same ratio, its signing, writing and reading included",
            inputs.source(),
        ],
    )


def _row(kind: str, said: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    batches = list(inputs.batches(said, _WARMING + BATCHES))
    size = statistics.mean(map(_bytes, batches))
    decode, ours = _alternating(offline.InMemory(), batches)
    decode_again, with_botocore = _alternating(offline.unsent(offline.Network()), batches)
    return (
        kind,
        f"{size / 1e3:.0f}",
        *report.milliseconds(decode),
        *report.milliseconds(ours),
        f"{statistics.median(decode) / statistics.median(ours):.2f}",
        ">= 0.3",
        f"{statistics.median(decode_again) / statistics.median(with_botocore):.2f}",
    )


def _alternating(aws: Aws, batches: Sequence[Batch]) -> tuple[list[float], list[float]]:
    """Seconds of each batch: decoded alone, and handled."""
    offline.remember_run(aws)
    decode, ours = [], []
    with contextlib.redirect_stdout(io.StringIO()):  # the function's log
        for batch in batches:
            began = time.perf_counter()
            _decode(batch)
            decoded = time.perf_counter()
            to_come_again = intake.take(aws, offline.SETTING, batch)
            ours.append(time.perf_counter() - decoded)
            decode.append(decoded - began)
            assert not to_come_again, "the batch was handled"
    return decode[_WARMING:], ours[_WARMING:]


def _decode(batch: Batch) -> None:
    for record in batch:
        json.loads(base64.b64decode(record["kinesis"]["data"]))


def _bytes(batch: Batch) -> int:
    return sum(len(base64.b64decode(record["kinesis"]["data"])) for record in batch)
