"""What was told, as a person reads it: an entry for each sighting and each turn of a processor.

Of the events of one sighting the furthest counts, and what turned out to be a part of another is
folded into that. Nothing depends on the order in which events come, or on how often they do.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from streamctl.core import events, history
from streamctl.core.heard import BestFrame, Heard, ProcessorEvent, SightingEvent
from streamctl.core.runs import Reason

_REACH: Final = {"started": 0, "updated": 1, "ended": 2}
_OVER: Final = (events.PROCESSOR_ENDED, events.PROCESSOR_FAILED, events.PROCESSOR_TORN_DOWN)


@dataclass(frozen=True, slots=True)
class SightingEntry:
    """A sighting, as far as it was told. `event` says what is known of it by now, its parts' frames
    among it; `parts` are the ids of other sightings that turned out to be parts of this one.
    """

    event: SightingEvent
    last: datetime
    """The latest time at which the person is known to have been there."""
    parts: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.event.sighting

    @property
    def time(self) -> datetime:
        """When it began."""
        return self.event.started.time

    @property
    def is_over(self) -> bool:
        """Whether its end was told; if not, the person may be there still."""
        return self.event.ended is not None

    @property
    def length(self) -> timedelta:
        return self.last - self.time

    @property
    def who(self) -> str:
        """The person's name, or how many there were whom nobody knows."""
        return self.event.person or f"{self.event.at_once} unknown"


@dataclass(frozen=True, slots=True)
class ProcessorEntry:
    """Something that happened to a processor."""

    event: ProcessorEvent

    @property
    def id(self) -> str:
        return self.event.id

    @property
    def time(self) -> datetime:
        return self.event.time

    @property
    def what(self) -> str:
        """`started`, `failed`, `ended`, `torn down`; or what a newer version tells of."""
        return self.event.what.removeprefix("Processor ").lower()

    @property
    def failed(self) -> bool:
        return self.event.what == events.PROCESSOR_FAILED

    @property
    def why(self) -> str:
        """Why, in a few words; empty where nothing is to be said, or known."""
        reason = self.said("reason")
        if self.failed:
            return self.said("cause") or self.said("status_message") or reason
        return history.BECAUSE[Reason(reason)] if reason in list(Reason) else reason

    def said(self, member: str) -> str:
        """What the event says there, empty if it is no text: others may have written it."""
        value = self.event.detail.get(member)
        return value if isinstance(value, str) else ""


