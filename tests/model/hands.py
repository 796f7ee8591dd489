"""What other hands do to the world: to its cameras, and to processors behind the door's back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from streamctl.core import names
from streamctl.errors import StreamctlError
from tests.model.world import World


class Hands:
    """Other hands at work until there is peace, as busy as the chaos of their world has them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.aws, self.dice, self.timeline = world.aws, world.dice, world.timeline

    def disturb(self) -> None:
        """One thing that somebody else does, and when the next one comes."""
        busy = self.world.chaos.hands
        if self.world.peace or not busy:
            return
        dice, aws, world = self.dice, self.aws, self.world
        arn = dice.choice(list(aws.cameras))
        name = names.of_camera(arn)
        deeds = [
            (20, lambda: aws.flow(arn, on=not aws.cameras[arn].flows)),
            (6, lambda: self._pause(arn)),
            (3, lambda: self._stop(name)),
            (3, lambda: self._stop_and_start(arn)),
            (2, lambda: self._recreate(arn, ours=True)),
            (1, lambda: self._recreate(arn, ours=False)),
            (1, lambda: aws.fail(name)),
            (2, lambda: world.create(arn, ours=True)),
            (2, lambda: world.start(arn)),
            (0.2, lambda: aws.delete_camera(arn)),
        ]
        dice.choices([deed for _, deed in deeds], [weight for weight, _ in deeds])[0]()
        self.timeline.after(dice.expovariate(busy / 20), self.disturb)

    def _pause(self, arn: str) -> None:
        if self.aws.cameras[arn].flows:
            self.aws.flow(arn, on=False)
            self._later(self.dice.uniform(1, 12), lambda: self.aws.flow(arn, on=True))

    def _stop(self, name: str) -> None:
        with contextlib.suppress(StreamctlError):
            self.aws.stop(name)

    def _stop_and_start(self, arn: str) -> None:
        self._stop(names.of_camera(arn))
        self._later(self.dice.uniform(1.6, 6), lambda: self.world.start(arn))

    def _recreate(self, arn: str, *, ours: bool) -> None:
        name = names.of_camera(arn)
        self._stop(name)

        def again() -> None:
            try:
                self.aws.delete(name)
            except StreamctlError:
                return
            self._later(self.dice.uniform(0, 3), lambda: self.world.create(arn, ours=ours))

        self._later(self.dice.uniform(1.6, 4), again)

    def _later(self, delay_s: float, deed: Callable[[], None]) -> None:
        """After some time, unless there is peace by then."""
        self.timeline.after(delay_s, lambda: self.world.peace or deed())
