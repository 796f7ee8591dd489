"""Forget a person: remove all that a platform holds of them, and write down that it was asked for.

The order makes it safe to be cut off: what tells where the rest is goes last. So the same again
finishes it, and once more does nothing. Faces go first, after which nobody new is matched. What
was on its way then is told and kept within seconds, and is found by a second look. What had been
kept and comes again later is not kept: a mark stands where it was.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from streamctl.aws import collections, kept, s3, table
from streamctl.aws.kept import Key
from streamctl.aws.session import Aws
from streamctl.core import forgetting, forgotten, heard, names
from streamctl.core.folding import Story
from streamctl.core.forgetting import Counts, Pictures, Presence, Stretch
from streamctl.core.forgotten import Request
from streamctl.core.heard import SightingEvent
from streamctl.core.watch import WATCH, Watch
from streamctl.errors import Lost, NotFound, Transient
from streamctl.ops import faces, inventory, keeping, stories
from streamctl.ops.inventory import Platform
from streamctl.ops.setting import WATCH_KEY, story_key
from streamctl.ops.waiting import Progress

_TRAIL: Final = "forgotten#"
_PICTURES: Final = "pictures/"
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Found:
    """What there is of a person, and where: all that is to go."""

    platform: Platform
    names: frozenset[str]
    faces: Mapping[str, tuple[str, ...]]
    """The ids of their faces, by collection."""
    collections: tuple[str, ...]
    """Where alone these were looked for; none: everywhere."""
    cameras: tuple[str, ...]
    """The ARNs of cameras whose stories tell of them, or of somebody who was there with them."""
    sightings: frozenset[str]
    stretches: tuple[Stretch, ...]
    there: Presence
    events: tuple[Key, ...]
    shown: Mapping[Key, str]
    """Kept events of others that must lose their picture, with their messages."""
    pictures: frozenset[str]
    """The keys of pictures of the person, and of such as no kept event tells of."""
    counts: Counts


def look(
    aws: Aws, platform: str, people: Collection[str], asked: Collection[str], progress: Progress
) -> Found:
    """What there is of a person, who is called by these names; nothing is touched.

    Their faces are looked for in the collections `asked`, or else in every one of the account and
    region. Raises NotFound for no such platform or collection, AskedWrongly for what is no name.
    """
    for name in people:
        names.person(name)
    base = keeping.keeper(aws, platform)
    watch = _watch(aws, base).thing or WATCH
    called = forgetting.names_of(watch, people)
    progress("looking through the collections")
    known = _faces(aws, called, asked)
    told = _told(aws, base, called, (), frozenset(), progress)
    watched = forgetting.watched(watch, called)
    found = sum(map(len, known.values()))
    counts = replace(told.counts, faces=found, watched=watched)
    return replace(told, faces=known, collections=tuple(asked), counts=counts)


def forget(aws: Aws, found: Found, progress: Progress) -> Request:
    """Remove what was found, and what came after it; the entry of the trail about it.

    Raises what AWS says to a removal that it refuses. What is left then is found again by `look`.
    """
    base = found.platform
    entry = _begun(aws, found)
    for collection, ids in found.faces.items():
        progress(f"removing faces from collection {collection}")
        faces.remove(aws, collection, (), ids)
    _remove(aws, found, progress)
    counts = found.counts
    if counts != Counts():
        progress("waiting for what was on its way")
        time.sleep(forgetting.SETTLES.total_seconds())
        late = _told(aws, base, found.names, found.stretches, found.sightings, progress)
        _remove(aws, late, progress)
        counts = counts.plus(late.counts)
    _unwatch(aws, base, found.names)
    entry = replace(entry, done=datetime.now(UTC), removed=counts)
    _write(aws, base, entry)
    return entry


def trail(aws: Aws, platform: str) -> list[Request]:
    """Every request to forget somebody, in order of time. Raises NotFound for no such platform."""
    return _trail(aws, inventory.usable_platform(aws, platform))


def _begun(aws: Aws, found: Found) -> Request:
    """The entry for what is to go, and what went before in those that this one goes on with.

    So the trail tells how much was removed also of what was killed and could not tell it.
    """
    base = found.platform
    salt = secrets.token_hex(forgotten.SALT_BYTES)
    entry = forgotten.request(
        found.names, aws.caller, datetime.now(UTC), salt, found.counts, found.collections
    )
    before = forgotten.cut_off(_trail(aws, base), entry, found.names)
    _write(aws, base, entry)
    for each in forgotten.told(before, entry):
        _write(aws, base, each)
    return entry


def _trail(aws: Aws, base: Platform) -> list[Request]:
    found = table.search(aws, base.outputs["TableName"], _TRAIL, "digests", Request)
    return sorted(found, key=forgotten.identity)


def _write(aws: Aws, base: Platform, entry: Request) -> None:
    """Save an entry, also over one that another run wrote of it meanwhile."""
    name, key = base.outputs["TableName"], f"{_TRAIL}{forgotten.identity(entry)}"
    for _ in range(_ATTEMPTS):
        saved = table.load_one(aws, name, key, Request)
        try:
            table.save(aws, name, key, entry, saved.version)
        except Lost:
            continue
        return
    raise Transient(
        f"entry {forgotten.identity(entry)} of the trail changed {_ATTEMPTS} times meanwhile",
        hint="the same command again goes on from here",
    )


def _told(
    aws: Aws,
    base: Platform,
    called: frozenset[str],
    stretches: Collection[Stretch],
    sightings: frozenset[str],
    progress: Progress,
) -> Found:
    """What was told of a person and what is to be told; `stretches` and `sightings` are those that
    are known of before.
    """
    progress("looking for what was told")
    outputs = base.outputs
    telling = list(table.search(aws, outputs["TableName"], story_key(""), '"person":', Story))
    theirs = [each for story in telling for each in forgetting.in_story(story, called)]
    rows = [key for name in called for key in kept.of_person(aws, outputs["KeptName"], name)]
    for about in {key.about for key in rows}:
        for message in kept.about(aws, outputs["KeptName"], about):
            event = heard.read(message)
            if isinstance(event, SightingEvent):
                theirs.append((about, forgetting.stretch_of(event)))
    ids = frozenset({each for each, _ in theirs if each} | {key.about for key in rows})
    times = tuple({*stretches, *(stretch for _, stretch in theirs)})
    gap = (_watch(aws, base).thing or WATCH).measures.gap
    there = forgetting.presence(times, gap)
    progress("looking for pictures")
    shown, pictures = _pictures(aws, base, ids | sightings, there)
    untold = sum(not each for each, _ in theirs)
    counts = Counts(
        sightings=len(ids - sightings) + untold,
        events=len(rows),
        pictures=len(pictures.own),
        others_pictures=len(pictures.of_others),
    )
    return Found(
        platform=base,
        names=called,
        faces={},
        collections=(),
        cameras=tuple(
            story.camera for story in telling if forgetting.without(story, called, there) != story
        ),
        sightings=ids | sightings,
        stretches=times,
        there=there,
        events=tuple(rows),
        shown=shown,
        pictures=frozenset(pictures.keys),
        counts=counts,
    )


def _pictures(
    aws: Aws, base: Platform, theirs: frozenset[str], there: Presence
) -> tuple[dict[Key, str], Pictures]:
    """The events of others that must lose their picture; the pictures that are to go.

    An event is kept before its picture is, so of a picture that was listed first the event is there.
    """
    keys = s3.keys_under(aws, base.outputs["PicturesName"], _PICTURES)
    found = Pictures(keys, theirs, there)
    shown = {
        key: message
        for key, message in kept.every(aws, base.outputs["KeptName"])
        if (event := heard.read(message)) is not None and found.note(event)
    }
    return shown, found


def _remove(aws: Aws, found: Found, progress: Progress) -> None:
    """All but faces. Last the events, by which the person's sightings are known."""
    outputs = found.platform.outputs
    progress("removing pictures")
    for key, message in found.shown.items():
        kept.rewrite(aws, outputs["KeptName"], key, forgetting.without_picture(message))
    s3.delete_keys(aws, outputs["PicturesName"], _PICTURES, found.pictures)
    progress("removing sightings")
    for camera in found.cameras:
        _untell(aws, found, camera)
    until = datetime.now(UTC) + forgetting.COMES_AGAIN
    kept.forget(aws, outputs["KeptName"], found.events, until)


