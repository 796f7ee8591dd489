"""PutMedia: a producer's Matroska in, acknowledgements out while it still arrives.

Not in botocore's models; headers, constraints and error ids are those of the developer guide's
PutMedia page, the wire form of what AWS's C producer was seen to send.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from streamctl.local.cloud import Cloud
from streamctl.local.faults import FRAGMENT_SENT, Fault
from streamctl.local.faults.happenings import DROPPED, LOST
from streamctl.local.http import Receive, Send
from streamctl.local.kinesisvideo import refusals
from streamctl.local.kinesisvideo.acknowledgements import ErrorId, Kind, line
from streamctl.local.kinesisvideo.bodies import Dropped, Ending, Inlet
from streamctl.local.kinesisvideo.cameras import Camera
from streamctl.local.kinesisvideo.splitter import Closed, Event, Opened, Piece, Refused, Splitter
from streamctl.local.kinesisvideo.storage import Fragment

_PAUSES: Final = 6  # before it closes; with the 30 s of the guide: an IDLE every 5 s
_BURST: Final = 5.0  # fragments that may come at once before the rate limit holds them back
_LAST_MS: Final = 253_402_300_799_999  # the end of the year 9999: no time of AWS's is later


@dataclass(frozen=True, slots=True)
class PutMediaRequest:
    """What the headers of a PutMedia request say."""

    name: str | None
    arn: str | None
    start_ms: int
    """Added to each timecode: the producer's start where timecodes are RELATIVE, else 0."""
    wants_acknowledgements: bool

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> PutMediaRequest:
        """From headers by lower-case name. Raises ServiceFault where one is missing or wrong."""
        name, arn = headers.get("x-amzn-stream-name"), headers.get("x-amzn-stream-arn")
        if (name is None) == (arn is None):
            raise refusals.invalid("exactly one of x-amzn-stream-name and -arn is required")
        kind = headers.get("x-amzn-fragment-timecode-type")
        if kind not in {"ABSOLUTE", "RELATIVE"}:
            raise refusals.invalid("x-amzn-fragment-timecode-type must be ABSOLUTE or RELATIVE")
        start_ms = _start_ms(headers.get("x-amzn-producer-start-timestamp", ""))
        wants = headers.get("x-amzn-fragment-acknowledgment-required") == "1"
        return cls(name, arn, start_ms if kind == "RELATIVE" else 0, wants)


def _start_ms(text: str) -> int:
    try:
        start_ms = round(float(text) * 1000)
    except (ValueError, OverflowError):
        start_ms = -1
    if not 0 <= start_ms <= _LAST_MS:
        raise refusals.invalid("x-amzn-producer-start-timestamp must be a time in Unix seconds")
    return start_ms


