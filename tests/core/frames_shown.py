"""Frames with people in them, and a story into which they are folded."""

from datetime import timedelta

from streamctl.core import events, folding
from streamctl.core.folding import Arrival, Story
from streamctl.core.records import Box, Face, Frame, Match, Quality
from streamctl.core.telling import RunRef
from tests.core.scene import CAMERA, at

RUN = RunRef("door", "door@1", "pictures-of-main")
STARTED, UPDATED, ENDED = (
    events.SIGHTING_STARTED,
    events.SIGHTING_UPDATED,
    events.SIGHTING_ENDED,
)


def arrival(second, *people, unknown=0, similarity=90.0, lag=1.0):
    """A frame at `second` in which these people were matched and `unknown` faces were not."""
    box, quality = Box(0.1, 0.1, 0.2, 0.2), Quality(77.0, 92.5)
    faces = [Face(box, 99.0, (Match(p, f"id-{p}", similarity),), quality) for p in people]
    faces += [Face(box, 99.0, (), quality)] * unknown
    frame = Frame(CAMERA, f"{int(second):047d}", timedelta(0), at(second), at(second), tuple(faces))
    return Arrival(frame, at(second + lag))


def fold(*arrivals, story=None, now=None):
    """As if they were folded once the last of them had arrived, if no other time is given."""
    when = max(each.at for each in arrivals) if now is None else at(now)
    return folding.fold(story or Story(CAMERA), arrivals, RUN, when)


def shown(person, *seconds, story=None):
    """Frame by frame, each of them alone."""
    for second in seconds:
        story = fold(arrival(second, person), story=story)
    return story


def said(story):
    return [(event.type, event.detail["person"]) for event in story.outbox]
