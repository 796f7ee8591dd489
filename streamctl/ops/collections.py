"""Collections: the people that processors know."""

from __future__ import annotations

from streamctl.aws import collections
from streamctl.aws.collections import Collection
from streamctl.aws.session import Aws
from streamctl.core import names
from streamctl.errors import Busy, NotFound
from streamctl.ops import inventory


def create(aws: Aws, name: str) -> tuple[Collection, bool]:
    """Create a collection; it, and whether it is new. One that is there already is left as it is."""
    names.collection(name)
    try:
        return collections.describe(aws, name), False
    except NotFound:
        collections.create(aws, name)
    return collections.describe(aws, name), True


def describe(aws: Aws, name: str) -> Collection:
    """Raises NotFound, with the cure, if there is no collection of that name."""
    names.collection(name)
    try:
        return collections.describe(aws, name)
    except NotFound as error:
        raise missing(aws, name) from error


def every(aws: Aws) -> list[Collection]:
    """Every collection of the account and region."""
    found = []
    for name in collections.names(aws):
        try:
            found.append(collections.describe(aws, name))
        except NotFound:
            continue  # deleted since it was listed
    return found


def delete(aws: Aws, name: str) -> bool:
    """Delete a collection with its faces; whether there was one.

    Raises Busy while a processor searches it: it would FAIL at its next start.
    """
    names.collection(name)
    users = [each for each in inventory.processors(aws) if each.described.collection == name]
    if users:
        raise Busy(
            f"collection {name} is used by processor {', '.join(each.name for each in users)}",
            hint=f"{users[0].command} processor stop {users[0].name},"
            f" then {users[0].command} processor delete {users[0].name}",
        )
    try:
        collections.delete(aws, name)
    except NotFound:
        return False
    return True


def missing(aws: Aws, name: str) -> NotFound:
    """The error for a collection that is not there."""
    return NotFound(
        f"there is no collection {name} in {aws.region_name}",
        hint=f"streamctl collection create {name}",
    )
