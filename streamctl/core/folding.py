"""A camera's story: who is there, from matches that come frame by frame, and what is said of it.

A story holds the sightings that are open, what was counted, and the events that were decided but
perhaps not yet published. Folding the same frame twice changes nothing, and neither does the order
in which frames come, as long as none is later than Measures.lateness. A sighting is over when no
frame can come any more that continues it: newer frames say so, or a silence that has lasted.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from streamctl.core import names, sightings, telling
from streamctl.core.events import Event
from streamctl.core.records import Frame
from streamctl.core.sightings import Measures, Named, Sighting
from streamctl.core.telling import RunRef
from streamctl.core.watch import WATCH, Attention, Watch

REMEMBERED: Final = 300
"""Frames whose tokens are kept, so that a repeat is known: five minutes at one frame a second."""

REMEMBERED_AT_MOST: Final = 2000
"""The same where a backlog is folded, many frames at a time."""

OPEN_AT_MOST: Final = 150
"""Open sightings; of more, those unseen for longest are ended. An item has 400 KB (DynamoDB)."""

VOTES_AT_MOST: Final = 2000
"""Votes of all open sightings; no sighting has more than its part of them, or than it needs."""

TOLD_AT_ONCE: Final = 100
"""Events that may wait in a story for being told, if fewer frames can be folded at a time."""

PLAUSIBLE: Final = timedelta(hours=1)
"""A producer's clock that is further off the server's says nothing: real ones were seen at zero,
and days off."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame, and when its record arrived in results."""

    frame: Frame
    at: datetime


@dataclass(frozen=True, slots=True)
class Cooling:
    """A person of whom no more is told for a while, and when they were last seen."""

    person: str
    last: datetime


@dataclass(frozen=True, slots=True)
class Story:
    """What is remembered of one camera's sightings."""

    camera: str
    open: tuple[Sighting, ...] = ()
    seen: tuple[str, ...] = ()
    """Tokens of the latest frames, oldest first."""
    newest: datetime | None = None
    """The time of the newest frame."""
    last_arrival: datetime | None = None
    lag: timedelta = timedelta(0)
    """From a frame to the arrival of its record, for the latest record."""
    frames: int = 0
    unknown_frames: int = 0
    """Frames with a face that matched nobody."""
    empty_in: str = ""
    """The latest run that wrote a record for a frame without faces: not every engine does."""
    cooling: tuple[Cooling, ...] = ()
    outbox: tuple[Event, ...] = ()
    """Decided, saved, and to be published: at least once, with the same ids each time."""

    @property
    def next_close(self) -> datetime | None:
        """When the first of the open sightings is over, if none of its frames comes."""
        return min((each.over for each in self.open), default=None)


def fold(
    story: Story, arrivals: Iterable[Arrival], run: RunRef, now: datetime, watch: Watch = WATCH
) -> Story:
    """The story with these frames in it. Frames that it knows already change nothing."""
    fresh = _fresh(story, arrivals)
    if not fresh:
        return story
    measures = watch.measures
    over = now + measures.gap + measures.lateness
    too_late = story.newest - measures.lateness if story.newest else None
    frames = [arrival.frame for arrival in fresh.values()]
    timed = ((each, too_late is not None and each.time < too_late) for each in frames)
    there, said = story.open, list(story.outbox)
    for part in sightings.seen_in(timed, _interest(story.camera, watch), measures.gap, over):
        there, merged = _with(there, part, measures.gap)
        said += [telling.merged(story.camera, *each, run) for each in merged]
    story = _counted(replace(story, open=there, outbox=tuple(said)), fresh, run)
    return _closed_by_newer(_told(story, run, now, watch), run, watch)


def ended_before(story: Story, frame: Frame, run: RunRef, watch: Watch = WATCH) -> Story:
    """The story with every sighting ended that nobody waits for once there is this frame."""
    newest = max(frame.time, story.newest or frame.time)
    return _closed_by_newer(replace(story, newest=newest), run, watch)


