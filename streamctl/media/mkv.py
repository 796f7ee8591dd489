"""Fragments and their frames out of Matroska bytes that arrive in pieces.

Reads what a producer sends (one document, cluster after cluster), what GetMedia answers (one EBML
document per fragment, AWS's tags before and after its cluster), and files of either kind. A
cluster is a fragment, which is how Kinesis Video Streams sees it. Only video is handed over: sound
and text tracks are passed by.

Every whole fragment is delivered, the last one too. A fragment that the bytes break off in is not;
`Reader.cut` then says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from streamctl.errors import MediaError
from streamctl.media import ebml

# Tags that GetMedia adds (botocore's model of kinesis-video-media, GetMediaOutput.Payload).
FRAGMENT_NUMBER: Final = "AWS_KINESISVIDEO_FRAGMENT_NUMBER"
SERVER_TIMESTAMP: Final = "AWS_KINESISVIDEO_SERVER_TIMESTAMP"
PRODUCER_TIMESTAMP: Final = "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP"
MILLIS_BEHIND_NOW: Final = "AWS_KINESISVIDEO_MILLIS_BEHIND_NOW"
CONTINUATION_TOKEN: Final = "AWS_KINESISVIDEO_CONTINUATION_TOKEN"  # noqa: S105  (a tag's name)
ERROR_CODE: Final = "AWS_KINESISVIDEO_ERROR_CODE"
ERROR_ID: Final = "AWS_KINESISVIDEO_ERROR_ID"

_VIDEO_TRACK: Final = 1
_CONTENT_ENCODINGS: Final = 0x6D80
_NANOSECONDS_PER_MS: Final = 1_000_000

# What a head, or a fragment, may hold at most: each is far above what cameras send, and bounds what
# small elements in large numbers could cost us.
_HEADS: Final = frozenset({ebml.INFO, ebml.TRACKS, ebml.TAGS})
_HEAD_BYTES: Final = 1024 * 1024
_FRAMES: Final = 100_000
_DIGITS: Final = 18
_TAGS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Track:
    """A video track. `codec_private` is what a decoder needs first: avcC for h.264.

    `encoded`: its frames are compressed or encrypted once more by the container (ContentEncodings).
    """

    number: int
    codec_id: str
    codec_private: bytes
    width: int
    height: int
    encoded: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """One coded picture. `time_ms` is its presentation time on its document's own time line."""

    track: int
    time_ms: int
    keyframe: bool
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """A fragment begins: what is known of it before its frames.

    `number` and both times are AWS's tags, and None in what a producer sent. Producers' clocks are
    not to be trusted: real ones were 0, and days off.
    """

    number: str | None
    server_time: datetime | None
    producer_time: datetime | None
    timecode_ms: int
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class Fragment:
    """A whole fragment, with its frames in the order in which they came.

    `tags` holds AWS's tags and the producer's, of all Tags elements that belong to the fragment.
    """

    opened: Opened
    frames: tuple[Frame, ...] = field(repr=False)
    tags: Mapping[str, str] = field(hash=False)

    @property
    def number(self) -> str | None:
        """AWS's number for it, some 47 digits; None in what a producer sent."""
        return self.opened.number

    @property
    def length_ms(self) -> int:
        """From the first to the last frame, and on to where the next one would be; 0 for one frame."""
        times = [frame.time_ms for frame in self.frames]
        if len(times) < 2:
            return 0
        span = max(times) - min(times)
        return span + round(span / (len(times) - 1))

    @property
    def behind_now_ms(self) -> int | None:
        """How far this fragment is from the newest on the camera, where AWS says so."""
        said = self.tags.get(MILLIS_BEHIND_NOW, "")
        return int(said) if said.isdecimal() and len(said) <= _DIGITS else None


Event = Opened | Frame | Fragment


