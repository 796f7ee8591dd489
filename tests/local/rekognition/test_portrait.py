"""Pose and quality from landmarks and pixels: signs as in real records, values near the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from streamctl.local.rekognition import portrait
from streamctl.local.rekognition.quality import unfit

HEAD = portrait._HEAD
WHERE = list(portrait._HEAD_POINTS)


def seen_from_afar(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """The 68 landmarks of an average head that is turned, as a camera far away sees them."""
    p, y, r = map(math.radians, (pitch, yaw, roll))
    nod = np.array([[1, 0, 0], [0, math.cos(p), math.sin(p)], [0, -math.sin(p), math.cos(p)]])
    shake = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    tilt = np.array([[math.cos(r), math.sin(r), 0], [-math.sin(r), math.cos(r), 0], [0, 0, 1]])
    turned = HEAD @ (tilt @ shake @ nod).T
    points = np.zeros((68, 2))
    points[WHERE] = turned[:, :2] * (0.3, -0.3) + (640, 360)  # y grows downwards in a picture
    return points


@pytest.mark.parametrize(
    ("pitch", "yaw", "roll"),
    [(0, 0, 0), (20, 0, 0), (-20, 0, 0), (0, 30, 0), (0, -45, 0), (0, 0, 15), (10, -20, -30)],
)
def test_a_turned_head_is_measured(pitch: float, yaw: float, roll: float) -> None:
    """Up, to the picture's right, and clockwise are positive; exact for the head it assumes."""
    pose = portrait.pose(seen_from_afar(pitch, yaw, roll))
    assert pose["Yaw"] == pytest.approx(yaw, abs=1)
    assert pose["Pitch"] == pytest.approx(pitch, abs=1)
    assert pose["Roll"] == pytest.approx(roll, abs=1)


def test_landmarks_are_ratios_in_the_order_of_real_records() -> None:
    """The eye is the mean of its six points; everything else is one point."""
    points = np.tile([[320.0, 180.0]], (68, 1))
    points[36:42, 0] = np.arange(100, 160, 10)
    marks = portrait.landmarks(points, 1280, 720)
    assert [mark["Type"] for mark in marks] == [
        "eyeLeft",
        "eyeRight",
        "mouthLeft",
        "mouthRight",
        "nose",
    ]
    assert marks[0] == {"X": 125 / 1280, "Y": 0.25, "Type": "eyeLeft"}
    assert marks[4] == {"X": 0.25, "Y": 0.25, "Type": "nose"}


def test_brightness_goes_from_0_to_100() -> None:
    """Black is 0, white 100; both are without any edge."""
    for level, expected in ((0, 0.0), (255, 100.0)):
        flat = portrait.quality(np.full((100, 80, 3), level, dtype=np.uint8))
        assert flat["Brightness"] == pytest.approx(expected, abs=0.1)
        assert flat["Sharpness"] == pytest.approx(0.0, abs=0.1)


def test_blur_costs_sharpness() -> None:
    """The same picture, smoothed, is less sharp."""
    sharp = np.random.default_rng(3).integers(0, 255, (128, 128, 3), dtype=np.uint8)
    blurred = sharp.reshape(32, 4, 32, 4, 3).mean(axis=(1, 3)).repeat(4, 0).repeat(4, 1)
    assert (
        portrait.quality(blurred.astype(np.uint8))["Sharpness"]
        < (portrait.quality(sharp)["Sharpness"])
    )


@pytest.mark.parametrize("shape", [(0, 0, 3), (2, 50, 3), (50, 1, 3)])
def test_a_face_at_the_edge_may_have_no_pixels(shape: tuple[int, int, int]) -> None:
    """A box that lies outside the picture has no quality, and is no error."""
    assert portrait.quality(np.zeros(shape, dtype=np.uint8)) == {"Brightness": 0, "Sharpness": 0}


GOOD = {
    "BoundingBox": {"Width": 0.2},
    "Confidence": 99.9,
    "Pose": {"Pitch": 0.0, "Yaw": 0.0, "Roll": 0.0},
    "Quality": {"Brightness": 60.0, "Sharpness": 70.0},
}


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        ({"BoundingBox": {"Width": 0.001}}, "SMALL_BOUNDING_BOX"),
        ({"Confidence": 60.0}, "LOW_CONFIDENCE"),
        ({"Pose": {"Pitch": 0.0, "Yaw": -89.0, "Roll": 0.0}}, "EXTREME_POSE"),
        ({"Quality": {"Brightness": 1.0, "Sharpness": 70.0}}, "LOW_BRIGHTNESS"),
        ({"Quality": {"Brightness": 60.0, "Sharpness": 1.0}}, "LOW_SHARPNESS"),
    ],
)
def test_each_reason_against_a_face(spoiled: dict[str, object], reason: str) -> None:
    """AUTO is as strict as LOW, NONE lets everything pass."""
    assert unfit({**GOOD, **spoiled}, "AUTO") == unfit({**GOOD, **spoiled}, "LOW") == [reason]
    assert unfit({**GOOD, **spoiled}, "NONE") == []
    assert all(unfit(GOOD, level) == [] for level in ("AUTO", "LOW", "MEDIUM", "HIGH"))
