"""Sightings: who was seen at a camera, from when until when, from matches that come frame by frame.

A camera's story holds the sightings that are open, what was counted, and the events that were
decided but perhaps not yet published. Folding the same frame twice changes nothing. A sighting is
over when no frame of it has *arrived* for GAP and LATENESS: arrival is the server's clock, and by
it frames that Rekognition delivers late do not end what they continue.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from streamctl.core import events
from streamctl.core.events import Event
from streamctl.core.records import Box, Face, Frame

GAP: Final = timedelta(seconds=30)
"""A person unseen for this long has gone."""

LATENESS: Final = timedelta(seconds=60)
"""How long a record may lie in results before it is folded (throttled, retried, another shard's turn
first) and still continue what it belongs to. A sighting's end is told later by as much."""

REMEMBERED: Final = 300
"""Frames whose tokens are kept, so that a repeat is known: five minutes at one frame a second."""

PLAUSIBLE: Final = timedelta(hours=1)
"""A producer's clock that is further off the server's says nothing: real ones were seen at zero,
and days off."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class FrameRef:
    """Where a frame is found again, and when it was: server's clock, and producer's beside it."""

    fragment: str
    offset: timedelta
    time: datetime
    produced: datetime


@dataclass(frozen=True, slots=True)
class Sighting:
    """One person at one camera for a while. `best_similarity` is 0-100."""

    id: str
    person: str
    first: FrameRef
    last: FrameRef
    best: FrameRef
    best_similarity: float
    best_box: Box
    frames: int
    arrived: datetime
    """When the latest of its frames arrived in results."""

    @property
    def over_at(self) -> datetime:
        """From when on no frame that continues it is waited for."""
        return self.arrived + GAP + LATENESS


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame, and when its record arrived in results."""

    frame: Frame
    at: datetime


@dataclass(frozen=True, slots=True)
class RunRef:
    """The run that sightings are reported under; empty where it is not known yet."""

    processor: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """What is remembered of one camera's sightings."""

    camera: str
    open: tuple[Sighting, ...] = ()
    seen: tuple[str, ...] = ()
    """Tokens of the latest frames, oldest first."""
    last_arrival: datetime | None = None
    lag: timedelta = timedelta(0)
    """From a frame to the arrival of its record, for the latest record."""
    frames: int = 0
    unknown_frames: int = 0
    """Frames with a face that matched nobody."""
    empty_in: str = ""
    """The latest run that wrote a record for a frame without faces: not every engine does."""
    outbox: tuple[Event, ...] = ()
    """Decided, saved, and to be published: at least once, with the same ids each time."""

    @property
    def next_close(self) -> datetime | None:
        """When the first of the open sightings is over, if none of its frames arrives."""
        return min((each.over_at for each in self.open), default=None)


def fold(story: Story, arrivals: Iterable[Arrival], run: RunRef) -> Story:
    """The story with these frames in it. Frames that it knows already change nothing."""
    fresh = _fresh(story, arrivals)
    if not fresh:
        return story
    seen, started = list(story.open), list[Sighting]()
    for arrival in fresh.values():
        for person, face in _people(arrival.frame).items():
            started += _meet(seen, arrival, person, face)
    said = [_event(events.SIGHTING_STARTED, story.camera, each, run) for each in started]
    story = _counted(story, fresh, run)
    return replace(story, open=tuple(seen), outbox=(*story.outbox, *said))


def close(story: Story, now: datetime, run: RunRef) -> Story:
    """The story with every sighting ended that is over by now."""
    over = [each for each in story.open if each.over_at <= now]
    return _end(story, over, run)


def close_all(story: Story, run: RunRef) -> Story:
    """The story with every sighting ended, because the camera's video has."""
    return _end(story, story.open, run)


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


