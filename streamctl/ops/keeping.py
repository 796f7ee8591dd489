"""What a platform keeps of what it told: events for a while, and pictures of sightings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from streamctl.aws import kept, s3
from streamctl.aws.session import Aws
from streamctl.core import heard
from streamctl.core.heard import Heard, SightingEvent
from streamctl.errors import NotFound, StreamctlError
from streamctl.ops import inventory
from streamctl.ops.inventory import Platform

_AHEAD: Final = timedelta(minutes=1)
"""AWS's clock, which says when an event was, may be ahead of ours by less."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture of an event's best frame: `apart` is by how much it was taken later."""

    jpeg: bytes = field(repr=False)
    taken: datetime
    apart: timedelta


def told(aws: Aws, platform: str, since: datetime, until: datetime) -> list[Heard]:
    """All that was told of this time, in order of time: as far back as the platform keeps events,
    and no further than now.

    An event is kept within a second or so of being told. Raises NotFound for no such platform.
    """
    base = keeper(aws, platform)
    now = datetime.now(UTC)
    kept_since = now - timedelta(days=int(base.outputs["KeepDays"]))
    # Each hour is a query: years of them, gone or to come, would be in vain.
    since, until = max(since, kept_since), min(until, now + _AHEAD)
    if since > until:  # which a query within one hour refuses
        return []
    return list(_read(kept.between(aws, base.outputs["KeptName"], since, until)))


def of_sighting(aws: Aws, platform: str, sighting: str) -> list[SightingEvent]:
    """What was told of one sighting, in order of time. Raises NotFound if nothing is known of it."""
    base = keeper(aws, platform)
    found = [
        event
        for event in _read(kept.about(aws, base.outputs["KeptName"], sighting))
        if isinstance(event, SightingEvent)
    ]
    if not found:
        raise NotFound(
            f"platform {platform} keeps no sighting {sighting}",
            hint=f"{inventory.command(platform)} event list; events are kept for"
            f" {base.outputs['KeepDays']} days",
        )
    return sorted(found, key=lambda event: event.time)


def picture(aws: Aws, platform: str, event: SightingEvent) -> Picture | None:
    """The picture of an event's best frame; None where there is none yet, any more, or at all."""
    return picture_of(aws, keeper(aws, platform), event)


def picture_of(aws: Aws, base: Platform, event: SightingEvent) -> Picture | None:
    """As `picture`, of a platform that was looked up already: who asks for many does that once."""
    if event.best.picture is None:
        return None
    try:
        stored = s3.get(aws, base.outputs["PicturesName"], event.best.picture.key)
    except NotFound:
        return None
    taken = datetime.fromisoformat(stored.metadata["taken"])
    return Picture(stored.body, taken, timedelta(milliseconds=int(stored.metadata["apart-ms"])))


def keeper(aws: Aws, platform: str) -> Platform:
    """The platform. Raises StreamctlError where it was deployed before anything was kept."""
    base = inventory.usable_platform(aws, platform)
    if "KeptName" not in base.outputs:
        raise StreamctlError(
            f"platform {platform} keeps no events: it was deployed by an older version",
            hint=f"{inventory.command(platform)} stack deploy",
        )
    return base


def _read(messages: Iterable[str]) -> Iterator[Heard]:
    """What was kept was read when it was: nothing in it can be wrong but its kind."""
    for message in messages:
        event = heard.read(message)
        if event is not None:
            yield event
