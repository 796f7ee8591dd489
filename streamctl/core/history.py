"""A run's own log as an operator reads it: what happened and why, and what comes next."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from streamctl.core import names
from streamctl.core.liveness import STUCK_STARTING_AFTER, Processor, State, Status
from streamctl.core.policy import OnEnd, format_duration
from streamctl.core.runs import FIRST_CHANGES, LAST_CHANGES, Change, Former, Phase, Reason, Run
from streamctl.core.sweeping import OVERDUE

BECAUSE: Final = {
    Reason.ENDED: "its video ended",
    Reason.NEVER_STARTED: "no video ever came",
    Reason.FAILED: "it FAILED",
    Reason.STUCK: "it was STARTING for too long",
    Reason.OVER_TIME: "it ran for as long as --max-run allows",
    Reason.STOPPED: "it was stopped by other hands",
    Reason.RESTARTED: "it was started anew by other hands",
    Reason.DELETED: "it was deleted by other hands",
    Reason.CAMERA_GONE: "its camera was deleted",
}
_DOING: Final = {
    Phase.DRAINING: "its last records are waited for",
    Phase.STOPPING: "it is to be stopped",
    Phase.DELETING: "it is to be deleted",
}
_RUNS: Final = (Status.STARTING, Status.RUNNING)
_TAKEN_UP: Final = "no run of that is known yet; the sweep takes it up within 2 minutes"


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a processor. `run` is None where its camera has another processor by now:
    then only `former` tells of it, a line a run.
    """

    processor: str
    camera: str
    """The camera's ARN."""
    run: Run | None
    former: tuple[Former, ...]
    """The runs of this camera that are over, the latest last."""
    next: str
    """What is to be expected, in a sentence."""
    next_look: datetime | None

    @property
    def gap(self) -> int | None:
        """After how many changes some may be missing: of a long history the middle is not kept."""
        kept = len(self.run.changes) if self.run else 0
        return FIRST_CHANGES if kept >= FIRST_CHANGES + LAST_CHANGES else None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, in its log's words. Its processor may still be there: see its phase."""

    run: str
    phase: Phase
    reason: Reason | None
    why: str
    last_sign: datetime | None


def tells_of(run: Run, processor: str) -> bool:
    """Whether a camera's latest run, or one before it, is of the processor of this name."""
    return processor in (run.processor, *(each.processor for each in run.former))


def latest(runs: Iterable[Run], processor: str) -> Run | None:
    """Of the latest runs of several cameras, the one that tells the newest of this processor."""
    telling = [run for run in runs if tells_of(run, processor)]
    return max(telling, key=lambda run: _last_began(run, processor), default=None)


def of(run: Run, name: str, now: datetime, processor: Processor | None = None) -> History:
    """The history of the processor of this name, from the latest run of a camera that tells of it.

    `processor` is what was described just now, None if it is gone.
    """
    if run.processor != name:
        camera = names.of_camera(run.camera)
        told = f"over; camera {camera} has processor {run.processor} by now, with its own history"
        return History(name, run.camera, None, run.former, told, None)
    look = run.clock.due if run.clock and run.is_open else None
    told = what_is_next(run, now)
    if processor and processor.status in _RUNS and not is_about(run, processor):
        told = f"that run is over, and it is {processor.status} anew: {_TAKEN_UP}"
    return History(name, run.camera, run, run.former, told, look)


def what_is_next(run: Run, now: datetime) -> str:
    """What is to be expected of a run, and when."""
    if run.phase is Phase.DONE:
        because = BECAUSE[run.reason] if run.reason else "nobody noted why"
        if run.outbox:
            return f"over: {because}; events about it are still to be told. {_look(run, now)}"
        return f"over: {because}. A new start begins a new run"
    refused = f"; AWS was too busy for that {_times(run.refusals)}" if run.refusals else ""
    return f"{_doing(run)}{refused}. {_look(run, now)}"


def ending(run: Run, processor: str) -> Ending | None:
    """How the latest run of a processor ended, or None if no end of it was seen yet.

    `run` is the latest of a camera, and tells of the processor.
    """
    if run.processor == processor:
        over = _is_over(run)
        return Ending(run.id, run.phase, run.reason, why_over(run), run.last_sign) if over else None
    former = [each for each in run.former if each.processor == processor][-1]
    why = BECAUSE[former.reason]
    return Ending(former.id, Phase.DONE, former.reason, why, former.last_sign)


def is_about(run: Run, processor: Processor) -> bool:
    """Whether this run is the latest stretch of the processor as it was just described.

    If not, the platform has yet to learn of a new one.
    """
    if (run.processor, run.created) != (processor.name, processor.created):
        return False
    return run.phase is not Phase.DONE or processor.updated <= (run.last_change or run.since)


def why_over(run: Run) -> str:
    """Why its end was seen, in the words of its log, and how often video came back before."""
    if not run.changes:
        return ""
    failed = [each.why for each in run.changes if each.why.startswith(Status.FAILED)]
    if run.reason is Reason.FAILED and failed:
        return failed[-1]
    since_live = itertools.takewhile(_is_not_live, reversed(run.changes))
    first = (list(since_live) or [run.changes[-1]])[-1]
    back = times_back(run.changes)
    return f"{first.why}; before, video came back {_times(back)}" if back else first.why


def times_back(changes: Iterable[Change]) -> int:
    """How often a run that seemed to end went on."""
    pairs = itertools.pairwise(change.phase for change in changes)
    return sum(before is not Phase.LIVE and after is Phase.LIVE for before, after in pairs)


def _is_over(run: Run) -> bool:
    """One that is to be kept (`--on-end keep`) is over when its video is, and stays LIVE."""
    if run.phase is Phase.LIVE:
        kept = run.policy.on_end is OnEnd.KEEP
        return kept and run.state in (State.ENDED, State.NEVER_STARTED)
    return run.phase is Phase.DONE or run.reason is Reason.ENDED


def _is_not_live(change: Change) -> bool:
    return change.phase is not Phase.LIVE


def _last_began(run: Run, processor: str) -> datetime:
    if run.processor == processor:
        return run.since
    return max(each.since for each in run.former if each.processor == processor)


def _doing(run: Run) -> str:
    if run.phase is not Phase.LIVE:
        return _DOING[run.phase]
    if run.reason is Reason.FAILED:
        return f"it {Status.FAILED}, and is left so for its StatusMessage to be read"
    if not run.running:
        limit = format_duration(STUCK_STARTING_AFTER)
        return f"it is {Status.STARTING}; after {limit} of that it is given up"
    if _is_over(run):
        return f"its verdict is {run.state}, and it is kept {Status.RUNNING} as --on-end keep says"
    return f"it is {Status.RUNNING}, and its verdict is {run.state}"


def _look(run: Run, now: datetime) -> str:
    """When somebody looks at it again, and who."""
    if run.clock is None:
        return "No clock is set for it: the sweep looks at it within 2 minutes"
    late = now - run.clock.due
    if late > OVERDUE:
        return f"Its clock is {_seconds(late)} late: the sweep looks at it within a minute"
    if late >= timedelta(0):
        return "The next look at it is due now"
    return f"The next look at it is due in {_seconds(-late)}"


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.0f} s"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