def _counted(story: Story, fresh: Mapping[str, Arrival], run: RunRef) -> Story:
    """The story with these frames remembered and counted, whoever is in them."""
    *_, latest = fresh.values()
    at = max(each.at for each in fresh.values())
    empty = any(not each.frame.faces for each in fresh.values())
    strangers = sum(any(not f.matches for f in each.frame.faces) for each in fresh.values())
    return replace(
        story,
        seen=(*story.seen, *fresh)[-REMEMBERED:],
        last_arrival=max(at, story.last_arrival or at),
        lag=max(timedelta(0), latest.at - latest.frame.time),
        frames=story.frames + len(fresh),
        unknown_frames=story.unknown_frames + strangers,
        empty_in=run.id if empty and run.id else story.empty_in,
    )


def _people(frame: Frame) -> dict[str, Face]:
    """Each person once, with the face that looks most like them."""
    people: dict[str, Face] = {}
    for face in frame.faces:
        if best := face.best:
            rival = people.get(best.person)
            if rival is None or _similarity(rival) < best.similarity:
                people[best.person] = face
    return people


def _meet(seen: list[Sighting], arrival: Arrival, person: str, face: Face) -> list[Sighting]:
    """Extend the sighting that this match continues; or begin one, and return it."""
    for index, sighting in enumerate(seen):
        if _continues(sighting, person, arrival.frame.time):
            seen[index] = _extended(sighting, arrival, face)
            return []
    begun = _begun(arrival, person, face)
    seen.append(begun)
    return [begun]


def _continues(sighting: Sighting, person: str, time: datetime) -> bool:
    return (
        sighting.person == person and sighting.first.time - GAP <= time <= sighting.last.time + GAP
    )


def _begun(arrival: Arrival, person: str, face: Face) -> Sighting:
    frame = _ref(arrival.frame)
    return Sighting(
        id=events.identity(arrival.frame.camera, person, arrival.frame.key),
        person=person,
        first=frame,
        last=frame,
        best=frame,
        best_similarity=_similarity(face),
        best_box=face.box,
        frames=1,
        arrived=arrival.at,
    )


def _extended(sighting: Sighting, arrival: Arrival, face: Face) -> Sighting:
    frame = _ref(arrival.frame)
    longer = replace(
        sighting,
        first=frame if frame.time < sighting.first.time else sighting.first,
        last=frame if frame.time > sighting.last.time else sighting.last,
        frames=sighting.frames + 1,
        arrived=max(sighting.arrived, arrival.at),
    )
    if _similarity(face) <= sighting.best_similarity:
        return longer
    return replace(longer, best=frame, best_similarity=_similarity(face), best_box=face.box)


def _end(story: Story, over: Iterable[Sighting], run: RunRef) -> Story:
    ended = tuple(over)
    if not ended:
        return story
    said = tuple(_event(events.SIGHTING_ENDED, story.camera, each, run) for each in ended)
    rest = tuple(each for each in story.open if each not in ended)
    return replace(story, open=rest, outbox=(*story.outbox, *said))


def _event(kind: str, camera: str, sighting: Sighting, run: RunRef) -> Event:
    now = sighting.last if kind == events.SIGHTING_ENDED else sighting.first
    detail: dict[str, Any] = {
        "camera": camera,
        "processor": run.processor,
        "run": run.id,
        "time": _iso(now.time),
        "producer_time": _iso(now.produced),
        "sighting": sighting.id,
        "person": sighting.person,
        "started": _frame(sighting.first),
        "frames": sighting.frames,
        "best": {
            **_frame(sighting.best),
            "similarity": sighting.best_similarity,
            "box": {
                "left": sighting.best_box.left,
                "top": sighting.best_box.top,
                "width": sighting.best_box.width,
                "height": sighting.best_box.height,
            },
        },
    }
    if kind == events.SIGHTING_ENDED:
        detail["ended"] = _frame(sighting.last)
    return events.event(kind, sighting.id, detail)


def _frame(ref: FrameRef) -> dict[str, Any]:
    return {
        "fragment": ref.fragment,
        "offset_s": ref.offset.total_seconds(),
        "time": _iso(ref.time),
        "producer_time": _iso(ref.produced),
    }


def _ref(frame: Frame) -> FrameRef:
    return FrameRef(frame.fragment, frame.offset, frame.time, frame.produced)


def _similarity(face: Face) -> float:
    return face.best.similarity if face.best else 0.0


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
