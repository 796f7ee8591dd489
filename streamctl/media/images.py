"""Still images, JPEG or PNG: upright pixels out of bytes that somebody sent, and files of pictures.

What is read is read within limits.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal, cast

import av
from av.error import FFmpegError

from streamctl.errors import MediaError, Unsuitable

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

    from streamctl.media.frames import Rgb

MOST_PIXELS: Final = 50_000_000
"""Larger pictures are refused before any memory is taken for them. 8K video has 33 million."""

Kind = Literal["JPEG", "PNG"]

# Of each kind of file: FFmpeg's encoder, and the pixels that it takes.
_ENCODERS: Final = {"JPEG": ("mjpeg", "yuvj420p"), "PNG": ("png", "rgb24")}
_COARSEST: Final = 31  # quantizer of FFmpeg's JPEG encoder; 1 is its finest

_JPEG: Final = b"\xff\xd8\xff"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_ORIENTATION: Final = 0x0112


def read(data: bytes, longest_side: int | None = None) -> Rgb:
    """The pixels, height x width x 3 without gaps, turned as the image's EXIF orientation says.

    An image whose longer side exceeds `longest_side` is scaled down to it. Raises MediaError for
    what is neither JPEG nor PNG or is damaged, Unsuitable for more than MOST_PIXELS.
    """
    import numpy as np  # noqa: PLC0415 - of the [local] extra; the rest does without

    picture = decode(data)
    width, height = fitting(picture.width, picture.height, longest_side)
    pixels = picture.reformat(width=width, height=height, format="rgb24").to_ndarray()
    return np.ascontiguousarray(_upright(cast("Rgb", pixels), orientation(data)))


def write(
    picture: av.VideoFrame, kind: Kind, size: tuple[int, int] | None = None, quality: int = 80
) -> bytes:
    """A picture as a file, stretched to `size` (width and height in pixels) where that is given.

    `quality` is JPEG's, 1 to 100; PNG loses nothing. Raises MediaError for a picture that cannot be
    encoded.
    """
    codec, pixels = _ENCODERS[kind]
    width, height = size or (picture.width, picture.height)
    context = cast("VideoCodecContext", av.CodecContext.create(codec, "w"))
    context.width, context.height, context.pix_fmt = width, height, pixels
    context.time_base = Fraction(1)
    context.thread_count = 1
    if kind == "JPEG":
        context.qmin = context.qmax = _quantizer(quality)
    try:
        scaled = picture.reformat(width=width, height=height, format=pixels)
        packets = [*context.encode(scaled), *context.encode(None)]
    except (FFmpegError, ValueError) as error:
        raise MediaError(f"a picture of {width}x{height} cannot be encoded: {error}") from error
    return b"".join(map(bytes, packets))


def _quantizer(quality: int) -> int:
    """How coarsely FFmpeg is to encode, so that a quality means what it means elsewhere.

    The usual scale (libjpeg's) says by how much the standard tables are multiplied; FFmpeg's
    encoder multiplies tables like those by its quantizer and divides them by 8.
    """
    percent = 5000 / quality if quality < 50 else 200 - 2 * quality
    return min(_COARSEST, max(1, round(percent * 8 / 100)))


def decode(data: bytes) -> av.VideoFrame:
    """The picture as FFmpeg holds it, not turned upright. Raises what `read` raises."""
    name = "mjpeg" if data.startswith(_JPEG) else "png" if data.startswith(_PNG) else None
    if name is None:
        raise MediaError("the image is neither JPEG nor PNG")
    width, height = size(data)
    if width * height > MOST_PIXELS:
        raise Unsuitable(f"an image of {width}x{height} pixels", hint="scale it down")
    context = cast("VideoCodecContext", av.CodecContext.create(name, "r"))
    context.options = {"max_pixels": str(MOST_PIXELS), "err_detect": "explode"}
    try:
        pictures = context.decode(av.Packet(data)) or context.decode(None)
    except (FFmpegError, ValueError) as error:
        raise MediaError("the image is cut off or damaged") from error
    if not pictures:
        raise MediaError("the image holds no picture")
    return pictures[0]


def fitting(width: int, height: int, longest_side: int | None) -> tuple[int, int]:
    """A size of the same shape whose longer side is no longer than this."""
    if longest_side is None or max(width, height) <= longest_side:
        return width, height
    scale = longest_side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _upright(pixels: Rgb, turned: int) -> Rgb:
    """Undo one of the eight EXIF orientations: mirror and turn by quarters."""
    if turned >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if turned in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    if turned in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    return pixels


def size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels as the file's header has them. Raises MediaError without one."""
    if data.startswith(_PNG) and len(data) >= 24:
        return cast("tuple[int, int]", struct.unpack_from(">II", data, 16))
    for marker, at, end in _jpeg_segments(data):
        frame_header = 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}
        if frame_header and end - at >= 5:
            height, width = struct.unpack_from(">HH", data, at + 1)
            return width, height
    raise MediaError("the image has no size in its header")


def orientation(data: bytes) -> int:
    """The EXIF orientation of a JPEG, 1 to 8; 1 (upright) where there is none or it is malformed.

    PNG images are taken as they are, as Rekognition does (API reference, OrientationCorrection).
    """
    for marker, at, end in _jpeg_segments(data):
        if marker == 0xE1 and data[at : at + 6] == b"Exif\0\0":
            return _orientation_in(data[at + 6 : end])
    return 1


def _orientation_in(tiff: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return 1
    (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
    if directory + 2 > len(tiff):
        return 1
    (entries,) = struct.unpack_from(f"{order}H", tiff, directory)
    for at in range(directory + 2, min(directory + 2 + 12 * entries, len(tiff) - 11), 12):
        tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, at)
        if tag == _ORIENTATION:
            return value if 1 <= value <= 8 else 1
    return 1


def _jpeg_segments(data: bytes) -> list[tuple[int, int, int]]:
    """Marker, begin and end of each JPEG header segment before the picture data."""
    found: list[tuple[int, int, int]] = []
    at = 2 if data.startswith(_JPEG) else len(data)
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if marker == 0xDA or length < 2 or end > len(data):
            break
        found.append((marker, at + 4, end))
        at = end
    return found
