"""Why a processor FAILED, in the operator's terms.

AWS gives no code, only a StatusMessage; this table knows those of the developer guide's
"Troubleshooting streaming video". A message that is not in it is passed on as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_START: Final = "put that right, then: streamctl processor start {processor}"
_CREATE: Final = "delete processor {processor}, and create it for a camera that stands"

_KNOWN: Final = (
    (
        "access denied to role",
        "the role is missing, does not trust rekognition.amazonaws.com, or has no policy",
        _START,
    ),
    (
        "access denied to kinesis video",
        "the role lacks kinesisvideo:GetMedia and GetDataEndpoint on camera {camera}",
        _START,
    ),
    (
        "access denied to kinesis data",
        "the role lacks kinesis:PutRecord and PutRecords on the results of {camera}",
        _START,
    ),
    ("limit exceeded", "as many run as AWS allows", "stop one, or ask AWS for more; " + _START),
    (
        "collection not found",
        "there is no collection {collection} in this region",
        "streamctl collection create {collection}, then start it again",
    ),
    # Before the next, of which it says more.
    ("under account", "the results of camera {camera} are gone, or in another region", _CREATE),
    ("doesn't exist", "camera {camera} is gone, or in another region", _CREATE),
)
_UNKNOWN: Final = ("", "what AWS says is all that is known", _START)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong, and what to do about it: a line each."""

    cause: str
    cure: str


def diagnose(status_message: str, *, processor: str, camera: str, collection: str) -> Diagnosis:
    """What a processor that FAILED with this message suffers from. `camera` is its name."""
    said = status_message.lower()
    found = next((known for known in _KNOWN if known[0] in said), _UNKNOWN)
    names = {"processor": processor, "camera": camera, "collection": collection}
    return Diagnosis(found[1].format(**names), found[2].format(**names))


def cure(status_message: str, *, processor: str, camera: str, collection: str) -> str:
    """Cause and cure in one line, for a hint."""
    found = diagnose(status_message, processor=processor, camera=camera, collection=collection)
    return f"{found.cause}; {found.cure}"
