"""What is known of a video, and what is wrong with it for face search.

Decides nothing about files or cameras: it is told what a probe found. A refusal is something that
Kinesis Video Streams or Rekognition will not take; an advice is something they take and do badly
with. Each comes with its cure.

Facts: Rekognition developer guide, "setting up your streaming video resources" (h.264 only, key
frame first, fragments of 2-10 s) and "recommendations for camera setup" (30 FPS recommended, not
below 5); Kinesis Video Streams quotas (fragments of at most 20 s).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# Tolerances of what is documented as 5 and 30: a real camera's 29.97 and 30.03 must both pass.
SLOWEST_FPS: Final = 4.9
FASTEST_FPS: Final = 30.5
LONGEST_FRAGMENT_S: Final = 20.0
ADVISED_KEYFRAME_INTERVAL_S: Final = 10.0
ADVISED_SHORT_SIDE: Final = 700
"""Pixels; a little under 720p. Faces should measure 50 pixels or more (developer guide)."""

_KEYFRAMES: Final = '-force_key_frames "expr:gte(t,n_forced*2)"'
_NAMES: Final = {"h264": "h.264", "hevc": "H.265 (HEVC)", "mjpeg": "MJPEG", "mpeg4": "MPEG-4"}


@dataclass(frozen=True, slots=True)
class Probe:
    """What a video is, as measured on its fragments.

    `fps` is (frames - 1) / span inside fragments, so that gaps between them count for nothing; None
    where no fragment has two frames. `duration_s` likewise is without gaps. `keyframe_interval_s`
    is the longest stretch from one key frame to the next, or to its fragment's end; None without
    key frames. `fragments` are lengths in seconds. `packaging` is how h.264 and H.265 delimit their
    units: `avcC`, `Annex-B`, or empty where that does not apply.
    """

    codec: str
    codec_id: str
    fps: float | None
    width: int
    height: int
    frames: int
    duration_s: float
    keyframe_interval_s: float | None
    fragments: tuple[float, ...]
    keyframe_first: bool = True
    """Every fragment begins with a key frame."""
    packaging: str = ""
    damage: str = ""
    """Where the file breaks off or cannot be read any further; empty where it is whole."""

    @property
    def named(self) -> str:
        """The codec as people write it."""
        return _NAMES.get(self.codec, self.codec or "an unknown codec")


class Weight(StrEnum):
    """What a finding means: it will not work, or it will work badly."""

    REFUSAL = "refusal"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a video: `what` was found and why that matters, and its `cure`."""

    weight: Weight
    what: str
    cure: str


def findings(probe: Probe) -> tuple[Finding, ...]:
    """Everything wrong with the video for face search, refusals first. Empty: it is fine."""
    found = (
        _codec(probe),
        _frame_rate(probe),
        _first_frame(probe),
        _fragment_length(probe),
        _size(probe),
        _key_frames(probe),
        _packaging(probe),
    )
    present = [finding for finding in found if finding is not None]
    return tuple(sorted(present, key=lambda finding: finding.weight is not Weight.REFUSAL))


def refusals(probe: Probe) -> tuple[Finding, ...]:
    """Only what will not work."""
    return tuple(found for found in findings(probe) if found.weight is Weight.REFUSAL)


def reencoded(options: str) -> str:
    """The ffmpeg line that makes a file of the right kind; `options` go between input and output."""
    return f"ffmpeg -i INPUT -c:v libx264 -pix_fmt yuv420p {options} -an OUTPUT.mkv"


def shorter_fragments() -> str:
    """The ffmpeg line that puts a key frame, and so a fragment, every 2 s."""
    return reencoded(_KEYFRAMES)


def _codec(probe: Probe) -> Finding | None:
    if probe.codec == "h264":
        return None
    return Finding(
        Weight.REFUSAL,
        f"the video is {probe.named}; face search takes h.264 only",
        f"set the camera to h.264, or re-encode: {shorter_fragments()}",
    )


def _frame_rate(probe: Probe) -> Finding | None:
    if probe.fps is None or SLOWEST_FPS <= probe.fps <= FASTEST_FPS:
        return None
    slow = probe.fps < SLOWEST_FPS
    limit = "at least 5" if slow else "at most 30"
    return Finding(
        Weight.REFUSAL,
        f"the video has {probe.fps:.4g} frames a second; face search needs {limit}",
        f"set the camera to 5-30 FPS, or re-encode: {reencoded(f'-r {5 if slow else 30}')}",
    )


def _first_frame(probe: Probe) -> Finding | None:
    if probe.keyframe_first:
        return None
    return Finding(
        Weight.REFUSAL,
        "a fragment begins without a key frame, so that its faces cannot be seen",
        "let the producer cut fragments at key frames, as `streamctl camera push` does",
    )


def _fragment_length(probe: Probe) -> Finding | None:
    longest = max(probe.fragments, default=0.0)
    if longest <= LONGEST_FRAGMENT_S:
        return None
    return Finding(
        Weight.REFUSAL,
        f"a fragment is {longest:.1f} s long; a camera takes {LONGEST_FRAGMENT_S:.0f} s at most",
        f"set a key frame every 2 s, or re-encode: {shorter_fragments()}",
    )


def _size(probe: Probe) -> Finding | None:
    short_side = min(probe.width, probe.height)
    if short_side >= ADVISED_SHORT_SIDE or short_side == 0:
        return None
    return Finding(
        Weight.ADVICE,
        f"the video is {probe.width}x{probe.height}; faces below 50 pixels are hard to tell apart",
        "prefer 1280x720 or more; resolution matters more than frame rate",
    )


def _key_frames(probe: Probe) -> Finding | None:
    interval = probe.keyframe_interval_s
    if interval is None or interval <= ADVISED_KEYFRAME_INTERVAL_S or _fragment_length(probe):
        return None
    return Finding(
        Weight.ADVICE,
        f"key frames are up to {interval:.1f} s apart, which delays results and the end's notice",
        f"set a key frame every 2 s, or re-encode: {shorter_fragments()}",
    )


def _packaging(probe: Probe) -> Finding | None:
    if probe.packaging != "Annex-B":
        return None
    return Finding(
        Weight.ADVICE,
        "the producer sends Annex-B start codes; players of the camera's archive expect avcC",
        "let the producer convert to avcC, as AWS's producer SDK can, or as `camera push` does",
    )
