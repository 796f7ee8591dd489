"""GetMedia: a camera's fragments in order, each a Matroska document of its own, live at the end.

Layout as in real captures: header and segment as the producer sent them, AWS's tags on number and
times, the cluster (while it still arrives), the producer's tags, AWS's tags to go on from.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from streamctl.local.faults import FRAGMENT_VIEWED, Faults
from streamctl.local.kinesisvideo import refusals
from streamctl.local.kinesisvideo.bodies import Dropped
from streamctl.local.kinesisvideo.cameras import Camera
from streamctl.local.kinesisvideo.splitter import MAX_FRAGMENT_MS
from streamctl.local.kinesisvideo.storage import Fragment, State, Storage
from streamctl.local.kinesisvideo.timerange import unix_ms
from streamctl.media import ebml

_CHUNK: Final = 65_536
_FRAGMENT_NOT_FOUND: Final = {
    "AWS_KINESISVIDEO_ERROR_CODE": "FRAGMENT_NOT_FOUND",
    "AWS_KINESISVIDEO_ERROR_ID": "4000",
}


@dataclass(frozen=True, slots=True)
class Start:
    """Where to begin: behind fragment `after`, at the first fragment that reaches `at_ms`.

    `after` is None for NOW: with the fragment that is arriving, or else the next.
    """

    after: str | None = ""
    must_exist: bool = False
    """There must be a fragment with the number `after`."""
    at_ms: int = 0
    by_producer: bool = False

    @classmethod
    def of(cls, selector: Mapping[str, Any]) -> Start:
        """From GetMedia's StartSelector. Raises ServiceFault for one that lacks its value."""
        match selector.get("StartSelectorType"):
            case "NOW":
                return cls(after=None)
            case "EARLIEST":
                return cls()
            case "FRAGMENT_NUMBER":
                return cls(_number(selector, "AfterFragmentNumber"), must_exist=True)
            case "CONTINUATION_TOKEN":
                return cls(_number(selector, "ContinuationToken"), must_exist=True)
            case "SERVER_TIMESTAMP" | "PRODUCER_TIMESTAMP" as kind:
                return cls(at_ms=_moment_ms(selector), by_producer=kind.startswith("PRODUCER"))
            case other:
                raise refusals.invalid(f"StartSelectorType cannot be {other!r}")

    def cursor(self, storage: Storage) -> str:
        return storage.settled() if self.after is None else self.after

    def reached_by(self, fragment: Fragment) -> bool:
        begins = fragment.begins_ms(by_producer=self.by_producer)
        arriving = fragment.state is State.ARRIVING
        return begins + (MAX_FRAGMENT_MS if arriving else fragment.length_ms) >= self.at_ms


def _number(selector: Mapping[str, Any], member: str) -> str:
    value = str(selector.get(member, ""))
    if not (value.isascii() and value.isdigit()):
        raise refusals.invalid(f"{member} must be a fragment number")
    return value


def _moment_ms(selector: Mapping[str, Any]) -> int:
    moment = selector.get("StartTimestamp")
    if not isinstance(moment, datetime):
        raise refusals.invalid("StartTimestamp is required for this StartSelectorType")
    return unix_ms(moment)


@dataclass(frozen=True, slots=True)
class Patience:
    """When a viewer is sent away, in seconds; None is never."""

    idle_s: float | None = None
    connection_s: float | None = None


class Viewer:
    """One GetMedia connection. It holds a chunk of a file in memory, never a fragment."""

    def __init__(
        self,
        camera: Camera,
        start: Start,
        patience: Patience,
        now: Callable[[], float],
        faults: Faults,
    ) -> None:
        self._camera = camera
        self._faults = faults
        self._start = start
        self._patience = patience
        self._now = now
        self._began = time.monotonic()
        self._over = False

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The body, until the camera is gone or patience ends. Raises Dropped where a fault says so."""
        storage = self._camera.storage
        cursor = self._start.cursor(storage)
        if self._start.must_exist and storage.get(cursor) is None:
            yield error_document(_FRAGMENT_NOT_FOUND)
            return
        on_the_way = True
        while not self._over:
            fragment = storage.after(cursor)
            if fragment is None:
                await self._more()
                continue
            cursor = fragment.number
            if on_the_way and not self._start.reached_by(fragment):
                continue
            on_the_way = False
            async for chunk in self._document(fragment):
                yield chunk
            await self._meet_fault()

    async def _meet_fault(self) -> None:
        """Behind a fragment, a fault may hold the connection up or break it."""
        fault = self._faults.take(FRAGMENT_VIEWED, [self._camera.arn])
        if fault is not None:
            await self._faults.hold(fault, fault.delay_s)
            if fault.code:
                raise Dropped

    async def _document(self, fragment: Fragment) -> AsyncIterator[bytes]:
        try:
            file = fragment.path.open("rb")
        except FileNotFoundError:
            return  # expired, or its camera is gone, in this very moment
        with file:
            yield file.read(fragment.head_size) + ebml.write_tags(_tags_before(fragment))
            while True:
                chunk = file.read(_CHUNK)
                if chunk:
                    yield chunk
                elif fragment.state is not State.ARRIVING or not await self._more():
                    break
        if fragment.state is State.WHOLE:
            yield ebml.write_tags(self._tags_after(fragment))

    async def _more(self) -> bool:
        """Wait until something has happened; False, and from then on, where it is time to end."""
        self._over = self._over or not await self._rung()
        return not self._over

    async def _rung(self) -> bool:
        if self._camera.ended.is_set():
            return False
        left = [self._patience.idle_s]
        if self._patience.connection_s is not None:
            left.append(self._began + self._patience.connection_s - time.monotonic())
        try:
            async with asyncio.timeout(min((s for s in left if s is not None), default=None)):
                await self._camera.storage.bell.wait()
        except TimeoutError:
            return False
        return not self._camera.ended.is_set()

    def _tags_after(self, fragment: Fragment) -> dict[str, str]:
        """In captures MILLIS_BEHIND_NOW is the server's now less the fragment's server time."""
        behind_ms = max(0, int(self._now() * 1000) - fragment.server_ms)
        return {
            "AWS_KINESISVIDEO_MILLIS_BEHIND_NOW": str(behind_ms),
            "AWS_KINESISVIDEO_CONTINUATION_TOKEN": fragment.number,
        }


def _tags_before(fragment: Fragment) -> dict[str, str]:
    return {
        "AWS_KINESISVIDEO_FRAGMENT_NUMBER": fragment.number,
        "AWS_KINESISVIDEO_SERVER_TIMESTAMP": seconds(fragment.server_ms),
        "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP": seconds(fragment.producer_ms),
    }


def seconds(time_ms: int) -> str:
    """As tags carry times: Unix seconds with three decimals."""
    return f"{time_ms // 1000}.{time_ms % 1000:03d}"


def error_document(tags: Mapping[str, str]) -> bytes:
    """How a media call fails after its 200: a document with tags only (aws-sdk-js issue 3217)."""
    doc_type = ebml.write_string(0x4282, "matroska")
    head = ebml.write(ebml.EBML, doc_type) + ebml.write_open(ebml.SEGMENT)
    return head + ebml.write_tags(dict(tags))
