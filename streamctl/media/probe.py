"""What a video is: codec, frame rate, size, key frames, fragments. Measured, not believed.

A file is probed as `camera push` would send it: fragments cut at key frames. What a camera holds
(and a saved GetMedia answer) is probed in the fragments that its producer made. Matroska is read in
pure Python; other files need PyAV.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from streamctl.core.video import Probe
from streamctl.errors import MediaError
from streamctl.media import mkv
from streamctl.media.camera import begins_fragment
from streamctl.media.recording import Recording

_CODECS: Final = {
    "V_MPEG4/ISO/AVC": "h264",
    "V_MPEGH/ISO/HEVC": "hevc",
    "V_MJPEG": "mjpeg",
    "V_MPEG4/ISO/ASP": "mpeg4",
    "V_MPEG2": "mpeg2",
    "V_VP8": "vp8",
    "V_VP9": "vp9",
    "V_AV1": "av1",
}
_VFW: Final = "V_MS/VFW/FOURCC"
_FOURCC: Final = slice(16, 20)  # biCompression of the BITMAPINFOHEADER in CodecPrivate
_FOURCCS: Final = {
    "h264": "h264",
    "x264": "h264",
    "avc1": "h264",
    "davc": "h264",
    "hevc": "hevc",
    "h265": "hevc",
    "hvc1": "hevc",
    "mjpg": "mjpeg",
    "xvid": "mpeg4",
    "divx": "mpeg4",
}
_START_CODES: Final = (b"\x00\x00\x00\x01", b"\x00\x00\x01")
_NTSC: Final = (24_000 / 1001, 30_000 / 1001, 60_000 / 1001)


@dataclass(slots=True)
class _Stretch:
    """One fragment's frames, counted. Their times are not kept: a file may have millions."""

    first_ms: int
    keyframe_first: bool
    frames: int = 0
    earliest_ms: int = 0
    latest_ms: int = 0
    keyframe_ms: int | None = None
    """The last key frame's time."""
    keyframe_gap_ms: int = 0
    """The longest time from one of its key frames to the next."""

    @classmethod
    def of(cls, first: mkv.Frame) -> _Stretch:
        time = first.time_ms
        return cls(time, first.keyframe, earliest_ms=time, latest_ms=time)

    def add(self, frame: mkv.Frame) -> None:
        self.frames += 1
        self.earliest_ms = min(self.earliest_ms, frame.time_ms)
        self.latest_ms = max(self.latest_ms, frame.time_ms)
        if frame.keyframe:
            self.keyframe_gap_ms = self.keyframe_gap_until(frame.time_ms) or 0
            self.keyframe_ms = frame.time_ms

    def keyframe_gap_until(self, time_ms: int) -> int | None:
        """The longest gap between key frames, were the next at `time_ms`; None where it has none."""
        if self.keyframe_ms is None:
            return None
        return max(self.keyframe_gap_ms, time_ms - self.keyframe_ms)

    @property
    def span_ms(self) -> int:
        return self.latest_ms - self.earliest_ms


@dataclass(slots=True)
class _Measuring:
    """What was seen so far: the first video track, its first bytes, and its fragments."""

    track: mkv.Track | None = None
    first_bytes: bytes = b""
    stretches: list[_Stretch] = field(default_factory=list)
    _begins: bool = False

    def begin(self) -> None:
        """The next frame is the first of a fragment."""
        self._begins = True

    def shows(self, frame: mkv.Frame) -> bool:
        return self.track is not None and frame.track == self.track.number

    def add(self, frame: mkv.Frame) -> None:
        """Count a frame in. One before the first fragment begins is left out, as a camera would."""
        if self._begins:
            self.stretches.append(_Stretch.of(frame))
            self._begins = False
        if self.stretches:
            self.first_bytes = self.first_bytes or frame.data[:4]
            self.stretches[-1].add(frame)

    @property
    def first_ms(self) -> int | None:
        """Where the open fragment began."""
        return self.stretches[-1].first_ms if self.stretches else None


