"""Every collection of the local cloud, and how it outlives the server.

One journal per collection: lines of JSON that are only ever appended, so that enrolling a thousand
faces writes each of them once. A line that a crash cut off is left out when the journal is read.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from streamctl.local.rekognition.arns import Scope
from streamctl.local.rekognition.collection import Collection, IndexedFace
from streamctl.local.service import ServiceFault

_log = logging.getLogger(__name__)


class CollectionStore:
    """Collections by account, region and id, under `folder`. Used from the event loop only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Scope, dict[str, Collection]] = {}

    def load(self) -> None:
        """Read what an earlier server left."""
        for path in sorted(self._folder.glob("*/*/*.jsonl")):
            if collection := _read(path):
                scope = (path.parts[-3], path.parts[-2])
                self._known.setdefault(scope, {})[collection.name] = collection

    def all(self, scope: Scope) -> dict[str, Collection]:
        return self._known.get(scope, {})

    def find(self, scope: Scope, name: str) -> Collection | None:
        return self.all(scope).get(name)

    def get(self, scope: Scope, name: str) -> Collection:
        """Raises the fault ResourceNotFoundException where there is none."""
        if collection := self.find(scope, name):
            return collection
        raise ServiceFault("ResourceNotFoundException", f"The collection id: {name} does not exist")

    def create(self, scope: Scope, collection: Collection) -> None:
        """Raises the fault ResourceAlreadyExistsException where the id is taken."""
        if self.find(scope, collection.name):
            raise ServiceFault(
                "ResourceAlreadyExistsException",
                f"The collection id: {collection.name} already exists",
            )
        self._known.setdefault(scope, {})[collection.name] = collection
        self._append(scope, collection, {"name": collection.name, "created": collection.created})
        self.tagged(scope, collection)

    def delete(self, scope: Scope, name: str) -> None:
        collection = self.get(scope, name)
        del self._known[scope][name]
        self._path(scope, collection).unlink(missing_ok=True)

    def add(self, scope: Scope, collection: Collection, faces: Iterable[IndexedFace]) -> None:
        for face in faces:
            collection.add([face])
            self._append(scope, collection, {"face": dataclasses.asdict(face)})

    def remove(self, scope: Scope, collection: Collection, face_ids: Iterable[str]) -> list[str]:
        gone = collection.remove(face_ids)
        self._append(scope, collection, {"removed": gone})
        return gone

    def tagged(self, scope: Scope, collection: Collection) -> None:
        """Write down the collection's tags, which were changed."""
        self._append(scope, collection, {"tags": collection.tags})

    def _append(self, scope: Scope, collection: Collection, line: dict[str, Any]) -> None:
        path = self._path(scope, collection)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as journal:
            # The newline goes first: after a line that was cut off, this one still stands alone.
            journal.write(b"\n" + json.dumps(line).encode())

    def _path(self, scope: Scope, collection: Collection) -> Path:
        # An id may be longer than a file's name may be, and two may differ in case only.
        digest = hashlib.sha256(collection.name.encode()).hexdigest()[:32]
        return self._folder / scope[0] / scope[1] / f"{digest}.jsonl"


def _read(path: Path) -> Collection | None:
    collection: Collection | None = None
    with path.open("rb") as journal:
        for line in filter(bytes.strip, journal):
            try:
                collection = _replayed(collection, json.loads(line))
            except (ValueError, KeyError, TypeError):
                _log.warning("%s: a line that is not whole is left out", path)
    return collection


def _replayed(collection: Collection | None, line: dict[str, Any]) -> Collection:
    if collection is None:
        return Collection(line["name"], line["created"])
    if "face" in line:
        face = line["face"]
        collection.add([IndexedFace(**{**face, "vector": tuple(face["vector"])})])
    elif "removed" in line:
        collection.remove(line["removed"])
    else:
        collection.tags = dict(line["tags"])
    return collection
