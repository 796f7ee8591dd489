"""Pictures made to be looked at: a face cut out, a box drawn around it, a whole scaled down.

What is kept is always the whole picture, and the box beside it as data: it is drawn only here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import av
from av.error import FFmpegError
from av.filter import Graph

from streamctl.core.records import Box
from streamctl.errors import MediaError, Unsuitable
from streamctl.media import images

_MARGIN: Final = 0.5
"""As much of the face's own size is left around it: hair, chin and shoulders help to know someone."""
_QUALITY: Final = 90
_FULL: Final = "yuvj444p"  # colour in every pixel, so that an edge may be at any of them
_COLOUR: Final = "0xFFD400"
_SHADE: Final = "0x101010"
"""Under the colour, so that the box is seen on a bright wall too."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A JPEG and its size in pixels."""

    jpeg: bytes = field(repr=False)
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a picture, in pixels: never empty, and never more than the picture."""

    left: int
    top: int
    width: int
    height: int


def whole(jpeg: bytes, longest_side: int | None = None) -> Drawn:
    """The picture, scaled down to this many pixels where its longer side has more.

    Raises MediaError for what is no picture or is damaged, Unsuitable for one that is too large.
    """
    picture = images.decode(jpeg)
    width, height = images.fitting(picture.width, picture.height, longest_side)
    return Drawn(images.write(picture, "JPEG", (width, height), _QUALITY), width, height)


def crop(jpeg: bytes, box: Box) -> Drawn:
    """The part of the picture that the box is around, and half as much again on each side.

    Raises as `whole` does, and Unsuitable where the box is outside of the picture.
    """
    picture = images.decode(jpeg)
    part = _part(box, picture.width, picture.height, _MARGIN)
    how = f"{part.width}:{part.height}:{part.left}:{part.top}:exact=1"
    return _drawn(_filtered(picture, ("crop", how)))


def boxed(jpeg: bytes, box: Box) -> Drawn:
    """The picture with the box drawn into it, along the inside of its edges.

    Raises as `crop` does.
    """
    picture = images.decode(jpeg)
    part = _part(box, picture.width, picture.height)
    thick = max(2, round(min(picture.width, picture.height) / 240))
    return _drawn(
        _filtered(
            picture,
            ("drawbox", _outline(part, 2 * thick, _SHADE)),
            ("drawbox", _outline(part, thick, _COLOUR)),
        )
    )


def _part(box: Box, width: int, height: int, margin: float = 0.0) -> _Part:
    """What of the picture is in the box, which is in ratios and may reach outside."""
    left, top = box.left - margin * box.width, box.top - margin * box.height
    right = box.left + (1 + margin) * box.width
    bottom = box.top + (1 + margin) * box.height
    sides = (left, top, right, bottom)
    if not all(map(math.isfinite, sides)) or left >= 1 or top >= 1 or right <= 0 or bottom <= 0:
        raise Unsuitable("the box is outside of the picture", hint="look at the whole: --whole")
    x, y = (round(max(0.0, at) * size) for at, size in ((left, width), (top, height)))
    x, y = min(x, width - 1), min(y, height - 1)
    until_x, until_y = (
        round(min(1.0, at) * size) for at, size in ((right, width), (bottom, height))
    )
    return _Part(x, y, max(1, until_x - x), max(1, until_y - y))


def _outline(part: _Part, thick: int, colour: str) -> str:
    return f"{part.left}:{part.top}:{part.width}:{part.height}:{colour}:t={thick}"


def _filtered(picture: av.VideoFrame, *filters: tuple[str, str]) -> av.VideoFrame:
    picture = picture.reformat(format=_FULL)
    picture.pts, picture.time_base = 0, Fraction(1)
    try:
        graph = Graph()
        source = graph.add_buffer(
            width=picture.width,
            height=picture.height,
            format=picture.format,
            time_base=Fraction(1),
        )
        graph.link_nodes(
            source, *(graph.add(name, how) for name, how in filters), graph.add("buffersink")
        ).configure()
        graph.vpush(picture)
        return graph.vpull()
    except FFmpegError as error:
        raise MediaError(f"the picture cannot be drawn on: {error}") from error


def _drawn(picture: av.VideoFrame) -> Drawn:
    jpeg = images.write(picture, "JPEG", quality=_QUALITY)
    return Drawn(jpeg, picture.width, picture.height)
