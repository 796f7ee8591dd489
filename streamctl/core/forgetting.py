"""Forgetting a person: what of all that a platform holds is theirs, and what is left without it.

A person is a set of names. What they have in common with others, a picture that shows both, is
taken from the others too; what was told of the others stays.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from streamctl.core import sightings
from streamctl.core.events import Event
from streamctl.core.folding import Story
from streamctl.core.heard import Heard, SightingEvent
from streamctl.core.sightings import Sighting, Span
from streamctl.core.watch import Watch

SETTLES: Final = timedelta(seconds=10)
"""As a rule what was on its way when the faces were removed has been told and kept after so long: a
frame is analysed, folded, told and kept within some seconds."""

TRIED_FOR: Final = timedelta(hours=12)
"""For so long `on_records` tries to handle a batch of records (camera.yaml)."""

COMES_AGAIN: Final = timedelta(days=15)
"""For so long an event may come again: EventBridge tries a day at most, then a queue keeps it for 14."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is of a person, or was removed."""

    faces: int = 0
    sightings: int = 0
    """Sightings that were told of, or would have been: those that are open, and those kept."""
    events: int = 0
    """Events that are kept."""
    pictures: int = 0
    """Pictures of their sightings."""
    others_pictures: int = 0
    """Pictures of others, taken while the person was there."""
    watched: int = 0
    """Rules, and other names, in what the platform watches for."""

    def plus(self, other: Counts) -> Counts:
        more = asdict(other)
        return Counts(**{what: count + more[what] for what, count in asdict(self).items()})

    def minus(self, other: Counts) -> Counts:
        """What is gone, where the other is left: what came anew meanwhile takes nothing away."""
        left = asdict(other)
        return Counts(**{what: max(0, n - left[what]) for what, n in asdict(self).items()})


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time for which the person was at a camera, by the server's clock. `camera` is an ARN."""

    camera: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Presence:
    """When the person was at each camera: times that do not touch, in order."""

    times: Mapping[str, tuple[Span, ...]]

    def covers(self, camera: str, moment: datetime) -> bool:
        """Whether they were there then."""
        times = self.times.get(camera, ())
        after = bisect_right(times, moment, key=lambda span: span.since)
        return after > 0 and times[after - 1].holds(moment)


@dataclass(slots=True)
class Pictures:
    """The pictures that are to go, told from the others event by event.

    `keys` are those in the bucket. What no kept event shows goes too: it is what an interrupted
    forgetting left, or the end of a try at a picture that was under way meanwhile.
    """

    keys: set[str]
    theirs: frozenset[str]
    """The ids of the person's sightings."""
    presence: Presence
    _shown: set[str] = field(default_factory=set)
    """Keys of others' pictures, taken while the person was there."""

    def note(self, event: Heard) -> bool:
        """Take a kept event into account; whether it is somebody else's and must lose its picture."""
        if not isinstance(event, SightingEvent) or event.best.picture is None:
            return False
        if event.sighting in self.theirs:
            return False
        if self.presence.covers(event.camera_arn, event.best.time):
            self._shown.add(event.best.picture.key)
            return True
        self.keys.discard(event.best.picture.key)
        return False

    @property
    def own(self) -> frozenset[str]:
        """Those of the person's own sightings."""
        folders = {sightings.pictures_of(each) for each in self.theirs}
        return frozenset(key for key in self.keys if key[: key.rfind("/") + 1] in folders)

    @property
    def of_others(self) -> frozenset[str]:
        """Those of others' sightings, once every event was noted."""
        return frozenset(self.keys & self._shown)


def names_of(watch: Watch, given: Collection[str]) -> frozenset[str]:
    """Every name that means the same person as one of these."""
    main = {watch.called(name) for name in given}
    others = (other for other, name in (watch.same or {}).items() if name in main)
    return frozenset({*given, *main, *others})


def without(story: Story, names: Collection[str], there: Presence) -> Story:
    """The story without anything of these, and with no picture of when they were there: the same
    where it tells nothing of them, and of nobody who was there with them.
    """
    return replace(
        story,
        open=tuple(
            _unpictured(each, there.times.get(story.camera, ()))
            for each in story.open
            if each.person not in names
        ),
        cooling=tuple(each for each in story.cooling if each.person not in names),
        outbox=tuple(
            _without_picture(event, there)
            for event in story.outbox
            if event.detail.get("person") not in names
        ),
    )


def _unpictured(sighting: Sighting, times: Collection[Span]) -> Sighting:
    """What is told of somebody else later may be of a best frame that shows the person."""
    during = (span for span in times if span.until >= sighting.first.time)
    return replace(sighting, unpictured=tuple(dict.fromkeys([*sighting.unpictured, *during])))


def _without_picture(event: Event, there: Presence) -> Event:
    best = event.detail.get("best", {})
    if "picture" not in best:
        return event
    if not there.covers(event.detail["camera"], datetime.fromisoformat(best["time"])):
        return event
    shown = {member: value for member, value in best.items() if member != "picture"}
    return replace(event, detail={**event.detail, "best": shown})


def in_story(story: Story, names: Collection[str]) -> Iterator[tuple[str, Stretch]]:
    """Their sightings in a story, as ids (empty of what nobody was told of) and when they were."""
    for each in story.open:
        if each.person in names:
            yield each.id, Stretch(story.camera, each.first.time, each.last.time)
    for event in story.outbox:
        if event.detail.get("person") in names:
            since, until = event.detail["started"]["time"], event.detail["time"]
            times = datetime.fromisoformat(since), datetime.fromisoformat(until)
            yield event.detail["sighting"], Stretch(story.camera, *times)


def stretch_of(event: SightingEvent) -> Stretch:
    """For how long the person is known to have been there, by one event."""
    known = [event.time, event.best.time, *([event.ended.time] if event.ended else [])]
    return Stretch(event.camera_arn, event.started.time, max(known))


def presence(stretches: Iterable[Stretch], around: timedelta) -> Presence:
    """All of these together. Who is not seen for `around` may be there still, turned away; so each
    stretch is longer by that, at both ends.
    """
    times = dict[str, list[Span]]()
    for each in sorted(stretches, key=lambda stretch: stretch.since):
        span = Span(each.since - around, each.until + around)
        there = times.setdefault(each.camera, [])
        if there and span.since <= there[-1].until:
            there[-1] = Span(there[-1].since, max(span.until, there[-1].until))
        else:
            there.append(span)
    return Presence({camera: tuple(there) for camera, there in times.items()})


def without_picture(message: str) -> str:
    """The message of a sighting's event, without where its picture is."""
    envelope = json.loads(message)
    envelope["detail"]["best"].pop("picture", None)
    return json.dumps(envelope, ensure_ascii=False)


def unwatched(watch: Watch, names: Collection[str]) -> Watch:
    """What is watched for, without these people: rules for others keep their order."""
    same = {
        other: name
        for other, name in (watch.same or {}).items()
        if other not in names and name not in names
    }
    rules = tuple(rule for rule in watch.rules if rule.person not in names)
    return replace(watch, rules=rules, same=same or None)


def watched(watch: Watch, names: Collection[str]) -> int:
    """How many rules and other names are of these people."""
    after = unwatched(watch, names)
    others = len(watch.same or {}) - len(after.same or {})
    return len(watch.rules) - len(after.rules) + others
