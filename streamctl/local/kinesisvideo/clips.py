"""GetClip: the fragments of a time range, as one MP4."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import IO, Any, Final

from streamctl.local.kinesisvideo import refusals
from streamctl.local.kinesisvideo.archive import Archive, unix_ms
from streamctl.local.kinesisvideo.cameras import Camera
from streamctl.local.kinesisvideo.extractor import Extractor
from streamctl.local.kinesisvideo.storage import Fragment

MOST_FRAGMENTS: Final = 200
MOST_BYTES: Final = 100_000_000
LONGEST_MS: Final = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Range:
    """Which fragments a clip is made of, by when they begin. Unix milliseconds."""

    by_producer: bool
    start_ms: int
    end_ms: int

    @classmethod
    def of(cls, selector: Mapping[str, Any], now_ms: float) -> Range:
        """From a ClipFragmentSelector. Raises ServiceFault for a range that AWS refuses."""
        span = selector["TimestampRange"]
        start_ms, end_ms = unix_ms(span["StartTimestamp"]), unix_ms(span["EndTimestamp"])
        by_producer = selector["FragmentSelectorType"] == "PRODUCER_TIMESTAMP"
        if end_ms <= start_ms:
            raise refusals.invalid("the EndTimestamp must be later than the StartTimestamp")
        if end_ms - start_ms > LONGEST_MS:
            raise refusals.invalid("the EndTimestamp is not within 24 hours of the StartTimestamp")
        if not by_producer and end_ms > now_ms:
            raise refusals.invalid("the EndTimestamp is not in the past")
        return cls(by_producer, start_ms, end_ms)

    def first(self, fragments: Iterable[Fragment]) -> list[tuple[str, int]]:
        """File and time of those that fit into a clip, in order of time.

        Of fragments with the same producer time the one that came first counts (API model,
        ClipFragmentSelector).
        """
        once: dict[int, Fragment] = {}
        for fragment in fragments:
            if self.start_ms <= self._begins_ms(fragment) <= self.end_ms:
                once.setdefault(fragment.producer_ms, fragment)
        found: list[tuple[str, int]] = []
        room = MOST_BYTES
        for fragment in sorted(once.values(), key=self._begins_ms)[:MOST_FRAGMENTS]:
            room -= fragment.size
            if room < 0:
                break
            found.append((str(fragment.path), self._begins_ms(fragment)))
        return found

    def _begins_ms(self, fragment: Fragment) -> int:
        return fragment.producer_ms if self.by_producer else fragment.server_ms


class Clips:
    """Clips of stored video. `now` gives Unix seconds."""

    def __init__(self, archive: Archive, extractor: Extractor, now: Callable[[], float]) -> None:
        self._archive = archive
        self._extractor = extractor
        self._now = now

    @contextlib.asynccontextmanager
    async def clip(self, camera: Camera, params: Mapping[str, Any]) -> AsyncIterator[IO[bytes]]:
        """GetClip's answer, in a file. Raises ServiceFault."""
        if not camera.retention_s:
            raise refusals.no_retention(camera.settings.name)
        wanted = Range.of(params["ClipFragmentSelector"], self._now() * 1000)
        found = wanted.first(self._archive.listed(camera))
        async with self._extractor.result({"clip": found}) as file:
            yield file
