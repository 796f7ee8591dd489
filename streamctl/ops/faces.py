"""Enrolling people's faces, and finding and removing them.

All faces enrolled under one name are one person: the name is their ExternalImageId.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streamctl.aws import collections
from streamctl.aws.collections import EnrolledFace, Found
from streamctl.aws.session import Aws
from streamctl.core import names
from streamctl.errors import AskedWrongly, MediaError, NotFound, StreamctlError, Unsuitable
from streamctl.ops.collections import missing

IMAGES: Final = frozenset({".jpg", ".jpeg", ".png"})

_IMAGE_AT_MOST: Final = 5 * 1024 * 1024  # Image.Bytes (limits of the API)
_SIGNATURES: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_IMAGES_ARE: Final = "images are .jpg, .jpeg and .png files"
_BETTER: Final = "take a photo with the face large, lit and turned to the camera"


@dataclass(frozen=True, slots=True)
class Still:
    """An image file, and the person whose face it shows."""

    path: Path
    person: str


def stills(paths: Sequence[Path], person: str | None) -> list[Still]:
    """The images to enrol from files and folders, in order.

    Where no person is named, an image in a subfolder shows the person that the subfolder is named
    for, and any other image the one that its file is named for. A name that no person can have
    spares the other stills: `enrol` refuses it. Raises AskedWrongly where none has a better one.
    """
    if person is not None:
        names.person(person)
    found: list[Still] = []
    for path in paths:
        found += _in_folder(path, person) if path.is_dir() else [_still(path, person)]
    if not found:
        where = ", ".join(str(path) for path in paths)
        raise AskedWrongly(f"no image in {where}", hint=_IMAGES_ARE)
    misnamed = [wrong for wrong in map(_misnamed, found) if wrong]
    if len(misnamed) == len(found):
        raise misnamed[0]
    return found


def enrol(aws: Aws, collection: str, still: Still) -> EnrolledFace:
    """Enrol the one face of a still.

    Raises Unsuitable, and leaves nothing in the collection, for a still with no face, with two or
    more, with one that is too small, dark or turned away, or of a name that no person can have;
    MediaError for one that cannot be read; NotFound if there is no collection.
    """
    names.collection(collection)
    if wrong := _misnamed(still):
        raise Unsuitable(str(wrong), hint=wrong.hint) from wrong
    image = read(still.path)
    _demand_one_face(still.path, _count_faces(aws, still.path, image))
    try:
        indexed = collections.index(aws, collection, image, still.person)
    except NotFound as error:
        raise missing(aws, collection) from error
    if not indexed.faces:
        raise Unsuitable(
            f"the face in {still.path} cannot be enrolled: {_why(indexed.reasons)}",
            hint=_BETTER,
        )
    return indexed.faces[0]


def every(aws: Aws, collection: str) -> Iterator[EnrolledFace]:
    """Every face of a collection. Raises NotFound, with the cure, if there is none."""
    names.collection(collection)
    try:
        yield from collections.faces(aws, collection)
    except NotFound as error:
        raise missing(aws, collection) from error


def search(aws: Aws, collection: str, path: Path, threshold: float) -> list[Found]:
    """Whom the largest face of a still looks like, best first; empty if nobody.

    Raises Unsuitable if the still shows no face, MediaError if it cannot be read.
    """
    names.collection(collection)
    image = read(path)
    try:
        return collections.search(aws, collection, image, threshold)
    except AskedWrongly as error:
        # InvalidParameterException: of an image without a face, and of one that cannot be read.
        if not _count_faces(aws, path, image):
            raise _no_face(path) from error
        raise
    except NotFound as error:
        raise missing(aws, collection) from error


def remove(
    aws: Aws, collection: str, people: Sequence[str], face_ids: Sequence[str]
) -> list[EnrolledFace]:
    """Remove people, each with all their faces, and single faces; those that were removed.

    Raises NotFound for the first that the collection does not have, before anything is removed;
    StreamctlError if AWS leaves some where they are.
    """
    faces = list(every(aws, collection))
    _demand_known(collection, "person", people, {face.person for face in faces})
    _demand_known(collection, "face", face_ids, {face.face_id for face in faces})
    doomed = [face for face in faces if face.person in people or face.face_id in face_ids]
    asked = [face.face_id for face in doomed]
    if len(collections.remove(aws, collection, asked)) < len(asked):
        _demand_gone(aws, collection, asked)
    return doomed


def read(path: Path) -> bytes:
    """An image's bytes. Raises NotFound, MediaError or Unsuitable for what AWS would not take,
    AskedWrongly for a pipe or a device.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):  # opening could wait for ever
        raise AskedWrongly(f"{path} is not a regular file", hint=_IMAGES_ARE)
    try:
        with path.open("rb") as file:
            image = file.read(_IMAGE_AT_MOST + 1)
    except FileNotFoundError as error:
        raise NotFound(f"no such file: {path}") from error
    except OSError as error:
        raise _unreadable(path, error) from error
    if not image.startswith(_SIGNATURES):
        raise MediaError(f"{path} is neither a JPEG nor a PNG image", hint="convert it to one")
    if len(image) > _IMAGE_AT_MOST:
        raise Unsuitable(f"{path} is larger than 5 MiB", hint="scale it down: AWS takes no more")
    return image


