"""Rekognition's calls on collections and on the faces that are in them; none needs the engine."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from typing import Any, Final

from streamctl.local.rekognition.arns import COLLECTION, arn_of, merged_tags
from streamctl.local.rekognition.collection import FACE_MODEL_VERSION, Collection, Match
from streamctl.local.rekognition.collection_store import CollectionStore
from streamctl.local.rekognition.paging import page
from streamctl.local.service import Call, Operation, ServiceFault

_PAGE: Final = 1000  # neither default is documented
_SEARCH_THRESHOLD: Final = 80.0
_SEARCH_MOST: Final = 80


class CollectionCalls:
    """Create, describe, list, delete; list, delete and search faces that are indexed."""

    def __init__(self, store: CollectionStore) -> None:
        self._store = store
        self.operations: Mapping[str, Operation] = {
            "CreateCollection": self._create,
            "DescribeCollection": self._describe,
            "ListCollections": self._list,
            "DeleteCollection": self._delete,
            "ListFaces": self._list_faces,
            "DeleteFaces": self._delete_faces,
            "SearchFaces": self._search_faces,
        }

    async def _create(self, call: Call) -> Mapping[str, Any]:
        name = call.params["CollectionId"]
        tags = merged_tags({}, call.params.get("Tags", {}))
        self._store.create(call.scope, Collection(name, time.time(), tags))
        return {
            "StatusCode": 200,
            # So it is written by AWS, without "arn:", here and only here.
            "CollectionArn": arn_of(call.scope, COLLECTION, name).removeprefix("arn:"),
            "FaceModelVersion": FACE_MODEL_VERSION,
        }

    async def _describe(self, call: Call) -> Mapping[str, Any]:
        collection = self._of(call)
        return {
            "FaceCount": len(collection.faces),
            "FaceModelVersion": FACE_MODEL_VERSION,
            "CollectionARN": arn_of(call.scope, COLLECTION, collection.name),
            "CreationTimestamp": dt.datetime.fromtimestamp(collection.created, dt.UTC),
            "UserCount": 0,
        }

    async def _list(self, call: Call) -> Mapping[str, Any]:
        known = {name: name for name in self._store.all(call.scope)}
        names, more = page(known, *_paging(call))
        return {
            "CollectionIds": names,
            "FaceModelVersions": [FACE_MODEL_VERSION] * len(names),
            **more,
        }

    async def _delete(self, call: Call) -> Mapping[str, Any]:
        self._store.delete(call.scope, call.params["CollectionId"])
        return {"StatusCode": 200}

    async def _list_faces(self, call: Call) -> Mapping[str, Any]:
        collection = self._of(call)
        wanted = set(call.params.get("FaceIds", collection.faces))
        if "UserId" in call.params:
            wanted = set()  # there are no users here, so no face is a user's
        faces = {face_id: collection.faces[face_id] for face_id in wanted & set(collection.faces)}
        listed, more = page(faces, *_paging(call))
        return {
            "Faces": [face.in_answer() for face in listed],
            "FaceModelVersion": FACE_MODEL_VERSION,
            **more,
        }

    async def _delete_faces(self, call: Call) -> Mapping[str, Any]:
        collection = self._of(call)
        asked: list[str] = call.params["FaceIds"]
        gone = self._store.remove(call.scope, collection, asked)
        missing = [
            {"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]}
            for face_id in dict.fromkeys(asked)
            if face_id not in gone
        ]
        return {"DeletedFaces": gone, "UnsuccessfulFaceDeletions": missing}

    async def _search_faces(self, call: Call) -> Mapping[str, Any]:
        collection, face_id = self._of(call), call.params["FaceId"]
        face = collection.faces.get(face_id)
        if face is None:
            raise ServiceFault("InvalidParameterException", f"face {face_id} is not found")
        matches = collection.search(face.vector, threshold(call), most_faces(call) + 1)
        others = [match for match in matches if match.face.face_id != face_id]
        return {
            "SearchedFaceId": face_id,
            "FaceMatches": face_matches(others[: most_faces(call)]),
            "FaceModelVersion": FACE_MODEL_VERSION,
        }

    def _of(self, call: Call) -> Collection:
        return self._store.get(call.scope, call.params["CollectionId"])


def threshold(call: Call) -> float:
    """A search's FaceMatchThreshold, in percent."""
    return float(call.params.get("FaceMatchThreshold", _SEARCH_THRESHOLD))


def most_faces(call: Call) -> int:
    """A search's MaxFaces."""
    return int(call.params.get("MaxFaces", _SEARCH_MOST))


def face_matches(matches: list[Match]) -> list[dict[str, Any]]:
    return [{"Similarity": match.similarity, "Face": match.face.in_answer()} for match in matches]


def _paging(call: Call) -> tuple[str | None, int]:
    return call.params.get("NextToken"), call.params.get("MaxResults") or _PAGE
