"""What PutMedia says back to a producer, one JSON object a line, as seen on the wire.

The flat form with upper-case types is what the service sends (producer-sdk-cpp issue 575); the
developer guide prints another one.
"""

from __future__ import annotations

import json
from enum import IntEnum, StrEnum


class Kind(StrEnum):
    """The types of acknowledgement; what each means is said in the guide's PutMedia page."""

    BUFFERING = "BUFFERING"
    RECEIVED = "RECEIVED"
    PERSISTED = "PERSISTED"
    IDLE = "IDLE"
    ERROR = "ERROR"


class ErrorId(IntEnum):
    """Why PutMedia gives up. Numbers and names are the service's own (Java SDK, AckErrorCode)."""

    MAX_FRAGMENT_SIZE_REACHED = 4001
    MAX_FRAGMENT_DURATION_REACHED = 4002
    MAX_CONNECTION_DURATION_REACHED = 4003
    FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS = 4004
    INVALID_MKV_DATA = 4006
    INVALID_PRODUCER_TIMESTAMP = 4007
    STREAM_NOT_ACTIVE = 4008
    FRAGMENT_METADATA_LIMIT_REACHED = 4009
    TRACK_NUMBER_MISMATCH = 4010
    FRAMES_MISSING_FOR_TRACK = 4011
    MORE_THAN_ALLOWED_TRACKS_FOUND = 4012
    ARCHIVAL_ERROR = 5001


def line(
    kind: Kind,
    *,
    timecode_ms: int | None = None,
    number: str | None = None,
    error: ErrorId | None = None,
) -> bytes:
    """One acknowledgement. What is not known of its fragment is left out."""
    said: dict[str, str | int] = {"EventType": kind.value}
    if timecode_ms is not None:
        said["FragmentTimecode"] = timecode_ms
    if number is not None:
        said["FragmentNumber"] = number
    if error is not None:
        said |= {"ErrorId": error.value, "ErrorCode": error.name}
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"