class PutMedia:
    """One connection, from its accepted headers to its end."""

    def __init__(self, camera: Camera, request: PutMediaRequest, cloud: Cloud, send: Send) -> None:
        self._camera = camera
        self._request = request
        self._timings = cloud.timings
        self._faults = cloud.faults
        self._send = send
        self._splitter = Splitter()
        self._fragment: Fragment | None = None
        self._fault: Fault | None = None
        self._timecode_ms: int | None = None
        self._credit = _BURST
        self._counted_at = time.monotonic()

    async def run(self, receive: Receive) -> bool:
        """Take the body in; its answer is left open. True if the body has ended too.

        Raises Dropped where the answer must not be ended in order.
        """
        headers = [(b"content-type", b"application/json")]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        inlet = Inlet(receive, self._camera.ended)
        try:
            await self._take_all(inlet)
        except Refused as refused:
            await self._acknowledge(Kind.ERROR, refused.error)
        finally:
            self._abandon()
            await inlet.close()
        return inlet.over

    async def _take_all(self, inlet: Inlet) -> None:
        """Raises Refused where the producer must be told why it ends."""
        until = time.monotonic() + self._timings.media_connection_s
        patience_s = self._timings.put_media_idle_s / _PAUSES
        pauses = 0
        while pauses < _PAUSES:
            got = await inlet.next(patience_s)
            if got is Ending.READER:
                raise self._farewell()
            if isinstance(got, Ending):
                return await self._apply(self._splitter.end(orderly=got is Ending.BODY))
            pauses = 0 if got is not None else pauses + 1
            if got is not None:
                await self._apply(self._splitter.feed(got))
            elif pauses < _PAUSES:
                await self._acknowledge(Kind.IDLE)
            if time.monotonic() >= until:
                raise Refused(ErrorId.MAX_CONNECTION_DURATION_REACHED, "connected for too long")
        return await self._apply(self._splitter.end(orderly=False))

    async def _apply(self, events: Iterator[Event]) -> None:
        try:
            for event in events:
                match event:
                    case Opened(timecode_ms):
                        await self._open(timecode_ms)
                    case Piece(data, length_ms):
                        self._append(data, length_ms)
                    case Closed():
                        await self._close()
        except OSError as error:
            if self._camera.ended.is_set():
                raise self._farewell() from error
            raise Refused(ErrorId.ARCHIVAL_ERROR, f"it cannot be stored: {error}") from error

    async def _open(self, timecode_ms: int) -> None:
        await self._hold_back()
        producer_ms = self._request.start_ms + timecode_ms
        self._timecode_ms = timecode_ms
        if producer_ms > _LAST_MS:
            raise Refused(ErrorId.INVALID_PRODUCER_TIMESTAMP, f"{producer_ms} ms")
        self._fragment = self._camera.storage.begin(self._splitter.head, producer_ms)
        self._fault = self._faults.take(FRAGMENT_SENT, [self._camera.arn])
        if self._is_lost:
            self._camera.storage.discard(self._fragment)  # before anybody could see it
        await self._acknowledge(Kind.BUFFERING)

    def _append(self, data: bytes, length_ms: int) -> None:
        assert self._fragment is not None, "the splitter opens before it fills"
        if not self._is_lost:
            self._camera.storage.append(self._fragment, data, length_ms)

    async def _close(self) -> None:
        assert self._fragment is not None, "the splitter opens before it closes"
        kept = self._camera.retention_s > 0
        if not self._is_lost:
            self._camera.storage.finish(self._fragment, kept=kept)
        await self._acknowledge(Kind.RECEIVED)
        if kept:
            await self._acknowledge(Kind.PERSISTED)
        self._fragment = self._timecode_ms = None
        await self._meet_fault()

    def _abandon(self) -> None:
        """What is not whole when the connection ends will never be."""
        if self._fragment is not None:
            self._camera.storage.discard(self._fragment)
            self._fragment = None

    def _farewell(self) -> Exception:
        if self._camera.deleted:
            return Refused(ErrorId.STREAM_NOT_ACTIVE, "the camera was deleted")
        return Dropped()  # the server stops: to the producer, a connection that breaks

    @property
    def _is_lost(self) -> bool:
        """Whether a fault has this fragment acknowledged, and thrown away."""
        return self._fault is not None and self._fault.code == LOST

    async def _meet_fault(self) -> None:
        """Behind a fragment, a fault may hold the connection up or break it."""
        if self._fault is not None:
            await self._faults.hold(self._fault, self._fault.delay_s)
            if self._fault.code == DROPPED:
                raise Dropped

    async def _hold_back(self) -> None:
        """Keep to the fragments per second of the quotas, by not reading on for a while."""
        rate = self._timings.fragments_per_s
        now = time.monotonic()
        self._credit = min(_BURST, self._credit + (now - self._counted_at) * rate) - 1
        self._counted_at = now
        if rate and self._credit < 0:
            await asyncio.sleep(-self._credit / rate)

    async def _acknowledge(self, kind: Kind, error: ErrorId | None = None) -> None:
        if not self._request.wants_acknowledgements:
            return
        about_fragment = kind is not Kind.IDLE
        said = line(
            kind,
            timecode_ms=self._timecode_ms if about_fragment else None,
            number=self._fragment.number if about_fragment and self._fragment else None,
            error=error,
        )
        await self._send({"type": "http.response.body", "body": said, "more_body": True})
