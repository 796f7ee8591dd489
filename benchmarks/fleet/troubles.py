"""What goes wrong in a day, and when. A trouble has a kind, which says what it hits, and a share:
how likely a call, a message or a step is hit while it lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks.simulated_aws import Timeline

REKOGNITION: Final = "rekognition"
TABLE: Final = "table"
STALLED: Final = "the clock queue gives out nothing"
LOST: Final = "clock messages are lost"
DOWN: Final = "no function starts"
KILLED: Final = "functions are killed"

SETTLES_S: Final = 3600.0
"""Ends this long after a trouble are still counted as in its wake."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """`at` is the part of the day at which it begins."""

    title: str
    at: float
    minutes: float
    kind: str = ""
    share: float = 1.0


MASS_END: Final = Trouble("beside a site's end", 0.42, 60)
SITE_RETURNS: Final = Trouble("site lost for 10 minutes", 0.58, 10)
SITE_FLICKERS: Final = Trouble("site lost for 60 s", 0.65, 1)

TROUBLES: Final = (
    Trouble("Rekognition fails half of its calls", 0.20, 10, REKOGNITION, 0.5),
    Trouble("the table fails a third of its calls", 0.28, 5, TABLE, 0.33),
    MASS_END,
    SITE_RETURNS,
    SITE_FLICKERS,
    Trouble("clock queue stalled for 15 minutes", 0.70, 15, STALLED),
    Trouble("every clock lost for 10 minutes", 0.78, 10, LOST),
    Trouble("functions down for 10 minutes", 0.86, 10, DOWN),
    Trouble("5 % of functions killed for 20 minutes", 0.93, 20, KILLED, 0.01),
)


class Troubles:
    """Which troubles last right now."""

    def __init__(self, timeline: Timeline, day_s: float, planned: Sequence[Trouble]) -> None:
        self._now: dict[str, float] = {}
        self._windows = [
            (each.at * day_s, each.at * day_s + each.minutes * 60, each.title) for each in planned
        ]
        self.on_over: Callable[[], None] = lambda: None
        for each in planned:
            begin = each.at * day_s
            timeline.at(begin, partial(self._begin, each))
            timeline.at(begin + each.minutes * 60, partial(self._end, each))

    def share(self, kind: str) -> float:
        """How likely something of this kind is hit now."""
        return self._now.get(kind, 0.0)

    def at(self, time: float, before_s: float) -> str:
        """The trouble in whose time, or wake, something falls; empty for a quiet time."""
        for begin, over, title in self._windows:
            if begin - before_s <= time <= over + SETTLES_S:
                return title
        return ""

    def _begin(self, trouble: Trouble) -> None:
        if trouble.kind:
            self._now[trouble.kind] = trouble.share

    def _end(self, trouble: Trouble) -> None:
        self._now.pop(trouble.kind, None)
        self.on_over()
