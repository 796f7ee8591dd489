"""Waiting for a run's end, as the platform sees it, and saying why it saw one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from streamctl.aws.session import Aws
from streamctl.core import history
from streamctl.core.history import Ending
from streamctl.core.liveness import Status
from streamctl.core.policy import format_duration
from streamctl.core.runs import Reason, Run
from streamctl.errors import GaveUpWaiting, ProcessorFailed, Unsuitable
from streamctl.ops import inventory, processors, waiting
from streamctl.ops.history import latest_run, run_of, unknown
from streamctl.ops.inventory import OwnedProcessor, Platform
from streamctl.ops.waiting import Progress

_POLL_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Look:
    """What was seen at once: the processor unless it is gone, its latest run if one is known."""

    found: OwnedProcessor | None
    run: Run | None

    @property
    def is_current(self) -> bool:
        """Whether the run is of what was described: of a new start one learns a little later."""
        if self.run is None or self.found is None:
            return self.run is not None
        return history.is_about(self.run, self.found.described.processor)

    @property
    def status(self) -> Status | None:
        return self.found.described.processor.status if self.found else None

    @property
    def state(self) -> str:
        """How it stands, and why."""
        if self.run is None or not self.is_current:
            return f"{self.status}, and no run of it is known yet"
        why = self.run.changes[-1].why if self.run.changes else self.run.state
        return f"{self.run.phase}, {why}"


def wait(
    aws: Aws, platform: str, name: str, timeout: timedelta, progress: Progress
) -> tuple[Ending, OwnedProcessor | None]:
    """Wait until the platform has seen a processor's run end; how it ended, and the processor.

    A run has ended once only its last records are waited for, or when it is DONE. Raises
    ProcessorFailed, with the cure, if it FAILED; GaveUpWaiting after `timeout`; NotFound if
    nothing is known of it; Unsuitable if no end of it will ever be seen.
    """
    base = inventory.usable_platform(aws, platform)
    deadline = time.monotonic() + timeout.total_seconds()
    look = _first_look(aws, base, name)
    while (ending := _ending(look, name)) is None:
        if time.monotonic() > deadline:
            raise _gave_up(look, name, timeout)
        progress(f"waiting for {name} to end: {look.state}")
        time.sleep(min(_POLL_S, max(0.0, deadline - time.monotonic())))
        look = _look_again(aws, base, name, look)
    return ending, look.found


def _first_look(aws: Aws, base: Platform, name: str) -> _Look:
    found = processors.find(aws, name)
    if found is not None and not found.belongs_to(base.name):
        raise Unsuitable(
            f"processor {name} is not one of platform {base.name}, which sees no end of it",
            hint=f"{found.command} processor wait {name} --for ended" if found.owned else "",
        )
    run = latest_run(aws, base, name, found)
    if run is None and found is None:
        raise unknown(base, name, found)
    return _Look(found, run)


def _look_again(aws: Aws, base: Platform, name: str, before: _Look) -> _Look:
    found = processors.find(aws, name)
    known = found or before.found
    camera = known.camera_arn if known else before.run.camera if before.run else ""
    run = run_of(aws, base, camera)
    if run is not None and not history.tells_of(run, name):
        run = None
    if run is None and found is None:
        raise unknown(base, name, found)
    return _Look(found, run)


def _ending(look: _Look, name: str) -> Ending | None:
    """How it ended, None if it goes on. Raises ProcessorFailed if that is how."""
    ended = history.ending(look.run, name) if look.run and look.is_current else None
    if ended is not None and ended.reason is not Reason.FAILED:
        return ended
    if look.found is not None and look.status is Status.FAILED:
        raise waiting.failure(look.found)
    if ended is not None:
        raise ProcessorFailed(
            f"processor {name} is gone: {ended.why}", hint=f"streamctl processor history {name}"
        )
    return None


def _gave_up(look: _Look, name: str, timeout: timedelta) -> GaveUpWaiting:
    command = look.found.command if look.found else "streamctl"
    verb = "start" if look.status is Status.STOPPED and not look.is_current else "history"
    return GaveUpWaiting(
        f"processor {name} has not ended after {format_duration(timeout)}: {look.state}",
        hint=f"{command} processor {verb} {name}",
        last_seen=look.run.phase if look.run and look.is_current else look.status or "",
    )
