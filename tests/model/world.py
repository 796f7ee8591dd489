"""The world that the door is attacked in: cameras and processors, and how likely what goes wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

from benchmarks.simulated_aws import Camera, Message, SimulatedAws, Timeline
from streamctl.core import names, policy
from streamctl.core.liveness import Processor
from streamctl.core.policy import OnEnd, Ownership, Policy

PLATFORM = "main"


@dataclass(frozen=True)
class Chaos:
    """How likely what is. Probabilities are per request, per message, or per attempt."""

    crash: float = 0.02
    error: float = 0.06
    done_but_error: float = 0.03
    slow: float = 0.05
    lose: float = 0.05
    repeat: float = 0.08
    hands: float = 1.0
    """How busy other hands are: 0 for none."""
    sweeps: bool = True


EVERYTHING = Chaos()
CLOCKS_ONLY = Chaos(lose=0.0, sweeps=False)
"""Nothing sweeps, and no message is lost: then clocks alone must do."""


class World:
    """A simulated AWS as the dice set it up, and what is true of each processor in it.

    `policies` has every processor that ever was, by its name and time of creation, as it was meant;
    `stale_s` is how old the latest description was.
    """

    def __init__(self, dice: random.Random, chaos: Chaos) -> None:
        self.dice, self.chaos = dice, chaos
        self.timeline = Timeline()
        self.aws = SimulatedAws(self.timeline)
        self.peace = False
        self.stale_s = 0.0
        self.policies: dict[tuple[str, object], Ownership] = {}
        self._ours: set[tuple[str, object]] = set()
        self._set_the_scene()

    def happens(self, probability: float) -> bool:
        """Whether chance wills it; never in peace."""
        return not self.peace and self.dice.random() < probability

    def make_peace(self) -> None:
        """Faults and other hands cease, and all video ends."""
        self.peace = True
        for arn in self.aws.cameras:
            self.aws.flow(arn, on=False)

    def is_ours(self, processor: Processor) -> bool:
        return (processor.name, processor.created) in self._ours

    def create(self, arn: str, *, ours: bool) -> None:
        """Somebody creates a processor, starts it, and tells the clock queue as `start` does."""
        dice, name = self.dice, names.of_camera(arn)
        chosen = Policy(
            timedelta(seconds=dice.choice([5, 20, 60])),
            dice.choices([OnEnd.DELETE, OnEnd.STOP, OnEnd.KEEP], [8, 1, 1])[0],
            dice.choices([None, timedelta(minutes=8)], [6, 1])[0],
        )
        owned = Ownership(PLATFORM, name, chosen, by_stack=dice.random() < 0.1)
        tags = policy.to_tags(owned) if ours else {"team": "elsewhere"}
        if not self.aws.create(name, arn, tags):
            return
        made = self.aws.processors[name]
        made.starts_in_s = dice.choice([0.5, 2.0, 2.0, 20.0] if self.peace else [0.5, 2.0, 400.0])
        self.policies[name, made.state.created] = owned
        if ours:
            self._ours.add((name, made.state.created))
        self.start(arn)

    def start(self, arn: str) -> None:
        name = names.of_camera(arn)
        if not self.aws.start(name):
            return
        if self.is_ours(self.aws.processors[name].state) and (
            not self.chaos.sweeps or self.dice.random() < 0.7
        ):
            self.aws.deliver(Message({"camera": arn, "processor": name}), 0)

    def _set_the_scene(self) -> None:
        dice, aws = self.dice, self.aws
        aws.list_late_s = dice.choice([0.0, 0.0, 1.0])
        aws.lag_s = dice.choice([0.5, 0.5, 4.0, 40.0])
        aws.writes_records = dice.random() < 0.8
        aws.writes_empty = dice.random() < 0.7
        aws.mapping_works = dice.random() < 0.8
        self._stalest_s = dice.choice([0.0, 0.0, 2.0])
        aws.stale = self._stale
        aws.loses = lambda: self.happens(self.chaos.lose)
        aws.repeats = lambda: self.happens(self.chaos.repeat)
        for number in range(dice.choice([1, 2, 3])):
            name = f"door{number}"
            arn = f"arn:aws:kinesisvideo:us-east-1:123456789012:stream/{name}/1"
            aws.cameras[arn] = Camera(arn, fragment_s=dice.choice([1.0, 2.0, 10.0]))
            self.timeline.at(dice.uniform(0, 30), lambda a=arn: aws.flow(a, on=True))
            self.timeline.at(dice.uniform(0, 60), lambda a=arn: self.create(a, ours=True))

    def _stale(self) -> float:
        self.stale_s = self.dice.choice([0.0, 0.0, self.dice.uniform(0, self._stalest_s)])
        return self.stale_s
