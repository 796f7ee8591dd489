"""What would be told of saved records: the very code that folds live ones, on its own clock.

Each record is folded at the moment at which it arrived, and sightings end when a clock would have
ended them in between. So what was told once is told again, and can be looked at step by step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from streamctl.core import folding
from streamctl.core.events import Event
from streamctl.core.folding import Arrival, Story
from streamctl.core.telling import RunRef
from streamctl.core.watch import WATCH, Watch

_NO_RUN = RunRef()


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and when it would have been told."""

    at: datetime
    event: Event


def replay(arrivals: Iterable[Arrival], watch: Watch = WATCH) -> Iterator[Told]:
    """Everything that would be told, as the records come; at their end, of what is open still.

    Records of several cameras may be mixed; each camera's are to come as they arrived.
    """
    stories: dict[str, Story] = {}
    now: datetime | None = None
    for arrival in arrivals:
        now = arrival.at if now is None else max(now, arrival.at)
        yield from _clocks(stories, now, watch)
        camera = arrival.frame.camera
        before = stories.get(camera, Story(camera))
        yield from _keep(stories, folding.fold(before, [arrival], _NO_RUN, now, watch), now)
    if now is not None:
        for story in list(stories.values()):
            yield from _keep(stories, folding.close_all(story, _NO_RUN, watch), now)


def _clocks(stories: dict[str, Story], now: datetime, watch: Watch) -> Iterator[Told]:
    """What clocks end until then, the first first."""
    while True:
        due = [(each.next_close, each.camera) for each in stories.values() if each.next_close]
        at, camera = min(due, default=(None, ""))
        if at is None or at > now:
            return
        yield from _keep(stories, folding.close(stories[camera], at, _NO_RUN, watch), at)


def _keep(stories: dict[str, Story], story: Story, now: datetime) -> Iterator[Told]:
    stories[story.camera] = folding.published(story)
    for event in story.outbox:
        yield Told(now, event)
