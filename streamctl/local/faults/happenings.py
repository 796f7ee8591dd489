"""What faults can happen to beside calls, and what each of them takes."""

from __future__ import annotations

from typing import Final

FRAGMENT_SENT: Final = "kinesis-video-media.PutMediaFragment"
"""A fragment has come from a producer: pause the video, lose the fragment, break the connection."""
FRAGMENT_VIEWED: Final = "kinesis-video-media.GetMediaFragment"
"""A fragment has gone to a viewer, or to a processor: hold up the rest, break the connection."""
TRANSITION: Final = "rekognition.Transition"
"""A processor is due to go from STARTING, STOPPING or UPDATING to what follows."""
FRAME: Final = "rekognition.Frame"
"""A processor is about to look at a frame: it stands still."""
RECORD: Final = "rekognition.Record"
"""A processor is about to write a record: late, in another order, several times, or never."""
MESSAGE: Final = "sqs.Message"
"""A queue has taken a message: it is never delivered."""

DROPPED: Final = "Dropped"
"""The code of a connection that breaks without an answer."""
LOST: Final = "Lost"
"""The code of what is taken as ever, and comes to nothing."""

EFFECTS: Final = ("code", "delay_s", "kills", "stale_s", "shuffle_s", "copies")
"""The members by which a fault does something."""

_BY_CALL: Final = ("code", "delay_s", "kills")
_BY_LOOK: Final = (*_BY_CALL, "stale_s")

_TAKEN: Final = {
    FRAGMENT_SENT: ("code", "delay_s"),
    FRAGMENT_VIEWED: ("code", "delay_s"),
    TRANSITION: ("delay_s",),
    FRAME: ("delay_s",),
    RECORD: ("code", "delay_s", "shuffle_s", "copies"),
    MESSAGE: ("code",),
}
_CODES: Final = {
    FRAGMENT_SENT: (DROPPED, LOST),
    FRAGMENT_VIEWED: (DROPPED,),
    RECORD: (LOST,),
    MESSAGE: (LOST,),
}
_LOOKS: Final = ("rekognition.DescribeStreamProcessor", "rekognition.ListStreamProcessors")

HAPPENINGS: Final = tuple(_TAKEN)
_CANONICAL: Final = {name.lower(): name for name in (*HAPPENINGS, *_LOOKS)}


def canonical(operation: str) -> str:
    """The spelling that we know, where it is one of ours; operations are told in any case."""
    return _CANONICAL.get(operation.lower(), operation)


def is_happening(operation: str) -> bool:
    """Whether it is no call: nobody makes it, and no answer is sent."""
    return operation in HAPPENINGS


def effects_on(operation: str) -> tuple[str, ...]:
    """Those of EFFECTS that mean something there."""
    return _TAKEN.get(operation, _BY_LOOK if operation in _LOOKS else _BY_CALL)


def codes_of(operation: str) -> tuple[str, ...]:
    """The only codes there are; none where any error can be answered."""
    return _CODES.get(operation, ())
