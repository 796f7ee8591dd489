"""Clips of people in a room; the one that the demo plays if it is given no video is the default.

Rendered at run time from the portraits beside this module, as h.264 with a key frame every second,
so that a fragment lasts one second and its end shows at once.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import av
import numpy as np

from streamctl.media import images

if TYPE_CHECKING:
    from streamctl.media.frames import Rgb

KNOWN: Final = "eileen-collins"
"""Who appears first, and is enrolled."""
UNKNOWN: Final = "grace-hopper"
"""Who appears after an empty scene, and is not."""

FPS: Final = 15
WIDTH: Final = 960
HEIGHT: Final = 540

Scene = tuple[tuple[str, ...], int]
"""Who is in the room, by the names of portraits, two at most; and for how many seconds."""

SCENES: Final[Sequence[Scene]] = (((KNOWN,), 4), ((), 3), ((UNKNOWN,), 4), ((), 1))
_PORTRAIT_HEIGHT: Final = 400
_LEFT: Final = ((200,), (20, 450))
_WALK: Final = (500, 80)
_STEP: Final = 2  # pixels a frame: people do not stand still, and still frames would compress away


def portrait(name: str) -> bytes:
    """A portrait's JPEG."""
    return (resources.files("streamctl.media") / "portraits" / f"{name}.jpg").read_bytes()


def render(path: Path, scenes: Sequence[Scene] = SCENES, dropped: Container[int] = ()) -> None:
    """Write a clip, as Matroska: 960x540 pixels, 15 FPS, by default 12 s.

    Frames whose numbers are `dropped` are left out, as by a camera that cannot keep up: time passes
    all the same.
    """
    with av.open(str(path), "w", format="matroska") as container:
        track = container.add_stream("libx264", rate=FPS)
        track.width, track.height, track.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        track.codec_context.gop_size = FPS
        track.options = {"preset": "veryfast", "tune": "zerolatency", "x264-params": "scenecut=0"}
        for number, picture in enumerate(_pictures(scenes)):
            if number not in dropped:
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                container.mux(track.encode(frame))
        container.mux(track.encode(None))


def _pictures(scenes: Sequence[Scene]) -> Iterator[Rgb]:
    room = _empty_room()
    for names, seconds in scenes:
        people = [_scaled(portrait(name)) for name in names]
        for number in range(seconds * FPS):
            yield _with(room, people, number)


def _empty_room() -> Rgb:
    """A plain wall, lighter towards the window."""
    light = np.linspace(90, 170, WIDTH, dtype=np.uint8)
    return cast(
        "Rgb", np.ascontiguousarray(np.broadcast_to(light[None, :, None], (HEIGHT, WIDTH, 3)))
    )


def _scaled(jpeg: bytes) -> Rgb:
    picture = av.VideoFrame.from_ndarray(images.read(jpeg), format="rgb24")
    width = round(picture.width * _PORTRAIT_HEIGHT / picture.height)
    return cast("Rgb", picture.reformat(width=width, height=_PORTRAIT_HEIGHT).to_ndarray())


def _with(room: Rgb, people: Sequence[Rgb], number: int) -> Rgb:
    """People walk to the right; of two, the second ahead of the first."""
    picture = room.copy()
    for place, person in enumerate(people):
        height, width, _ = person.shape
        left = _LEFT[len(people) - 1][place] + _STEP * number % _WALK[len(people) - 1]
        top = (HEIGHT - height) // 2
        picture[top : top + height, left : left + width] = person
    return picture
