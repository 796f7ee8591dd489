"""EBML, as far as Matroska on the wire needs it: a push parser and a few writers.

The parser takes bytes in pieces of any size and gives elements as soon as they are whole, so that
frames of a fragment can be used while the fragment still arrives. It goes into Segment and Cluster
and hands every other element over in one piece. It refuses what no camera sends: elements larger
than `max_element` bytes, and identifiers or sizes that are not EBML.

Element identifiers and types: RFC 8794 (EBML) and RFC 9559 (Matroska).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from streamctl.errors import MediaError

EBML: Final = 0x1A45DFA3
SEGMENT: Final = 0x18538067
INFO: Final = 0x1549A966
TIMECODE_SCALE: Final = 0x2AD7B1
TRACKS: Final = 0x1654AE6B
TRACK_ENTRY: Final = 0xAE
TRACK_NUMBER: Final = 0xD7
TRACK_TYPE: Final = 0x83
CODEC_ID: Final = 0x86
CODEC_PRIVATE: Final = 0x63A2
VIDEO: Final = 0xE0
PIXEL_WIDTH: Final = 0xB0
PIXEL_HEIGHT: Final = 0xBA
CLUSTER: Final = 0x1F43B675
TIMECODE: Final = 0xE7
SIMPLE_BLOCK: Final = 0xA3
BLOCK_GROUP: Final = 0xA0
BLOCK: Final = 0xA1
REFERENCE_BLOCK: Final = 0xFB
TAGS: Final = 0x1254C367
TAG: Final = 0x7373
SIMPLE_TAG: Final = 0x67C8
TAG_NAME: Final = 0x45A3
TAG_STRING: Final = 0x4487

_CONTAINERS: Final = frozenset({SEGMENT, CLUSTER})
# A container of unknown size ends where an element begins that can only stand beside or above it.
_TOP_LEVEL: Final = frozenset({EBML, SEGMENT})
_SEGMENT_LEVEL: Final = frozenset(
    {INFO, TRACKS, CLUSTER, TAGS, 0x114D9B74, 0x1C53BB6B, 0x1941A469, 0x1043A770}
)  # the last four: SeekHead, Cues, Attachments, Chapters

_INSIDE_CLUSTER: Final = frozenset({SIMPLE_BLOCK, BLOCK_GROUP, TIMECODE})
# How long a variable-size integer is, by its first byte (RFC 8794, 4): 1 to 8; 9 for none.
_LENGTHS: Final = bytes(9 - byte.bit_length() for byte in range(256))
_UNKNOWN: Final = -1
_NEED_MORE: Final = (-1, -1, -1)


class Begin(NamedTuple):
    """A Segment or a Cluster opens. `size` is its payload in bytes, or None where unknown."""

    id: int
    size: int | None


class Element(NamedTuple):
    """A whole element below Segment or Cluster, or the EBML header."""

    id: int
    payload: bytes


class End(NamedTuple):
    """The Segment or Cluster that was opened last is over."""

    id: int


Event = Begin | Element | End


class Walker:
    """Turns bytes, in pieces of any size, into EBML events.

    It holds no more than the element that is arriving, which may have `max_element` bytes. `feed`
    raises MediaError for bytes that are not EBML; after that the walker is of no use.
    """

    def __init__(self, max_element: int = 64 * 1024 * 1024) -> None:
        self._buffer = bytearray()
        self._base = 0  # absolute offset of the buffer's first byte
        self._open: list[tuple[int, int]] = []  # (id, absolute end or _UNKNOWN)
        self._max = max_element

    @property
    def offset(self) -> int:
        """Bytes consumed as whole elements so far."""
        return self._base

    def feed(self, data: bytes | memoryview) -> list[Event]:
        """Take the next bytes; return what became whole with them."""
        self._buffer += data
        events: list[Event] = []
        view = memoryview(self._buffer)
        at = 0
        try:
            while True:
                if self._open and self._open[-1][1] != _UNKNOWN:
                    events.extend(self._ends(self._base + at))
                element_id, size, body = _header(view, at)
                if body < 0:
                    break
                if element_id not in _INSIDE_CLUSTER:
                    events.extend(self._implied_ends(element_id))
                if element_id in _CONTAINERS:
                    events.append(self._begin(element_id, size, self._base + body))
                    at = body
                    continue
                if size == _UNKNOWN or size > self._max:
                    raise self._refused(element_id, size, self._base + at)
                if body + size > len(view):
                    break
                events.append(Element(element_id, bytes(view[body : body + size])))
                at = body + size
        finally:
            view.release()
        del self._buffer[:at]
        self._base += at
        return events

    def close(self) -> list[Event]:
        """The bytes are over: end what is open.

        Raises MediaError if they are over in the middle of an element, or before a container of
        known size is full.
        """
        if self._buffer:
            raise MediaError(f"cut off inside an element at byte {self._base}")
        for container, end in self._open:
            if end not in (_UNKNOWN, self._base):
                raise MediaError(
                    f"cut off at byte {self._base}: "
                    f"{'the segment' if container == SEGMENT else 'a cluster'} goes on to byte {end}"
                )
        events: list[Event] = [End(element_id) for element_id, _ in reversed(self._open)]
        self._open.clear()
        return events

    def _begin(self, element_id: int, size: int, body: int) -> Begin:
        """Go into a container whose payload begins at the absolute offset `body`."""
        if any(element_id == around for around, _ in self._open):
            # Not only malformed: whoever sends nothing else would fill our memory.
            raise MediaError(f"not a Matroska stream: a container in itself before byte {body}")
        self._open.append((element_id, _UNKNOWN if size == _UNKNOWN else body + size))
        return Begin(element_id, None if size == _UNKNOWN else size)

    def _refused(self, element_id: int, size: int, offset: int) -> MediaError:
        claim = "an unknown size" if size == _UNKNOWN else f"{size} bytes"
        return MediaError(
            f"not a Matroska stream: element {element_id:#x} at byte {offset} claims {claim}"
        )

    def _ends(self, position: int) -> Iterator[End]:
        while self._open and self._open[-1][1] != _UNKNOWN and position >= self._open[-1][1]:
            yield End(self._open.pop()[0])

    def _implied_ends(self, element_id: int) -> Iterator[End]:
        while self._open and self._open[-1][1] == _UNKNOWN:
            inner = self._open[-1][0]
            over = element_id in _TOP_LEVEL or (inner == CLUSTER and element_id in _SEGMENT_LEVEL)
            if not over:
                return
            yield End(self._open.pop()[0])


def _header(view: memoryview | bytes, at: int) -> tuple[int, int, int]:
    """Identifier, payload size (or _UNKNOWN) and payload position; _NEED_MORE if cut off."""
    end = len(view)
    if at >= end:
        return _NEED_MORE
    id_length = _LENGTHS[view[at]]
    if id_length > 4:
        raise MediaError(f"not a Matroska stream: byte {view[at]:#04x} begins no element")
    size_at = at + id_length
    if size_at >= end:
        return _NEED_MORE
    first = view[size_at]
    element_id = view[at] if id_length == 1 else int.from_bytes(view[at:size_at], "big")
    if 0x80 <= first < 0xFF:  # one byte, as in most headers
        return element_id, first & 0x7F, size_at + 1
    size_length = _LENGTHS[first]
    if size_length > 8:
        raise MediaError("not a Matroska stream: an element's size is malformed")
    body = size_at + size_length
    if body > end:
        return _NEED_MORE
    mask = (1 << 7 * size_length) - 1
    size = int.from_bytes(view[size_at:body], "big") & mask
    return element_id, _UNKNOWN if size == mask else size, body


def children(payload: bytes) -> Iterator[Element]:
    """The elements inside a whole payload, one level down. Raises MediaError if they do not fit."""
    at, end = 0, len(payload)
    while at < end:
        element_id, size, body = _header(payload, at)
        after = body + size
        if body < 0 or size == _UNKNOWN or after > end:
            raise MediaError(f"malformed element at byte {at} of a payload")
        yield Element(element_id, payload[body:after])
        at = after


def uint(payload: bytes) -> int:
    """An unsigned integer element's value. Raises MediaError above 8 bytes."""
    if len(payload) > 8:
        raise MediaError(f"an integer of {len(payload)} bytes")
    return int.from_bytes(payload, "big")


