"""The face engine: finds faces, says where and how they look, and turns each into a vector.

dlib's HOG detector, 68-point landmarks and ResNet embedding. The detector needs no file; the two
models are loaded when the first face appears, so that a camera without faces costs little.
"""

from __future__ import annotations

import functools
import importlib.util
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import dlib
import numpy as np

from streamctl.errors import Missing
from streamctl.local.rekognition import portrait
from streamctl.local.rekognition.seen import FaceDetail, SeenFace

if TYPE_CHECKING:
    from streamctl.media.frames import Rgb

_CERTAIN: Final = 100.0


@dataclass(frozen=True, slots=True)
class _Found:
    where: Any  # dlib.rectangle
    score: float  # 0 is the detector's threshold; sharp frontal faces get 2 and more


class FaceEngine:
    """Sees the faces of one picture at a time. Not for several threads at once.

    `upsample` is how often the picture is doubled before the search: without, faces from 80 pixels
    on are found, doubled once from 40, for four times the time.
    """

    def __init__(self, upsample: int = 0) -> None:
        self._upsample = upsample
        self._detector = dlib.get_frontal_face_detector()

    def see(self, picture: Rgb, *, embed: bool = True) -> list[SeenFace]:
        """Every face in the picture (height x width x 3, 8-bit RGB), largest first."""
        found = sorted(self._find(picture), key=lambda face: face.where.area(), reverse=True)
        return [self._look(picture, face, embed=embed) for face in found]

    def _find(self, picture: Rgb) -> list[_Found]:
        rectangles, scores, _ = self._detector.run(picture, self._upsample, 0.0)
        return [_Found(*pair) for pair in zip(rectangles, scores, strict=True)]

    def _look(self, picture: Rgb, face: _Found, *, embed: bool) -> SeenFace:
        shape = self._landmarks(picture, face.where)
        points = np.array([(point.x, point.y) for point in shape.parts()], dtype=float)
        detail = _detail(picture, face, points)
        vector = self._embedding.compute_face_descriptor(picture, shape) if embed else ()
        return SeenFace(detail, tuple(float(value) for value in vector))

    @functools.cached_property
    def _landmarks(self) -> Any:
        return dlib.shape_predictor(str(_model("shape_predictor_68_face_landmarks.dat")))

    @functools.cached_property
    def _embedding(self) -> Any:
        name = "dlib_face_recognition_resnet_model_v1.dat"
        return dlib.face_recognition_model_v1(str(_model(name)))


def _detail(picture: Rgb, face: _Found, points: portrait.Points) -> FaceDetail:
    height, width = picture.shape[:2]
    box = face.where
    crop = picture[max(0, box.top()) : box.bottom() + 1, max(0, box.left()) : box.right() + 1]
    return {
        "BoundingBox": {
            "Height": box.height() / height,
            "Width": box.width() / width,
            "Left": box.left() / width,
            "Top": box.top() / height,
        },
        "Confidence": _confidence(face.score),
        "Landmarks": portrait.landmarks(points, width, height),
        "Pose": portrait.pose(points),
        "Quality": portrait.quality(crop),
    }


def _confidence(score: float) -> float:
    """The detector's score on Rekognition's scale: about 90 at its threshold, 99.9 at a clear face."""
    return _CERTAIN / (1.0 + math.exp(-2.2 - 2.5 * score))


def _model(name: str) -> Path:
    # The package is only found, never imported: importing it needs setuptools' pkg_resources.
    spec = importlib.util.find_spec("face_recognition_models")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / "models" / name
        if path.is_file():
            return path
    raise Missing(f"no face model {name}", hint="pip install 'streamctl[local]'")
