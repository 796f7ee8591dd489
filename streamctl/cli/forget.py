"""Forgetting a person, and the trail of it: `face forget` and `face forgotten`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import click

from streamctl.cli.command import Verb
from streamctl.cli.output import one, rows, say
from streamctl.cli.progress import StatusLine
from streamctl.cli.settings import Settings
from streamctl.core import forgetting, forgotten, names
from streamctl.core.forgetting import Counts
from streamctl.core.forgotten import Request
from streamctl.errors import AnswerIsNo, AskedWrongly
from streamctl.ops import forgetting as op
from streamctl.ops import inventory, out_of_reach
from streamctl.ops.forgetting import Found
from streamctl.ops.out_of_reach import Left


@click.command(
    cls=Verb,
    examples=(
        "streamctl face forget ada",
        "streamctl face forget ada --also ada-2019 --yes -o json",
    ),
)
@click.argument("person")
@click.option("--also", multiple=True, help="Another name of the same person, told of or enrolled.")
@click.option(
    "--collection",
    "collections",
    multiple=True,
    help="Search this collection alone for their faces.  [default: all of account and region]",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def forget(
    settings: Settings,
    person: str,
    also: tuple[str, ...],
    collections: tuple[str, ...],
    *,
    yes: bool,
) -> None:
    """Forget a person: remove what the platform holds of them, say what it cannot reach.

    Their faces, sightings, kept events and pictures go, rules that name them, and others' pictures
    from when they were there. It cannot be undone. That it was asked for is written down, without
    the name. What is cut off is finished by the same command again. Of a name that nothing is known
    of there is a warning.
    """
    aws, people = settings.aws, (person, *also)
    with StatusLine() as progress:
        found = op.look(aws, settings.platform, people, collections, progress)
        progress("looking for what cannot be reached")
        left = list(out_of_reach.places(aws, found.platform, found.names, collections))
    if not yes:
        _ask(found)
    again = _command(settings, person, found.names, collections)
    try:
        with StatusLine() as progress:
            entry = op.forget(aws, found, progress)
    except BaseException:
        say(f"not all of it was removed; this goes on from there: {again}")
        raise
    if entry.removed == Counts():
        called = ", ".join(sorted(found.names))
        say(f"warning: nothing was known of {called}; names are told apart by upper and lower case")
    _show(settings, person, found.names, entry, left, again)


@click.command(
    "forgotten",
    cls=Verb,
    examples=(
        "streamctl face forgotten",
        "streamctl face forgotten --person ada",
        "streamctl face forgotten -o json > trail.json",
    ),
)
@click.option("--person", help="Only what was asked about this name; exit code 3 if nothing was.")
@click.pass_obj
def forgotten_(settings: Settings, person: str | None) -> None:
    """List who asked for somebody to be forgotten, and when.

    Whom, it does not say; whether it was a certain name it does. What is removed with the platform,
    this is too: save it before.
    """
    found = op.trail(settings.aws, settings.platform)
    if person is not None:
        names.person(person)
        found = [each for each in found if forgotten.is_about(each, person)]
    columns = ("asked", "done", "by", "faces", "sightings", "events", "pictures")
    rows(settings, map(_request, found), columns, "nobody was forgotten")
    if person is None:
        return
    if not found:
        raise AnswerIsNo(f"platform {settings.platform} was not asked to forget {person}")
    if not any(each.done for each in found):
        raise AnswerIsNo(
            f"forgetting {person} was begun, and not finished",
            hint=f"{inventory.command(settings.platform)} face forget {person}",
        )


def _ask(found: Found) -> None:
    """Nothing can be had back."""
    what = f"forgetting {', '.join(sorted(found.names))} removes for good: {_told(found.counts)}"
    if not sys.stdin.isatty():
        raise AskedWrongly(what, hint="if you mean it: --yes")
    if not click.confirm(f"{what}. Go on?", err=True):
        raise AnswerIsNo("nothing was removed")


def _told(counts: Counts) -> str:
    """What there is, in words."""
    words = {
        "faces": counts.faces,
        "sightings": counts.sightings,
        "kept events": counts.events,
        "pictures": counts.pictures,
        "pictures of others": counts.others_pictures,
        "rules and other names": counts.watched,
    }
    said = [f"{word}: {count}" for word, count in words.items() if count]
    return ", ".join(said) or "nothing, since nothing is known"


def _command(
    settings: Settings, person: str, called: Collection[str], collections: Sequence[str]
) -> str:
    """The same again. What said that other names are theirs may be removed by then."""
    also = [f"--also {name}" for name in sorted(called) if name != person]
    within = [f"--collection {name}" for name in collections]
    return " ".join(
        [f"{inventory.command(settings.platform)} face forget {person}", *also, *within]
    )


def _show(
    settings: Settings,
    person: str,
    called: Collection[str],
    entry: Request,
    left: Sequence[Left],
    again: str,
) -> None:
    view = {"person": person, "names": sorted(called), **_request(entry)}
    after = (entry.done or entry.asked) + forgetting.TRIED_FOR
    places = [_place(each, entry.done or entry.asked) for each in left]
    if settings.format != "table":
        one(settings, {**view, "left": places, "again_after": after, "again": again})
        return
    one(settings, view)
    click.echo("\nNot reached:")
    rows(settings, places, ("what", "where", "until", "why"), "")
    click.echo(
        "\nWhat was on its way is told and kept within seconds, and was removed too. Where functions"
        f"\nfail it may take until {after:%Y-%m-%d %H:%M}Z. To be sure, then once more:\n{again}"
    )


def _place(left: Left, now: datetime) -> dict[str, Any]:
    until = now + left.keeps_for if left.keeps_for is not None else None
    return {"what": left.what, "where": left.where, "until": until, "why": left.why}


def _request(entry: Request) -> dict[str, Any]:
    """Every key is there, whether or not it was finished."""
    removed = entry.removed
    counts = [field.name for field in dataclasses.fields(Counts)]
    return {
        "trail": forgotten.identity(entry),
        "asked": entry.asked,
        "done": entry.done,
        "by": entry.by,
        **{count: getattr(removed, count) if removed else None for count in counts},
    }