def _untell(aws: Aws, found: Found, camera: str) -> None:
    """Take a person out of a camera's story, which others keep saving meanwhile."""
    name = found.platform.outputs["TableName"]
    for _ in range(_ATTEMPTS):
        saved = table.load_one(aws, name, story_key(camera), Story)
        story = saved.thing and forgetting.without(saved.thing, found.names, found.there)
        if story is None or story == saved.thing:
            return
        try:
            stories.save(aws, name, story, saved.version)
        except Lost:
            continue
        return
    raise Transient(
        f"the story of camera {names.of_camera(camera)} changed {_ATTEMPTS} times meanwhile",
        hint="the same command again goes on from here",
    )


def _unwatch(aws: Aws, base: Platform, called: Collection[str]) -> None:
    """Take a person out of what the platform watches for. Raises Transient where others change it."""
    name = base.outputs["TableName"]
    for _ in range(_ATTEMPTS):
        saved = _watch(aws, base)
        if saved.thing is None or not forgetting.watched(saved.thing, called):
            return
        try:
            table.save(
                aws, name, WATCH_KEY, forgetting.unwatched(saved.thing, called), saved.version
            )
        except Lost:
            continue
        return
    raise Transient(
        f"what platform {base.name} watches for changed {_ATTEMPTS} times meanwhile",
        hint="the same command again goes on from here",
    )


def _faces(aws: Aws, called: Collection[str], asked: Collection[str]) -> dict[str, tuple[str, ...]]:
    """A person's faces, by collection. One that is deleted meanwhile holds nobody."""
    found = {}
    for collection in asked or list(collections.names(aws)):
        try:
            ids = tuple(
                face.face_id
                for face in faces.every(aws, collection)
                if (face.person or face.face_id) in called
            )
        except NotFound:
            if asked:
                raise
            continue
        if ids:
            found[collection] = ids
    return found


def _watch(aws: Aws, base: Platform) -> table.Saved[Watch]:
    return table.load_one(aws, base.outputs["TableName"], WATCH_KEY, Watch)
