"""Looking back at what a platform told, as far as it is kept: a list, a picture, a clip."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import ModuleType
from typing import BinaryIO, Final

from streamctl.aws import archive
from streamctl.aws.archive import Clip
from streamctl.aws.session import Aws
from streamctl.core import chronicle, names
from streamctl.core.chronicle import Entry, SightingEntry
from streamctl.core.heard import SightingEvent
from streamctl.errors import AskedWrongly, Missing, NotFound
from streamctl.ops import inventory, keeping

AROUND: Final = timedelta(seconds=5)
"""So much of the video before and after a sighting shows where somebody came from, and went."""


class Cut(StrEnum):
    """What of a picture is looked at."""

    WHOLE = "whole"
    BOX = "box"
    CROP = "crop"


@dataclass(frozen=True, slots=True)
class Looked:
    """A picture of a sighting, made to be looked at. It was taken `apart` later than the best frame,
    so the box, which is that frame's, may be beside the face.
    """

    event: SightingEvent
    taken: datetime
    apart: timedelta
    jpeg: bytes = field(repr=False)


def back(
    aws: Aws,
    platform: str,
    since: datetime,
    until: datetime,
    camera: str | None = None,
    person: str | None = None,
) -> tuple[Entry, ...]:
    """What was told of a time: of one camera, of one person, if asked for; in order of time.

    Raises NotFound where there is no such platform, AskedWrongly for a time that ends before it
    begins, and for names that cannot be.
    """
    if since >= until:
        raise AskedWrongly(
            f"nothing is between {since.isoformat()} and {until.isoformat()}",
            hint="--since must be before --until, which is now if not given",
        )
    if camera is not None:
        names.camera(camera)
    if person is not None:
        names.person(person)
    return chronicle.of(keeping.told(aws, platform, since, until), camera, person)


def picture(aws: Aws, platform: str, ident: str, cut: Cut) -> Looked:
    """The picture of a sighting's best frame, of the sighting or the event that has this id.

    Raises NotFound where nothing is known of it or no picture is there, AskedWrongly for what is no
    id, Missing where it is to be drawn on without PyAV, Unsuitable for a box outside of it.
    """
    entry, event = _found(aws, platform, ident)
    looked = event or entry.event
    found = keeping.picture(aws, platform, looked)
    if found is None:
        raise NotFound(
            f"there is no picture of sighting {looked.sighting}",
            hint="it comes some seconds after its event, and expires before the event; the video"
            f" may show more: {inventory.command(platform)} event clip {ident} FILE.mp4",
        )
    jpeg = found.jpeg
    if cut is Cut.BOX:
        jpeg = drawing().boxed(jpeg, looked.best.box).jpeg
    elif cut is Cut.CROP:
        jpeg = drawing().crop(jpeg, looked.best.box).jpeg
    return Looked(looked, found.taken, found.apart, jpeg)


def clip(
    aws: Aws, platform: str, ident: str, around: timedelta, to: BinaryIO
) -> tuple[SightingEntry, Clip]:
    """Write the video of a sighting as an MP4, with so much before and after it; what was written.

    `ident` is the id of the sighting, or of one of its events. Raises NotFound where nothing is
    known of it or no video is kept any more, and what archive.clip raises.
    """
    entry, _ = _found(aws, platform, ident)
    begin, end = entry.time - around, entry.last + around
    try:
        return entry, archive.clip(aws, entry.event.camera_arn, begin, end, to)
    except NotFound as error:
        raise NotFound(
            str(error),
            hint="a camera keeps video as long as its retention says:"
            f" {inventory.command(platform)} camera describe {entry.event.camera}",
        ) from error


def drawing() -> ModuleType:
    """streamctl.media.drawing, loaded when it is needed. Raises Missing where PyAV is not there."""
    try:
        from streamctl.media import drawing as found  # noqa: PLC0415  (optional, and slow to load)
    except ImportError as error:
        raise Missing(
            "making pictures to be looked at needs PyAV, which is not installed",
            hint="pip install 'streamctl[media]'; streamctl event picture --whole does without",
        ) from error
    return found


def _found(aws: Aws, platform: str, ident: str) -> tuple[SightingEntry, SightingEvent | None]:
    """The sighting, and its event if the id is an event's."""
    about, slash, kind = ident.partition("/")
    if not about or (slash and not kind.startswith("sighting-")):
        raise AskedWrongly(
            f"'{ident}' is not the id of a sighting, or of an event of one",
            hint=f"{inventory.command(platform)} event list",
        )
    told = keeping.of_sighting(aws, platform, about.partition(".")[0])
    (entry,) = chronicle.sightings(told)
    event = next((each for each in told if each.id == ident), None)
    if slash and event is None:
        raise NotFound(
            f"there is no event {ident} of sighting {entry.id}",
            hint=f"ask for the sighting: {about.partition('.')[0]}",
        )
    return entry, event
