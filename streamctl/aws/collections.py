"""Rekognition's face collections: the people that a processor knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from streamctl.aws.refusals import translated
from streamctl.aws.session import Aws
from streamctl.errors import AskedWrongly, MediaError

_FACES_AT_MOST: Final = 4096  # DeleteFaces and SearchFacesByImage take and give so many


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection, and how many faces are in it."""

    id: str
    arn: str
    faces: int
    model: str
    """The face model of the day it was created ("7.0"), which it keeps for ever (developer guide)."""
    created: datetime


@dataclass(frozen=True, slots=True)
class EnrolledFace:
    """One face in a collection. `person` is its ExternalImageId, empty where it has none;
    `confidence` is how sure AWS is that it is a face, 0-100.
    """

    face_id: str
    person: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Found:
    """A face of the collection that looks like the one searched for; `similarity` is 0-100."""

    face: EnrolledFace
    similarity: float


@dataclass(frozen=True, slots=True)
class Indexed:
    """What became of one image. `reasons` are AWS's for the faces that were not indexed."""

    faces: tuple[EnrolledFace, ...]
    reasons: tuple[tuple[str, ...], ...]


def create(aws: Aws, collection: str) -> None:
    """Make an empty collection. Raises StreamctlError if there is one of that name."""
    with translated(f"creating collection {collection}"):
        aws.client("rekognition").create_collection(CollectionId=collection)


def describe(aws: Aws, collection: str) -> Collection:
    """What a collection is now. Raises NotFound if there is none of that name."""
    with translated(f"describing collection {collection}"):
        found = aws.client("rekognition").describe_collection(CollectionId=collection)
    return Collection(
        id=collection,
        arn=found["CollectionARN"],
        faces=found["FaceCount"],
        model=found["FaceModelVersion"],
        created=found["CreationTimestamp"].astimezone(UTC),
    )


def names(aws: Aws) -> Iterator[str]:
    """Every collection of the account and region."""
    pages = aws.client("rekognition").get_paginator("list_collections")
    with translated("listing collections"):
        for page in pages.paginate():
            yield from page["CollectionIds"]


def delete(aws: Aws, collection: str) -> None:
    """Delete a collection with every face in it. Raises NotFound if there is none."""
    with translated(f"deleting collection {collection}"):
        aws.client("rekognition").delete_collection(CollectionId=collection)


def detect(aws: Aws, image: bytes) -> list[float]:
    """The faces of an image (PNG or JPEG, at most 5 MiB): how sure AWS is of each, 0-100.

    Raises MediaError for what is no such image.
    """
    client = aws.client("rekognition")  # what is wrong with the settings is said as it is
    try:
        with translated("looking for faces"):
            answer = client.detect_faces(Image={"Bytes": image})
    except AskedWrongly as error:  # InvalidImageFormat, ImageTooLarge: it is the image
        raise MediaError(str(error), hint="save it again as JPEG or PNG") from error
    return [each["Confidence"] for each in answer["FaceDetails"]]


def index(aws: Aws, collection: str, image: bytes, person: str) -> Indexed:
    """Index the largest face of an image (PNG or JPEG, at most 5 MiB) under a person's name.

    Raises NotFound for no such collection, AskedWrongly for what is no such image.
    """
    with translated(f"enrolling {person} in collection {collection}"):
        answer = aws.client("rekognition").index_faces(
            CollectionId=collection,
            Image={"Bytes": image},
            ExternalImageId=person,
            MaxFaces=1,
        )
    return Indexed(
        faces=tuple(_face(record["Face"]) for record in answer.get("FaceRecords", [])),
        reasons=tuple(tuple(each["Reasons"]) for each in answer.get("UnindexedFaces", [])),
    )


def faces(aws: Aws, collection: str) -> Iterator[EnrolledFace]:
    """Every face of a collection. Raises NotFound for no such collection."""
    pages = aws.client("rekognition").get_paginator("list_faces")
    with translated(f"listing the faces of collection {collection}"):
        for page in pages.paginate(CollectionId=collection):
            yield from (_face(each) for each in page["Faces"])


def search(aws: Aws, collection: str, image: bytes, threshold: float) -> list[Found]:
    """Who looks like the largest face of an image by `threshold` (0-100) or more, best first.

    Raises NotFound for no such collection. Raises AskedWrongly where the image has no face: AWS gives that and a bad image one code.
    """
    with translated(f"searching collection {collection}"):
        answer = aws.client("rekognition").search_faces_by_image(
            CollectionId=collection,
            Image={"Bytes": image},
            FaceMatchThreshold=threshold,
            MaxFaces=_FACES_AT_MOST,
        )
    found = [Found(_face(each["Face"]), each["Similarity"]) for each in answer["FaceMatches"]]
    return sorted(found, key=lambda each: -each.similarity)


def remove(aws: Aws, collection: str, face_ids: Sequence[str]) -> list[str]:
    """Remove faces; the ids of those that were there. Raises NotFound for no such collection.

    A face that belongs to a user (somebody else's doing) stays, and is not among them.
    """
    removed: list[str] = []
    for start in range(0, len(face_ids), _FACES_AT_MOST):
        with translated(f"removing faces from collection {collection}"):
            answer = aws.client("rekognition").delete_faces(
                CollectionId=collection,
                FaceIds=list(face_ids[start : start + _FACES_AT_MOST]),
            )
        removed += answer.get("DeletedFaces", [])
    return removed


def _face(face: Mapping[str, Any]) -> EnrolledFace:
    return EnrolledFace(
        face_id=face["FaceId"],
        person=face.get("ExternalImageId", ""),
        confidence=face.get("Confidence", 0.0),
    )