Entry = SightingEntry | ProcessorEntry


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A run as far as it was told: None for a start or an end that was told at another time."""

    camera: str
    processor: str
    run: str
    began: datetime | None
    over: datetime | None
    failed: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """How much was told. Strangers are no people here: who is who among them is not known."""

    sightings: int
    alerts: int
    people: int
    cameras: int
    late: int
    failures: int


def of(
    told: Iterable[Heard], camera: str | None = None, person: str | None = None
) -> tuple[Entry, ...]:
    """The entries, in order of time: of one camera, of one person, if asked for."""
    wanted = [each for each in told if is_wanted(each, camera, person)]
    seen = sightings(each for each in wanted if isinstance(each, SightingEvent))
    turns = _turns(each for each in wanted if isinstance(each, ProcessorEvent))
    return tuple(sorted((*seen, *turns), key=_place))


def sightings(told: Iterable[SightingEvent]) -> tuple[SightingEntry, ...]:
    """An entry for each sighting that these events are about, in order of time."""
    found = list(told)
    into = _merged_into(found)
    groups = dict[str, list[SightingEvent]]()
    for each in found:
        groups.setdefault(_whole(each.sighting, into), []).append(each)
    return tuple(sorted((_entry(*group) for group in groups.items()), key=_place))


def runs(entries: Iterable[Entry]) -> tuple[RunEntry, ...]:
    """The runs that these entries tell of, in order of camera and time."""
    groups = dict[str, list[ProcessorEvent]]()
    for each in entries:
        if isinstance(each, ProcessorEntry):
            groups.setdefault(each.event.run, []).append(each.event)
    return tuple(sorted(map(_run, groups.values()), key=lambda run: (run.camera, run.run)))


def totals(entries: Iterable[Entry]) -> Totals:
    """What these entries come to."""
    every = list(entries)
    seen = [each.event for each in every if isinstance(each, SightingEntry)]
    return Totals(
        sightings=len(seen),
        alerts=sum(each.attention == "alert" for each in seen),
        people=len({each.person for each in seen if each.person}),
        cameras=len({each.event.camera_arn for each in every}),
        late=sum(each.late for each in seen),
        failures=sum(isinstance(each, ProcessorEntry) and each.failed for each in every),
    )


def is_wanted(event: Heard, camera: str | None, person: str | None) -> bool:
    """Whether an event is of this camera and of this person; None is any, also none."""
    if camera is not None and event.camera != camera:
        return False
    return person is None or (isinstance(event, SightingEvent) and event.person == person)


def _turns(told: Iterable[ProcessorEvent]) -> Iterable[ProcessorEntry]:
    """Each once, as it was told first: what is told of again has its id, and may have other words."""
    latest_first = sorted(told, key=_words, reverse=True)
    return map(ProcessorEntry, {each.id: each for each in latest_first}.values())


def _words(event: ProcessorEvent) -> tuple[datetime, str]:
    return event.time, json.dumps(event.detail, sort_keys=True)


def _merged_into(told: Iterable[SightingEvent]) -> Mapping[str, str]:
    return {each.sighting: each.merged_into for each in told if each.merged_into is not None}


def _whole(sighting: str, into: Mapping[str, str]) -> str:
    """What a sighting is a part of in the end: itself, if of none. One that would be a part of
    itself is an event that somebody else wrote; it must not keep us here.
    """
    way = [sighting]
    while (after := into.get(way[-1])) is not None:
        if after in way:
            return min(way[way.index(after) :])
        way.append(after)
    return way[-1]


def _entry(sighting: str, told: list[SightingEvent]) -> SightingEntry:
    """The whole of these. Where only parts of it were told here, its end is not known."""
    own = [each for each in told if each.sighting == sighting and each.merged_into is None]
    furthest = max(own or told, key=_reach)
    event = replace(
        furthest,
        sighting=sighting,
        started=min((each.started for each in told), key=lambda frame: frame.time),
        best=max((each.best for each in told), key=_likeness),
        at_once=max(each.at_once for each in told),
        frames=max(each.frames for each in told),
        ended=furthest.ended if own else None,
        merged_into=None,
    )
    times = [time for each in told for time in (each.time, each.best.time)]
    return SightingEntry(event, max(times), _parts(sighting, told))


def _parts(sighting: str, told: Iterable[SightingEvent]) -> tuple[str, ...]:
    return tuple(sorted({each.sighting for each in told} - {sighting}))


def _reach(event: SightingEvent) -> tuple[int, int, float, datetime, str]:
    return _REACH[event.what], event.frames, event.best.similarity, event.time, event.id


def _likeness(best: BestFrame) -> tuple[float, float, float, str, str]:
    """By which sightings rank frames too: the higher, the better. Of the same frame twice, the one
    is taken that has a picture.
    """
    size, picture = best.box.width * best.box.height, best.picture.key if best.picture else ""
    return best.similarity, size, -best.time.timestamp(), best.fragment, picture


def _place(entry: Entry) -> tuple[datetime, str, str]:
    return entry.time, entry.event.camera, entry.id


def _run(told: list[ProcessorEvent]) -> RunEntry:
    about = told[0]
    began = [_since(each) for each in told if each.what == events.PROCESSOR_STARTED]
    over = [each.time for each in told if each.what in _OVER]
    return RunEntry(
        camera=about.camera,
        processor=about.processor,
        run=about.run,
        began=min(began, default=None),
        over=min(over, default=None),
        failed=any(each.what == events.PROCESSOR_FAILED for each in told),
    )


def _since(started: ProcessorEvent) -> datetime:
    """Since when it is RUNNING, which is before it was noticed."""
    with contextlib.suppress(KeyError, TypeError, ValueError):
        since = datetime.fromisoformat(started.detail["since"])
        if since.tzinfo is not None:
            return since
    return started.time
