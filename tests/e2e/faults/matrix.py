"""The fault matrix: what is done to a pipeline, and that its end must still be right.

A row is a script. It plays video, does its worst, and waits for what must come; what it leaves is
judged by the same measures for all (runner.py).
"""

from __future__ import annotations

from tests.e2e.faults.row import Rows
from tests.e2e.faults.rows import aws_answers, functions, records, taken_away, video_and_hands
from tests.e2e.faults.stage import Stage

ROWS = Rows()


@ROWS.row("no fault")
def no_fault(on: Stage) -> None:
    """What all others are measured against."""
    on.start()
    on.play()
    on.gone()


for _section in (aws_answers, functions, records, taken_away, video_and_hands):
    ROWS.update(_section.ROWS)
