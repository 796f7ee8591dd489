"""From the end of a camera's video until its processor is gone, beyond the idle time that applied.

Promise: 3 s or less in the median, in the local cloud. Measured by the demo itself (`streamctl demo
-o json`), several at a time, each in a local cloud of its own: the clip is played in real time, and
counted is from the end of the last fragment, by the server's clock, until DescribeStreamProcessor
says ResourceNotFoundException, less the idle time. That is 20 s, so that the 15 s for which results
must have been quiet (draining) lie within it. 1.5 s of what is left are the local cloud's own: so
long it takes to stop a processor.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final

from benchmarks import report
from benchmarks.report import Table, say
from streamctl.errors import StreamctlError

RUNS: Final = 6
_IDLE_AFTER: Final = "20s"
_DEMO: Final = (sys.executable, "-m", "streamctl", "demo", "--idle-after", _IDLE_AFTER)
_COLUMNS: Final = ("played in real time", "runs", "median ms", "p95", "aim", "left over")


def measure() -> Iterator[Table]:
    say(f"teardown: {RUNS} demos side by side, about a minute")
    outcomes = _demos()
    beyond = [each["teardown_s"] - each["idle_after_s"] for each in outcomes]
    frames, fragments = outcomes[0]["frames_sent"], outcomes[0]["fragments_sent"]
    idle = {f"{each['idle_after_s']:g} s" for each in outcomes}
    left = sum(len(each["left_over"]) for each in outcomes)
    yield Table(
        f"teardown: from the end of video until the processor is gone, beyond {_IDLE_AFTER} idle",
        _COLUMNS,
        [
            (
                f"clip, {frames} frames in {fragments} fragments",
                str(len(outcomes)),
                *report.milliseconds(beyond, 0),
                "<= 3000",
                str(left),
            )
        ],
        [f"idle time that applied: {', '.join(sorted(idle))}"],
    )


def _demos() -> list[dict[str, Any]]:
    """What each of the demos says of itself. Raises StreamctlError if one fails."""
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(_demo()) for _ in range(RUNS)]
        return [_outcome(process) for process in running]


@contextlib.contextmanager
def _demo() -> Iterator[subprocess.Popen[str]]:
    """A demo that is under way. Left early, it takes down what it has built."""
    command = (*_DEMO, "-o", "json")
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def _outcome(process: subprocess.Popen[str]) -> dict[str, Any]:
    said, talk = process.communicate()
    if process.returncode:
        raise StreamctlError(f"a demo failed: {talk.strip().rpartition(chr(10))[2]}")
    return dict(json.loads(said))
