"""What a platform watches for: read it, change it, ask what it would make of somebody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from streamctl.aws import table
from streamctl.aws.session import Aws
from streamctl.core import names, watchfile
from streamctl.core.sightings import UNKNOWN
from streamctl.core.watch import WATCH, Attention, Watch
from streamctl.errors import AskedWrongly, Lost
from streamctl.ops import inventory
from streamctl.ops.setting import WATCH_KEY


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody would mean, and the number of the rule that says so: None where none does."""

    attention: Attention
    rule: int | None


def read(aws: Aws, platform: str) -> Watch:
    """What the platform watches for. Raises NotFound where there is no such platform."""
    return _stored(aws, _table(aws, platform)).thing or WATCH


def apply(aws: Aws, platform: str, text: str, file: str) -> tuple[Watch, bool]:
    """Let it watch for what a file's text says, from the next batch on; whether that is a change.

    Raises AskedWrongly, with the file's name, for a text that says nothing that can be meant: then
    nothing has changed.
    """
    wanted = watchfile.parse(text, file)
    name = _table(aws, platform)
    saved = _stored(aws, name)
    if wanted == (saved.thing or WATCH):
        return wanted, False
    try:
        table.save(aws, name, WATCH_KEY, wanted, saved.version)
    except Lost as error:
        raise AskedWrongly(
            f"somebody else changed what platform {platform} watches for just now",
            hint="look at it, and apply again: streamctl watch show",
        ) from error
    return wanted, True


def ask(aws: Aws, platform: str, camera: str, person: str, moment: datetime) -> Answer:
    """What somebody would mean who is first seen then. `person` UNKNOWN: who matches nobody."""
    names.camera(camera)
    if person != UNKNOWN:
        names.person(person)
    watch = read(aws, platform)
    called = watch.called(person)
    rule = watch.covering(camera, called, moment)
    attention = watch.attention(camera, called, moment)
    return Answer(attention, None if rule is None else rule + 1)


def _table(aws: Aws, platform: str) -> str:
    return inventory.usable_platform(aws, platform).outputs["TableName"]


def _stored(aws: Aws, name: str) -> table.Saved[Watch]:
    return table.load_one(aws, name, WATCH_KEY, Watch)
