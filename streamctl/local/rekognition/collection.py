"""A collection: indexed faces and the search among them. In memory; collection_store.py keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FACE_MODEL_VERSION: Final = "7.0"  # what AWS answers today; the vectors here are dlib's

MOST_MATCHES: Final = 4096
"""SearchFaces returns no more (developer guide, quotas)."""


@dataclass(frozen=True, slots=True)
class IndexedFace:
    """One face of a collection. `box` is AWS's BoundingBox in the image that was indexed."""

    face_id: str
    image_id: str
    external_image_id: str | None
    box: dict[str, float]
    confidence: float
    vector: tuple[float, ...]

    def in_record(self) -> dict[str, Any]:
        """AWS's Face as a stream processor's record has it: this order, no model version."""
        external = {"ExternalImageId": self.external_image_id} if self.external_image_id else {}
        return {
            "BoundingBox": self.box,
            "FaceId": self.face_id,
            "Confidence": self.confidence,
            "ImageId": self.image_id,
            **external,
        }

    def in_answer(self) -> dict[str, Any]:
        """AWS's Face as ListFaces and the searches have it."""
        return {**self.in_record(), "IndexFacesModelVersion": FACE_MODEL_VERSION}


@dataclass(frozen=True, slots=True)
class Match:
    """A face of the collection that resembles the one that was searched; 0 to 100."""

    similarity: float
    face: IndexedFace


@dataclass(slots=True)
class Collection:
    """The faces of one collection, by FaceId. `created` is in Unix seconds."""

    name: str
    created: float
    tags: dict[str, str] = field(default_factory=dict)
    faces: dict[str, IndexedFace] = field(default_factory=dict)
    _order: list[IndexedFace] = field(default_factory=list, repr=False)
    _vectors: NDArray[np.float64] | None = field(default=None, repr=False)

    def add(self, faces: Iterable[IndexedFace]) -> None:
        self.faces.update((face.face_id, face) for face in faces)
        self._vectors = None

    def remove(self, face_ids: Iterable[str]) -> list[str]:
        """Forget these faces; return those of them that were there, once each."""
        gone = [face_id for face_id in dict.fromkeys(face_ids) if face_id in self.faces]
        for face_id in gone:
            del self.faces[face_id]
        self._vectors = None
        return gone

    def search(
        self, vector: Sequence[float], threshold: float, most: int = MOST_MATCHES
    ) -> list[Match]:
        """Faces of at least this similarity, most similar first, `most` of them."""
        if not self.faces:
            return []
        distances = np.linalg.norm(self._matrix() - np.asarray(vector), axis=1)
        best = np.argsort(distances, kind="stable")[:most]
        matches = (Match(similarity(float(distances[at])), self._order[at]) for at in best)
        return [match for match in matches if match.similarity >= threshold]

    def _matrix(self) -> NDArray[np.float64]:
        if self._vectors is None:
            self._order = list(self.faces.values())
            self._vectors = np.array([face.vector for face in self._order], dtype=np.float64)
        return self._vectors


def similarity(distance: float) -> float:
    """What Rekognition would call the similarity of two vectors: 100 at distance 0, 80 at 0.6.

    dlib's model is trained so that faces nearer than 0.6 are of one person, and 80 is where
    Rekognition's own threshold begins; the line between goes on, and never below 0.
    """
    return max(0.0, 100.0 - distance * 20.0 / 0.6)
