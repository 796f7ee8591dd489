"""Save a camera's sightings and say what changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from streamctl.aws import bus, table
from streamctl.aws.session import Aws
from streamctl.core import folding
from streamctl.core.folding import Story
from streamctl.core.runs import Run
from streamctl.core.teardown import FINISHED_EXPIRES
from streamctl.core.telling import RunRef
from streamctl.core.watch import WATCH, Watch
from streamctl.errors import Lost
from streamctl.ops.setting import WATCH_KEY, Setting, story_key

_ATTEMPTS: Final = 3


def under(setting: Setting, run: Run | None) -> RunRef:
    """What sightings are told under: the run if one is known, and where their pictures are kept."""
    if run is None:
        return RunRef(pictures=setting.pictures)
    return RunRef(run.processor, run.id, setting.pictures)


def save(aws: Aws, name: str, story: Story, against: int) -> int:
    """Save a story in the table of that name; its new version. Raises Lost if somebody was first.

    While a sighting is open, or something is to be published, it stands in the index of what is
    due, so that the sweep sees to it even if nothing else ever comes by. Else it expires some time
    after the camera's last record: it may still name whoever is not told of again for a while.
    """
    now = datetime.now(UTC)
    due = now if story.outbox else story.next_close
    open_as = table.Open(due) if due else None
    expires = None if due else now + FINISHED_EXPIRES
    key = story_key(story.camera)
    return table.save(aws, name, key, story, against, open_as=open_as, expires=expires)


def store(aws: Aws, setting: Setting, story: Story, against: int) -> Story:
    """Save a story, publish its outbox, and save that it was. Raises Lost if somebody was first."""
    version = save(aws, setting.table, story, against)
    if not story.outbox:
        return story
    bus.publish(aws, setting.bus, story.outbox)
    story = folding.published(story)
    save(aws, setting.table, story, version)
    return story


def close(aws: Aws, setting: Setting, camera: str, run: Run | None, *, everything: bool) -> Story:
    """End the sightings that are over, or all of them, and publish what is left to publish.

    Where others keep saving this story meanwhile it is left to them: it stays due.
    """
    told_under = under(setting, run)
    for _ in range(_ATTEMPTS):
        found = table.load(aws, setting.table, {story_key(camera): Story, WATCH_KEY: Watch})
        saved, watch = found[story_key(camera)], found[WATCH_KEY].thing or WATCH
        story = saved.thing or Story(camera)
        if everything:
            closed = folding.close_all(story, told_under, watch)
        else:
            closed = folding.close(story, datetime.now(UTC), told_under, watch)
        if closed == story and not story.outbox:
            return story
        try:
            return store(aws, setting, closed, saved.version)
        except Lost:
            continue
    return story