class Reader:
    """Turns Matroska bytes, in pieces of any size, into fragments and their frames.

    Of each fragment come one Opened, its Frames as they arrive, and the whole Fragment. `feed`
    raises MediaError for bytes that are not Matroska, or for a fragment beyond `max_fragment`
    bytes (AWS takes 50 MB) or with frames or tags beyond number; after that the reader is of no use.
    """

    def __init__(self, max_fragment: int = 64 * 1024 * 1024) -> None:
        self._walker = ebml.Walker(max_element=max_fragment)
        self._max = max_fragment
        self._document = _Document()
        self._cluster: _Cluster | None = None
        self.error = ""
        """What stopped GetMedia, from AWS's error tags; empty while nothing did."""
        self.cut = ""
        """After `close`: where the bytes broke off too early; empty where they did not."""

    def feed(self, data: bytes | memoryview) -> list[Event]:
        """Take the next bytes; return what became known with them."""
        found: list[Event] = []
        for event in self._walker.feed(data):
            if isinstance(event, ebml.Begin):
                found.extend(self._begin(event))
            elif isinstance(event, ebml.End):
                self._end(event)
            else:
                found.extend(self._element(event))
        return found

    def close(self) -> list[Event]:
        """The bytes are over: return the fragment that was waiting for its tags, if it is whole."""
        try:
            self._walker.close()
        except MediaError as error:
            self.cut = str(error)
        cluster = self._cluster
        if cluster is not None and not cluster.ended and cluster.number is not None:
            # GetMedia always says something after a cluster. A producer just stops.
            self.cut = self.cut or f"cut off inside fragment {cluster.number}"
        if cluster is not None and not cluster.ended and self.cut:
            self._cluster = None
        return self._finished()

    def _begin(self, event: ebml.Begin) -> list[Event]:
        found = self._finished()
        if event.id == ebml.CLUSTER:
            self._cluster = _Cluster(tags=dict(self._document.tags))
            self._document.tags.clear()
        return found

    def _end(self, event: ebml.End) -> None:
        if event.id == ebml.CLUSTER and self._cluster is not None:
            self._cluster.ended = True

    def _element(self, element: ebml.Element) -> list[Event]:
        cluster = self._cluster
        if cluster is not None and not cluster.ended:
            return self._inside(cluster, element)
        if element.id == ebml.EBML:
            found = self._finished()
            self._document = _Document()
            return found
        if element.id in _HEADS and len(element.payload) > _HEAD_BYTES:
            raise MediaError(f"an element {element.id:#x} of {len(element.payload)} bytes")
        if element.id == ebml.TAGS:
            return self._tags(ebml.tags(element.payload))
        self._document.read(element)
        return []

    def _inside(self, cluster: _Cluster, element: ebml.Element) -> list[Event]:
        cluster.size += len(element.payload)
        if cluster.size > self._max:
            raise MediaError(f"a fragment goes on beyond {self._max} bytes")
        if element.id == ebml.TIMECODE:
            return [self._opened(cluster, ebml.uint(element.payload))]
        if element.id in (ebml.SIMPLE_BLOCK, ebml.BLOCK_GROUP) and self._document.shows(element):
            return [self._frame(cluster, element)]
        return []

    def _opened(self, cluster: _Cluster, timecode: int) -> Opened:
        if cluster.opened is not None:
            raise MediaError("a cluster with two timecodes")
        cluster.timecode = timecode
        cluster.opened = self._document.opened(timecode, cluster.tags)
        return cluster.opened

    def _frame(self, cluster: _Cluster, element: ebml.Element) -> Frame:
        block = ebml.block_of(element)
        if block is None or cluster.opened is None:
            raise MediaError("a cluster without a timecode before its first block")
        if len(cluster.frames) >= _FRAMES:
            raise MediaError(f"a fragment with more than {_FRAMES} frames")
        time = self._document.milliseconds(cluster.timecode + block.relative)
        frame = Frame(block.track, time, block.keyframe, block.data)
        cluster.frames.append(frame)
        return frame

    def _tags(self, tags: dict[str, str]) -> list[Event]:
        if ERROR_CODE in tags or ERROR_ID in tags:
            self.error = f"{tags.get(ERROR_CODE, 'error')} ({tags.get(ERROR_ID, '?')})"
        if self._cluster is None or FRAGMENT_NUMBER in tags:
            found = self._finished()
            _add(tags, self._document.tags)
            return found
        _add(tags, self._cluster.tags)
        return self._finished() if CONTINUATION_TOKEN in tags else []

    def _finished(self) -> list[Event]:
        cluster, self._cluster = self._cluster, None
        if cluster is None or cluster.opened is None:
            return []
        return [Fragment(cluster.opened, tuple(cluster.frames), cluster.tags)]


