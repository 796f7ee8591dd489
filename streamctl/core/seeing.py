"""Looking for signs of life, no closer than is needed: what is asked of the world, in which order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from streamctl.core import asking, teardown
from streamctl.core.asking import Asking, Given, ask
from streamctl.core.folding import Story
from streamctl.core.liveness import LAGGING_FROM, Processor, Video
from streamctl.core.runs import Phase, Run, Seen, Step
from streamctl.core.teardown import QUIET

WINDOW: Final = timedelta(minutes=2)
"""How far back fragments are listed at least: more than twice two of the longest (20 s)."""

LOOKBACK: Final = timedelta(minutes=30)
"""How far back they are listed at most, where nobody has looked for long."""

_PEEK: Final = timedelta(minutes=1)


def see(run: Run, story: Story, trigger: str, given: Given, *, glances: bool) -> Asking[Step]:
    """Look for signs of life, and decide.

    A clock goes off whether or not there is reason to worry, so it `glances`: it is content with
    fresh records, or else with fresh video. What has a reason to wake us wants the processor
    described.
    """
    if glances:
        step = yield from _glance(run, story, trigger, given)
        if step is not None:
            return step
    # What is not seen was not there when we began to look: answers may take seconds, and what comes
    # meanwhile is not in them.
    now = given.now()
    last_arrival = yield from _last_arrival(run, story, now)
    video = yield from _video(run, now)
    # Last, so that it is fresh when it is acted on.
    processor = yield from ask(asking.Describe(run.processor))
    seen = _seen(run, story, video, processor, last_arrival)
    return teardown.step(run, seen, now, trigger)


def _glance(run: Run, story: Story, trigger: str, given: Given) -> Asking[Step | None]:
    now, arrived = given.now(), story.last_arrival
    if arrived is not None and now - arrived < QUIET and story.lag < LAGGING_FROM:
        seen = _seen(run, story, Video(), None, arrived)
        return teardown.glance(run, seen, now, trigger)
    if run.phase is not Phase.LIVE or not run.running or story.empty_in == run.id:
        return None  # of such a run a record was due
    video = yield from _video(run, now)
    if video is None:
        return None
    seen = _seen(run, story, video, None, arrived)
    return teardown.glance(run, seen, given.now(), trigger)


def _seen(
    run: Run,
    story: Story,
    video: Video | None,
    processor: Processor | None,
    last_arrival: datetime | None,
) -> Seen:
    return Seen(
        processor=processor,
        camera_exists=video is not None,
        video=video or Video(),
        last_arrival=last_arrival,
        lag=story.lag,
        tells_empty=story.empty_in == run.id,
    )


def _video(run: Run, now: datetime) -> Asking[Video | None]:
    """What was stored since the last sign of life that we know of, and for WINDOW at least."""
    known = run.last_sign or run.since
    since = max(min(known, now - WINDOW), now - LOOKBACK)
    return (yield from ask(asking.RecentVideo(run.camera, since)))


def _last_arrival(run: Run, story: Story, now: datetime) -> Asking[datetime | None]:
    """When the newest record arrived: as remembered, or as results show if that was a while ago.

    Results are looked at directly because a record counts once it has arrived, handled or not:
    the mapping may lag, or be gone.
    """
    remembered = story.last_arrival
    if remembered is not None and now - remembered < QUIET:
        return remembered
    if not run.results:
        return remembered
    since = max(remembered, now - _PEEK) if remembered else now - _PEEK
    found = yield from ask(asking.NewestArrival(run.results, since))
    return max(filter(None, (remembered, found)), default=None)
