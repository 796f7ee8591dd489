"""Waiting for a processor: a wait is data, and when it gives up it says what it last saw."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from streamctl.aws.session import Aws
from streamctl.core.liveness import STUCK_STARTING_AFTER, Status
from streamctl.core.policy import format_duration
from streamctl.errors import GaveUpWaiting, NotFound, ProcessorFailed
from streamctl.ops import inventory, processors
from streamctl.ops.inventory import OwnedProcessor

Progress = Callable[[str], None]

_POLL_S: Final = 0.5


class Goal(StrEnum):
    """What can be waited for."""

    RUNNING = "running"
    STOPPED = "stopped"
    GONE = "gone"


def wait(
    aws: Aws, name: str, goal: Goal, timeout: timedelta, progress: Progress
) -> OwnedProcessor | None:
    """Wait for a processor to get somewhere; how it is then, None once it is gone.

    Raises ProcessorFailed, with the cure, if it FAILED, or STOPPED while it was to start;
    GaveUpWaiting after `timeout`; NotFound if it is waited for to run or stop and there is none of
    that name, or no longer.
    """
    deadline = time.monotonic() + timeout.total_seconds()
    found = _look(aws, name, goal, None)
    while found is not None and not _is_reached(found, goal):
        status = found.described.processor.status
        if status is Status.FAILED and goal is not Goal.GONE:
            raise failure(found)
        if time.monotonic() > deadline:
            raise _gave_up(found, goal, timeout)
        progress(f"waiting for {name} to be {goal}: {status}{_slow(found)}")
        time.sleep(min(_POLL_S, max(0.0, deadline - time.monotonic())))
        before, found = found, _look(aws, name, goal, found)
        if goal is Goal.RUNNING and found is not None and _gave_way(before, found):
            raise _not_started(found)
    return found


def _look(aws: Aws, name: str, goal: Goal, before: OwnedProcessor | None) -> OwnedProcessor | None:
    found = processors.find(aws, name)
    if found is not None or goal is Goal.GONE:
        return found
    if before is None:
        raise inventory.no_processor(aws, name)
    was = before.described.processor.status
    raise NotFound(
        f"processor {name} is gone; it was {was} when it was last seen",
        hint=f"{before.command} processor history {name}",
    )


def _gave_way(before: OwnedProcessor, found: OwnedProcessor) -> bool:
    """Whether it was STARTING and stopped instead, by a description no older than that one."""
    was, now = before.described.processor, found.described.processor
    stopped = now.status in (Status.STOPPING, Status.STOPPED)
    same = now.created == was.created and now.updated >= was.updated
    return was.status is Status.STARTING and stopped and same


def _not_started(found: OwnedProcessor) -> ProcessorFailed:
    processor = found.described.processor
    camera = found.owned.camera if found.owned else processor.camera
    why = processor.status_message or "AWS gives no reason"
    return ProcessorFailed(
        f"processor {processor.name} was STARTING, and is {processor.status} instead: {why}",
        hint=f"unless somebody stopped it: does video flow? streamctl camera probe --camera {camera};"
        f" then {found.command} processor start {processor.name}",
        status_message=processor.status_message,
    )


def failure(found: OwnedProcessor) -> ProcessorFailed:
    """The error for a processor that FAILED: why, and what to do."""
    why, cure = processors.explain(found)
    said = found.described.processor.status_message
    return ProcessorFailed(why, hint=cure, status_message=said)


def _is_reached(found: OwnedProcessor, goal: Goal) -> bool:
    return found.described.processor.status == goal.upper()


def _is_stuck(found: OwnedProcessor) -> bool:
    processor = found.described.processor
    long_since = datetime.now(UTC) - processor.updated > STUCK_STARTING_AFTER
    return processor.status is Status.STARTING and long_since


def _slow(found: OwnedProcessor) -> str:
    return " for over 2 minutes, which is too long" if _is_stuck(found) else ""


def _gave_up(found: OwnedProcessor, goal: Goal, timeout: timedelta) -> GaveUpWaiting:
    processor = found.described.processor
    verb = "history" if goal is Goal.GONE and found.owned else "describe"
    hint = f"{found.command} processor {verb} {processor.name}"
    if _is_stuck(found):
        hint = (
            f"a start takes seconds; after 2 minutes AWS advises: {found.command} processor delete"
            f" {processor.name}, then create it again"
        )
    elif processor.status is Status.STOPPED and goal is Goal.RUNNING:
        hint = f"it is not starting: {found.command} processor start {processor.name}"
    return GaveUpWaiting(
        f"processor {processor.name} is {processor.status}, not {goal},"
        f" after {format_duration(timeout)}",
        hint=hint,
        last_seen=processor.status,
    )
