"""What a file or a live camera shows: facts, for core/video.py to judge."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from streamctl.aws import getmedia, kinesisvideo
from streamctl.aws.session import Aws
from streamctl.core.video import Probe
from streamctl.media import mkv
from streamctl.media import probe as measure

RECENT: Final = timedelta(seconds=60)
"""How far back video counts as flowing: beyond the longest fragment (20 s), which is listed only
when whole, with some for the listing's delay and for clocks that differ."""

_WATCHED_S: Final = 10.0


def file(path: Path) -> Probe:
    """Probe a video file, as `camera push` would send it."""
    return measure.of_file(path)


def live(
    aws: Aws, camera: str, *, now: datetime | None = None, watched_s: float = _WATCHED_S
) -> Probe | None:
    """Probe the newest whole fragment of a camera (name or ARN); None where no video flows.

    A camera that keeps its video is asked what it stored in the last minute. One that keeps
    nothing must be watched, for up to `watched_s` seconds. Raises NotFound for no such camera.
    """
    found = kinesisvideo.describe(aws, camera)
    since = None
    if found.retention:
        now = now or datetime.now(UTC)
        newest = kinesisvideo.newest_fragment(aws, found.arn, now - RECENT, now + RECENT)
        if newest is None:
            return None
        since = newest.received
    fragments = list(islice(_fragments(aws, found.arn, since, watched_s), 1))
    return measure.of_fragments(fragments) if fragments else None


def _fragments(
    aws: Aws, camera: str, since: datetime | None, within: float
) -> Iterator[mkv.Fragment]:
    """Whole fragments that GetMedia sends. Some may be empty of video; those say nothing."""
    sent = getmedia.watch(aws, camera, since=since, within=within)
    return (fragment for fragment in mkv.fragments(sent) if fragment.frames)
