"""A sighting: one person at one camera for a while, made of the frames that show them.

Two parts of a sighting are joined whichever was known first, and nothing that is joined depends on
the order: so records in any order come to the same sightings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from streamctl.core import events
from streamctl.core.records import Box, Frame, Quality, frame_key


@dataclass(frozen=True, slots=True)
class Measures:
    """What makes a sighting, and when it is told."""

    gap: timedelta = timedelta(seconds=30)
    """A person unseen for longer has gone."""
    lateness: timedelta = timedelta(seconds=60)
    """How much later than others a record may be folded, and still continue what it belongs to: it
    was throttled, retried, or another shard's turn. A sighting's end is told later by as much."""
    min_frames: int = 2
    """So many frames must show a person, close together, before they are told of: one may err."""
    within: timedelta = timedelta(seconds=5)
    """How close. A length of time, since of frames that may be late nobody knows which are next to
    each other; about one a second is analysed."""
    update_every: timedelta = timedelta(seconds=10)
    """A better picture is told of at most so often."""


MEASURES: Final = Measures()

_MILLISECOND: Final = timedelta(milliseconds=1)

UNKNOWN: Final = "?"
"""The person whom all faces are taken for that match nobody. At one frame a second a face in one
frame cannot be told to be the face in the next, so strangers are counted and not told apart."""


@dataclass(frozen=True, slots=True)
class FrameRef:
    """Where a frame is found again, and when it was: server's clock, and producer's beside it."""

    fragment: str
    offset: timedelta
    time: datetime
    produced: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """How somebody looks in one frame. `similarity` is 0-100."""

    frame: FrameRef
    similarity: float
    box: Box
    quality: Quality | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time, both ends in it."""

    since: datetime
    until: datetime

    def holds(self, moment: datetime) -> bool:
        return self.since <= moment <= self.until


@dataclass(frozen=True, slots=True)
class Sighting:
    """One person at one camera for a while."""

    person: str
    first: FrameRef
    last: FrameRef
    best: Look
    frames: int
    over: datetime
    """From when on no frame that continues it is waited for, if none is folded before."""
    at_once: int = 1
    """The most faces of that person in one frame: of UNKNOWN, how many strangers at least."""
    votes: tuple[datetime, ...] = ()
    """The times of its frames, in order, until enough of them are close together."""
    late: bool = False
    """Its frames came too late to be live."""
    id: str = ""
    """Given when it is first told of, and never changed; empty until then."""
    attention: str = ""
    """What it means to those who listen, from when it has an id."""
    told: datetime | None = None
    """When it was last told of."""
    told_similarity: float = 0.0
    updates: int = 0
    unpictured: tuple[Span, ...] = ()
    """Of these no picture is to be kept: somebody was there too who was forgotten since."""

    @property
    def is_pictured(self) -> bool:
        """Whether a picture of its best frame may be kept."""
        return not any(span.holds(self.best.frame.time) for span in self.unpictured)

    def touches(self, other: Sighting, gap: timedelta) -> bool:
        """Whether the two are one: the same person, and no gap between them."""
        return (
            self.person == other.person
            and self.first.time - gap <= other.last.time
            and other.first.time - gap <= self.last.time
        )

    def is_voted(self, measures: Measures) -> bool:
        """Whether enough frames close together show this person."""
        ends = self.votes[measures.min_frames - 1 :]
        return any(
            last - first <= measures.within for first, last in zip(self.votes, ends, strict=False)
        )

    def has_news(self, now: datetime, measures: Measures) -> bool:
        """Whether a better picture than the one that was told is to be told."""
        if self.told is None or now - self.told < measures.update_every:
            return False
        return self.best.similarity > self.told_similarity


@dataclass(slots=True)
class _Part:
    """What frames in a row show of one person."""

    looks: list[Look]
    """The one of each frame that is most like them."""
    at_once: int
    late: bool

    def sighting(self, person: str, over: datetime) -> Sighting:
        return Sighting(
            person,
            first=self.looks[0].frame,
            last=self.looks[-1].frame,
            best=max(self.looks, key=_rank),
            frames=len(self.looks),
            over=over,
            at_once=self.at_once,
            votes=tuple(each.frame.time for each in self.looks),
            late=self.late,
        )


Named = Callable[[Frame, str], str | None]
"""Gives the one name of a person in a frame, who may be enrolled under several; None for nobody of
interest."""


