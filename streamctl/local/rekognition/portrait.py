"""What the 68 landmarks and the pixels of one face say: five landmarks, pose, and quality.

Shapes and orders are those of AWS's FaceDetail, as real records have them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from streamctl.media.frames import Rgb

Points = NDArray[np.float64]
"""68 x 2: x and y in pixels, in the order of the iBUG 300-W set."""

# Rekognition's left is the picture's left. Order as in real records.
_FIVE: Final = {
    "eyeLeft": slice(36, 42),
    "eyeRight": slice(42, 48),
    "mouthLeft": slice(48, 49),
    "mouthRight": slice(54, 55),
    "nose": slice(30, 31),
}

# Six points of an average head, in arbitrary units: x to the picture's right, y up, z to the camera.
_HEAD_POINTS: Final = (30, 8, 36, 45, 48, 54)  # nose tip, chin, outer eye corners, mouth corners
_HEAD: Final = np.array(
    [
        (0.0, 0.0, 0.0),
        (0.0, -330.0, -65.0),
        (-225.0, 170.0, -135.0),
        (225.0, 170.0, -135.0),
        (-150.0, -150.0, -125.0),
        (150.0, -150.0, -125.0),
    ]
)
_FLAT: Final = 64  # pixels: the size at which sharpness is judged, whatever the face's size


def landmarks(points: Points, width: int, height: int) -> list[dict[str, Any]]:
    """The five default landmarks, as ratios of the picture."""
    means = {kind: points[which].mean(axis=0) for kind, which in _FIVE.items()}
    return [
        {"X": float(x) / width, "Y": float(y) / height, "Type": kind}
        for kind, (x, y) in means.items()
    ]


def pose(points: Points) -> dict[str, float]:
    """Pitch (up), roll (clockwise) and yaw (to the picture's right), in degrees.

    The rotation that carries an average head onto the landmarks as seen from far away: a few
    degrees are within its error.
    """
    seen = points[list(_HEAD_POINTS)] * (1.0, -1.0)
    head = _HEAD - _HEAD.mean(axis=0)
    affine, *_ = np.linalg.lstsq(head, seen - seen.mean(axis=0), rcond=None)
    left, _, right = np.linalg.svd(affine.T, full_matrices=False)
    across, up = left @ right
    forward = np.cross(across, up)
    return {
        "Pitch": _degrees(np.arctan2(-forward[1], forward[2])),
        "Roll": _degrees(np.arctan2(-up[0], across[0])),  # that of the line from eye to eye
        "Yaw": _degrees(np.arcsin(np.clip(-forward[0], -1.0, 1.0))),
    }


def quality(face: Rgb) -> dict[str, float]:
    """Brightness and sharpness of a cut-out face, 0 to 100 each."""
    if min(face.shape[:2]) < 3:
        return {"Brightness": 0.0, "Sharpness": 0.0}
    grey = face @ np.array([0.299, 0.587, 0.114])
    rows = np.linspace(0, grey.shape[0] - 1, min(_FLAT, grey.shape[0])).astype(int)
    columns = np.linspace(0, grey.shape[1] - 1, min(_FLAT, grey.shape[1])).astype(int)
    small = grey[np.ix_(rows, columns)]
    edges = 4 * small[1:-1, 1:-1] - small[:-2, 1:-1] - small[2:, 1:-1]
    edges = edges - small[1:-1, :-2] - small[1:-1, 2:]
    return {
        "Brightness": float(grey.mean()) / 2.55,
        "Sharpness": 100.0 * (1.0 - float(np.exp(-edges.std() / 40.0))),
    }


def _degrees(angle: float) -> float:
    return float(np.degrees(angle))
