"""A day of a fleet: cameras go live and end, links flicker and fail, and somebody who starts a
processor for each stretch of video, as `streamctl processor create` and `start` do.

Each camera is live for 1 to 5 hours of 24, and off for half an hour to four: four times a day.
One end in twenty is none, for the video returns within minutes. Once an hour of video its link
fails for up to 75 s, less than the idle time. A faster pace makes hours shorter.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks.fleet.functions import PLATFORM
from benchmarks.fleet.troubles import MASS_END, SITE_FLICKERS, SITE_RETURNS, Trouble
from benchmarks.fleet.watch import Watch
from benchmarks.simulated_aws import Bucket, Camera, SimulatedAws
from streamctl.core import asking, policy
from streamctl.core.liveness import Status
from streamctl.core.policy import Ownership, Policy

_ARN: Final = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/{}/1"
_CREATES_PER_S: Final = 20.0
"""Create and Start, each (General Reference, Rekognition quotas)."""
_LOOKS_S: Final = (60.0, 180.0, 600.0)
"""When an operator looks whether a camera that went live is still being analysed."""
SITE: Final = 10
"""One camera in so many belongs to the site that is lost."""
STRANGERS: Final = 50
"""One processor to so many cameras is not ours."""


@dataclass(slots=True, eq=False)
class Life:
    """A camera's. `turn` counts its stretches, so that what was planned for one ends with it."""

    arn: str
    name: str
    live: bool = False
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds until nothing begins any more, and that an hour of a camera's life takes."""

    day_s: float
    hour_s: float


class Day:
    def __init__(
        self, aws: SimulatedAws, watch: Watch, dice: random.Random, cameras: int, pace: Pace
    ) -> None:
        self._aws, self._watch, self._dice = aws, watch, dice
        self._hour, self._over_at = pace.hour_s, pace.day_s
        self._grants = Bucket(_CREATES_PER_S)
        self._lives = [self._life(number) for number in range(cameras)]
        self.site: list[str] = []
        """The processors whose video ended all at once."""
        for number in range(cameras // STRANGERS):
            self._stranger(number)
        for lost in (MASS_END, SITE_RETURNS, SITE_FLICKERS):
            aws.timeline.at(lost.at * self._over_at, partial(self._lose_site, lost))

    def _life(self, number: int) -> Life:
        name = f"camera{number}"
        arn = _ARN.format(name)
        self._aws.cameras[arn] = Camera(arn, fragment_s=self._dice.choice([2.0, 2.0, 4.0, 10.0]))
        life = Life(arn, name)
        self._after(life, self._dice.uniform(0, 1) * self._hour, self._begin)
        return life

    def _stranger(self, number: int) -> None:
        name = f"stranger{number}"
        arn = _ARN.format(name)
        self._aws.cameras[arn] = Camera(arn)
        self._aws.create(name, arn, {"team": "elsewhere"})
        self._aws.start(name)

    # -- video ----------------------------------------------------------------------------------

    def _begin(self, life: Life) -> None:
        if self._aws.timeline.now >= self._over_at:
            return
        life.live, life.turn = True, life.turn + 1
        self._aws.flow(life.arn, on=True)
        self._watch.returned(life.arn)
        self._after(life, self._dice.uniform(1, 5) * self._hour, self._end)
        self._plan_flicker(life)
        self._after(life, self._dice.uniform(0, 20), self._employ)
        for look in _LOOKS_S:
            self._after(life, look, self._employ)

    def _end(self, life: Life) -> None:
        if self._dice.random() < 0.05:
            self._lose(life, self._dice.uniform(90, 300))
        else:
            self._lose(life, self._dice.uniform(0.5, 4) * self._hour)

    def _lose(self, life: Life, off_s: float, circumstance: str = "") -> None:
        life.live, life.turn = False, life.turn + 1
        self._aws.flow(life.arn, on=False)
        self._watch.ended(life.arn, circumstance)
        self._after(life, off_s, self._begin)

    def _plan_flicker(self, life: Life) -> None:
        self._after(life, self._dice.expovariate(1 / self._hour), self._flicker)

    def _flicker(self, life: Life) -> None:
        self._pause(life, self._dice.uniform(1, 75))
        self._plan_flicker(life)

    def _pause(self, life: Life, length_s: float) -> None:
        self._aws.flow(life.arn, on=False)
        self._after(life, length_s, lambda life: self._aws.flow(life.arn, on=True))

    def _after(self, life: Life, delay_s: float, what: Callable[[Life], None]) -> None:
        """Unless the stretch is over by then."""
        turn = life.turn

        def happen() -> None:
            if life.turn == turn:
                what(life)

        self._aws.timeline.after(delay_s, happen)

    def _lose_site(self, lost: Trouble) -> None:
        live = [life for life in self._lives if life.live]
        for life in self._dice.sample(live, min(len(live), max(1, len(self._lives) // SITE))):
            if lost is MASS_END:
                self.site.append(life.name)
                self._lose(life, self._dice.uniform(4, 6) * self._hour, self.mass_end)
            elif lost is SITE_RETURNS:
                self._lose(life, lost.minutes * 60)
            else:
                self._pause(life, lost.minutes * 60)

    @property
    def mass_end(self) -> str:
        """What the end of a whole site is called."""
        return f"{max(1, len(self._lives) // SITE)} at once: a site is lost"

    # -- processors -------------------------------------------------------------------------------

    def _employ(self, life: Life) -> None:
        """See to it that a live camera is analysed."""
        found = self._aws.processors.get(life.name)
        if found is not None and found.state.status in (Status.RUNNING, Status.STARTING):
            return
        if not (self._grants.take(self._aws.timeline.now) and self._start(life)):
            self._after(life, self._dice.uniform(5, 15), self._employ)

    def _start(self, life: Life) -> bool:
        owned = Ownership(PLATFORM, life.name, Policy(), by_stack=False)
        self._aws.create(life.name, life.arn, policy.to_tags(owned))
        made = self._aws.processors[life.name]
        made.starts_in_s = self._dice.uniform(5, 20)
        made.stops_in_s = self._dice.uniform(2, 6)
        if not self._aws.start(life.name):
            return False
        self._aws.answer(asking.Send({"camera": life.arn, "processor": life.name}, 0))
        return True