def fragments(pieces: Iterable[bytes]) -> Iterator[Fragment]:
    """Every whole fragment in `pieces`.

    Raises MediaError for bytes that are not Matroska, and where GetMedia says that it failed (after
    the fragments before that). One that the bytes break off in is left out without a word.
    """
    reader = Reader()
    for piece in pieces:
        yield from (event for event in reader.feed(piece) if isinstance(event, Fragment))
    yield from (event for event in reader.close() if isinstance(event, Fragment))
    if reader.error:
        raise MediaError(f"GetMedia ended: {reader.error}")


@dataclass(slots=True)
class _Cluster:
    """The fragment that is being read. `size` is in bytes, of the payloads in its cluster."""

    tags: dict[str, str]
    opened: Opened | None = None
    timecode: int = 0
    frames: list[Frame] = field(default_factory=list)
    size: int = 0
    ended: bool = False

    @property
    def number(self) -> str | None:
        return self.tags.get(FRAGMENT_NUMBER)


@dataclass(slots=True)
class _Document:
    """What an EBML document says before its clusters."""

    tracks: dict[int, Track] = field(default_factory=dict)
    scale: int = _NANOSECONDS_PER_MS
    tags: dict[str, str] = field(default_factory=dict)
    """Tags read since the last cluster: they belong to the next one."""

    def read(self, element: ebml.Element) -> None:
        if element.id == ebml.INFO:
            for child in ebml.children(element.payload):
                if child.id == ebml.TIMECODE_SCALE:
                    self.scale = ebml.uint(child.payload)
        elif element.id == ebml.TRACKS:
            entries = (c for c in ebml.children(element.payload) if c.id == ebml.TRACK_ENTRY)
            found = (_video_track(entry.payload) for entry in entries)
            self.tracks = {track.number: track for track in found if track is not None}

    def opened(self, timecode: int, tags: Mapping[str, str]) -> Opened:
        return Opened(
            number=tags.get(FRAGMENT_NUMBER),
            server_time=_time(tags.get(SERVER_TIMESTAMP)),
            producer_time=_time(tags.get(PRODUCER_TIMESTAMP)),
            timecode_ms=self.milliseconds(timecode),
            tracks=tuple(self.tracks.values()),
        )

    def shows(self, element: ebml.Element) -> bool:
        """Whether a block is of a video track. Sound may be laced, which is not read further."""
        payload = element.payload
        if element.id == ebml.BLOCK_GROUP:
            blocks = (c.payload for c in ebml.children(payload) if c.id == ebml.BLOCK)
            payload = next(blocks, b"")
        return _track_number(payload) in self.tracks

    def milliseconds(self, ticks: int) -> int:
        if self.scale == _NANOSECONDS_PER_MS:
            return ticks
        return round(ticks * self.scale / _NANOSECONDS_PER_MS)


def _video_track(entry: bytes) -> Track | None:
    fields = {child.id: child.payload for child in ebml.children(entry)}
    if ebml.uint(fields.get(ebml.TRACK_TYPE, b"")) != _VIDEO_TRACK:
        return None
    video = {child.id: child.payload for child in ebml.children(fields.get(ebml.VIDEO, b""))}
    return Track(
        number=ebml.uint(fields.get(ebml.TRACK_NUMBER, b"")),
        codec_id=ebml.string(fields.get(ebml.CODEC_ID, b"")),
        codec_private=fields.get(ebml.CODEC_PRIVATE, b""),
        width=ebml.uint(video.get(ebml.PIXEL_WIDTH, b"")),
        height=ebml.uint(video.get(ebml.PIXEL_HEIGHT, b"")),
        encoded=_CONTENT_ENCODINGS in fields,
    )


def _add(tags: Mapping[str, str], known: dict[str, str]) -> None:
    known.update(tags)
    if len(known) > _TAGS:
        raise MediaError(f"a fragment with more than {_TAGS} tags")


def _track_number(block: bytes) -> int:
    """The track that a block's payload begins with; 0, which no track has, where it cannot be read."""
    if not block:
        return 0
    length = 9 - block[0].bit_length()
    return int.from_bytes(block[:length], "big") & ((1 << 7 * length) - 1)


def _time(seconds: str | None) -> datetime | None:
    """Unix seconds as AWS's tags write them: `1511852108.513`. None for what is no time."""
    try:
        return datetime.fromtimestamp(float(seconds or ""), UTC)
    except (ValueError, OverflowError, OSError):
        return None
