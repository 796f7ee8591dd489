"""What is said of a run on the event bus: started, failed, ended, torn down.

Each is said at least once, and under the same id each time, made from the run's own id.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from streamctl.core import events, failures, names
from streamctl.core.events import Event
from streamctl.core.liveness import Processor
from streamctl.core.runs import Reason, Run


def started(run: Run, now: datetime) -> Event:
    return _event(run, events.PROCESSOR_STARTED, now, {"since": events.iso(run.since)})


def failed(run: Run, processor: Processor, now: datetime) -> Event:
    """AWS's own words, what they mean, and what to do."""
    diagnosis = failures.diagnose(
        processor.status_message,
        processor=run.processor,
        camera=names.of_camera(run.camera),
        collection=processor.collection,
    )
    said = {
        "reason": run.reason,
        "status_message": processor.status_message,
        "cause": diagnosis.cause,
        "cure": diagnosis.cure,
    }
    return _event(run, events.PROCESSOR_FAILED, now, said)


def stuck(run: Run, why: str, now: datetime) -> Event:
    """STARTING for too long: AWS says nothing, so the developer guide's advice is all there is."""
    said = {
        "reason": run.reason,
        "status_message": "",
        "cause": why,
        "cure": "it is deleted; create it again, and ask AWS support if that repeats itself",
    }
    return _event(run, events.PROCESSOR_FAILED, now, said)


def ended(run: Run, now: datetime) -> Event:
    said = {
        "reason": run.reason,
        "last_sign": _iso_or_none(run.last_sign),
        "last_frame": _iso_or_none(run.last_frame),
        "idle_s": run.idle.total_seconds(),
    }
    return _event(run, events.PROCESSOR_ENDED, now, said)


def torn_down(run: Run, now: datetime) -> Event:
    """For the reason that its end is told with: one that was taken back says ended there too."""
    return _event(run, events.PROCESSOR_TORN_DOWN, now, {"reason": run.reason or Reason.ENDED})


def _event(run: Run, kind: str, now: datetime, more: dict[str, Any]) -> Event:
    detail = {
        "camera": run.camera,
        "processor": run.processor,
        "run": run.id,
        "time": events.iso(now),
        **more,
    }
    return events.event(kind, events.identity(run.id), detail)


def _iso_or_none(time: datetime | None) -> str | None:
    return None if time is None else events.iso(time)