def of_file(path: Path) -> Probe:
    """Probe a video file, as it would be pushed.

    Raises what Recording raises, and MediaError where it holds no video.
    """
    recording = Recording(path)
    seen = _Measuring()
    made_by_camera = False
    for event in recording.events():
        seen.track = recording.track
        if isinstance(event, mkv.Opened):
            made_by_camera = event.number is not None
            if made_by_camera:
                seen.begin()
        elif isinstance(event, mkv.Frame) and seen.shows(event):
            if not made_by_camera and begins_fragment(event, seen.first_ms):
                seen.begin()
            seen.add(event)
    return _probe(seen, recording.damage)


def of_fragments(fragments: Iterable[mkv.Fragment]) -> Probe:
    """Probe fragments as a producer made them. Raises MediaError where they hold no video."""
    seen = _Measuring()
    for fragment in fragments:
        seen.track = seen.track or next(iter(fragment.opened.tracks), None)
        seen.begin()
        for frame in fragment.frames:
            if seen.shows(frame):
                seen.add(frame)
    return _probe(seen)


def _probe(seen: _Measuring, damage: str = "") -> Probe:
    track, stretches = seen.track, seen.stretches
    if track is None or not stretches:
        raise MediaError("no video: it has no track of it, or no key frame to begin with")
    fps = frame_rate([(stretch.frames, stretch.span_ms) for stretch in stretches])
    lengths = tuple(_length_s(stretch, fps) for stretch in stretches)
    return Probe(
        codec=codec_name(track),
        codec_id=track.codec_id,
        fps=fps,
        width=track.width,
        height=track.height,
        frames=sum(stretch.frames for stretch in stretches),
        duration_s=round(sum(lengths), 3),
        keyframe_interval_s=_keyframe_interval_s(stretches, lengths),
        fragments=lengths,
        keyframe_first=all(stretch.keyframe_first for stretch in stretches),
        packaging=_packaging(track, seen.first_bytes),
        damage=damage,
    )


def codec_name(track: mkv.Track) -> str:
    """`h264`, `hevc`, `mjpeg`, ...; what Matroska calls it where we have no name for it."""
    if track.codec_id == _VFW:
        fourcc = track.codec_private[_FOURCC].decode("ascii", "replace").lower().strip()
        return _FOURCCS.get(fourcc, fourcc or track.codec_id)
    return _CODECS.get(track.codec_id, track.codec_id)


def frame_rate(spans: Iterable[tuple[int, int]]) -> float | None:
    """Frames a second, from (frames, span in ms) of each fragment; None where none has two.

    Times are whole milliseconds, so that a fragment's span may be wrong by one: the nearest usual
    rate is the rate, if it lies within that error (59 steps in 1967 ms are 30 FPS, not 29.995).
    """
    usable = [(frames - 1, span) for frames, span in spans if frames > 1 and span > 0]
    if not usable:
        return None
    steps, span = sum(step for step, _ in usable), sum(span for _, span in usable)
    measured = 1000 * steps / span
    slack = measured * len(usable) / span
    usual = min((float(round(measured)), *_NTSC), key=lambda rate: abs(rate - measured))
    return round(usual if abs(usual - measured) <= slack else measured, 3)


def _length_s(stretch: _Stretch, fps: float | None) -> float:
    """Until where the next frame would be."""
    return round(stretch.span_ms / 1000 + (1 / fps if fps else 0), 3)


def _keyframe_interval_s(stretches: Sequence[_Stretch], lengths: Sequence[float]) -> float | None:
    """The longest time from a key frame to the next, or to its fragment's end; None without any."""
    gaps = (
        stretch.keyframe_gap_until(stretch.earliest_ms + round(length * 1000))
        for stretch, length in zip(stretches, lengths, strict=True)
    )
    found = [gap for gap in gaps if gap is not None]
    return max(found) / 1000 if found else None


def _packaging(track: mkv.Track, first_bytes: bytes) -> str:
    if codec_name(track) not in ("h264", "hevc"):
        return ""
    if track.codec_private.startswith(_START_CODES):
        return "Annex-B"
    if not track.codec_private and first_bytes.startswith(_START_CODES):
        return "Annex-B"
    return "avcC"
