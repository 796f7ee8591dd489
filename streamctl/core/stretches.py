"""Which run a described processor belongs to: this one, an earlier reading of it, or a new one.

The API keys everything by name, names are used again, and Describe may be seconds behind. What
tells one stretch of RUNNING from another is CreationTimestamp and LastUpdateTimestamp.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from streamctl.core.liveness import Processor, Status
from streamctl.core.policy import Ownership
from streamctl.core.runs import Former, Reason, Run

STALE_AT_MOST: Final = timedelta(seconds=5)
"""How far Describe is taken to lag behind at most (docs/assumptions.md)."""

BEGINS_A_RUN: Final = (Status.RUNNING, Status.STARTING, Status.FAILED)
"""What a processor must be for a run to begin with it."""

FORMER_RUNS: Final = 20


def adopt(
    owned: Ownership, processor: Processor, finished: Run | None, now: datetime, trigger: str
) -> Run | None:
    """The run that begins with this processor, or None where none does.

    No stretch of a processor begins one twice: `finished` is the camera's last run, over.
    """
    if processor.status not in BEGINS_A_RUN:
        return None
    if finished is not None and not _is_later(processor, finished):
        return None
    run = Run(
        id=processor.epoch,
        camera=processor.camera,
        processor=processor.name,
        created=processor.created,
        since=processor.updated,
        policy=owned.policy,
        results=processor.results,
        by_stack=owned.by_stack,
        last_change=processor.updated,
        former=_former(finished) if finished else (),
    )
    return run.noted(f"adopted, {processor.status}", now, trigger)


def is_old_news(run: Run, processor: Processor | None, now: datetime) -> bool:
    """Whether this description is older than what is known of the run's processor."""
    if processor is None:
        return now - run.created < STALE_AT_MOST
    if processor.created != run.created:
        return processor.created < run.created
    return processor.updated < (run.last_change or run.since)


def is_another(run: Run, processor: Processor) -> bool:
    """Whether it was started anew: STARTING or RUNNING since a change that this run knows nothing of."""
    if processor.updated <= run.since:
        return False
    if processor.status is Status.STARTING:
        return True
    return processor.status is Status.RUNNING and (run.running or run.reason is not None)


def _is_later(processor: Processor, finished: Run) -> bool:
    """Whether it lived on after `finished` was over, and is no stale reading of that very run."""
    if processor.created != finished.created:
        return processor.created > finished.created
    return processor.updated > (finished.last_change or finished.since)


def _former(finished: Run) -> tuple[Former, ...]:
    over = Former(
        id=finished.id,
        processor=finished.processor,
        since=finished.since,
        over=finished.changes[-1].at if finished.changes else finished.since,
        reason=finished.reason or Reason.ENDED,
        last_sign=finished.last_sign,
    )
    return (*finished.former, over)[-FORMER_RUNS:]
