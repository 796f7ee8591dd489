"""What the door asks of the world: requests as values, and what each answers.

A way through the core that needs the world is a generator: it yields a request and is sent the
answer, or has the error thrown into it. So the order of reads, saves and calls, on which everything
depends, is decided here and is the same code in a function, in the model that attacks it and in
the simulation of a fleet; only who answers differs.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from streamctl.core.events import Event
from streamctl.core.folding import Story
from streamctl.core.liveness import Processor, Video
from streamctl.core.runs import Run

A = TypeVar("A")


class Request(Generic[A]):
    """Something asked of the world; A is what it answers. Any may raise Transient instead."""

    __slots__ = ()


Asking = Generator[Request[Any], Any, A]
"""Steps that ask, one request at a time, and come to an A."""


def ask(request: Request[A]) -> Asking[A]:
    """Put one request, for `yield from`; what it answers, with its type."""
    answer: A = yield request
    return answer


@dataclass(frozen=True, slots=True)
class Given:
    """What is not decided but given: the time, names that nobody else has, and dice."""

    now: Callable[[], datetime]
    new_id: Callable[[], str]
    between: Callable[[float, float], float]


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every camera of a platform."""

    platform: str
    min_idle_after: timedelta


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of a camera. `version` is the run's: 0 where none is stored."""

    run: Run | None
    version: int
    story: Story


@dataclass(frozen=True, slots=True)
class Tagged:
    """A processor, and its tags."""

    processor: Processor
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OpenRun:
    """One line of the index of what is open: a run, or a story with an open sighting."""

    camera: str
    due: datetime
    processor: str = ""
    """Empty for a story."""
    expects: str = ""
    """The status that its processor is taken to have; empty where any may be met."""


@dataclass(frozen=True, slots=True)
class Load(Request[Known]):
    """Both items of a camera, read consistently."""

    camera: str


@dataclass(frozen=True, slots=True)
class Save(Request[int]):
    """Store the run if its version is still `against`; answers the new version, or raises Lost."""

    run: Run
    against: int
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Describe(Request[Processor | None]):
    """A processor, by its name; None where there is none."""

    processor: str


@dataclass(frozen=True, slots=True)
class DescribeTagged(Request[Tagged | None]):
    processor: str


@dataclass(frozen=True, slots=True)
class RecentVideo(Request[Video | None]):
    """What ListFragments shows since a moment; None where the camera is gone."""

    camera: str
    since: datetime


@dataclass(frozen=True, slots=True)
class NewestArrival(Request[datetime | None]):
    """When the newest record since a moment arrived in results, handled or not; None for none."""

    results: str
    since: datetime


@dataclass(frozen=True, slots=True)
class CloseSightings(Request[Story]):
    """End the camera's sightings that are over, or all; answers the story as it then is."""

    camera: str
    run: Run | None
    everything: bool


@dataclass(frozen=True, slots=True)
class Publish(Request[None]):
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Send(Request[None]):
    """A message for the clock queue, delivered after this many seconds (900 at most)."""

    message: Mapping[str, Any]
    delay_s: int


@dataclass(frozen=True, slots=True)
class Stop(Request[None]):
    """Stop a run's processor. Raises Busy, NotFound or Throttled."""

    run: Run


@dataclass(frozen=True, slots=True)
class Delete(Request[None]):
    """Delete a run's processor. Raises Busy, NotFound or Throttled."""

    run: Run


@dataclass(frozen=True, slots=True)
class TakeTurn(Request[datetime]):
    """Take the next turn of all that are to be stopped; answers when it is.

    It is `apart` from the one before, or `now` where that is long ago.
    """

    now: datetime
    apart: timedelta


@dataclass(frozen=True, slots=True)
class Wait(Request[None]):
    seconds: float


@dataclass(frozen=True, slots=True)
class ListOpen(Request[tuple[OpenRun, ...]]):
    """The index of what is open, the longest overdue first."""


@dataclass(frozen=True, slots=True)
class ListProcessors(Request[tuple[tuple[str, str], ...]]):
    """Name and status of every processor of the account and region, ours or not."""
