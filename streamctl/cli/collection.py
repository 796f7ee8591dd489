"""streamctl collection: the people that processors know."""

from __future__ import annotations

from typing import Any

import click

from streamctl.aws.collections import Collection
from streamctl.cli.command import Noun
from streamctl.cli.output import done, one, rows
from streamctl.cli.settings import Settings
from streamctl.ops import collections


@click.group(cls=Noun)
def collection() -> None:
    """Create and delete collections of faces."""


@collection.command(examples=("streamctl collection create staff",))
@click.argument("name")
@click.pass_obj
def create(settings: Settings, name: str) -> None:
    """Create a collection, empty."""
    found, is_new = collections.create(settings.aws, name)
    sentence = f"collection {name} {'is created' if is_new else 'is there already'}"
    done(settings, sentence, _view(found))


@collection.command("list", examples=("streamctl collection list",))
@click.pass_obj
def list_(settings: Settings) -> None:
    """List the collections of the account and region."""
    found = map(_view, collections.every(settings.aws))
    rows(settings, found, ("name", "faces", "model", "created_at"), "there is no collection")


@collection.command(examples=("streamctl collection describe staff",))
@click.argument("name")
@click.pass_obj
def describe(settings: Settings, name: str) -> None:
    """Show one collection."""
    one(settings, _view(collections.describe(settings.aws, name)))


@collection.command(examples=("streamctl collection delete staff",))
@click.argument("name")
@click.pass_obj
def delete(settings: Settings, name: str) -> None:
    """Delete a collection with every face in it, unless a processor uses it."""
    existed = collections.delete(settings.aws, name)
    sentence = f"collection {name} is gone" if existed else f"there was no collection {name}"
    done(settings, sentence, {"name": name, "existed": existed})


def _view(found: Collection) -> dict[str, Any]:
    return {
        "name": found.id,
        "faces": found.faces,
        "model": found.model,
        "created_at": found.created,
        "arn": found.arn,
    }
