"""Cuts a PutMedia body into fragments, and refuses what Kinesis Video refuses.

It takes bytes in pieces of any size and holds at most one element of them. A fragment is one
cluster and the tags behind it. That it is over is known at the next cluster, at the tag
AWS_KINESISVIDEO_END_OF_FRAGMENT, or at the end of the body. Limits: developer guide, PutMedia and
quotas.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from streamctl.errors import MediaError
from streamctl.local.kinesisvideo.acknowledgements import ErrorId
from streamctl.media import ebml

MAX_FRAGMENT_BYTES: Final = 50_000_000
MAX_FRAGMENT_MS: Final = 20_000
MAX_TRACKS: Final = 3
MAX_TAGS: Final = 10
END_OF_FRAGMENT: Final = "AWS_KINESISVIDEO_END_OF_FRAGMENT"

_MAX_HEAD_BYTES: Final = 1_000_000
_MAGIC: Final = ebml.EBML.to_bytes(4, "big")
# The walker forgets what it found in a piece in which it then stumbles: small pieces, small loss.
_SLICE: Final = 4096


class Opened(NamedTuple):
    """A fragment begins. `timecode_ms` is as the producer sent it."""

    timecode_ms: int


class Piece(NamedTuple):
    """More of the fragment. `length_ms` is from its first frame to the last one known so far."""

    data: bytes
    length_ms: int


class Closed(NamedTuple):
    """The fragment is whole."""


Event = Opened | Piece | Closed


class Refused(Exception):
    """The producer must be told this, and its connection ends."""

    def __init__(self, error: ErrorId, why: str) -> None:
        super().__init__(why)
        self.error = error


@dataclass(slots=True)
class _Fragment:
    bounded: bool
    """The cluster said how long it is: its end is certain even if the connection breaks."""
    ended: bool = False
    timecode_ms: int | None = None
    size: int = 0
    tags: int = 0
    first_ms: int | None = None
    last_ms: int = 0
    tracks_seen: set[int] = field(default_factory=set)

    @property
    def length_ms(self) -> int:
        return 0 if self.first_ms is None else self.last_ms - self.first_ms


class Splitter:
    """One PutMedia body. After it has raised Refused it is of no use."""

    def __init__(self) -> None:
        self._walker = ebml.Walker(max_element=MAX_FRAGMENT_BYTES)
        self._fed = 0
        self._start = b""
        self._head = bytearray()
        self._in_segment = False
        self._in_cluster = False
        self._clusters = 0
        self._scale_ns = 1_000_000
        self._tracks: frozenset[int] = frozenset()
        self._fragment: _Fragment | None = None
        self._previous_ms: int | None = None

    @property
    def head(self) -> bytes:
        """What stands before the first cluster; each fragment is played with it in front."""
        return bytes(self._head)

    def feed(self, data: bytes) -> Iterator[Event]:
        """What the next bytes bring. Raises Refused."""
        self._check_magic(data)
        for at in range(0, len(data), _SLICE):
            piece = data[at : at + _SLICE]
            self._fed += len(piece)
            yield from self._events(piece)

    def end(self, *, orderly: bool) -> Iterator[Event]:
        """The body is over: by its own end (`orderly`), or because the connection broke.

        The last fragment is whole if its cluster is known to be complete; a cluster of unknown
        size is so only by an orderly end between two elements. Raises Refused where an orderly
        end cuts something off.
        """
        torn = self._fed != self._walker.offset
        fragment = self._fragment
        if fragment is not None and (
            fragment.ended or (orderly and not torn and not fragment.bounded)
        ):
            yield from self._close()
        if orderly and (torn or self._fragment is not None):
            raise Refused(ErrorId.INVALID_MKV_DATA, "the body ends in the middle of a fragment")

    def _check_magic(self, data: bytes) -> None:
        """Refuse at once what is no EBML: a text might claim a huge element and be waited for."""
        if len(self._start) < len(_MAGIC):
            self._start += data[: len(_MAGIC) - len(self._start)]
            if not _MAGIC.startswith(self._start):
                raise Refused(ErrorId.INVALID_MKV_DATA, "the body is not EBML")

    def _events(self, piece: bytes) -> Iterator[Event]:
        try:
            for event in self._walker.feed(piece):
                yield from self._handle(event)
        except MediaError as error:
            raise Refused(ErrorId.INVALID_MKV_DATA, str(error)) from error

    def _handle(self, event: ebml.Event) -> Iterator[Event]:
        match event:
            case ebml.Begin(ebml.SEGMENT):
                self._open_segment()
            case ebml.Begin(ebml.CLUSTER, size):
                yield from self._open_cluster(size)
            case ebml.End(ebml.CLUSTER):
                self._end_cluster()
            case ebml.Element() if self._in_cluster:
                yield from self._in_fragment(event)
            case ebml.Element() if not self._clusters:
                self._before_clusters(event)
            case ebml.Element():
                yield from self._after_cluster(event)

    def _open_segment(self) -> None:
        if self._in_segment:
            raise MediaError("more than one segment")
        self._in_segment = True
        self._head += ebml.write_open(ebml.SEGMENT)

    def _before_clusters(self, element: ebml.Element) -> None:
        in_place = not self._head if element.id == ebml.EBML else self._in_segment
        if not in_place:
            raise MediaError(f"element {element.id:#x} where none may be")
        if element.id == ebml.INFO:
            self._read_info(element.payload)
        elif element.id == ebml.TRACKS:
            self._read_tracks(element.payload)
        self._head += ebml.write(*element)
        if len(self._head) > _MAX_HEAD_BYTES:
            raise Refused(ErrorId.INVALID_MKV_DATA, "no cluster in the first megabyte")

    def _read_info(self, payload: bytes) -> None:
        for child in ebml.children(payload):
            if child.id == ebml.TIMECODE_SCALE:
                self._scale_ns = ebml.uint(child.payload)

    def _read_tracks(self, payload: bytes) -> None:
        entries = [child for child in ebml.children(payload) if child.id == ebml.TRACK_ENTRY]
        if len(entries) > MAX_TRACKS:
            raise Refused(ErrorId.MORE_THAN_ALLOWED_TRACKS_FOUND, f"{len(entries)} tracks")
        self._tracks = frozenset(
            ebml.uint(child.payload)
            for entry in entries
            for child in ebml.children(entry.payload)
            if child.id == ebml.TRACK_NUMBER
        )

    def _open_cluster(self, size: int | None) -> Iterator[Event]:
        if not self._tracks:
            raise MediaError("a cluster before any track is described")
        if self._fragment is not None:
            yield from self._close()
        if size is not None and size > MAX_FRAGMENT_BYTES:
            raise Refused(ErrorId.MAX_FRAGMENT_SIZE_REACHED, f"a cluster of {size} bytes")
        self._clusters += 1
        self._in_cluster = True
        self._fragment = _Fragment(bounded=size is not None)

    def _end_cluster(self) -> None:
        assert self._fragment is not None, "it is closed only outside of its cluster"
        if self._fragment.timecode_ms is None:
            raise MediaError("a cluster without a timecode")
        self._in_cluster = False
        self._fragment.ended = True

    def _in_fragment(self, element: ebml.Element) -> Iterator[Event]:
        fragment = self._fragment
        assert fragment is not None, "it is closed only outside of its cluster"
        if element.id == ebml.TIMECODE:
            yield self._timecode(fragment, element.payload)
            yield self._piece(fragment, ebml.write_open(ebml.CLUSTER))
        self._note_frame(fragment, element)
        # What stands before the timecode tells of the file it came from (checksum, position).
        if fragment.timecode_ms is not None:
            yield self._piece(fragment, ebml.write(*element))

    def _timecode(self, fragment: _Fragment, payload: bytes) -> Opened:
        timecode_ms = self._ms(ebml.uint(payload))
        if fragment.timecode_ms is not None:
            raise MediaError("a cluster with two timecodes")
        if self._previous_ms is not None and timecode_ms <= self._previous_ms:
            raise Refused(
                ErrorId.FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS,
                f"timecode {timecode_ms} after {self._previous_ms}",
            )
        fragment.timecode_ms = self._previous_ms = timecode_ms
        return Opened(timecode_ms)

    def _note_frame(self, fragment: _Fragment, element: ebml.Element) -> None:
        block = ebml.block_of(element)
        if block is None:
            return
        if fragment.timecode_ms is None:
            raise MediaError("a frame before its cluster's timecode")
        if block.track not in self._tracks:
            raise Refused(ErrorId.TRACK_NUMBER_MISMATCH, f"a frame of track {block.track}")
        at_ms = fragment.timecode_ms + self._ms(block.relative)
        fragment.tracks_seen.add(block.track)
        fragment.first_ms = at_ms if fragment.first_ms is None else min(fragment.first_ms, at_ms)
        fragment.last_ms = max(fragment.last_ms, at_ms)
        if fragment.length_ms > MAX_FRAGMENT_MS:
            raise Refused(ErrorId.MAX_FRAGMENT_DURATION_REACHED, f"{fragment.length_ms} ms")

    def _after_cluster(self, element: ebml.Element) -> Iterator[Event]:
        """Tags belong to the fragment before them; a file's index and padding to nobody."""
        if element.id in {ebml.EBML, ebml.INFO, ebml.TRACKS}:
            raise MediaError(f"element {element.id:#x} after a cluster")
        if element.id != ebml.TAGS or self._fragment is None:
            return
        found = ebml.tags(element.payload)
        own = {name: value for name, value in found.items() if name != END_OF_FRAGMENT}
        if own:
            yield self._tag(self._fragment, own)
        if len(own) < len(found):
            yield from self._close()

    def _tag(self, fragment: _Fragment, tags: dict[str, str]) -> Piece:
        fragment.tags += len(tags)
        if fragment.tags > MAX_TAGS:
            raise Refused(ErrorId.FRAGMENT_METADATA_LIMIT_REACHED, f"{fragment.tags} tags")
        return self._piece(fragment, ebml.write_tags(tags))

    def _piece(self, fragment: _Fragment, data: bytes) -> Piece:
        fragment.size += len(data)
        if fragment.size > MAX_FRAGMENT_BYTES:
            raise Refused(ErrorId.MAX_FRAGMENT_SIZE_REACHED, f"{fragment.size} bytes")
        return Piece(data, fragment.length_ms)

    def _close(self) -> Iterator[Event]:
        fragment, self._fragment = self._fragment, None
        if fragment is None:
            return
        missing = self._tracks - fragment.tracks_seen
        if missing:
            raise Refused(ErrorId.FRAMES_MISSING_FOR_TRACK, f"no frame of tracks {sorted(missing)}")
        yield Closed()

    def _ms(self, units: int) -> int:
        return units * self._scale_ns // 1_000_000
