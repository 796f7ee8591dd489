"""How long the command line takes to start: `streamctl --help` against `aws --version`.

Promise: at most 0.4 of it. Whole processes, alternating, with nothing of the user's AWS settings.
Which aws command is named by the environment variable AWS, since what stands on the PATH may be a
shim; without one there is nothing to compare with.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks import report
from benchmarks.report import Table

RUNS: Final = 20
_OURS: Final = (sys.executable, "-m", "streamctl", "--help")


def measure() -> Iterator[Table]:
    aws = shutil.which(os.environ.get("AWS", ""))
    commands = {"streamctl --help": _OURS, **({"aws --version": (aws, "--version")} if aws else {})}
    times = _alternating(list(commands.values()))
    ratio = f"{statistics.median(times[0]) / statistics.median(times[1]):.2f}" if aws else "-"
    yield Table(
        f"command line: medians of {RUNS} starts in ms",
        ("command", "median", "p95", "ratio", "aim"),
        [
            (name, *report.milliseconds(taken, 0), *_against(index, ratio))
            for index, (name, taken) in enumerate(zip(commands, times, strict=True))
        ],
        [] if aws else ["ratio skipped: name an aws command: AWS=/path/to/aws make bench"],
    )


def _against(index: int, ratio: str) -> tuple[str, str]:
    return (ratio, "<= 0.4") if index == 0 else ("", "")


def _alternating(commands: Sequence[Sequence[str]]) -> list[list[float]]:
    """Seconds of each run of each command; a first one warms the caches of files."""
    times: list[list[float]] = [[] for _ in commands]
    for _ in range(RUNS + 1):
        for taken, command in zip(times, commands, strict=True):
            began = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            taken.append(time.perf_counter() - began)
    return [taken[1:] for taken in times]
