"""streamctl record: what processors report, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import click

from streamctl.cli import files
from streamctl.cli.command import Noun
from streamctl.cli.output import done, follows_as_json, line, printable, rows, say
from streamctl.cli.params import FILE, MOMENT, Number, camera_option, text_of
from streamctl.cli.progress import StatusLine
from streamctl.cli.settings import Settings
from streamctl.core import names, watchfile
from streamctl.core.records import Face, Frame
from streamctl.core.replaying import Told
from streamctl.core.watch import WATCH
from streamctl.errors import RecordError
from streamctl.ops import recording, records
from streamctl.ops.records import Read


@click.group(cls=Noun)
def record() -> None:
    """Follow and decode what processors report: a record is one analysed frame."""


@record.command(
    examples=(
        "streamctl record tail --camera door",
        "streamctl record tail --camera door | jq .faces",
    )
)
@camera_option
@click.pass_obj
def tail(settings: Settings, camera: str) -> None:
    """Follow a camera's records from now on, until interrupted.

    In a pipe, and with -o, each is a line of JSON.
    """
    as_json = follows_as_json(settings)
    with StatusLine() as progress:
        for read in records.follow(settings.aws, settings.platform, camera):
            if read is None:
                progress(f"waiting for records of camera {camera}")
                continue
            progress("")
            if read.frame is None:
                say(f"not decoded: {read.error}")
            elif as_json:
                line(_view(read))
            else:
                click.echo(printable(_sentence(read.frame)))


@record.command(
    examples=("streamctl record decode event.json", "streamctl record decode - < record.b64")
)
@click.argument("file", type=click.File("rb"))
@click.pass_obj
def decode(settings: Settings, file: BinaryIO) -> None:
    """Decode saved records: one as JSON or base64, a KPL aggregate, a Lambda event.

    `-` reads standard input. Exit code 1 if any cannot be decoded; an input that lists none is no
    error, as GetRecords often answers with none.
    """
    found = records.decode(file.read(records.INPUT_AT_MOST + 1))
    good = [_view(read) for read in found if read.frame]
    columns = ("time", "people", "unknown_faces")
    rows(settings, good, columns, "none can be decoded" if found else "the input holds no record")
    bad = [read.error for read in found if read.frame is None]
    for error in bad:
        say(f"not decoded: {error}")
    if bad:
        raise RecordError(f"{len(bad)} of {len(found)} records could not be decoded")


@record.command(
    examples=(
        "streamctl record save --camera door door.records",
        "streamctl record save --camera door --since 2026-01-01T12:00:00Z door.records",
    )
)
@camera_option
@click.option("--since", type=MOMENT, help="ISO 8601 with its zone.  [default: all that is kept]")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def save(settings: Settings, camera: str, since: datetime | None, file: Path) -> None:
    """Save a camera's records, as they are, with when they arrived: `replay` takes the file.

    It holds what was seen of people, as results do: keep it as you keep those.
    """
    with StatusLine() as progress, files.new(file) as to:
        saved = 0
        for saved in recording.save(settings.aws, settings.platform, camera, since, to):
            progress(f"{saved} records of camera {camera}")
    done(settings, f"{saved} records of camera {camera} are in {file}", {"records": saved})


@record.command(
    examples=(
        "streamctl record replay door.records",
        "streamctl record replay door.records --watch watch.toml -o ndjson",
    )
)
@click.argument("file", type=FILE)
@click.option("--watch", type=FILE, help="What is watched for.  [default: every known person]")
@click.option("--speed", type=Number(0.01, 10_000), help="Times that of then.")
@click.pass_obj
def replay(settings: Settings, file: Path, watch: Path | None, speed: float | None) -> None:
    """Say what would be told of saved records, by the code that folds live ones.

    Nothing is asked of AWS, and nobody is told. What cannot be decoded is said, and passed over;
    exit code 1 if nothing can. Without --speed it goes as fast as it can.
    """
    watched = watchfile.parse(text_of(watch), str(watch)) if watch else WATCH
    with file.open("rb") as source:
        every = recording.replay(source, watched, speed, say)
        if settings.format == "table":
            for told in every:
                click.echo(printable(_sentence_of(told)))
        else:
            rows(settings, map(_told, every), (), "")


def _told(told: Told) -> dict[str, Any]:
    return {"at": told.at, "detail_type": told.event.type, "detail": told.event.detail}


def _sentence_of(told: Told) -> str:
    detail = told.event.detail
    who = detail["person"] or f"{detail['at_once']} unknown"
    camera = names.of_camera(detail["camera"])
    seen = f"{detail['frames']} frames, best {detail['best']['similarity']:.1f} %"
    return f"{told.at:%H:%M:%S}Z  {told.event.type:16}  {camera}  {who}  {seen}"


def _sentence(frame: Frame) -> str:
    whom = [f"{name} {similarity:.1f} %" for name, similarity in _people(frame).items()]
    unknown = _unknown(frame)
    whom += [f"{unknown} unknown"] if unknown else []
    return f"{frame.time:%H:%M:%S}.{frame.time.microsecond // 1000:03}Z  {', '.join(whom) or '-'}"


def _view(read: Read) -> dict[str, Any]:
    frame = read.frame
    assert frame is not None
    return {
        "camera": frame.camera,
        "time": frame.time,
        "producer_time": frame.produced,
        "arrived_at": read.arrived,
        "fragment": frame.fragment,
        "offset_s": frame.offset.total_seconds(),
        "people": list(_people(frame)),
        "unknown_faces": _unknown(frame),
        "faces": [_face(face) for face in frame.faces],
    }


def _people(frame: Frame) -> Mapping[str, float]:
    """Everybody in the frame, by their best similarity."""
    people: dict[str, float] = {}
    for face in frame.faces:
        if face.best:
            best = max(face.best.similarity, people.get(face.best.person, 0.0))
            people[face.best.person] = best
    return people


def _unknown(frame: Frame) -> int:
    return sum(not face.matches for face in frame.faces)


def _face(face: Face) -> dict[str, Any]:
    return {
        "confidence": face.confidence,
        "box": {
            "left": face.box.left,
            "top": face.box.top,
            "width": face.box.width,
            "height": face.box.height,
        },
        "matches": [
            {"person": match.person, "face_id": match.face_id, "similarity": match.similarity}
            for match in face.matches
        ],
    }
