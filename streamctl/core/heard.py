"""Events as a security app receives them: from an EventBridge envelope to typed values.

What comes in a queue is untrusted input: it is read with limits, and whatever is wrong with it
becomes one RecordError. Members that are not known are passed over: newer versions add some.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from streamctl.core import events, names
from streamctl.core.records import MAX_OFFSET, Box, Quality
from streamctl.errors import RecordError

MAX_BYTES: Final = 1024 * 1024
"""A message of SQS has 1 MiB at most, an event 256 KiB."""

# A record can say no time outside of these (records.py). A while can be added to any time within, or
# taken from it, and a zone given to it, and it is still a time of Python's, S3's and DynamoDB's.
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9999, 1, 2, tzinfo=UTC)

_SIGHTINGS: Final = {
    events.SIGHTING_STARTED: "started",
    events.SIGHTING_UPDATED: "updated",
    events.SIGHTING_ENDED: "ended",
}

_MALFORMED: Final = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
    OverflowError,  # Python's json reads numbers that no float holds, and Infinity
)


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """A frame: where it is in the camera's archive, and when it was, by the service's clock and by
    the producer's, which may be days off.
    """

    fragment: str
    offset_s: float
    time: datetime
    producer_time: datetime


@dataclass(frozen=True, slots=True)
class PictureRef:
    """Where a picture is in S3, from some seconds after the event on, until it expires; or never,
    where the video that shows it was not stored.
    """

    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class BestFrame(SeenFrame):
    """`similarity` is 0-100, and 0 of faces that match nobody; `box` holds ratios of the frame.
    `quality` is None where the service told nothing of it.
    """

    similarity: float
    box: Box
    quality: Quality | None
    picture: PictureRef | None


@dataclass(frozen=True, slots=True)
class SightingEvent:
    """Somebody at a camera: `what` is started, updated or ended.

    `id` is this event's, and the same whenever it comes again; `sighting` is the same in all events
    of one sighting. `person` is None for faces that match nobody: then `at_once` says how many there
    are, at least. `attention` is `allow` or `alert`, as the platform's rules say.
    """

    what: str
    id: str
    sighting: str
    camera: str
    camera_arn: str
    person: str | None
    attention: str
    at_once: int
    time: datetime
    started: SeenFrame
    ended: SeenFrame | None
    best: BestFrame
    frames: int
    late: bool
    merged_into: str | None
    processor: str
    run: str


@dataclass(frozen=True, slots=True)
class ProcessorEvent:
    """Something about a processor. `what` is the event's kind: `Processor Failed`; `detail` is all
    that it says (docs/events.md).
    """

    what: str
    id: str
    camera: str
    camera_arn: str
    processor: str
    run: str
    time: datetime
    detail: Mapping[str, Any]


Heard = SightingEvent | ProcessorEvent


def read(body: str) -> Heard | None:
    """The event in a message's body; None for one that is not streamctl's, or of a kind to come.

    One to come that is about processors is read like those that there are. Raises RecordError for
    what is no event.
    """
    if len(body) > MAX_BYTES:
        raise RecordError(f"the message has more than {MAX_BYTES} characters")
    try:
        envelope = json.loads(body)
        if envelope["source"] != events.SOURCE:
            return None
        kind, detail = envelope["detail-type"], envelope["detail"]
        if kind in _SIGHTINGS:
            return _sighting(_SIGHTINGS[kind], detail)
        return _processor(kind, detail) if kind.startswith("Processor ") else None
    except _MALFORMED as error:
        raise RecordError(f"the message is no event: {type(error).__name__}: {error}") from error


def _sighting(what: str, detail: Mapping[str, Any]) -> SightingEvent:
    ended = detail.get("ended")
    return SightingEvent(
        what=what,
        id=_text(detail["id"]),
        sighting=_text(detail["sighting"]),
        camera=names.of_camera(_text(detail["camera"])),
        camera_arn=detail["camera"],
        person=_text_or_none(detail["person"]),
        attention=_text(detail["attention"]),
        at_once=int(detail.get("at_once", 1)),
        time=_time(detail["time"]),
        started=SeenFrame(**_frame(detail["started"])),
        ended=SeenFrame(**_frame(ended)) if ended is not None else None,
        best=_best(detail["best"]),
        frames=int(detail["frames"]),
        late=detail.get("late") is True,
        merged_into=_text_or_none(detail.get("merged_into")),
        processor=_text(detail["processor"]),
        run=_text(detail["run"]),
    )


def _processor(kind: str, detail: Mapping[str, Any]) -> ProcessorEvent:
    return ProcessorEvent(
        what=kind,
        id=_text(detail["id"]),
        camera=names.of_camera(_text(detail["camera"])),
        camera_arn=detail["camera"],
        processor=_text(detail["processor"]),
        run=_text(detail["run"]),
        time=_time(detail["time"]),
        detail=detail,
    )


def _best(plain: Mapping[str, Any]) -> BestFrame:
    box = {side: float(plain["box"][side]) for side in ("left", "top", "width", "height")}
    quality, picture = plain.get("quality"), plain.get("picture")
    return BestFrame(
        **_frame(plain),
        similarity=float(plain["similarity"]),
        box=Box(**box),
        quality=_quality(quality) if quality is not None else None,
        picture=_picture(picture) if picture is not None else None,
    )


def _quality(plain: Mapping[str, Any]) -> Quality:
    return Quality(float(plain["brightness"]), float(plain["sharpness"]))


def _picture(plain: Mapping[str, Any]) -> PictureRef:
    return PictureRef(_text(plain["bucket"]), _text(plain["key"]))


def _frame(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "fragment": _text(plain["fragment"]),
        "offset_s": _offset(plain["offset_s"]),
        "time": _time(plain["time"]),
        "producer_time": _time(plain["producer_time"]),
    }


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    value.encode()  # JSON can say half a character, which AWS cannot be asked about
    return value


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _time(value: Any) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError(f"{value} is no time of an event")
    return moment


def _offset(value: Any) -> float:
    offset = float(value)
    if not 0 <= offset <= MAX_OFFSET.total_seconds():  # nor is a NaN
        raise ValueError(f"{offset} s is no frame's offset")
    return offset
