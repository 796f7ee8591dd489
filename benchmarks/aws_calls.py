"""AWS calls that `on_records` makes for a batch of 100 records.

Promise: two or fewer where no sighting begins or ends. What is counted are the requests that
botocore would send. Beside it, to compare: the batch in which sightings begin, and one that comes
again.
"""

from __future__ import annotations

import contextlib
import io
import statistics
from collections.abc import Iterator, Sequence
from typing import Any, Final

from benchmarks import inputs, offline
from benchmarks.report import Table
from streamctl.ops import intake

BATCHES: Final = 20


def measure() -> Iterator[Table]:
    batches = list(inputs.batches(inputs.frames()["both"], BATCHES + 1))
    first, *later = _calls([*batches, batches[-1]])
    steady, again = later[:-1], later[-1]
    yield Table(
        "on_records: AWS calls for a batch of 100 records",
        ("batch", "batches", "median", "most", "aim", "which"),
        [
            _row("no sighting begins or ends", steady, "<= 2"),
            _row("sightings begin", [first], "-"),
            _row("one that was handled before", [again], "-"),
        ],
    )


def _row(kind: str, calls: Sequence[list[str]], aim: str) -> tuple[str, ...]:
    counts = [len(each) for each in calls]
    median, most = f"{statistics.median(counts):g}", str(max(counts))
    return kind, str(len(calls)), median, most, aim, ", ".join(calls[-1])


def _calls(batches: Sequence[list[dict[str, Any]]]) -> list[list[str]]:
    """The operations that each batch called."""
    network = offline.Network()
    aws = offline.unsent(network)
    offline.remember_run(aws)
    made = []
    with contextlib.redirect_stdout(io.StringIO()):  # the function's log
        for batch in batches:
            network.calls.clear()
            intake.take(aws, offline.SETTING, batch)
            made.append(list(network.calls))
    return made
