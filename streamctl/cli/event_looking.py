"""The verbs of `streamctl event` that look back: list, report, picture, clip."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from streamctl.cli import files
from streamctl.cli.command import Verb
from streamctl.cli.event_words import length, offset
from streamctl.cli.output import done, rows, say
from streamctl.cli.params import DURATION, MOMENT
from streamctl.cli.progress import StatusLine
from streamctl.cli.settings import Settings
from streamctl.core.chronicle import Entry, SightingEntry

_F = TypeVar("_F", bound=Callable[..., Any])
_NEW_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_COLUMNS: Final = ("time", "camera", "who", "what", "id")


def _span(command: _F) -> _F:
    """Of when, and of whom: options of all that look at more than one sighting."""
    for option in (
        click.option("--person", help="Of this person alone."),
        click.option("--camera", help="Of this camera alone."),
        click.option("--until", type=MOMENT, help="As --since.  [default: now]"),
        click.option(
            "--since",
            type=MOMENT,
            default="1d ago",
            help="ISO 8601 with its zone, or as '2h ago'.  [default: 1d ago]",
        ),
    ):
        command = option(command)
    return command


@click.command(
    "list",
    cls=Verb,
    examples=(
        "streamctl event list --since '2h ago'",
        "streamctl event list --camera door --person ada",
        "streamctl event list --since 2026-01-01T12:00:00Z -o ndjson | jq .person",
    ),
)
@_span
@click.pass_obj
def list_(
    settings: Settings,
    since: datetime,
    until: datetime | None,
    camera: str | None,
    person: str | None,
) -> None:
    """List what the platform told: a line a sighting, and a line each time a processor turned.

    It tells what is kept: `stack deploy` says for how long. Times are UTC.
    """
    from streamctl.ops import looking  # noqa: PLC0415 - schemas are printed without boto3

    until = until or datetime.now(UTC)
    with StatusLine() as progress:
        progress(f"reading what platform {settings.platform} told")
        found = looking.back(settings.aws, settings.platform, since, until, camera, person)
    nothing = f"nothing that platform {settings.platform} told of that time is kept"
    today = datetime.now(UTC).date()
    view = _lines(found, today) if settings.format == "table" else map(_view, found)
    rows(settings, view, _COLUMNS, nothing, unbroken=("time", "id"))


@click.command(
    cls=Verb,
    examples=(
        "streamctl event report --since '1d ago' today.html",
        "streamctl event report --camera door --since 2026-01-01T12:00:00Z door.html",
    ),
)
@_span
@click.argument("file", type=_NEW_FILE)
@click.pass_obj
def report(
    settings: Settings,
    since: datetime,
    until: datetime | None,
    camera: str | None,
    person: str | None,
    file: Path,
) -> None:
    """Make a page of what the platform told: a timeline, pictures, and how processors ended.

    FILE is HTML and enough by itself, also without a network. It shows people: keep it as you keep
    their pictures.
    """
    from streamctl.cli import event_page  # noqa: PLC0415 - schemas are printed without boto3
    from streamctl.ops import reporting  # noqa: PLC0415

    until = until or datetime.now(UTC)
    with StatusLine() as progress, files.new(file) as to:
        gathered = reporting.gather(
            settings.aws, settings.platform, since, until, camera, person, progress
        )
        for piece in event_page.page(gathered, datetime.now(UTC)):
            to.write(piece.encode())
    for each in gathered.left_out:
        say(f"warning: left out of the page: {each}")
    seen, pictures = len(gathered.sightings), len(gathered.pictures)
    done(
        settings,
        f"{file} shows {seen} sighting{'s' * (seen != 1)}, {pictures} with a picture",
        {
            "file": str(file),
            "sightings": seen,
            "pictures": pictures,
            "left_out": gathered.left_out,
        },
    )


@click.command(
    cls=Verb,
    examples=(
        "streamctl event picture e2a691ecd871c3ba ada.jpg",
        "streamctl event picture e2a691ecd871c3ba face.jpg --crop",
    ),
)
@click.argument("ident", metavar="ID")
@click.argument("file", type=_NEW_FILE)
@click.option("--whole", "cut", flag_value="whole", default="whole", help="As it is.  [default]")
@click.option("--box", "cut", flag_value="box", help="With a box around the face.")
@click.option("--crop", "cut", flag_value="crop", help="The face, and a little around it.")
@click.pass_obj
def picture(settings: Settings, ident: str, file: Path, cut: str) -> None:
    """Fetch the picture of a sighting's best frame, as a JPEG.

    ID is a sighting's, as `event list` prints it, or an event's. The picture is of the nearest
    frame that was stored; how far that is from the best frame is said.
    """
    from streamctl.ops import looking  # noqa: PLC0415 - schemas are printed without boto3

    with files.new(file) as to:
        looked = looking.picture(settings.aws, settings.platform, ident, looking.Cut(cut))
        to.write(looked.jpeg)
    event = looked.event
    done(
        settings,
        f"{file} shows {_who(event.person, event.at_once)} at camera {event.camera}: the picture is"
        f" {offset(looked.apart)}",
        {
            "file": str(file),
            "sighting": event.sighting,
            "event": event.id,
            "person": event.person,
            "camera": event.camera,
            "taken": looked.taken,
            "apart_s": looked.apart.total_seconds(),
            "best": dataclasses.asdict(event.best),
        },
    )


@click.command(
    cls=Verb,
    examples=(
        "streamctl event clip e2a691ecd871c3ba ada.mp4",
        "streamctl event clip e2a691ecd871c3ba ada.mp4 --around 30s",
    ),
)
@click.argument("ident", metavar="ID")
@click.argument("file", type=_NEW_FILE)
@click.option(
    "--around",
    type=DURATION,
    default="5s",
    help="So much before and after the sighting.  [default: 5s]",
)
@click.pass_obj
def clip(settings: Settings, ident: str, file: Path, around: timedelta) -> None:
    """Fetch the video of a sighting, as an MP4.

    It is made of whole fragments, so it may begin and end a little further out. ID is a sighting's,
    as `event list` prints it, or an event's. AWS gives no more than 200 fragments, or 100 MB.
    """
    from streamctl.ops import looking  # noqa: PLC0415 - schemas are printed without boto3

    with files.new(file) as to:
        entry, made = looking.clip(settings.aws, settings.platform, ident, around, to)
    camera = entry.event.camera
    said = f"{file} holds {length(made.ends - made.begins)} of camera {camera}"
    lacking = entry.last - made.ends
    if lacking > timedelta(seconds=1):
        said += f"; the last {length(lacking)} of the sighting are more than AWS gives at once"
    done(
        settings,
        said,
        {
            "file": str(file),
            "sighting": entry.id,
            "camera": camera,
            "begins": made.begins,
            "ends": made.ends,
            "bytes": made.size,
        },
    )


def _lines(found: Iterable[Entry], today: date) -> Iterable[dict[str, Any]]:
    """What fits a terminal."""
    entries = list(found)
    pattern = _pattern({each.time.astimezone(UTC).date() for each in entries}, today)
    for each in entries:
        line = {"time": f"{each.time.astimezone(UTC):{pattern}}", "camera": each.event.camera}
        if isinstance(each, SightingEntry):
            yield {**line, "who": each.who, "what": _sighting(each), "id": each.id}
        else:
            what = f"{each.what}: {each.why}" if each.why else each.what
            yield {**line, "who": f"processor {each.event.processor}", "what": what}


def _pattern(days: set[date], today: date) -> str:
    """The day stands with the time unless all are of today, and the year unless all are of this."""
    if days <= {today}:
        return "%H:%M:%SZ"
    return "%m-%d %H:%M:%SZ" if {day.year for day in days} == {today.year} else "%Y-%m-%d %H:%M:%SZ"


def _sighting(entry: SightingEntry) -> str:
    event = entry.event
    said = [event.attention, length(entry.length) if entry.is_over else "no end yet"]
    said += [f"{event.best.similarity:.1f} %"] if event.person else []
    return ", ".join([*said, *(["late"] if event.late else [])])


def _view(entry: Entry) -> dict[str, Any]:
    """For programs; each kind has its own keys, and always all of them."""
    event = entry.event
    view = {
        "kind": "sighting" if isinstance(entry, SightingEntry) else "processor",
        "id": entry.id,
        "time": entry.time,
        "camera": event.camera,
        "camera_arn": event.camera_arn,
        "processor": event.processor,
        "run": event.run,
    }
    if isinstance(entry, SightingEntry):
        return {
            **view,
            "person": entry.event.person,
            "at_once": entry.event.at_once,
            "attention": entry.event.attention,
            "last": entry.last,
            "over": entry.is_over,
            "late": entry.event.late,
            "frames": entry.event.frames,
            "best": dataclasses.asdict(entry.event.best),
            "parts": entry.parts,
        }
    return {**view, "what": entry.what, "why": entry.why, "detail": entry.event.detail}


def _who(person: str | None, at_once: int) -> str:
    return person or f"{at_once} unknown"
