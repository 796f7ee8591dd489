"""What the engine saw, as it travels from its processes to the server. Needs no dlib."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from streamctl.local.rekognition.records import FrameAt

FaceDetail = dict[str, Any]
"""AWS's FaceDetail with its default attributes; in a record it is called DetectedFace."""


@dataclass(frozen=True, slots=True)
class SeenFace:
    """One face in one picture. `vector` has 128 numbers, or none where none was asked for."""

    detail: FaceDetail
    vector: tuple[float, ...]

    @classmethod
    def of(cls, read: dict[str, Any]) -> SeenFace:
        """The face that `dataclasses.asdict` was asked for, after a journey as JSON."""
        return cls(read["detail"], tuple(read["vector"]))


@dataclass(frozen=True, slots=True)
class AnalysedFrame:
    """One frame of a camera's video, and every face in it, largest first."""

    at: FrameAt
    faces: tuple[SeenFace, ...]

    def line(self) -> bytes:
        return json.dumps(dataclasses.asdict(self)).encode() + b"\n"

    @classmethod
    def of(cls, line: bytes) -> AnalysedFrame:
        """The frame that `line` was made of. Raises ValueError for what is none."""
        read = json.loads(line)
        return cls(FrameAt(**read["at"]), tuple(map(SeenFace.of, read["faces"])))
