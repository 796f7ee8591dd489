"""What is played into cameras: the demo's clip, and a real recording where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av

from benchmarks.inputs import DATA
from streamctl.media import clip

BEZOS_VOGELS: Final = DATA / "video" / "bezos_vogels.mkv"
_MEN_S: Final = {"first-man": 4.0, "second-man": 16.0}
"""When each of the two men fills the frame."""


@dataclass(frozen=True, slots=True)
class Video:
    """A video, and a portrait of everybody who is in it."""

    title: str
    path: Path
    people: Mapping[str, Path]


def every(folder: Path) -> Iterator[Video]:
    """The clip, and the recording if it is there. What has to be made is put into the folder."""
    yield rendered(folder)
    if BEZOS_VOGELS.exists():
        stills = {name: _still(folder / f"{name}.png", second) for name, second in _MEN_S.items()}
        yield Video("bezos_vogels.mkv, 18 s, 1280x720, 30 FPS", BEZOS_VOGELS, stills)


def rendered(folder: Path) -> Video:
    path, people = folder / "clip.mkv", {}
    clip.render(path)
    for name in (clip.KNOWN, clip.UNKNOWN):
        people[name] = folder / f"{name}.jpg"
        people[name].write_bytes(clip.portrait(name))
    return Video(f"clip, 12 s, {clip.WIDTH}x{clip.HEIGHT}, {clip.FPS} FPS", path, people)


def _still(path: Path, second: float) -> Path:
    """The recording's frame at a second, as PNG."""
    with av.open(str(BEZOS_VOGELS)) as recording:
        frame = next(each for each in recording.decode(video=0) if (each.time or 0) >= second)
    context = av.VideoCodecContext.create("png", "w")
    context.width, context.height, context.pix_fmt = frame.width, frame.height, "rgb24"
    context.time_base = Fraction(1)
    packets = [*context.encode(frame.reformat(format="rgb24")), *context.encode(None)]
    path.write_bytes(b"".join(map(bytes, packets)))
    return path
