"""Boxes drawn, faces cut out and pictures scaled down: read back, pixel by pixel."""

import contextlib
import subprocess
import sys

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.core.records import Box
from streamctl.errors import MediaError, Unsuitable
from streamctl.media import drawing, images

GREY = 120
WIDTH, HEIGHT = 480, 270
BOX = Box(0.25, 0.2, 0.25, 0.4)
LEFT, TOP, RIGHT, BOTTOM = 120, 54, 240, 162


def jpeg(pixels):
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    return images.write(frame, "JPEG", quality=100)


def grey(width=WIDTH, height=HEIGHT):
    return np.full((height, width, 3), GREY, dtype=np.uint8)


def with_face():
    """A grey picture, white where the box is."""
    pixels = grey()
    pixels[TOP:BOTTOM, LEFT:RIGHT] = 255
    return jpeg(pixels)


def is_marked(pixels):
    """Whether each pixel is yellow: much more red than blue."""
    return pixels[..., 0].astype(int) - pixels[..., 2] > 100


def bounds(mask):
    """The first and last row and column in which the mask holds."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return rows[0], rows[-1], columns[0], columns[-1]


def test_a_box_is_drawn_where_it_is_and_nowhere_else():
    """Its edges lie at the ratios' pixels, give or take what JPEG makes of an edge."""
    drawn = drawing.boxed(jpeg(grey()), BOX)
    pixels = images.read(drawn.jpeg)
    assert (drawn.width, drawn.height, pixels.shape) == (WIDTH, HEIGHT, (HEIGHT, WIDTH, 3))
    found = bounds(is_marked(pixels))
    assert np.abs(np.subtract(found, (TOP, BOTTOM - 1, LEFT, RIGHT - 1))).max() <= 1
    untouched = np.ones((HEIGHT, WIDTH), dtype=bool)
    untouched[TOP - 16 : BOTTOM + 16, LEFT - 16 : RIGHT + 16] = False
    untouched[TOP + 24 : BOTTOM - 24, LEFT + 24 : RIGHT - 24] = True
    assert np.abs(pixels[untouched].astype(int) - GREY).max() <= 3


def test_a_picture_that_is_not_drawn_on_has_no_mark():
    """What the test above looks for is not there by itself."""
    assert not is_marked(images.read(drawing.whole(with_face()).jpeg)).any()


@pytest.mark.parametrize("shade", [0, GREY, 255])
def test_a_box_is_seen_on_any_wall(shade):
    """Dark beside light: one of them differs from whatever is behind."""
    pixels = np.full((HEIGHT, WIDTH, 3), shade, dtype=np.uint8)
    drawn = images.read(drawing.boxed(jpeg(pixels), BOX).jpeg)
    column = drawn[HEIGHT * 2 // 5, LEFT : LEFT + 4].astype(int)
    assert np.abs(column - shade).max() > 100


@pytest.mark.parametrize(
    ("box", "edges"),
    [
        (Box(-0.1, -0.1, 0.35, 0.3), (0, 53, 0, 119)),
        (Box(0.75, 0.8, 0.5, 0.5), (216, 269, 360, 479)),
        (Box(-1, -1, 3, 3), (0, 269, 0, 479)),
    ],
)
def test_of_a_box_that_reaches_outside_the_inside_is_drawn(box, edges):
    found = bounds(is_marked(images.read(drawing.boxed(jpeg(grey()), box).jpeg)))
    assert np.abs(np.subtract(found, edges)).max() <= 1


def test_a_face_is_cut_out_with_what_is_around_it():
    """Half as much again on each side, where there is so much."""
    drawn = drawing.crop(with_face(), BOX)
    pixels = images.read(drawn.jpeg)
    assert (drawn.width, drawn.height) == (240, 216)
    assert pixels.shape == (216, 240, 3)
    face = pixels.min(axis=2) > 200
    assert np.abs(np.subtract(bounds(face), (54, 161, 60, 179))).max() <= 1


def test_a_face_at_the_edge_is_cut_out_as_far_as_the_picture_goes():
    drawn = drawing.crop(with_face(), Box(0.9, 0.9, 0.2, 0.2))
    assert (drawn.width, drawn.height) == (96, 54)


@given(*(st.floats(-2, 2) for _ in range(2)), *(st.floats(0, 2) for _ in range(2)))
def test_any_box_is_drawn_and_cut_out_or_refused(left, top, width, height):
    """Never more than the picture, and never nothing."""
    box, picture = Box(left, top, width, height), jpeg(grey(33, 17))
    for draw in (drawing.crop, drawing.boxed):
        with contextlib.suppress(Unsuitable):
            drawn = draw(picture, box)
            assert images.size(drawn.jpeg) == (drawn.width, drawn.height)
            assert 1 <= drawn.width <= 33
            assert 1 <= drawn.height <= 17


@pytest.mark.parametrize(
    "box",
    [
        Box(1.0, 0.2, 0.1, 0.1),
        Box(0.2, -0.2, 0.1, 0.1),
        Box(float("nan"), 0.2, 0.1, 0.1),
        Box(0.1, 0.2, float("inf"), 0.1),
    ],
)
def test_a_box_outside_of_the_picture_is_refused(box):
    with pytest.raises(Unsuitable, match="outside"):
        drawing.boxed(jpeg(grey()), box)


@pytest.mark.parametrize(
    ("longest", "size"), [(None, (480, 270)), (480, (480, 270)), (240, (240, 135)), (1, (1, 1))]
)
def test_a_picture_is_scaled_down_and_never_up(longest, size):
    drawn = drawing.whole(with_face(), longest)
    assert (drawn.width, drawn.height) == size == images.size(drawn.jpeg)


@pytest.mark.parametrize("draw", [drawing.crop, drawing.boxed, lambda data, _: drawing.whole(data)])
@pytest.mark.parametrize("data", [b"", b"no picture", with_face()[:400]])
def test_what_is_no_picture_is_refused(draw, data):
    with pytest.raises(MediaError):
        draw(data, BOX)


def test_no_numpy_is_needed():
    """The [media] extra has none: who only looks at pictures does without the local cloud."""
    program = (
        "import sys; sys.modules['numpy'] = None\n"
        "from streamctl.core.records import Box\n"
        "from streamctl.media import drawing\n"
        "data, box = sys.stdin.buffer.read(), Box(0.25, 0.2, 0.25, 0.4)\n"
        "for each in (drawing.crop(data, box), drawing.boxed(data, box), drawing.whole(data, 9)):\n"
        "    print(each.width, each.height)\n"
    )
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, input=with_face(), capture_output=True, check=False)
    assert (ran.stdout.split(), ran.stderr) == (b"240 216 480 270 9 5".split(), b"")
