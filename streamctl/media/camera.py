"""Plays a recording as a camera: fragments cut at key frames, each frame with the time it is due.

Nothing here waits or sends: a plan is made of pieces of bytes, and whoever plays it decides whether
to keep to the times. Producer times are absolute: the first frame's is the time the playing began.

Frames keep their decode order. Where frames are reordered (B-frames) one is due once the latest
picture it may refer to has been taken, which is when a real encoder could have sent it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from streamctl.core import video
from streamctl.errors import MediaError, Unsuitable
from streamctl.media import ebml, mkv
from streamctl.media.header import opening as opening  # noqa: PLC0414 - a part of playing, too
from streamctl.media.recording import Recording

# Kinesis Video Streams quotas for PutMedia: fragments of 1 to 20 s, of 50 MB at most.
SHORTEST_MS: Final = 1_000
LONGEST_MS: Final = round(video.LONGEST_FRAGMENT_S * 1000)
LARGEST: Final = 49_000_000  # of frames: their wrapping needs some, too

_EARLIEST_MS: Final = -0x8000  # a block's time within its cluster has 16 bits, with a sign


@dataclass(frozen=True, slots=True)
class Shot:
    """One fragment to be sent: from a key frame to before the next one.

    `starts_ms` counts from the recording's first frame; `file_ms` is the same frame's time in the
    file. Frames have their times in the file.
    """

    index: int
    starts_ms: int
    file_ms: int
    frames: tuple[mkv.Frame, ...] = field(repr=False)

    @property
    def size(self) -> int:
        """In bytes, of its frames."""
        return sum(len(frame.data) for frame in self.frames)


@dataclass(frozen=True, slots=True)
class Survey:
    """What playing a recording will come to. `size` is bytes of frames; `length_s` is from the first
    frame to the last, in playing time; `first_s` is the first frame's time in the file.
    """

    track: mkv.Track
    frames: int
    fragments: int
    size: int
    length_s: float
    first_s: float
    damage: str
    """Why the rest of the file will not be sent; empty where all of it will."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes to send once `due_s` seconds have passed since the playing began."""

    due_s: float
    data: bytes = field(repr=False)


def survey(path: Path) -> Survey:
    """Read the whole recording once, so that what cannot be sent is refused before anything is.

    Raises what Recording raises; Unsuitable for a fragment that no camera may send; MediaError
    where not even one fragment is whole.
    """
    recording = Recording(path)
    shots = frames = size = 0
    first = last = None
    for shot in play(recording):
        shots, frames, size = shots + 1, frames + len(shot.frames), size + shot.size
        first, last = first or shot, shot
    if first is None or last is None or recording.track is None:
        raise MediaError(f"{path} holds no whole fragment: {recording.damage or 'no key frame'}")
    length = last.starts_ms + max(f.time_ms for f in last.frames) - last.file_ms
    return Survey(
        track=recording.track,
        frames=frames,
        fragments=shots,
        size=size,
        length_s=length / 1000,
        first_s=first.file_ms / 1000,
        damage=recording.damage,
    )


def play(recording: Recording) -> Iterator[Shot]:
    """The recording's whole fragments, one in memory at a time.

    What stands before the first key frame cannot be decoded and is left out, and so is a last
    fragment that the file breaks off in. Where times in the file jump back, or ahead by more than
    a connection may idle, the next fragment follows directly. Raises Unsuitable for a fragment
    that is too long or too large to be sent.
    """
    starts, previous = 0, None
    for index, frames in enumerate(_cut(recording)):
        begins = frames[0].time_ms
        if previous is not None:
            starts += _step(previous, begins)
        previous = frames
        yield Shot(index, starts, begins, tuple(frames))


def _cut(recording: Recording) -> Iterator[list[mkv.Frame]]:
    frames: list[mkv.Frame] = []
    size = 0
    for frame in recording.frames():
        if begins_fragment(frame, frames[0].time_ms if frames else None):
            if frames:
                yield frames
            frames, size = [], 0
        elif not frames:
            continue
        frames.append(frame)
        size += len(frame.data)
        _refuse(frame.time_ms - frames[0].time_ms, size)
    if frames and not recording.damage:
        yield frames


def begins_fragment(frame: mkv.Frame, first_ms: int | None) -> bool:
    """Whether a new fragment begins here, the open one's first frame being at `first_ms`.

    Fragments shorter than Kinesis Video Streams takes are joined: some files are key frames only.
    """
    if not frame.keyframe or first_ms is None:
        return frame.keyframe
    return not 0 <= frame.time_ms - first_ms < SHORTEST_MS


def _step(before: list[mkv.Frame], begins: int) -> int:
    """From the start of one fragment to the start of the next, in ms of playing time."""
    first, last = before[0].time_ms, max(frame.time_ms for frame in before)
    if last < begins <= last + LONGEST_MS:
        return begins - first
    return last - first + max(1, round((last - first) / max(1, len(before) - 1)))


def _refuse(relative_ms: int, size: int) -> None:
    if relative_ms < _EARLIEST_MS:
        raise Unsuitable(
            f"a frame is to be shown {-relative_ms} ms before its fragment begins",
            hint=f"re-encode: {video.shorter_fragments()}",
        )
    if relative_ms > LONGEST_MS:
        raise Unsuitable(
            f"a fragment would be longer than {video.LONGEST_FRAGMENT_S:.0f} s, which no camera"
            " may send: the key frames are too far apart",
            hint=f"put a key frame every 2 s: {video.shorter_fragments()}",
        )
    if size > LARGEST:
        raise Unsuitable(
            f"a fragment would be larger than {LARGEST // 1_000_000} MB, which no camera may send",
            hint=f"re-encode at a lower rate: {video.reencoded('-b:v 3M -g 60')}",
        )


def pieces(shot: Shot, began_ms: int) -> Iterator[Piece]:
    """The shot's bytes frame by frame; `began_ms` is the producer's Unix time of the first frame.

    The cluster opens with its first frame and has no size, so that a reader sees each frame while
    the fragment is still being sent.
    """
    head = ebml.write_open(ebml.CLUSTER)
    head += ebml.write_uint(ebml.TIMECODE, began_ms + shot.starts_ms)
    latest = 0
    for frame in shot.frames:
        relative = frame.time_ms - shot.file_ms
        latest = max(latest, relative)
        block = ebml.Block(frame.track, relative, frame.keyframe, frame.data)
        yield Piece((shot.starts_ms + latest) / 1000, head + ebml.write_simple_block(block))
        head = b""
