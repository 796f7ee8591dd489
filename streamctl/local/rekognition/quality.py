"""QualityFilter: which faces are too poor to be indexed or searched with, and why.

AWS publishes the levels and the reasons, not the numbers; these are ours, on the engine's scales.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class _Bar:
    """The least (and for the pose, the most) that a level lets pass."""

    confidence: float
    width: float
    brightness: float
    sharpness: float
    turned: float
    """Degrees of yaw or pitch, either way."""


_BARS: Final = {
    "LOW": _Bar(confidence=90.0, width=0.01, brightness=8.0, sharpness=8.0, turned=70.0),
    "MEDIUM": _Bar(confidence=95.0, width=0.03, brightness=15.0, sharpness=20.0, turned=45.0),
    "HIGH": _Bar(confidence=99.0, width=0.06, brightness=25.0, sharpness=35.0, turned=30.0),
}
_AUTO: Final = "LOW"


def unfit(detail: dict[str, Any], level: str) -> list[str]:
    """AWS's Reasons against a face (a FaceDetail) at a QualityFilter; none if it is good enough."""
    if level == "NONE":
        return []
    bar = _BARS[_AUTO if level == "AUTO" else level]
    quality, pose = detail["Quality"], detail["Pose"]
    found = {
        "EXTREME_POSE": max(abs(pose["Yaw"]), abs(pose["Pitch"])) > bar.turned,
        "LOW_BRIGHTNESS": quality["Brightness"] < bar.brightness,
        "LOW_SHARPNESS": quality["Sharpness"] < bar.sharpness,
        "LOW_CONFIDENCE": detail["Confidence"] < bar.confidence,
        "SMALL_BOUNDING_BOX": detail["BoundingBox"]["Width"] < bar.width,
    }
    return [reason for reason, is_so in found.items() if is_so]
