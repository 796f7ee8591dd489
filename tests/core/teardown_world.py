"""A small world for tests of the teardown: a camera, its processor, and the run that we saved."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from streamctl.core import documents, stretches, teardown
from streamctl.core.liveness import Processor, Status, Video
from streamctl.core.policy import Ownership, Policy
from streamctl.core.runs import Action, Phase, Run, Seen
from tests.core.scene import CAMERA, ZERO, at

IDLE = timedelta(seconds=20)


@dataclass
class World:
    """One camera and its processor, as AWS would show them; `run` is what we saved."""

    status: Status | None = Status.RUNNING
    created: datetime = ZERO
    updated: datetime = ZERO
    video: float | None = 0.0
    arrival: float | None = 0.0
    camera: bool = True
    policy: Policy = field(default_factory=lambda: Policy(idle_after=IDLE))
    by_stack: bool = False
    lag: float = 1.0
    run: Run | None = None
    told: list[str] = field(default_factory=list)
    events: list = field(default_factory=list)
    done: list[Action] = field(default_factory=list)

    def processor(self):
        if self.status is None:
            return None
        return Processor("door", CAMERA, self.status, self.created, self.updated, "Access denied")

    def look(self, now):
        """What one wake-up does: adopt, or step, then act as told. The Step, or None."""
        if self.run is None or not self.run.is_open:
            owned = Ownership("main", CAMERA, self.policy, self.by_stack)
            processor = self.processor()
            if processor is None:
                return None
            self.run = stretches.adopt(owned, processor, self.run, at(now), "test")
        if self.run is None:
            return None
        seen = Seen(
            processor=self.processor(),
            camera_exists=self.camera,
            video=Video(None if self.video is None else at(self.video), timedelta(seconds=2)),
            last_arrival=None if self.arrival is None else at(self.arrival),
            lag=timedelta(seconds=self.lag),
        )
        step = teardown.step(self.run, seen, at(now), "test")
        self.run = documents.loads(Run, documents.dumps(step.run))  # as if saved and loaded
        self.events += self.run.outbox
        self.told += [event.type for event in self.run.outbox]
        self.run = self.run.published()
        self.act(step.action, now)
        return replace(step, run=self.run)

    def act(self, action, now):
        if action is Action.STOP:
            self.status, self.updated = Status.STOPPED, at(now)
        if action is Action.DELETE:
            self.status = None
        if action is not None:
            self.done.append(action)

    def until(self, now, deadline):
        """Look whenever a look is due, until `deadline`. When the last look was."""
        while now <= deadline:
            step = self.look(now)
            if step is None or step.due is None:
                break
            now = max(now + 0.25, (step.due - ZERO).total_seconds())
        return now


def about_to_be_stopped():
    """A world whose video ended at 100 s: at 121 s it was decided to stop the processor."""
    world = World(video=100, arrival=98)
    world.until(1, 119.9)
    world.look(121)
    assert (world.run.phase, world.done) == (Phase.STOPPING, [])
    return world
