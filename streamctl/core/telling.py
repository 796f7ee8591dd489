"""What is said of a sighting, and to whom it belongs: the details of its events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from streamctl.core import events, sightings
from streamctl.core.events import Event
from streamctl.core.sightings import UNKNOWN, FrameRef, Look, Sighting


@dataclass(frozen=True, slots=True)
class RunRef:
    """The run that sightings are reported under, empty where it is not known yet; and the bucket
    that pictures of them are put into, empty where there is none.
    """

    processor: str = ""
    id: str = ""
    pictures: str = ""


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
        "best": {**_look(sighting.best), **_picture(sighting, run)},
    }


def _look(look: Look) -> dict[str, Any]:
    box, quality = look.box, look.quality
    said = {
        **_frame(look.frame),
        "similarity": look.similarity,
        "box": {"left": box.left, "top": box.top, "width": box.width, "height": box.height},
    }
    if quality is not None:
        said["quality"] = {"brightness": quality.brightness, "sharpness": quality.sharpness}
    return said


def _picture(sighting: Sighting, run: RunRef) -> dict[str, Any]:
    """Where the picture of its best frame will be, if one can be had: it is not waited for."""
    if not run.pictures or not sighting.is_pictured:
        return {}
    frame = sighting.best.frame
    key = sightings.picture_key(sighting.id, frame.fragment, frame.offset)
    return {"picture": {"bucket": run.pictures, "key": key}}


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