def string(payload: bytes) -> str:
    """A string element's value, without padding; bytes that are not UTF-8 are replaced."""
    return payload.rstrip(b"\0").decode("utf-8", "replace")


def tags(payload: bytes) -> dict[str, str]:
    """Name to value of every SimpleTag in a Tags element; of one name the last counts.

    Raises MediaError where it is malformed.
    """
    found: dict[str, str] = {}
    for tag in children(payload):
        if tag.id != TAG:
            continue
        for simple in children(tag.payload):
            if simple.id == SIMPLE_TAG:
                fields = {child.id: child.payload for child in children(simple.payload)}
                found[string(fields.get(TAG_NAME, b""))] = string(fields.get(TAG_STRING, b""))
    return found


@dataclass(frozen=True, slots=True)
class Block:
    """One frame of one track. `relative` is in timecode units, from its cluster's timecode."""

    track: int
    relative: int
    keyframe: bool
    data: bytes


def simple_block(payload: bytes) -> Block:
    """Read a SimpleBlock's payload. Raises MediaError for laced blocks, which no camera sends."""
    if not payload:
        raise MediaError("an empty block")
    length = 9 - payload[0].bit_length()
    if length > 8 or len(payload) < length + 3:
        raise MediaError("a malformed block")
    track = int.from_bytes(payload[:length], "big") & ((1 << 7 * length) - 1)
    relative, flags = struct.unpack_from(">hB", payload, length)
    if flags & 0x06:
        raise MediaError("a laced block; only one frame per block is supported")
    return Block(track, relative, bool(flags & 0x80), payload[length + 3 :])


