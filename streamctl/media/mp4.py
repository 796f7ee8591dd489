"""Fragments as an MP4, as they are: nothing is decoded or encoded again.

The MP4 is a fragmented one (ISO 14496-12, 8.8): each part has its own index, so that it is written
front to back, and no more than one fragment is in memory.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import av
from av.error import FFmpegError

from streamctl.errors import MediaError, Unsuitable
from streamctl.media import ebml, mkv
from streamctl.media.header import opening
from streamctl.media.pipe import Pipe

if TYPE_CHECKING:
    from av.stream import Stream

_AVC: Final = "V_MPEG4/ISO/AVC"
_HEVC: Final = "V_MPEGH/ISO/HEVC"
CODECS: Final = (_AVC, _HEVC)
"""What is put into an MP4, as Matroska calls it: h.264 and h.265."""

_OPTIONS: Final = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
_MILLISECOND: Final = Fraction(1, 1000)


def write(
    track: mkv.Track,
    fragments: Iterable[tuple[int, mkv.Fragment]],
    put: Callable[[bytes], Any],
) -> None:
    """Give the MP4 of one track's frames to `put`, piece by piece.

    Each fragment comes with its time in milliseconds. The MP4's time begins with the first; gaps
    stay, and a fragment that would begin before the last has ended follows it directly. Raises
    MediaError where a frame is not what its codec demands (pieces before it may have been given),
    and what `length_size` raises.
    """
    size = length_size(track)
    try:
        file = av.open(Pipe(put), "w", format="mp4", options=_OPTIONS)
        with av.open(io.BytesIO(_header(track)), format="matroska") as source:
            target = file.add_stream_from_template(source.streams.video[0])
        for frame in _timed(track, fragments):
            _check(frame.data, size)
            file.mux_one(frame.packet(target))
        file.close()  # which writes; so not where something has failed
    except FFmpegError as error:
        raise MediaError(f"it cannot be put into an MP4: {error}") from error


def length_size(track: mkv.Track) -> int:
    """How many bytes say the length of each part of a frame (ISO 14496-15, 5.3.3 and 8.3.3).

    Raises Unsuitable for a codec not in CODECS, MediaError where the codec private data is not
    avcC or hvcC, without which no player could begin.
    """
    if track.codec_id not in CODECS:
        raise Unsuitable(f"{track.codec_id!r} cannot be put into an MP4", hint="send h.264")
    private = track.codec_private
    if track.codec_id == _HEVC:
        if len(private) < 23 or not private[22]:
            raise MediaError("the codec private data is not hvcC")
        return (private[21] & 3) + 1
    if len(private) < 8 or private[0] != 1 or not private[5] & 0x1F:
        raise MediaError("the codec private data is not avcC")
    if 8 + int.from_bytes(private[6:8], "big") > len(private):
        raise MediaError("the codec private data breaks off")
    return (private[4] & 3) + 1


def _check(frame: bytes, size: int) -> None:
    """Raises MediaError for a frame that is not a row of parts, each behind its length."""
    at, length = 0, 1
    while at + size < len(frame) and length:
        length = int.from_bytes(frame[at : at + size], "big")
        at += size + length
    if at != len(frame) or not frame:
        raise MediaError(f"a frame of {len(frame)} bytes is not what its codec demands")


@dataclass(frozen=True, slots=True)
class _Timed:
    """A frame with its times in the MP4, in milliseconds: when it is shown, and decoded."""

    data: bytes
    keyframe: bool
    shown: int
    decoded: int
    length: int

    def packet(self, target: Stream) -> av.Packet[Stream]:
        packet = av.Packet(self.data)
        packet.stream, packet.time_base = target, _MILLISECOND
        packet.pts, packet.dts, packet.duration = self.shown, self.decoded, self.length
        packet.is_keyframe = self.keyframe
        return packet


def _timed(track: mkv.Track, fragments: Iterable[tuple[int, mkv.Fragment]]) -> Iterator[_Timed]:
    origin: int | None = None
    free = 0
    """From here on no frame is shown yet."""
    decoded: int | None = None
    for time_ms, fragment in fragments:
        frames = [frame for frame in fragment.frames if frame.track == track.number]
        if not frames:
            continue
        first = min(frame.time_ms for frame in frames)
        begins = time_ms + first - fragment.opened.timecode_ms
        origin = begins if origin is None else origin
        placed = max(begins - origin, free) - first
        times, length = [frame.time_ms + placed for frame in frames], _step(frames)
        for frame, shown, at in zip(frames, times, _decoding(times), strict=True):
            decoded = at if decoded is None else max(at, decoded + 1)
            yield _Timed(frame.data, frame.keyframe, max(shown, decoded), decoded, length)
        free = max(times) + length


def _decoding(times: Sequence[int]) -> list[int]:
    """When frames in this order must be decoded to be shown at their times.

    Evenly before it, by as much as reordering (B-frames) demands: by nothing where there is none.
    """
    rising = sorted(times)
    ahead = max(even - shown for even, shown in zip(rising, times, strict=True))
    return [even - ahead for even in rising]


def _step(frames: Sequence[mkv.Frame]) -> int:
    """From one frame to the next on average; 1 ms where there is but one."""
    times = [frame.time_ms for frame in frames]
    return max(1, round((max(times) - min(times)) / max(1, len(times) - 1)))


def _header(track: mkv.Track) -> bytes:
    """A Matroska file of this track without a frame: how FFmpeg is told what the track is."""
    return opening(track) + ebml.write(ebml.CLUSTER, ebml.write_uint(ebml.TIMECODE, 0))
