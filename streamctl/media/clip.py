"""The clip that the demo plays when it is given no video: two people, one after the other.

Rendered at run time from the portraits beside this module, as h.264 with a key frame every second,
so that a fragment lasts one second and its end shows at once.
"""

from __future__ import annotations

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

_SCENES: Final = ((KNOWN, 4), (None, 3), (UNKNOWN, 4), (None, 1))
_PORTRAIT_HEIGHT: Final = 400
_STEP: Final = 2  # pixels a frame: people do not stand still, and still frames would compress away


def portrait(name: str) -> bytes:
    """A portrait's JPEG."""
    return (resources.files("streamctl.media") / "portraits" / f"{name}.jpg").read_bytes()


def render(path: Path) -> None:
    """Write the clip, as Matroska: 12 s, 960x540 pixels, 15 FPS."""
    with av.open(str(path), "w", format="matroska") as container:
        track = container.add_stream("libx264", rate=FPS)
        track.width, track.height, track.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        track.codec_context.gop_size = FPS
        track.options = {"preset": "veryfast", "tune": "zerolatency", "x264-params": "scenecut=0"}
        room = _empty_room()
        for name, seconds in _SCENES:
            person = None if name is None else _scaled(portrait(name))
            for number in range(seconds * FPS):
                picture = room if person is None else _placed(room, person, number)
                container.mux(track.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(track.encode(None))


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


def _placed(room: Rgb, person: Rgb, number: int) -> Rgb:
    picture = room.copy()
    top, left = (HEIGHT - person.shape[0]) // 2, 200 + _STEP * number
    picture[top : top + person.shape[0], left : left + person.shape[1]] = person
    return picture
