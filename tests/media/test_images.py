"""Still images: upright pixels, and clear refusals of everything else."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.errors import MediaError, Unsuitable
from streamctl.media import images


def encoded(pixels: np.ndarray, codec: str = "mjpeg") -> bytes:
    """A JPEG or PNG file of these pixels."""
    context = av.CodecContext.create(codec, "w")
    context.height, context.width = pixels.shape[:2]
    context.pix_fmt = "yuvj444p" if codec == "mjpeg" else "rgb24"
    context.time_base = Fraction(1)
    context.options = {"qmin": "1", "qmax": "1"} if codec == "mjpeg" else {}
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    packets = [*context.encode(frame.reformat(format=context.pix_fmt)), *context.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


def turned(jpeg: bytes, orientation: int, order: str = ">") -> bytes:
    """The same JPEG with an EXIF orientation."""
    mark = {"<": b"II", ">": b"MM"}[order]
    tiff = mark + struct.pack(f"{order}HIH", 42, 8, 1)
    tiff += struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0) + bytes(4)
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def corners() -> np.ndarray:
    """A picture whose four corners differ: red, green; blue, white."""
    pixels = np.zeros((80, 120, 3), dtype=np.uint8)
    pixels[:40, :60, 0] = 255
    pixels[:40, 60:, 1] = 255
    pixels[40:, :60, 2] = 255
    pixels[40:, 60:] = 255
    return pixels


@pytest.mark.parametrize("codec", ["mjpeg", "png"])
def test_pixels_survive(codec: str) -> None:
    """Both formats come back as they went in (JPEG: nearly)."""
    read = images.read(encoded(corners(), codec))
    assert np.abs(read.astype(int) - corners()).mean() < 3


# What turns each stored picture upright (EXIF 2.3, 4.6.4 A, tag 274).
UPRIGHT = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.fliplr(np.rot90(a, -1)),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.fliplr(np.rot90(a, 1)),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int, order: str) -> None:
    """All eight orientations end upright, in both byte orders."""
    jpeg = turned(encoded(corners()), orientation, order)
    expected = UPRIGHT[orientation](corners())
    read = images.read(jpeg)
    assert read.shape == expected.shape
    assert read.flags.c_contiguous
    assert np.abs(read.astype(int) - expected).mean() < 3


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_a_nonsense_orientation_is_upright(orientation: int) -> None:
    """Values outside 1-8 mean nothing."""
    assert images.orientation(turned(encoded(corners()), orientation)) == 1


def test_large_images_are_scaled_to_fit() -> None:
    """The longer side is the limit; a smaller image stays as it is."""
    jpeg = encoded(corners())
    assert images.read(jpeg, longest_side=60).shape == (40, 60, 3)
    assert images.read(jpeg, longest_side=500).shape == (80, 120, 3)


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"GIF89a" + bytes(50), b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\0" * 99],
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    """Other formats, rubbish and bare signatures raise MediaError."""
    with pytest.raises(MediaError):
        images.read(data)


@pytest.mark.parametrize("codec", ["mjpeg", "png"])
def test_half_an_image_is_refused(codec: str) -> None:
    """A truncated file is damaged, not half a picture."""
    noise = np.random.default_rng(7).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    data = encoded(noise, codec)
    with pytest.raises(MediaError):
        images.read(data[: len(data) // 2])


def test_a_small_file_of_huge_size_is_refused_by_its_header() -> None:
    """900 million claimed pixels are never allocated."""
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk
    png += struct.pack(">I", zlib.crc32(chunk))
    with pytest.raises(Unsuitable, match="30000x30000"):
        images.read(png)


@given(st.data())
def test_damage_never_escapes_as_another_error(data: st.DataObject) -> None:
    """Any bytes changed anywhere: pixels, MediaError or Unsuitable, nothing else."""
    good = bytearray(turned(encoded(corners()), 6))
    for _ in range(data.draw(st.integers(1, 20))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        images.read(bytes(good))
    except (MediaError, Unsuitable):
        return


@pytest.mark.parametrize("part", [0.5, 0.9])
def test_a_picture_that_is_cut_off_is_said_to_be(part: float) -> None:
    """In words, not in FFmpeg's numbers and functions."""
    good = turned(encoded(corners()), 1)
    with pytest.raises(MediaError, match=r"^the image is cut off or damaged$"):
        images.read(good[: int(len(good) * part)])


def picture(width: int = 120, height: int = 80) -> av.VideoFrame:
    """A ramp from dark to light, as a decoder would give it."""
    ramp = np.linspace(16, 235, width, dtype=np.uint8)
    pixels = np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (height, width, 3)))
    return av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_is_written_as_it_looks(kind: images.Kind) -> None:
    """And a reader sees the same, within what JPEG loses."""
    read = images.read(images.write(picture(), kind))
    assert read.shape == (80, 120, 3)
    expected = picture().to_ndarray(format="rgb24")
    assert np.abs(read.astype(int) - expected).mean() < 3


def test_a_picture_is_stretched_to_the_asked_size() -> None:
    """Whatever its own proportions; the smallest and the largest that AWS takes."""
    for size in ((60, 200), (1, 1), (3840, 2160)):
        for kind in ("JPEG", "PNG"):
            assert images.size(images.write(picture(), kind, size)) == size


def test_quality_costs_bytes() -> None:
    """From 1 to 100 a JPEG grows and comes nearer to the picture; PNG has no quality."""
    noise = np.random.default_rng(7).integers(0, 255, (80, 120, 3), dtype=np.uint8)
    noisy = av.VideoFrame.from_ndarray(noise, format="rgb24")
    sizes = [len(images.write(noisy, "JPEG", quality=quality)) for quality in (1, 20, 50, 80, 100)]
    assert sizes == sorted(set(sizes))
    assert images.write(noisy, "PNG", quality=1) == images.write(noisy, "PNG", quality=100)


def test_a_real_photograph(shared_data: Path) -> None:
    """A portrait from a camera: its size and its header agree."""
    data = (shared_data / "faces" / "obama.jpg").read_bytes()
    assert images.size(data) == (910, 1137)
    assert images.read(data).shape == (1137, 910, 3)
    assert images.read(data).flags.c_contiguous
