"""What a face-search record says: one analysed frame, the faces in it, whom they match.

A record is untrusted input: it is read with limits, and whatever is wrong with it becomes one
RecordError that says so. Its shape: developer guide, "Reference: Kinesis face recognition record";
number formats and absences: real captures (docs/assumptions.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from streamctl.errors import RecordError

MAX_BYTES: Final = 1024 * 1024
MAX_FACES: Final = 100  # Rekognition detects at most 100 faces in a frame
MAX_MATCHES: Final = 4096  # and returns at most 4096 matches for one
MAX_OFFSET: Final = timedelta(minutes=1)  # a fragment lasts at most 20 s

AHEAD_AT_MOST: Final = timedelta(minutes=1)
"""How far a frame's time may lie after its record's arrival: AWS's clocks say both. A frame that was
believed to be of a time to come would make every later one late."""

# As loose as the guide's own example, whose account is letters and whose ARN has no creation time.
_ARN: Final = re.compile(
    r"arn:[a-z\d-]+:kinesisvideo:[a-z\d-]+:\w{12}:stream/[A-Za-z\d_.-]{1,256}(/\d{1,20})?", re.ASCII
)
_FRAGMENT: Final = re.compile(r"\d{1,128}", re.ASCII)
# ExternalImageId's pattern and length in the API's model; a FaceId is narrower still. Whatever else
# a name were, it would go into the table, into ids and to every app that listens.
_NAME: Final = re.compile(r"[A-Za-z\d_.:-]{1,255}", re.ASCII)
_YEAR_9999: Final = 253_370_764_800


@dataclass(frozen=True, slots=True)
class Match:
    """One face matched to one person. `similarity` is 0-100."""

    person: str
    """ExternalImageId, or the FaceId of a face that was indexed without one."""
    face_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Box:
    """Ratios of the frame's width and height; may reach outside 0-1."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Quality:
    """How bright and how sharp a face is in the frame, each 0-100."""

    brightness: float
    sharpness: float


@dataclass(frozen=True, slots=True)
class Face:
    """A face that was detected; `matches` are sorted, best first, and empty for an unknown one."""

    box: Box
    confidence: float
    matches: tuple[Match, ...]
    quality: Quality | None = None
    """None where the record says nothing of it that can be read."""

    @property
    def best(self) -> Match | None:
        return self.matches[0] if self.matches else None


@dataclass(frozen=True, slots=True)
class Frame:
    """An analysed frame. `server_time` and `producer_time` are those of its fragment's start."""

    camera: str
    fragment: str
    """The fragment's number: about 47 digits, so never a number in any language."""
    offset: timedelta
    server_time: datetime
    producer_time: datetime
    faces: tuple[Face, ...]

    @property
    def key(self) -> str:
        """What tells this frame from every other of its camera."""
        return frame_key(self.fragment, self.offset)

    @property
    def time(self) -> datetime:
        """When the frame was received, by the server's clock."""
        return self.server_time + self.offset

    @property
    def produced(self) -> datetime:
        """When the frame was taken, by the producer's clock, which may be days off."""
        return self.producer_time + self.offset

    @property
    def shows_strangers(self) -> bool:
        """Whether there is a face in it that matches nobody."""
        return any(not face.matches for face in self.faces)


def frame_key(fragment: str, offset: timedelta) -> str:
    """A frame by where it is: events' ids are made from it, so it never changes."""
    return f"{fragment}+{offset.total_seconds():.3f}"


def parse(data: bytes, arrived: datetime | None = None) -> Frame:
    """The frame that one record's data describes; `arrived` is when the record did, where that is
    known. Raises RecordError if it describes none.
    """
    if len(data) > MAX_BYTES:
        raise RecordError(f"the record has {len(data)} bytes; the limit is {MAX_BYTES}")
    try:
        frame = _frame(json.loads(data.decode()))
    except UnicodeDecodeError as error:
        raise RecordError("the record is not JSON, nor any text in UTF-8") from error
    except (ValueError, RecursionError) as error:
        # json's own errors and nesting without end; ours are raised below.
        raise RecordError(f"the record is not JSON: {error}") from error
    if arrived is not None and frame.time - arrived > AHEAD_AT_MOST:
        raise RecordError(f"the frame is of {frame.time}, and its record came at {arrived}")
    return frame


def _frame(record: Any) -> Frame:
    video = _object(_object(record, "InputInformation"), "KinesisVideo")
    offset = timedelta(seconds=_number(video, "FrameOffsetInSeconds", 0, MAX_OFFSET.seconds))
    return Frame(
        camera=_text(video, "StreamArn", _ARN),
        fragment=_text(video, "FragmentNumber", _FRAGMENT),
        offset=offset,
        server_time=_time(video, "ServerTimestamp"),
        producer_time=_time(video, "ProducerTimestamp"),
        faces=tuple(map(_face, _list(record, "FaceSearchResponse", MAX_FACES))),
    )


def _face(face: Any) -> Face:
    detected = _object(face, "DetectedFace")
    matches = [_match(each) for each in _list(face, "MatchedFaces", MAX_MATCHES)]
    matches.sort(key=lambda match: (-match.similarity, match.person))
    return Face(
        box=_box(_object(detected, "BoundingBox")),
        confidence=_number(detected, "Confidence", 0, 100),
        matches=tuple(matches),
        quality=_quality(detected),
    )


def _match(match: Any) -> Match:
    face = _object(match, "Face")
    face_id = _text(face, "FaceId", _NAME)
    person = _text(face, "ExternalImageId", _NAME) if face.get("ExternalImageId") else face_id
    return Match(person, face_id, _number(match, "Similarity", 0, 100))


def _box(box: Mapping[str, Any]) -> Box:
    return Box(
        left=_number(box, "Left", -100, 100),
        top=_number(box, "Top", -100, 100),
        width=_number(box, "Width", -100, 100),
        height=_number(box, "Height", -100, 100),
    )


def _quality(detected: Mapping[str, Any]) -> Quality | None:
    """Only said of a face, never decided on: for one that is odd no match is lost."""
    try:
        quality = _object(detected, "Quality")
        return Quality(
            _number(quality, "Brightness", 0, 100), _number(quality, "Sharpness", 0, 100)
        )
    except RecordError:
        return None


def _object(parent: Any, name: str) -> Mapping[str, Any]:
    value = parent.get(name) if isinstance(parent, dict) else None
    if not isinstance(value, dict):
        raise RecordError(f"{name} is missing or no object")
    return value


def _list(parent: Mapping[str, Any], name: str, limit: int) -> list[Any]:
    """Absent means empty: whether empty frames carry the list is not documented."""
    value = parent.get(name, [])
    if not isinstance(value, list) or len(value) > limit:
        raise RecordError(f"{name} is no list of at most {limit}")
    return value


def _text(parent: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = parent.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise RecordError(f"{name} is missing or malformed")
    return value


def _number(parent: Mapping[str, Any], name: str, low: float, high: float) -> float:
    value = parent.get(name)
    if type(value) is not float and type(value) is not int:  # exact: a bool is an int's child
        raise RecordError(f"{name} is missing or no number")
    if not low <= value <= high:  # nor is a NaN
        raise RecordError(f"{name} is {value}, which is not within {low} to {high}")
    return float(value)


def _time(parent: Mapping[str, Any], name: str) -> datetime:
    return datetime.fromtimestamp(_number(parent, name, 0, _YEAR_9999), UTC)
