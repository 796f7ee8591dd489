"""The messages in which a subscriber's queue gets what was told of people shown to a camera."""

import json

from streamctl.core import folding
from streamctl.core.folding import Story
from streamctl.core.watch import WATCH
from tests.core.frames_shown import CAMERA, RUN


def told(*frames, watch=WATCH):
    """Their bodies, as EventBridge makes them."""
    story = Story(CAMERA)
    for shown in frames:
        story = folding.fold(story, [shown], RUN, shown.at, watch)
    return [
        envelope(each.type, each.detail) for each in folding.close_all(story, RUN, watch).outbox
    ]


def envelope(kind, detail, source="streamctl"):
    return json.dumps({"source": source, "detail-type": kind, "detail": detail})
