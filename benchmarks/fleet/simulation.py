"""Let a fleet's day happen, and say what came of it."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.fleet.calls import NO_LIMITS, Calls
from benchmarks.fleet.day import Day, Pace
from benchmarks.fleet.functions import Functions
from benchmarks.fleet.troubles import LOST, MASS_END, TROUBLES, Troubles
from benchmarks.fleet.watch import Watch
from benchmarks.simulated_aws import SimulatedAws, Timeline

AFTERWARDS: Final = 7 / 24
"""So much later nothing is live any more (5 h at most), and all must be gone. A part of the pace."""

LAG_S: Final = 4.0
"""From a frame to its record: the managed service was measured at 3.8 s."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is simulated. Cameras live for parts of `pace_h`. `writes_empty`: records come for frames without faces, too; else there are
    none at all. `sweeps` and `loses_all` are for control: without what they take, something leaks.
    """

    cameras: int
    hours: float = 24.0
    pace_h: float = 24.0
    writes_empty: bool = True
    sweeps: bool = True
    loses_all: bool = False
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Sample:
    """How things stand at a moment. `ready` messages wait for a function; of the lost site's
    processors `left` are there. Counts are since the beginning.
    """

    at: float
    ready: int
    busy: int
    left: int
    waiting: int
    tried: Mapping[str, int]
    throttled: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    fleet: Fleet
    camera_hours: float
    delays: Mapping[str, Sequence[float]]
    mass_end: str
    gone: Sequence[tuple[float, float]]
    counts: Mapping[str, int]
    busy_s: float
    tried: Mapping[str, int]
    throttled: Mapping[str, int]
    samples: Sequence[Sample] = field(repr=False)
    leaked: Sequence[str]
    wrong: Sequence[str]
    came_back: int

    def an_hour(self, count: str) -> float:
        """So many per hour and camera with a running processor."""
        return self.counts.get(count, 0) / self.camera_hours


def simulate(fleet: Fleet, progress: Callable[[float], None] = lambda _hours: None) -> Outcome:
    """A day, and the hours after it in which everything ends. The seed decides everything."""
    return _Simulation(fleet).run(progress)


class _Simulation:
    def __init__(self, fleet: Fleet) -> None:
        dice = random.Random(fleet.seed)
        self.fleet, self.timeline = fleet, Timeline()
        self.aws = SimulatedAws(self.timeline, NO_LIMITS)
        self.aws.lag_s, self.aws.list_late_s = LAG_S, 1.0
        self.aws.writes_records = self.aws.writes_empty = fleet.writes_empty
        self.aws.stale = lambda: dice.uniform(0, 2) if dice.random() < 0.1 else 0.0
        troubles = Troubles(self.timeline, fleet.hours * 3600, TROUBLES)
        self.aws.loses = lambda: fleet.loses_all or dice.random() < troubles.share(LOST)
        self.calls = Calls(self.aws, troubles, dice)
        self.watch = Watch(self.aws, troubles)
        self.functions = Functions(self.aws, self.calls, troubles, dice, self.watch.check)
        pace = Pace(fleet.hours * 3600, fleet.pace_h * 3600 / 24)
        self.day = Day(self.aws, self.watch, dice, fleet.cameras, pace)
        self.samples: list[Sample] = []

    def run(self, progress: Callable[[float], None]) -> Outcome:
        if self.fleet.sweeps:
            self.functions.sweep_each_minute()
        self._sample_each_minute()
        until = self.fleet.hours + self.fleet.pace_h * AFTERWARDS
        for hour in range(math.ceil(until)):
            self.timeline.run(min(hour + 1, until) * 3600)
            progress(self.timeline.now / 3600)
        return self._outcome()

    def _sample_each_minute(self) -> None:
        self.timeline.after(60, self._sample_each_minute)
        now, lost = self.timeline.now, MASS_END.at * self.fleet.hours * 3600
        site = [name for name in self.day.site if name in self.aws.processors]
        self.samples.append(
            Sample(
                now,
                len(self.aws.ready),
                self.functions.busy,
                len(site) if now < lost + 3 * 3600 else 0,
                len(self.watch.waiting()),
                dict(self.calls.tried),
                dict(self.calls.throttled),
            )
        )

    def _outcome(self) -> Outcome:
        counts = Counter(self.functions.counts)
        counts.update(self.aws.calls)
        counts["invocations"] = counts["clocks"] + counts["sweeps"]
        counts["queue"] = self.aws.sent + counts["receives"] + counts["deletes"]
        return Outcome(
            fleet=self.fleet,
            camera_hours=self.watch.running_s / 3600,
            delays=dict(self.watch.delays),
            mass_end=self.day.mass_end,
            gone=self.watch.gone,
            counts=counts,
            busy_s=self.functions.seconds,
            tried=dict(self.calls.tried),
            throttled=dict(self.calls.throttled),
            samples=self.samples,
            leaked=self.watch.leaked(),
            wrong=self.watch.wrong,
            came_back=self.watch.came_back,
        )
