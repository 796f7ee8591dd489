"""GetClip: the fragments of a time range, as one MP4."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import IO, Any, Final

from streamctl.local.kinesisvideo import refusals
from streamctl.local.kinesisvideo.archive import Archive
from streamctl.local.kinesisvideo.cameras import Camera
from streamctl.local.kinesisvideo.extractor import Extractor
from streamctl.local.kinesisvideo.storage import Fragment
from streamctl.local.kinesisvideo.timerange import TimeRange

MOST_FRAGMENTS: Final = 200
MOST_BYTES: Final = 100_000_000
LONGEST_MS: Final = 24 * 3600 * 1000


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
        wanted = _range(params["ClipFragmentSelector"], self._now() * 1000)
        found = _first(self._archive.listed(camera), wanted)
        async with self._extractor.result({"clip": found}) as file:
            yield file


def _range(selector: Mapping[str, Any], now_ms: float) -> TimeRange:
    """Of a ClipFragmentSelector. Raises ServiceFault for a range that AWS refuses."""
    wanted = TimeRange.of(selector["FragmentSelectorType"], selector["TimestampRange"])
    if not wanted.length_ms:
        raise refusals.invalid("the EndTimestamp must be later than the StartTimestamp")
    if wanted.length_ms > LONGEST_MS:
        raise refusals.invalid("the EndTimestamp is not within 24 hours of the StartTimestamp")
    if not wanted.by_producer and wanted.end_ms > now_ms:
        raise refusals.invalid("the EndTimestamp is not in the past")
    return wanted


def _first(fragments: Iterable[Fragment], wanted: TimeRange) -> list[tuple[str, int]]:
    """File and time of those in the range that fit into a clip, in order of time.

    Of fragments with the same producer time the one that came first counts (API model,
    ClipFragmentSelector).
    """
    once: dict[int, Fragment] = {}
    for fragment in filter(wanted.selects, fragments):
        once.setdefault(fragment.producer_ms, fragment)
    found: list[tuple[str, int]] = []
    room = MOST_BYTES
    for fragment in sorted(once.values(), key=wanted.begins_ms)[:MOST_FRAGMENTS]:
        room -= fragment.size
        if room < 0:
            break
        found.append((str(fragment.path), wanted.begins_ms(fragment)))
    return found