def block_of(element: Element) -> Block | None:
    """The frame in a SimpleBlock or BlockGroup element; None for any other element.

    A BlockGroup's frame is a key frame where it refers to no other (RFC 9559, 10.3). Raises
    MediaError for one that is malformed or laced.
    """
    if element.id == SIMPLE_BLOCK:
        return simple_block(element.payload)
    if element.id == BLOCK_GROUP:
        parts = {child.id: child.payload for child in children(element.payload)}
        if BLOCK not in parts:
            raise MediaError("a block group without a block")
        block = simple_block(parts[BLOCK])
        return Block(block.track, block.relative, REFERENCE_BLOCK not in parts, block.data)
    return None


def write(element_id: int, payload: bytes) -> bytes:
    """A whole element."""
    return _id_bytes(element_id) + _size_bytes(len(payload)) + payload


def write_uint(element_id: int, value: int) -> bytes:
    """An unsigned integer element, in as few bytes as it takes."""
    return write(element_id, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def write_string(element_id: int, value: str) -> bytes:
    """A string element, in UTF-8."""
    return write(element_id, value.encode())


def write_open(element_id: int) -> bytes:
    """The start of a container of unknown size: what a live stream sends."""
    return _id_bytes(element_id) + b"\x01" + b"\xff" * 7


def write_tags(values: dict[str, str]) -> bytes:
    """A Tags element with one Tag that holds every pair."""
    simple = b"".join(
        write(SIMPLE_TAG, write_string(TAG_NAME, name) + write_string(TAG_STRING, value))
        for name, value in values.items()
    )
    return write(TAGS, write(TAG, simple))


def write_simple_block(block: Block) -> bytes:
    """A SimpleBlock element, with no lacing. `relative` must fit 16 bits."""
    flags = 0x80 if block.keyframe else 0
    head = _size_bytes(block.track) + struct.pack(">hB", block.relative, flags)
    return write(SIMPLE_BLOCK, head + block.data)


def _id_bytes(element_id: int) -> bytes:
    return element_id.to_bytes((element_id.bit_length() + 7) // 8, "big")


def _size_bytes(size: int) -> bytes:
    length = 1
    while size >= (1 << 7 * length) - 1:  # all ones would mean "unknown"
        length += 1
    return (size | 1 << 7 * length).to_bytes(length, "big")
