"""PutMedia: Matroska goes in, acknowledgements come out of the same connection.

Not in boto3, which cannot read an answer before it has sent the whole body. Protocol: developer guide,
"PutMedia"; details as recorded from AWS's C producer 1.6.4.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Self

from streamctl import errors
from streamctl.aws import kinesisvideo, wire
from streamctl.aws.session import Aws

_CONTINUE_S: Final = 2.0
"""How long `100 Continue` is waited for: proxies swallow it, and AWS's producer waits 1 s."""

_ACK_AT_MOST: Final = 64 * 1024
"""Characters that one acknowledgement may have. Real ones have less than 300."""


class Kind(StrEnum):
    """What the service says about a fragment, in the order in which it says it."""

    BUFFERING = "BUFFERING"
    """It began to arrive."""
    RECEIVED = "RECEIVED"
    """All of it arrived."""
    PERSISTED = "PERSISTED"
    """It is stored. Never said for a camera that keeps nothing (retention 0)."""
    ERROR = "ERROR"
    """It is refused, or the connection is ended: `failure` says what that means."""
    IDLE = "IDLE"
    """No data arrives; after 30 s the service closes the connection."""


@dataclass(frozen=True, slots=True)
class Ack:
    """One acknowledgement. `timecode_ms` is the fragment's as it was sent, in milliseconds; IDLE
    has neither that nor a number. `error_id` and `error_code` are ERROR's: see `failure`.
    """

    kind: Kind
    timecode_ms: int | None = None
    fragment_number: str | None = None
    error_id: int = 0
    error_code: str = ""


class Upload:
    """One connection that a camera's video goes out on.

    Every method raises Unreachable where the connection breaks, and what the service answers where
    it refuses: NotFound, NotAllowed, Throttled (another producer is connected), AskedWrongly.
    """

    def __init__(self, exchange: wire.Exchange) -> None:
        self._exchange = exchange
        self._unread = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        """Send Matroska bytes; waits while the network takes no more."""
        self._exchange.write(data)

    def acks(self, wait: float = 0) -> list[Ack]:
        """The acknowledgements since the last call; waits up to `wait` seconds for the first.

        Raises Unreachable once there are none and will be none, or where what comes is no
        acknowledgement.
        """
        self._unread += self._exchange.read(wait).decode("utf-8", "replace")
        found, self._unread = parse(self._unread)
        if not found and self._exchange.over:
            raise errors.Unreachable("sending video: the connection was closed")
        if len(self._unread) > _ACK_AT_MOST:
            raise errors.Unreachable("sending video: the answer holds no acknowledgements")
        return found

    def finish(self) -> None:
        """All is sent: end the body. Acknowledgements still come."""
        self._exchange.end()

    def close(self) -> None:
        self._exchange.close()


def upload(aws: Aws, camera: str, began: datetime, *, fresh: bool = False) -> Upload:
    """Open a connection to send video to a camera (name or ARN), with absolute timecodes.

    `began` is the producer's time of its first frame. `fresh` asks for the endpoint anew, for when a
    connection to the known one failed. Raises what Upload's methods raise.
    """
    doing = f"sending video to camera {kinesisvideo.short(camera)}"
    endpoint = kinesisvideo.data_endpoint(aws, "PUT_MEDIA", camera, fresh=fresh)
    url = f"{endpoint.rstrip('/')}/putMedia"
    head = wire.signed(aws, url, _headers(camera, began))
    exchange = wire.connect(url, "PutMedia", doing)
    try:
        exchange.begin(head)
        exchange.await_continue(_CONTINUE_S)
    except BaseException:
        exchange.close()
        raise
    return Upload(exchange)


def _headers(camera: str, began: datetime) -> dict[str, str]:
    named = "x-amzn-stream-arn" if camera.startswith("arn:") else "x-amzn-stream-name"
    return {
        named: camera,
        "x-amzn-fragment-timecode-type": "ABSOLUTE",
        "x-amzn-fragment-acknowledgment-required": "1",
        "x-amzn-producer-start-timestamp": f"{began.astimezone(UTC).timestamp():.3f}",
        "Content-Type": "application/json",
        "Transfer-Encoding": "chunked",
        "Connection": "keep-alive",
        "Expect": "100-continue",
    }


def parse(text: str) -> tuple[list[Ack], str]:
    """The whole acknowledgements in `text`, and what is left of it.

    They are JSON objects one after the other, with or without space between. Other JSON, and kinds
    that we do not know, are passed over; what is no JSON is left, as it may yet go on.
    """
    found: list[Ack] = []
    at = _behind_space(text, 0)
    while at < len(text):
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        at = _behind_space(text, end)
        if isinstance(value, dict) and (ack := _ack(value)) is not None:
            found.append(ack)
    return found, text[at:]


_DECODER: Final = json.JSONDecoder()
_SPACE: Final = re.compile(r"\s*")


def _behind_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _ack(value: dict[str, Any]) -> Ack | None:
    """None for a kind that we do not know. A field of a wrong type counts as absent."""
    try:
        kind = Kind(str(value.get("EventType")))
    except ValueError:
        return None
    timecode, number = value.get("FragmentTimecode"), value.get("FragmentNumber")
    error_id = value.get("ErrorId")
    return Ack(
        kind=kind,
        timecode_ms=timecode if isinstance(timecode, int) else None,
        fragment_number=number if isinstance(number, str) else None,
        error_id=error_id if isinstance(error_id, int) else 0,
        error_code=str(value.get("ErrorCode") or ""),
    )


# ErrorId of an ERROR acknowledgement (AWS's C producer, client/Include.h; developer guide, PutMedia).
_MEANINGS: Final[tuple[tuple[range, type[errors.StreamctlError], str], ...]] = (
    (range(4001, 4003), errors.Unsuitable, "put a key frame every 2 s"),
    (range(4003, 4004), errors.Unreachable, ""),
    (range(4004, 4008), errors.Unsuitable, "check the producer's clock and its Matroska"),
    (range(4008, 4009), errors.NotFound, ""),
    (range(4009, 4013), errors.Unsuitable, "check the producer's Matroska"),
    (range(4500, 4507), errors.NotAllowed, "the camera's KMS key may not be used"),
    (range(4507, 4508), errors.NotFound, ""),
)


def failure(ack: Ack) -> errors.StreamctlError:
    """The error of ours that an ERROR acknowledgement stands for; Transient where we know no better."""
    message = f"sending video: the camera refused a fragment: {ack.error_code} ({ack.error_id})"
    for ids, kind, hint in _MEANINGS:
        if ack.error_id in ids:
            return kind(message, hint)
    return errors.Transient(message)
