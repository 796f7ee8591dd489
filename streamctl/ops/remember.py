"""Keep what was told: each event in a table, and of each sighting's best frame a picture.

This hangs on the bus like any subscriber, so nothing that is told waits for it. A picture can be
had once the fragment that holds the frame is whole and stored, which may be after the event: then
it is asked for again, ever more slowly.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from streamctl.aws import archive, kept, queues, s3
from streamctl.aws.archive import Still
from streamctl.aws.session import Aws
from streamctl.core import events, heard, sightings
from streamctl.core.heard import SightingEvent
from streamctl.errors import NotFound, RecordError, StreamctlError, Unsuitable
from streamctl.ops import journal
from streamctl.ops.setting import Keeping

ASKED_AGAIN_S: Final = (5, 10, 20, 40, 80, 160)
"""The pauses between tries at a picture: five minutes in all. A fragment lasts at most 20 s."""

NEAR: Final = timedelta(milliseconds=250)
"""How near to its frame a picture is to be, and of the same fragment: a frame or so at 5 FPS. The last
try takes one of any that is as far off as archive.NEAR."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A picture to be had: of the best frame of an event, which this message told. It was asked for
    `tries` times before.
    """

    event: SightingEvent
    told: str
    tries: int


def take(aws: Aws, keeping: Keeping, messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Handle a Lambda batch of SQS messages; the ids of those to be delivered again.

    What fails each time ends in the queue's failure queue. Every event is kept before a picture is
    looked for: one that hangs can take all the time that the function has.
    """
    failed: list[str] = []
    wanted: list[tuple[Mapping[str, Any], _Wanted]] = []
    for message in messages:
        with _delivered_again(message, failed):
            if picture := _keep(aws, keeping, message["body"]):
                wanted.append((message, picture))
    for message, picture in wanted:
        with _delivered_again(message, failed):
            _keep_picture(aws, keeping, picture)
    return failed


@contextlib.contextmanager
def _delivered_again(message: Mapping[str, Any], failed: list[str]) -> Iterator[None]:
    """Note it among those that failed where it cannot be handled."""
    try:
        yield
    except StreamctlError as error:
        journal.note("event to be delivered again", message=message["messageId"], why=error)
        failed.append(message["messageId"])


def _keep(aws: Aws, keeping: Keeping, body: str) -> _Wanted | None:
    """Keep the event; the picture that belongs to it, if one does."""
    told, tries = _told(body)
    event = heard.read(told)
    if event is None:
        return None  # something else on the same bus
    if tries == 0:
        kept.put(aws, keeping.kept, event, told, datetime.now(UTC) + keeping.days)
    if isinstance(event, SightingEvent) and event.best.picture:
        return _Wanted(event, told, tries)
    return None


def _told(body: str) -> tuple[str, int]:
    """The event's message, and how often its picture was asked for: of one that we sent ourselves."""
    try:
        plain = json.loads(body)
        if "tries" not in plain:
            return body, 0
        told, tries = plain["told"], plain["tries"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise RecordError(f"the message is no event: {error!r:.200}") from error
    if not isinstance(told, str) or type(tries) is not int or tries < 1:
        raise RecordError("the message is neither an event nor one to be asked for again")
    return told, tries


def _is_kept(aws: Aws, keeping: Keeping, event: SightingEvent) -> bool:
    """Whether it is kept as it was told: it may have been forgotten, or its picture."""
    held = kept.get(aws, keeping.kept, kept.key_of(event))
    return held is not None and heard.read(held) == event


def _keep_picture(aws: Aws, keeping: Keeping, wanted: _Wanted) -> None:
    """Keep the picture, or see that it is asked for again."""
    event, tries = wanted.event, wanted.tries
    if not _is_kept(aws, keeping, event):
        return
    best, last = event.best, tries >= len(ASKED_AGAIN_S)
    key = sightings.picture_key(event.sighting, best.fragment, timedelta(seconds=best.offset_s))
    if s3.holds(aws, keeping.pictures, key):
        return
    try:
        still = (
            archive.images(aws, event.camera_arn, best.time)
            if last
            else archive.images(
                aws, event.camera_arn, best.time, within=NEAR, fragment=best.fragment
            )
        )
    except (NotFound, Unsuitable) as error:  # the camera is gone, or keeps no video
        journal.note("no picture", **_about(event), why=error)
        return
    if still is not None:
        if _is_kept(aws, keeping, event):  # getting it took a while
            meta = _metadata(still, best.time)
            s3.put(aws, keeping.pictures, key, still.jpeg, "image/jpeg", meta)
    elif last:
        journal.note("no picture", **_about(event), why="the video around it was not stored")
    else:
        again = {"tries": tries + 1, "told": wanted.told}
        queues.send(aws, keeping.queue, again, ASKED_AGAIN_S[tries])


def _metadata(still: Still, wanted: datetime) -> dict[str, str]:
    apart = (still.time - wanted) / timedelta(milliseconds=1)
    return {"taken": events.iso(still.time), "apart-ms": f"{apart:.0f}"}


def _about(event: SightingEvent) -> dict[str, str]:
    return {"camera": event.camera_arn, "sighting": event.sighting}
