"""streamctl event: what a platform tells on its event bus."""

from __future__ import annotations

import contextlib
import dataclasses
from datetime import UTC
from typing import Any

import click

from streamctl.cli import event_looking
from streamctl.cli.command import Noun
from streamctl.cli.output import follows_as_json, line, one, printable, rows
from streamctl.cli.progress import StatusLine
from streamctl.cli.settings import Settings
from streamctl.core import events
from streamctl.core.heard import Heard, SightingEvent
from streamctl.ops import schemas


class Kind(click.Choice[str]):
    """A kind of event, by the name of its schema or by its detail type."""

    def __init__(self) -> None:
        super().__init__(schemas.NAMES)

    def normalize_choice(
        self,
        choice: object,
        ctx: click.Context | None,  # noqa: ARG002 - click's signature
    ) -> str:
        return events.slug(str(choice))


@click.group(cls=Noun)
def event() -> None:
    """Follow what a platform tells, look back at it, and read the schemas of it."""


for _verb in (event_looking.list_, event_looking.report, event_looking.picture, event_looking.clip):
    event.add_command(_verb)


@event.command(
    examples=(
        "streamctl event tail",
        "streamctl event tail --camera door --person ada",
        "streamctl event tail | jq .person",
    )
)
@click.option("--camera", help="Of this camera alone.")
@click.option("--person", help="Of this person alone.")
@click.pass_obj
def tail(settings: Settings, camera: str | None, person: str | None) -> None:
    """Follow what the platform tells from now on, until interrupted.

    In a pipe, and with -o, each event is a line of JSON. It listens by a rule and a queue of its
    own, which are gone afterwards: nobody else notices.
    """
    from streamctl.ops import tailing  # noqa: PLC0415 - schemas are printed without boto3

    as_json = follows_as_json(settings)
    told = tailing.tail(settings.aws, settings.platform, camera, person)
    with StatusLine() as progress, contextlib.closing(told):
        for heard in told:
            if heard is None:
                progress(f"listening to platform {settings.platform}")
                continue
            progress("")
            if as_json:
                line(dataclasses.asdict(heard))
            else:
                click.echo(printable(_sentence(heard)))


@event.command(
    examples=(
        "streamctl event schema",
        "streamctl event schema sighting-started > sighting-started.json",
        'streamctl event schema "Sighting Started" | jq .properties.best',
        "streamctl event schema -o json > schemas.json",
    )
)
@click.argument("kind", type=Kind(), required=False, metavar="[KIND]")
@click.pass_obj
def schema(settings: Settings, kind: str | None) -> None:
    """List the kinds of events, or print the JSON Schema of one.

    With a KIND, as listed or as a detail type, it is that schema: draft 2020-12, of the event's
    `detail`, or for the kind `envelope` of the whole message as it arrives in a queue. Without a
    KIND, -o json prints all of them.
    """
    if kind is None:
        found = map(_view, schemas.NAMES)
        rows(settings, found, ("kind", "id", "tells"), "there is no schema")
        return
    as_json = "json" if settings.format == "table" else settings.format
    one(dataclasses.replace(settings, output=as_json), schemas.load(kind))


def _view(name: str) -> dict[str, Any]:
    found = schemas.load(name)
    return {
        "kind": name,
        "detail_type": None if name == schemas.ENVELOPE else found["title"],
        "id": found["$id"],
        "tells": found["description"],
        "schema": found,
    }


def _sentence(heard: Heard) -> str:
    at = f"{heard.time.astimezone(UTC):%H:%M:%S}Z"
    if not isinstance(heard, SightingEvent):
        return f"{at}  {heard.camera}  {heard.what}"
    who = heard.person or f"{heard.at_once} unknown"
    seen = f"{heard.frames} frames, best {heard.best.similarity:.1f} %"
    return f"{at}  {heard.camera}  {who} {heard.what}  {heard.attention}  {seen}"