def close(story: Story, now: datetime, run: RunRef, watch: Watch = WATCH) -> Story:
    """The story with every sighting ended that is over by now."""
    return _end(story, [each for each in story.open if each.over <= now], run, watch)


def close_all(story: Story, run: RunRef, watch: Watch = WATCH) -> Story:
    """The story with every sighting ended, because the camera's video has."""
    return _end(story, story.open, run, watch)


def published(story: Story) -> Story:
    """The story once everything in its outbox has been published."""
    return replace(story, outbox=())


def _fresh(story: Story, arrivals: Iterable[Arrival]) -> dict[str, Arrival]:
    """The frames that are new to the story, by their tokens, in the order in which they were."""
    known, fresh = set(story.seen), dict[str, Arrival]()
    for arrival in arrivals:
        token = _token(arrival.frame)
        if token not in known:
            fresh.setdefault(token, arrival)
    return dict(sorted(fresh.items(), key=lambda each: (each[1].frame.time, each[0])))


def _token(frame: Frame) -> str:
    """A short name for a frame, the same for the same picture.

    A producer that lost its connection sends again what was not acknowledged, and the service gives
    it new fragment numbers: where the producer's clock is plausible, its time tells the picture.
    Short, because the table is written, and paid for, by size.
    """
    if abs(frame.producer_time - frame.server_time) <= PLAUSIBLE:
        return f"{round((frame.produced - _EPOCH) / _MILLISECOND):x}"
    return hashlib.blake2b(frame.key.encode(), digest_size=6).hexdigest()


def _interest(camera: str, watch: Watch) -> Named:
    """Whom the rules do not tell to ignore at a camera, by the one name of each."""
    name = names.of_camera(camera)

    def named(frame: Frame, person: str) -> str | None:
        called = watch.called(person)
        ignored = watch.attention(name, called, frame.time) == Attention.IGNORE
        return None if ignored else called

    return named


def _with(
    there: tuple[Sighting, ...], fresh: Sighting, gap: timedelta
) -> tuple[tuple[Sighting, ...], list[tuple[Sighting, Sighting]]]:
    """With what frames show of one person: joined with all that it touches, which may be several.
    And what was told of and is part of another from now on, each with that other.
    """
    touched, apart = list[Sighting](), list[Sighting]()
    for each in there:
        (touched if each.touches(fresh, gap) else apart).append(each)
    # What is fresh may begin before all of them: it comes last, so that it lends none its beginning.
    whole = functools.reduce(sightings.joined, [*sorted(touched, key=sightings.beginning), fresh])
    return (*apart, whole), [(each, whole) for each in touched if each.id not in ("", whole.id)]


def _counted(story: Story, fresh: Mapping[str, Arrival], run: RunRef) -> Story:
    """The story with these frames remembered and counted, whoever is in them."""
    *_, latest = fresh.values()
    at = max(each.at for each in fresh.values())
    empty = any(not each.frame.faces for each in fresh.values())
    strangers = sum(each.frame.shows_strangers for each in fresh.values())
    remembered = min(max(REMEMBERED, 10 * len(fresh)), REMEMBERED_AT_MOST)
    return replace(
        story,
        seen=(*story.seen, *fresh)[-remembered:],
        newest=max(latest.frame.time, story.newest or latest.frame.time),
        last_arrival=max(at, story.last_arrival or at),
        lag=max(timedelta(0), latest.at - latest.frame.time),
        frames=story.frames + len(fresh),
        unknown_frames=story.unknown_frames + strangers,
        empty_in=run.id if empty and run.id else story.empty_in,
    )


