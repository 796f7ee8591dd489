"""Rekognition's calls that look at an image: IndexFaces, DetectFaces, SearchFacesByImage."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any, Final

from streamctl.local.rekognition.collection import FACE_MODEL_VERSION, IndexedFace
from streamctl.local.rekognition.collection_calls import face_matches, most_faces, threshold
from streamctl.local.rekognition.collection_store import CollectionStore
from streamctl.local.rekognition.engine_client import EngineClient
from streamctl.local.rekognition.neighbours import CallFailed, Loopback
from streamctl.local.rekognition.quality import unfit
from streamctl.local.rekognition.seen import SeenFace
from streamctl.local.service import Call, Operation, ServiceFault

_MOST_BYTES: Final = 5 * 1024 * 1024
_MOST_BYTES_IN_S3: Final = 15 * 1024 * 1024


class ImageCalls:
    """Answers of FaceDetail carry the default attributes only, whatever was asked for."""

    def __init__(self, loopback: Loopback, store: CollectionStore, engine: EngineClient) -> None:
        self._loopback = loopback
        self._store = store
        self._engine = engine
        self.operations: Mapping[str, Operation] = {
            "IndexFaces": self._index,
            "DetectFaces": self._detect,
            "SearchFacesByImage": self._search,
        }

    async def _detect(self, call: Call) -> Mapping[str, Any]:
        faces = await self._engine.see(await self._image(call), embed=False)
        return {"FaceDetails": [face.detail for face in faces]}

    async def _search(self, call: Call) -> Mapping[str, Any]:
        self._store.get(call.scope, call.params["CollectionId"])
        faces = await self._engine.see(await self._image(call))
        level = call.params.get("QualityFilter", "NONE")
        fit = [face for face in faces if not unfit(face.detail, level)]
        if not fit:
            raise ServiceFault("InvalidParameterException", "There are no faces in the image.")
        largest = fit[0]
        collection = self._store.get(call.scope, call.params["CollectionId"])
        matches = collection.search(largest.vector, threshold(call), most_faces(call))
        return {
            "SearchedFaceBoundingBox": largest.detail["BoundingBox"],
            "SearchedFaceConfidence": largest.detail["Confidence"],
            "FaceMatches": face_matches(matches),
            "FaceModelVersion": FACE_MODEL_VERSION,
        }

    async def _index(self, call: Call) -> Mapping[str, Any]:
        self._store.get(call.scope, call.params["CollectionId"])
        image = await self._image(call)
        kept, left_out = _sorted_out(await self._engine.see(image), call.params)
        external = call.params.get("ExternalImageId")
        indexed = [_indexed(image, external, face) for face in kept]
        collection = self._store.get(call.scope, call.params["CollectionId"])
        new = [face for face in indexed if face.face_id not in collection.faces]
        self._store.add(call.scope, collection, new)
        return {
            "FaceRecords": [
                {"Face": face.in_answer(), "FaceDetail": seen.detail}
                for face, seen in zip(indexed, kept, strict=True)
            ],
            "FaceModelVersion": FACE_MODEL_VERSION,
            "UnindexedFaces": left_out,
        }

    async def _image(self, call: Call) -> bytes:
        image = call.params["Image"]
        if ("Bytes" in image) == ("S3Object" in image):
            raise ServiceFault(
                "InvalidParameterException",
                "An image is given as Bytes or as S3Object, one of them",
            )
        if "Bytes" not in image:
            return await self._from_s3(call, image["S3Object"])
        data: bytes = image["Bytes"]
        if len(data) > _MOST_BYTES:
            raise ServiceFault(
                "ImageTooLargeException", f"Image is larger than {_MOST_BYTES} bytes"
            )
        return data

    async def _from_s3(self, call: Call, where: Mapping[str, str]) -> bytes:
        names = {"Bucket": where.get("Bucket", ""), "Key": where.get("Name", "")}
        version = {"VersionId": where["Version"]} if "Version" in where else {}
        try:
            found = await self._loopback.call("s3", call.scope, "get_object", **names, **version)
        except CallFailed as error:
            raise ServiceFault(
                "InvalidS3ObjectException",
                "Unable to get object metadata from S3. Check object key, region and/or access"
                f" permissions. ({error})",
            ) from error
        if found["ContentLength"] > _MOST_BYTES_IN_S3:
            found["Body"].close()  # a connection that was not read to its end serves nobody else
            raise ServiceFault(
                "ImageTooLargeException", f"Image is larger than {_MOST_BYTES_IN_S3} bytes"
            )
        return await self._loopback.aside(found["Body"].read)


def _sorted_out(
    faces: list[SeenFace], params: Mapping[str, Any]
) -> tuple[list[SeenFace], list[dict[str, Any]]]:
    """The faces to index, largest first, and AWS's UnindexedFaces: which are not, and why."""
    most, level = params.get("MaxFaces", len(faces)), params.get("QualityFilter", "AUTO")
    kept: list[SeenFace] = []
    left_out: list[dict[str, Any]] = []
    for face in faces:
        reasons = unfit(face.detail, level)
        if not reasons and len(kept) >= most:
            reasons = ["EXCEEDS_MAX_FACES"]
        if reasons:
            left_out.append({"FaceDetail": face.detail, "Reasons": reasons})
        else:
            kept.append(face)
    return kept, left_out


def _indexed(image: bytes, external: str | None, face: SeenFace) -> IndexedFace:
    """The face as it is stored.

    FaceId depends on nothing but the image, the face's place in it, and ExternalImageId: the same
    image under the same external id "doesn't save duplicate face metadata" (API reference,
    IndexFaces), and gets the same FaceIds in another collection (developer guide,
    face-detection-model). Numbers are kept to six digits, as in real answers.
    """
    box = {side: _six_digits(ratio) for side, ratio in face.detail["BoundingBox"].items()}
    told_apart = repr((sorted(box.items()), external)).encode()
    return IndexedFace(
        face_id=_uuid(hashlib.sha256(image).digest() + told_apart, version=4),
        image_id=_uuid(image, version=3),
        external_image_id=external,
        box=box,
        confidence=_six_digits(face.detail["Confidence"]),
        vector=face.vector,
    )


def _six_digits(number: float) -> float:
    return float(f"{number:.6g}")


def _uuid(content: bytes, version: int) -> str:
    # Real FaceIds look like random UUIDs, real ImageIds like those of a name (version 3).
    return str(uuid.UUID(bytes=hashlib.sha256(content).digest()[:16], version=version))
