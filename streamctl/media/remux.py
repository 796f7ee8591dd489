"""The video of any file as Matroska bytes, through FFmpeg: nothing is decoded or re-encoded.

Makes every container look the same to the rest of this package: h.264 from MPEG-TS, AVI or a raw
`.h264` file (Annex-B) comes out length-prefixed with an avcC, as cameras on AWS are expected to send it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from streamctl.core.video import reencoded
from streamctl.errors import MediaError, Missing, Unsuitable
from streamctl.media.pipe import Pipe

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer, OutputContainer
    from av.video.stream import VideoStream

# What may be opened at all. Left to itself, FFmpeg takes a text file for a film of ANSI art, a
# photo for a video of one frame, and a playlist for leave to read other files.
_FORMATS: Final = (
    "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mpegts,mpeg,avi,flv,h264,hevc,mjpeg,m4v,ivf,asf,ogg"
)
# Formats that keep no presentation times: their frames come in decode order, evenly spaced.
_TIMELESS: Final = frozenset({"h264", "hevc", "mjpeg", "m4v", "avi"})
_BROKEN_OFF: Final = "the file breaks off"
_HINT: Final = "give a video file, for example an .mkv or .mp4 with h.264"
_REENCODE: Final = f"re-encode, without B-frames: {reencoded('-bf 0')}"


def matroska(path: Path) -> Iterator[bytes]:
    """Matroska bytes of the file's first video track, in pieces, as a live stream is written.

    Raises MediaError where the file is no video, has none in it, or breaks off (after the pieces
    that could be read); Unsuitable where it does not say when its frames are to be shown, or its
    codec is none that Matroska holds; Missing without PyAV.
    """
    av = _pyav()
    try:
        with ExitStack() as stack:
            # An absolute path: FFmpeg reads "http:x" and the like as addresses.
            source = av.open(str(path.resolve()), options={"format_whitelist": _FORMATS})
            stack.enter_context(source)
            video = _video(source)
            written: list[bytes] = []
            sink = av.open(Pipe(written.append), "w", format="matroska", options={"live": "1"})
            # Closing writes: it must not be tried once the reading has failed.
            yield from _copied(source, video, sink, written)
            sink.close()
            yield _taken(written)
            if "mp4" in source.format.name and _is_cut(path):
                raise MediaError(_BROKEN_OFF)
    except (av.error.FFmpegError, UnicodeDecodeError) as error:
        raise MediaError(_reason(error, av.error.ArgumentError), _HINT) from error


def _copied(
    source: InputContainer, video: VideoStream, sink: OutputContainer, written: list[bytes]
) -> Iterator[bytes]:
    target = _target(video, sink)
    step = _frame_duration(source, video)
    for index, packet in enumerate(packet for packet in source.demux(video) if packet.size):
        if packet.is_corrupt:
            raise MediaError(_BROKEN_OFF)
        _set_times(packet, round(index * step), source.format.name)
        packet.stream = target
        sink.mux_one(packet)
        if written:
            yield _taken(written)


def _taken(parts: list[bytes]) -> bytes:
    """All of them as one, and none is left."""
    whole = b"".join(parts)
    parts.clear()
    return whole


def _target(video: VideoStream, sink: OutputContainer) -> VideoStream:
    try:
        return sink.add_stream_from_template(video)
    except (
        ValueError
    ) as error:  # PyAV's, for a codec that FFmpeg does not know or Matroska not hold
        raise Unsuitable(
            f"the file's video cannot be put into Matroska: {error}", hint=_REENCODE
        ) from error


def _set_times(packet: Packet[VideoStream], even: int, container: str) -> None:
    if container in _TIMELESS:
        packet.pts = packet.dts = even
    elif packet.pts is None:
        raise Unsuitable("the file does not say when its frames are to be shown", hint=_REENCODE)


def _frame_duration(source: InputContainer, video: VideoStream) -> Fraction:
    """In the track's time base. Only asked for where frames are evenly spaced."""
    if source.format.name not in _TIMELESS:
        return Fraction(0)
    if video.codec_context.has_b_frames:
        raise Unsuitable(
            f"a file of format {source.format.name} with B-frames does not say when they are shown",
            hint=_REENCODE,
        )
    rate = video.codec_context.framerate or video.average_rate
    if not rate or not video.time_base:
        raise Unsuitable("the file does not say how fast its frames follow each other", _HINT)
    return 1 / (rate * video.time_base)


def _video(source: InputContainer) -> VideoStream:
    if not source.streams.video:
        raise MediaError("no video track", _HINT)
    return source.streams.video[0]


def _is_cut(path: Path) -> bool:
    """Whether an MP4's last box claims more bytes than there are. FFmpeg may pass over that."""
    at, size = 0, path.stat().st_size
    with path.open("rb") as file:
        while at < size:
            file.seek(at)
            length = _box_length(file.read(16))
            if length == 0:  # to the end of the file
                return False
            at += length
    return at > size


def _box_length(head: bytes) -> int:
    """A box's length in bytes, header included (ISO 14496-12, 4.2). A header itself is 8 or 16."""
    if len(head) < 8:
        return 8
    length = int.from_bytes(head[:4], "big")
    if length == 1:
        length = int.from_bytes(head[8:16], "big")
    return length and max(length, 8)


def _pyav() -> Any:
    """PyAV, imported when a file needs it: the base installation does without."""
    try:
        import av  # noqa: PLC0415  (optional, and slow to load)
    except ImportError as error:
        raise Missing(
            "reading video files other than Matroska needs PyAV, which is not installed",
            hint="pip install 'streamctl[media]'",
        ) from error
    return av


def _reason(error: Exception, refused: type[Exception]) -> str:
    """FFmpeg's own words without its number and the path, but for formats that we do not open."""
    if isinstance(error, refused):
        return "it is of no video format"
    return str(getattr(error, "strerror", None) or error)
