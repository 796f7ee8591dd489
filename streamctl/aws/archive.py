"""What a camera has stored, as a still or as a clip: GetImages and GetClip.

All times are the server's. Both calls look for fragments that begin in the asked time, and pass by
one that began before it and goes on (boto3 issue 3712; API model, ClipTimestampRange). So what is
stored is listed first, and the time is moved to where the fragment begins. Takes permission for
ListFragments too.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, Final

from streamctl.aws.kinesisvideo import Listed, fragments, named, short, with_endpoint
from streamctl.aws.refusals import translated
from streamctl.aws.session import Aws
from streamctl.core.video import LONGEST_FRAGMENT_S
from streamctl.errors import NotFound

NEAR: Final = timedelta(seconds=2)
"""How far a still may be from the moment that it is asked for, unless said otherwise."""
QUALITY: Final = 80  # of a JPEG; GetImages' default

MOST_FRAGMENTS: Final = 200
MOST_BYTES: Final = 100_000_000
"""GetClip gives no more of a range than these (API model, GetClipOutput)."""

_LONGEST: Final = timedelta(seconds=LONGEST_FRAGMENT_S)
_MILLISECOND: Final = timedelta(milliseconds=1)
_SECOND_MS: Final = 1000
_PIECE: Final = 256 * 1024

_SERVER: Final = "SERVER_TIMESTAMP"


@dataclass(frozen=True, slots=True)
class Still:
    """One frame of a camera's video. `time` is what GetImages gives as its time."""

    time: datetime
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Clip:
    """What was written of a camera's video: when its first fragment begins and its last one ends,
    and the bytes of the MP4. It ends early where GetClip's limits are reached.
    """

    begins: datetime
    ends: datetime
    size: int


def images(
    aws: Aws,
    camera: str,
    around: datetime,
    *,
    within: timedelta = NEAR,
    fragment: str | None = None,
    size: tuple[int, int] | None = None,
    quality: int = QUALITY,
) -> Still | None:
    """The still nearest to a moment; None where none is `within` so much of it, or can be made.

    With the number of a `fragment` none of another one will do, however near: while the moment's own
    is not stored yet, the one before it ends just there. `size` is width and height in pixels, to
    which it is stretched; `quality` is the JPEG's, 1 to 100. Raises NotFound, Unsuitable (the camera keeps nothing), NotAllowed, Throttled, AskedWrongly.
    """
    listed = fragments(aws, camera, around - _LONGEST - within, around + within)
    held = ((_held(around, each), each) for each in listed if fragment in (None, each.number))
    moment, found = min(held, key=lambda one: abs(one[0] - around), default=(around, None))
    if found is None or abs(moment - around) > within:
        return None
    asked = {
        **named(camera),
        **_sampling(found.received, moment),
        "Format": "JPEG",
        "FormatConfig": {"JPEGQuality": str(quality)},
        **({"WidthPixels": size[0], "HeightPixels": size[1]} if size else {}),
    }
    stills = with_endpoint(aws, "GET_IMAGES", camera, lambda url: _stills(aws, url, camera, asked))
    near = (still for still in stills if abs(still.time - around) <= within)
    return min(near, key=lambda still: abs(still.time - moment), default=None)


def clip(aws: Aws, camera: str, begin: datetime, end: datetime, to: BinaryIO) -> Clip:
    """Write what a camera stored between two times to `to`, as an MP4, piece by piece.

    It is made of whole fragments, the first of which holds `begin`. Raises NotFound for no such
    camera or nothing stored, Unsuitable and MediaError for video that no clip can be made of,
    AskedWrongly (more than a day), NotAllowed, Throttled, Unreachable (perhaps after some pieces),
    and what writing raises.
    """
    listed = fragments(aws, camera, begin - _LONGEST, end)
    wanted = list(_fitting(each for each in listed if each.received + each.length >= begin))
    if not wanted:
        raise NotFound(
            f"camera {short(camera)} stored no video between {begin.isoformat()} and"
            f" {end.isoformat()}"
        )
    first, last = wanted[0], wanted[-1]
    span = {
        "StartTimestamp": first.received,
        "EndTimestamp": max(last.received, first.received + _MILLISECOND),  # which must be later
    }
    body = with_endpoint(aws, "GET_CLIP", camera, lambda url: _begun(aws, url, camera, span))
    written = 0
    with contextlib.closing(body), translated(_fetching(camera)):
        for piece in body.iter_chunks(_PIECE):
            to.write(piece)
            written += len(piece)
    return Clip(first.received, last.received + last.length, written)


def _held(around: datetime, fragment: Listed) -> datetime:
    """The moment nearest to `around` that the fragment holds, in whole milliseconds."""
    into = min(max(around - fragment.received, timedelta(0)), fragment.length)
    return fragment.received + into // _MILLISECOND * _MILLISECOND


def _sampling(received: datetime, moment: datetime) -> dict[str, Any]:
    """What to ask for so that one of two images is of this moment.

    Start and end are whole seconds, since SDKs used to cut the rest off (botocore issue 3255); the
    interval has the milliseconds.
    """
    moment_ms, received_ms = _unix_ms(moment), _unix_ms(received)
    start_ms = min(received_ms, moment_ms - _SECOND_MS) // _SECOND_MS * _SECOND_MS
    end_ms = -(-moment_ms // _SECOND_MS) * _SECOND_MS
    return {
        "ImageSelectorType": _SERVER,
        "StartTimestamp": datetime.fromtimestamp(start_ms // _SECOND_MS, UTC),
        "EndTimestamp": datetime.fromtimestamp(end_ms // _SECOND_MS, UTC),
        "SamplingInterval": moment_ms - start_ms,
    }


def _stills(aws: Aws, url: str, camera: str, asked: dict[str, Any]) -> list[Still]:
    client = aws.client("kinesis-video-archived-media", endpoint=url)
    with translated(f"looking at what camera {short(camera)} stored"):
        return [
            Still(image["TimeStamp"].astimezone(UTC), base64.b64decode(image["ImageContent"]))
            for page in client.get_paginator("get_images").paginate(**asked)
            for image in page.get("Images", [])
            if image.get("ImageContent")  # else an Error: NO_MEDIA, MEDIA_ERROR
        ]


def _fitting(listed: Iterable[Listed]) -> Iterator[Listed]:
    """As many as GetClip takes."""
    room = MOST_BYTES
    for fragment in itertools.islice(listed, MOST_FRAGMENTS):
        room -= fragment.size
        if room < 0:
            return
        yield fragment


def _begun(aws: Aws, url: str, camera: str, span: dict[str, datetime]) -> Any:
    """The clip's body, of which nothing is read yet."""
    client = aws.client("kinesis-video-archived-media", endpoint=url)
    selector = {"FragmentSelectorType": _SERVER, "TimestampRange": span}
    with translated(_fetching(camera)):
        return client.get_clip(**named(camera), ClipFragmentSelector=selector)["Payload"]


def _fetching(camera: str) -> str:
    return f"fetching a clip of camera {short(camera)}"


def _unix_ms(moment: datetime) -> int:
    return round(moment.timestamp() * _SECOND_MS)
