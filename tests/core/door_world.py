"""A camera under a simulated clock, behind the one door."""

import itertools
from datetime import timedelta

from benchmarks.simulated_aws import Camera, SimulatedAws, Timeline, moment
from streamctl.core import asking, door, policy
from streamctl.core.asking import Given, Rules
from streamctl.core.door import Wake
from streamctl.core.policy import Ownership, Policy
from tests.core.answering import follow
from tests.core.scene import CAMERA

POLICY = Policy(idle_after=timedelta(seconds=20))
RULES = Rules("main", timedelta(seconds=5))


class World:
    """One camera under a simulated clock, and what was asked of it, in order."""

    def __init__(self, chosen=POLICY):
        self.timeline = Timeline()
        self.aws = SimulatedAws(self.timeline)
        self.aws.cameras[CAMERA] = Camera(CAMERA)
        self.asked = []
        self.fails = {}
        self.takes_s = {}
        ids = itertools.count(1)
        self.given = Given(
            lambda: moment(self.timeline.now), lambda: f"clock-{next(ids)}", lambda low, _high: low
        )
        tags = policy.to_tags(Ownership("main", "door", chosen, by_stack=False))
        self.aws.create("door", CAMERA, tags)
        self.aws.start("door")
        self.aws.flow(CAMERA, on=True)
        self.timeline.run(3)

    def take(self, steps):
        return follow(steps, self._answer)

    def _answer(self, request):
        kind = type(request).__name__
        self.asked.append(kind)
        if isinstance(request, asking.Wait):
            self.timeline.run(self.timeline.now + request.seconds)
            return None
        if kind in self.fails:
            raise self.fails.pop(kind)
        self.timeline.run(self.timeline.now + self.takes_s.get(kind, 0))
        return self._found(request)

    def _found(self, request):
        return self.aws.answer(request)

    def advance(self, trigger="message", **wake):
        self.asked.clear()
        return self.take(door.advance(Wake(CAMERA, trigger, **wake), RULES, self.given))

    def ring(self):
        """Handle the next message of the clock queue, when it comes."""
        while not self.aws.ready:
            self.timeline.run(self.timeline.now + 1)
        self.asked.clear()
        message = self.aws.ready.popleft()
        self.take(door.answer(message.body, RULES, self.given))
        return message.body

    def ring_until_gone(self, deadline_s=600):
        while self.aws.processors and self.timeline.now < deadline_s:
            self.ring()
