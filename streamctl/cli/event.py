"""streamctl event: what a platform tells on its event bus."""

from __future__ import annotations

import dataclasses
from typing import Any

import click

from streamctl.cli.command import Noun
from streamctl.cli.output import one, rows
from streamctl.cli.settings import Settings
from streamctl.core import events
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
    """Read the schemas of what a platform tells."""


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
