"""What is said of a sighting, and to whom it belongs: the details of its events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from streamctl.core import events
from streamctl.core.events import Event
from streamctl.core.sightings import UNKNOWN, FrameRef, Sighting


@dataclass(frozen=True, slots=True)
class RunRef:
    """The run that sightings are reported under; empty where it is not known yet."""

    processor: str = ""
    id: str = ""


def started(camera: str, sighting: Sighting, run: RunRef) -> Event:
    detail = _detail(camera, sighting, run, sighting.first)
    return events.event(events.SIGHTING_STARTED, sighting.id, detail)


def updated(camera: str, sighting: Sighting, run: RunRef) -> Event:
    """Each update has an id of its own, by its number."""
    detail = _detail(camera, sighting, run, sighting.best.frame)
    about = f"{sighting.id}.{sighting.updates}"
    return events.event(events.SIGHTING_UPDATED, about, {**detail, "last": _frame(sighting.last)})


def ended(camera: str, sighting: Sighting, run: RunRef) -> Event:
    detail = _detail(camera, sighting, run, sighting.last)
    said = {**detail, "ended": _frame(sighting.last), "late": sighting.late}
    return events.event(events.SIGHTING_ENDED, sighting.id, said)


def merged(camera: str, sighting: Sighting, into: Sighting, run: RunRef) -> Event:
    """The end of one that was told of, and turned out to be part of another."""
    end = ended(camera, sighting, run)
    return Event(end.type, {**end.detail, "merged_into": into.id})


def _detail(camera: str, sighting: Sighting, run: RunRef, now: FrameRef) -> dict[str, Any]:
    best = sighting.best
    return {
        "camera": camera,
        "processor": run.processor,
        "run": run.id,
        "time": events.iso(now.time),
        "producer_time": events.iso(now.produced),
        "sighting": sighting.id,
        **_whom(sighting),
        "attention": sighting.attention,
        "started": _frame(sighting.first),
        "frames": sighting.frames,
        "best": {
            **_frame(best.frame),
            "similarity": best.similarity,
            "box": {
                "left": best.box.left,
                "top": best.box.top,
                "width": best.box.width,
                "height": best.box.height,
            },
        },
    }


def _whom(sighting: Sighting) -> dict[str, Any]:
    if sighting.person == UNKNOWN:
        return {"person": None, "at_once": sighting.at_once}
    return {"person": sighting.person}


def _frame(ref: FrameRef) -> dict[str, Any]:
    return {
        "fragment": ref.fragment,
        "offset_s": ref.offset.total_seconds(),
        "time": events.iso(ref.time),
        "producer_time": events.iso(ref.produced),
    }
