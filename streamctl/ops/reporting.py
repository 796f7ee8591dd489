"""Gathering what a report shows: what was told, and pictures of it, as much as a page can hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from streamctl.aws.session import Aws
from streamctl.core import chronicle
from streamctl.core.chronicle import Entry, ProcessorEntry, RunEntry, SightingEntry, Totals
from streamctl.errors import MediaError, Missing, Unsuitable
from streamctl.ops import keeping, looking
from streamctl.ops.inventory import Platform

MOST_SIGHTINGS: Final = 1000
MOST_TURNS: Final = 500
MOST_PICTURES: Final = 200
LONGEST_SIDE: Final = 640
"""Of a picture, in pixels: it makes some 50 KB, and a page of 200 some 10 MB."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture on the page. It was taken `apart` later than the sighting's best frame."""

    jpeg: bytes = field(repr=False)
    width: int
    height: int
    apart: timedelta


@dataclass(frozen=True, slots=True)
class Report:
    """What a page shows. `totals` and `runs` are of everything; of the rest, the newest is shown."""

    platform: str
    since: datetime
    until: datetime
    camera: str | None
    person: str | None
    totals: Totals
    sightings: tuple[SightingEntry, ...]
    turns: tuple[ProcessorEntry, ...]
    runs: tuple[RunEntry, ...]
    pictures: dict[str, Shown]
    """By the ids of their sightings."""
    left_out: tuple[str, ...]
    """What is not on the page, a sentence each."""


def gather(
    aws: Aws,
    platform: str,
    since: datetime,
    until: datetime,
    camera: str | None,
    person: str | None,
    note: Callable[[str], None],
) -> Report:
    """The report of a time. `note` is told how far it is. Raises as looking.back does."""
    note(f"reading what platform {platform} told")
    entries = looking.back(aws, platform, since, until, camera, person)
    seen = [each for each in entries if isinstance(each, SightingEntry)]
    turns = [each for each in entries if isinstance(each, ProcessorEntry)]
    sightings = seen[-MOST_SIGHTINGS:]
    pictures, lacking = _pictures(aws, platform, sightings, note)
    return Report(
        platform=platform,
        since=since,
        until=until,
        camera=camera,
        person=person,
        totals=chronicle.totals(entries),
        sightings=tuple(sightings),
        turns=tuple(turns[-MOST_TURNS:]),
        runs=chronicle.runs(entries),
        pictures=pictures,
        left_out=tuple(_left_out(entries, lacking)),
    )


def _pictures(
    aws: Aws, platform: str, seen: Iterable[SightingEntry], note: Callable[[str], None]
) -> tuple[dict[str, Shown], str]:
    """The pictures, alerts' before others' and newer before older; and what is said of the rest."""
    wanted = [each for each in seen if each.event.best.picture is not None]
    wanted.sort(key=lambda each: (each.event.attention == "alert", each.time), reverse=True)
    base, found = keeping.keeper(aws, platform), dict[str, Shown]()
    for number, each in enumerate(wanted[:MOST_PICTURES], 1):
        note(f"picture {number} of {min(len(wanted), MOST_PICTURES)}")
        try:
            shown = _shown(aws, base, each)
        except Missing as error:
            return {}, f"Pictures: {error}: pip install 'streamctl[media]'."
        if shown is not None:
            found[each.id] = shown
    more = len(wanted) - MOST_PICTURES
    return found, f"{more} pictures: a page holds {MOST_PICTURES}." if more > 0 else ""


def _shown(aws: Aws, base: Platform, entry: SightingEntry) -> Shown | None:
    """None where there is none (yet, any more), or it cannot be read: a page is made all the same."""
    drawing = looking.drawing()
    picture = keeping.picture_of(aws, base, entry.event)
    if picture is None:
        return None
    try:
        drawn = drawing.whole(picture.jpeg, LONGEST_SIDE)
    except (MediaError, Unsuitable):
        return None
    return Shown(drawn.jpeg, drawn.width, drawn.height, picture.apart)


def _left_out(entries: Iterable[Entry], lacking: str) -> Iterable[str]:
    every = list(entries)
    seen = sum(isinstance(each, SightingEntry) for each in every)
    for what, count, most in (
        ("sightings", seen, MOST_SIGHTINGS),
        ("lines about processors", len(every) - seen, MOST_TURNS),
    ):
        if count > most:
            yield f"{count - most} older {what}: a page holds {most}."
    if lacking:
        yield lacking
