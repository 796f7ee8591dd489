"""streamctl face: whom a collection knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from streamctl.aws.collections import EnrolledFace
from streamctl.cli import forget
from streamctl.cli.command import Noun
from streamctl.cli.output import rows, say
from streamctl.cli.params import FILE, FILE_OR_FOLDER, Number, collection_option
from streamctl.cli.progress import StatusLine
from streamctl.cli.settings import Settings
from streamctl.errors import AnswerIsNo, AskedWrongly, MediaError, StreamctlError, Unsuitable
from streamctl.ops import faces
from streamctl.ops.faces import Still


@click.group(cls=Noun)
def face() -> None:
    """Enrol people's faces, list, search and remove them.

    All faces enrolled under one name are one person. A name has letters, digits, '_', '.', '-'
    and ':', but no spaces.
    """


face.add_command(forget.forget)
face.add_command(forget.forgotten_)


@face.command(
    examples=(
        "streamctl face enrol --collection staff --person ann ann.jpg",
        "streamctl face enrol --collection staff portraits/",
    )
)
@click.argument("paths", metavar="FILE_OR_FOLDER...", nargs=-1, required=True, type=FILE_OR_FOLDER)
@collection_option
@click.option(
    "--person",
    help="Whose face it is.  [default: the name of the subfolder in a folder, else of the file]",
)
@click.pass_obj
def enrol(settings: Settings, paths: tuple[Path, ...], collection: str, person: str | None) -> None:
    """Enrol people from stills that show one face each.

    A still that cannot be used spares the others; the exit code is then 1.
    """
    found = faces.stills(paths, person)
    enrolled: list[dict[str, Any]] = []
    columns = ("person", "face_id", "file")
    try:
        _enrol_each(settings, collection, found, enrolled)
    except BaseException:
        if enrolled:  # they stay, so they are told, whatever ended the rest
            rows(settings, enrolled, columns, "")
            say(f"{len(enrolled)} of {len(found)} stills enrolled")
        raise
    rows(settings, enrolled, columns, "nobody was enrolled")
    _count(found, enrolled)


@face.command("list", examples=("streamctl face list --collection staff",))
@collection_option
@click.pass_obj
def list_(settings: Settings, collection: str) -> None:
    """List the faces of a collection."""
    found = map(_view, faces.every(settings.aws, collection))
    columns = ("person", "face_id", "confidence")
    rows(settings, found, columns, f"collection {collection} has no face")


@face.command(examples=("streamctl face search --collection staff visitor.jpg",))
@click.argument("file", type=FILE)
@collection_option
@click.option(
    "--threshold",
    type=Number(0, 100),
    default=80.0,
    show_default=True,
    help="The lowest similarity that counts.",
)
@click.pass_obj
def search(settings: Settings, file: Path, collection: str, threshold: float) -> None:
    """Find whom the largest face of a still looks like; exit code 3 if nobody."""
    found = faces.search(settings.aws, collection, file, threshold)
    matches = [{**_view(each.face), "similarity": each.similarity} for each in found]
    columns = ("person", "similarity", "face_id")
    rows(settings, matches, columns, f"nobody in collection {collection} looks like that")
    if not matches:
        raise AnswerIsNo(f"no match for {file} in collection {collection}")


@face.command(
    examples=(
        "streamctl face remove --collection staff --person ann",
        "streamctl face remove --collection staff --face-id FACE_ID",
    )
)
@collection_option
@click.option("--person", "people", multiple=True, help="A person, with all their faces.")
@click.option("--face-id", "face_ids", multiple=True, help="One face.")
@click.pass_obj
def remove(
    settings: Settings, collection: str, people: tuple[str, ...], face_ids: tuple[str, ...]
) -> None:
    """Remove people, or single faces, from a collection."""
    if not people and not face_ids:
        raise AskedWrongly("nobody to remove was named", hint="--person NAME or --face-id ID")
    removed = faces.remove(settings.aws, collection, people, face_ids)
    say(f"{len(removed)} face{'s' * (len(removed) != 1)} removed from collection {collection}")
    if settings.format != "table":
        rows(settings, map(_view, removed), (), "")


def _enrol_each(
    settings: Settings, collection: str, found: list[Still], enrolled: list[dict[str, Any]]
) -> None:
    """Enrol one after the other. A bad one among several is told; one alone is the error."""
    with StatusLine() as progress:
        for number, still in enumerate(found, 1):
            progress(f"enrolling {number} of {len(found)}: {still.path.name}")
            try:
                known = faces.enrol(settings.aws, collection, still)
                enrolled.append({**_view(known), "file": str(still.path)})
            except (Unsuitable, MediaError) as error:
                if len(found) == 1:
                    raise
                progress("")
                say(f"not enrolled: {error}")
                say(f"hint: {error.hint}")


def _count(found: list[Still], enrolled: list[dict[str, Any]]) -> None:
    failed = len(found) - len(enrolled)
    if failed:
        raise StreamctlError(f"{failed} of {len(found)} stills could not be enrolled")
    say(f"{len(enrolled)} of {len(found)} stills enrolled")


def _view(found: EnrolledFace) -> dict[str, Any]:
    return {
        "person": found.person or None,
        "face_id": found.face_id,
        "confidence": found.confidence,
    }