def _unreadable(path: Path, error: OSError) -> MediaError:
    return MediaError(f"{path} cannot be read: {error.strerror}", hint="look at its permissions")


def _demand_known(collection: str, what: str, asked: Sequence[str], known: set[str]) -> None:
    for each in asked:
        if each not in known:
            raise NotFound(
                f"collection {collection} has no {what} {each}",
                hint=f"streamctl face list --collection {collection}",
            )


def _demand_gone(aws: Aws, collection: str, face_ids: Sequence[str]) -> None:
    """A face that another hand removed meanwhile is gone too; one of a user vector stays."""
    left = [face.face_id for face in every(aws, collection) if face.face_id in face_ids]
    if left:
        raise StreamctlError(
            f"{len(left)} of {len(face_ids)} faces are still in collection {collection}:"
            f" {', '.join(left)}",
            hint="a face that belongs to a user of the collection stays until:"
            " aws rekognition disassociate-faces",
        )


def _count_faces(aws: Aws, path: Path, image: bytes) -> int:
    try:
        return len(collections.detect(aws, image))
    except MediaError as error:
        raise MediaError(f"{path} cannot be used: {error}", error.hint) from error


def _no_face(path: Path) -> Unsuitable:
    return Unsuitable(f"{path} shows no face", hint=_BETTER)


def _demand_one_face(path: Path, count: int) -> None:
    if count == 0:
        raise _no_face(path)
    if count > 1:
        raise Unsuitable(
            f"{path} shows {count} faces",
            hint="a still is enrolled under one name, so it must show one face: crop it",
        )


def _in_folder(folder: Path, person: str | None) -> list[Still]:
    found: list[Still] = []
    for path in _within(folder):
        if path.is_dir():
            inside = filter(_is_image, _within(path))
            found += [_still(each, person or path.name) for each in inside]
        elif _is_image(path):
            found.append(_still(path, person))
    return found


def _within(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise _unreadable(folder, error) from error


def _is_image(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in IMAGES


def _still(path: Path, person: str | None) -> Still:
    return Still(path, person or path.stem)


def _misnamed(still: Still) -> AskedWrongly | None:
    """What is wrong with the name that a still gives its person."""
    try:
        names.person(still.person)
    except AskedWrongly as error:
        return AskedWrongly(f"{still.path}: {error}", hint=f"{error.hint}; or --person")
    return None


def _why(reasons: Sequence[Sequence[str]]) -> str:
    """AWS's reasons as words: SMALL_BOUNDING_BOX becomes `small bounding box`."""
    words = [reason.lower().replace("_", " ") for each in reasons for reason in each]
    return ", ".join(dict.fromkeys(words)) or "AWS gives no reason"
