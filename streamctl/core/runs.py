"""What is remembered of a run, what was seen of it, and what may come next: plain values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from streamctl.core.events import Event
from streamctl.core.liveness import Processor, State, Status, Video
from streamctl.core.policy import Policy

FIRST_CHANGES: Final = 10
LAST_CHANGES: Final = 40


class Phase(StrEnum):
    LIVE = "LIVE"
    DRAINING = "DRAINING"
    STOPPING = "STOPPING"
    DELETING = "DELETING"
    DONE = "DONE"


class Reason(StrEnum):
    """Why a run is over."""

    ENDED = "ended"
    NEVER_STARTED = "never-started"
    FAILED = "failed"
    STUCK = "stuck-starting"
    OVER_TIME = "over-time"
    STOPPED = "stopped-by-others"
    RESTARTED = "restarted-by-others"
    DELETED = "deleted-by-others"
    CAMERA_GONE = "camera-gone"


class Action(StrEnum):
    """What to do once the run is saved. Each may be repeated, and may find its work done."""

    STOP = "stop"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a run's history."""

    at: datetime
    phase: Phase
    why: str
    trigger: str


@dataclass(frozen=True, slots=True)
class Clock:
    """The one delayed message that wakes us for this run."""

    id: str
    due: datetime


@dataclass(frozen=True, slots=True)
class Former:
    """What is kept of a run that is over, once the camera has a new one."""

    id: str
    processor: str
    since: datetime
    over: datetime
    reason: Reason
    last_sign: datetime | None


@dataclass(frozen=True, slots=True)
class Run:
    """What we remember of one stretch of a processor."""

    id: str
    camera: str
    processor: str
    created: datetime
    since: datetime
    """RUNNING since; while it is STARTING or FAILED, the time of its last change."""
    policy: Policy
    results: str = ""
    """The data stream that the processor writes to: it is looked at when the processor is gone."""
    by_stack: bool = False
    running: bool = False
    """It was seen RUNNING."""
    phase: Phase = Phase.LIVE
    reason: Reason | None = None
    state: State = State.LIVE
    """The latest verdict."""
    last_sign: datetime | None = None
    """The latest evidence of life."""
    last_frame: datetime | None = None
    """The end of the newest stored video that was seen."""
    idle: timedelta = timedelta(0)
    """The idle time that applied when the end was seen."""
    draining_since: datetime | None = None
    last_change: datetime | None = None
    """The processor's LastUpdateTimestamp at the last look: DONE reopens only for a later one."""
    described: datetime | None = None
    """When the processor was last described: a run that shows life needs that only now and then."""
    refusals: int = 0
    """How often in a row AWS was too busy to stop or delete it."""
    turn: datetime | None = None
    """When it is this run's turn to be stopped, where many wait for that."""
    clock: Clock | None = None
    changes: tuple[Change, ...] = ()
    former: tuple[Former, ...] = ()
    """The runs of this camera before this one, the latest last."""
    outbox: tuple[Event, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to look at it."""
        return self.phase is not Phase.DONE or bool(self.outbox)

    @property
    def expects(self) -> str:
        """The status that its processor has if nobody else touched it; "" where it may have several."""
        if self.phase not in (Phase.LIVE, Phase.DRAINING):
            return ""
        if self.reason is Reason.FAILED:
            return Status.FAILED
        return Status.RUNNING if self.running else Status.STARTING

    def moved(self, phase: Phase, why: str, now: datetime, trigger: str) -> Run:
        return replace(self, phase=phase, turn=None).noted(why, now, trigger)

    def noted(self, why: str, now: datetime, trigger: str) -> Run:
        """With one more line of history; of a long one the beginning and the end are kept."""
        changes = (*self.changes, Change(now, self.phase, why, trigger))
        if len(changes) > FIRST_CHANGES + LAST_CHANGES:
            changes = (*changes[:FIRST_CHANGES], *changes[-LAST_CHANGES:])
        return replace(self, changes=changes)

    def saying(self, said: Event) -> Run:
        return replace(self, outbox=(*self.outbox, said))

    def published(self) -> Run:
        """Once everything in its outbox has been published."""
        return replace(self, outbox=())

    def refused(self, action: Action, now: datetime, trigger: str) -> Run:
        """Once AWS was too busy to do what it was asked; the first time in a row is noted."""
        after = replace(self, refusals=self.refusals + 1)
        if self.refusals:
            return after
        return after.noted(f"AWS is too busy to {action} it: tried again later", now, trigger)

    def is_news_after(self, before: Run | None) -> bool:
        """Whether more happened than that it was looked at: then it must be saved before all else."""
        if before is None:
            return True
        return self != replace(
            before,
            described=self.described,
            last_sign=self.last_sign,
            last_frame=self.last_frame,
            last_change=self.last_change,
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """What was observed just now. `processor` is the one of that name, or None where there is none."""

    processor: Processor | None
    camera_exists: bool
    video: Video
    last_arrival: datetime | None
    lag: timedelta
    tells_empty: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """`run` is to be saved before `action` is done; `due` is when to look again, None for never."""

    run: Run
    action: Action | None = None
    due: datetime | None = None