def seen_in(
    frames: Iterable[tuple[Frame, bool]], named: Named, gap: timedelta, over: datetime
) -> Iterator[Sighting]:
    """Everybody who is in these frames, as sightings of these frames alone.

    The frames come in the order of their times, each with whether it is late. Of several faces of a
    person in one of them, the one counts that looks most like them.
    """
    parts: dict[str, _Part] = {}
    for frame, late in frames:
        for person, looks in _looks(frame, named).items():
            best = looks[0] if len(looks) == 1 else max(looks, key=_rank)
            part = parts.get(person)
            if part is not None and best.frame.time - part.looks[-1].frame.time <= gap:
                part.looks.append(best)
                part.at_once = max(part.at_once, len(looks))
                part.late = part.late and late
                continue
            if part is not None:
                yield part.sighting(person, over)
            parts[person] = _Part([best], len(looks), late)
    for person, part in parts.items():
        yield part.sighting(person, over)


def _looks(frame: Frame, named: Named) -> dict[str, list[Look]]:
    """How everybody of interest looks in a frame, by name: face by face."""
    looks: dict[str, list[Look]] = {}
    if not frame.faces:
        return looks
    ref = FrameRef(frame.fragment, frame.offset, frame.time, frame.produced)
    for face in frame.faces:
        match = face.best
        person = named(frame, match.person if match else UNKNOWN)
        if person is not None:
            similarity = match.similarity if match else 0.0
            looks.setdefault(person, []).append(Look(ref, similarity, face.box, face.quality))
    return looks


def joined(one: Sighting, other: Sighting) -> Sighting:
    """Both as one. Of two that were told of, the one that began first keeps its id."""
    kept = min((each for each in (one, other) if each.id), key=beginning, default=one)
    return replace(
        kept,
        first=min(one.first, other.first, key=_place),
        last=max(one.last, other.last, key=_place),
        best=max(one.best, other.best, key=_rank),
        frames=one.frames + other.frames,
        over=max(one.over, other.over),
        at_once=max(one.at_once, other.at_once),
        votes=() if kept.id else tuple(sorted(one.votes + other.votes)),
        late=one.late and other.late,
        unpictured=tuple(dict.fromkeys(one.unpictured + other.unpictured)),
    )


def forgetting(sighting: Sighting, before: datetime, at_most: int) -> Sighting:
    """Without votes of frames before a time: no frame that comes yet can be close to them. Of the
    others the latest `at_most`.
    """
    kept = [each for each in sighting.votes if each >= before]
    return replace(sighting, votes=tuple(kept[-at_most:]))


def beginning(sighting: Sighting) -> tuple[datetime, str]:
    """What tells which of two began first."""
    return _place(sighting.first)


def picture_key(sighting: str, fragment: str, offset: timedelta) -> str:
    """The key under which the picture of one frame of a sighting is kept."""
    return f"{pictures_of(sighting)}{fragment}-{round(offset / _MILLISECOND)}.jpg"


def pictures_of(sighting: str) -> str:
    """What the keys of all pictures of a sighting begin with."""
    return f"pictures/{sighting}/"


def thinned(sighting: Sighting, measures: Measures, at_most: int) -> Sighting:
    """With as many votes as are needed, where frames of any time may still come: once there are
    enough close together, those will do; else the latest `at_most`.
    """
    some = sighting.votes[-at_most:]
    for last, vote in enumerate(some[measures.min_frames - 1 :], measures.min_frames):
        enough = some[last - measures.min_frames : last]
        if vote - enough[0] <= measures.within:
            some = enough
            break
    return replace(sighting, votes=some)


def begun(sighting: Sighting, camera: str, attention: str, now: datetime) -> Sighting:
    """As it is once it is told of, under an id of its own."""
    where = frame_key(sighting.first.fragment, sighting.first.offset)
    ident = events.identity(camera, sighting.person, where)
    told = replace(sighting, id=ident, attention=attention, votes=(), told=now)
    return replace(told, told_similarity=sighting.best.similarity)


def updated(sighting: Sighting, now: datetime) -> Sighting:
    """As it is once its better picture is told of."""
    updates = sighting.updates + 1
    return replace(sighting, told=now, told_similarity=sighting.best.similarity, updates=updates)


def _place(frame: FrameRef) -> tuple[datetime, str]:
    return frame.time, frame.fragment


def _rank(look: Look) -> tuple[float, float, float, str]:
    """The higher, the better; no two frames have the same."""
    size = look.box.width * look.box.height
    return look.similarity, size, -look.frame.time.timestamp(), look.frame.fragment