def _told(story: Story, run: RunRef, now: datetime, watch: Watch) -> Story:
    """With everybody told of who is there for sure by now, or looks better than was told."""
    told, said = list[Sighting](), list[Event]()
    for each in sorted(story.open, key=sightings.beginning):
        after = each
        if not each.id and not each.late and each.is_voted(watch.measures):
            after = _begun(story, each, told, watch, now)
            if after.id:
                said.append(telling.started(story.camera, after, run))
        elif each.id and each.has_news(now, watch.measures):
            after = sightings.updated(each, now)
            said.append(telling.updated(story.camera, after, run))
        told.append(after)
    return replace(story, open=tuple(told), outbox=(*story.outbox, *said))


def _begun(
    story: Story, sighting: Sighting, there: Iterable[Sighting], watch: Watch, now: datetime
) -> Sighting:
    """With an id, and with what it means; as it is, where it is not to be told of, or not yet.

    `there` are the others of this camera. Not yet: within the cooldown. Who is there for longer is
    told of then: of a crowd that nobody knows another may be among them.
    """
    attention = watch.attention(names.of_camera(story.camera), sighting.person, sighting.first.time)
    lasts = [each.last for each in story.cooling if each.person == sighting.person]
    lasts += [each.last.time for each in there if each.id and each.person == sighting.person]
    cooling = any(
        last <= sighting.first.time and sighting.last.time < last + watch.cooldown for last in lasts
    )
    if cooling or attention == Attention.IGNORE:
        return sighting
    return sightings.begun(sighting, story.camera, attention, now)


def _closed_by_newer(story: Story, run: RunRef, watch: Watch) -> Story:
    """Without what frames so much newer were seen after that none which continues it is waited for."""
    if story.newest is None:
        return story
    measures = watch.measures
    waited = story.newest - measures.lateness
    before = waited - measures.gap
    over = [each for each in story.open if each.last.time < before and not each.late]
    if len(story.open) > OPEN_AT_MOST:
        longest_unseen = sorted(story.open, key=lambda each: each.last.time)
        over += [each for each in longest_unseen[:-OPEN_AT_MOST] if each not in over]
    story = _end(story, over, run, watch)
    unsure = sum(not each.id for each in story.open)
    at_most = max(measures.min_frames, VOTES_AT_MOST // max(1, unsure))
    kept = (_lightened(each, waited, measures, at_most) for each in story.open)
    return replace(story, open=tuple(kept))


def _lightened(sighting: Sighting, waited: datetime, measures: Measures, at_most: int) -> Sighting:
    """Without votes of frames that no other can be close to any more, and with `at_most` of them.
    Frames before `waited` are too late.
    """
    if sighting.id:  # it has none any more
        return sighting
    if sighting.late:
        return sightings.thinned(sighting, measures, at_most)
    return sightings.forgetting(sighting, waited - measures.within, at_most)


def _end(story: Story, over: Iterable[Sighting], run: RunRef, watch: Watch) -> Story:
    """Without these. What came too late to be told of before is told now."""
    ended = tuple(over)
    if not ended:
        return story
    told = list[Sighting]()
    for each in sorted(ended, key=sightings.beginning):
        found = each
        if each.late and not each.id and each.is_voted(watch.measures):
            found = _begun(story, each, (*story.open, *told), watch, each.over)
        if found.id:
            told.append(found)
    said = tuple(telling.ended(story.camera, each, run) for each in told)
    rest = tuple(each for each in story.open if each not in ended)
    story = replace(story, open=rest, outbox=(*story.outbox, *said))
    return _cooling(story, told, watch.cooldown)


def _cooling(story: Story, ended: Iterable[Sighting], cooldown: timedelta) -> Story:
    """With what is to be known of these for as long as the cooldown lasts."""
    after = {each.person: each.last for each in story.cooling}
    for each in ended:
        after[each.person] = max(each.last.time, after.get(each.person, each.last.time))
    newest = story.newest or max(after.values(), default=None)
    kept = {who: last for who, last in after.items() if newest and newest < last + cooldown}
    return replace(story, cooling=tuple(Cooling(who, last) for who, last in kept.items()))
