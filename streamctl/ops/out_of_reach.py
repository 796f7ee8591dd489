"""What still holds a person after they were forgotten: stores that are not the platform's to empty.

Each is named with how long it keeps what it has, where that is known.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from streamctl.aws import cloudformation, collections, kinesis, kinesisvideo, queues
from streamctl.aws.bus import Rule
from streamctl.aws.session import Aws
from streamctl.core import policy
from streamctl.errors import NotAllowed, NotFound
from streamctl.ops import inventory
from streamctl.ops.inventory import Platform

_QUEUES: Final = {
    "FailureQueueUrl": "records that could not be handled",
    "EventQueueUrl": "events on their way to being kept",
    "EventFailuresUrl": "events that could not be kept",
}


@dataclass(frozen=True, slots=True)
class Left:
    """A place that may hold the person. `keeps_for` counts from when something came to it; None
    where nobody here knows.
    """

    what: str
    where: str
    keeps_for: timedelta | None
    why: str


def places(
    aws: Aws, base: Platform, called: Collection[str], asked: Collection[str]
) -> Iterator[Left]:
    """Every such place, as it stands now; `asked` are the collections that were searched, none for
    all.
    """
    for camera in inventory.cameras(aws, base.name):
        with contextlib.suppress(NotFound):  # being made, or deleted
            yield from _of_camera(aws, camera)
    yield from _queues(aws, base)
    rules = inventory.subscribers(aws, base)
    yield from _failures(aws, base, rules)
    yield from _listeners(rules, called)
    for stack in cloudformation.every(aws):
        other = stack.tags.get(policy.PLATFORM, base.name)
        if other != base.name and policy.CAMERA not in stack.tags:
            again = f"{inventory.command(other)} face forget"
            yield Left("platform", other, None, f"it keeps what it told; {again}")
    if asked:
        for name in collections.names(aws):
            if name not in asked:
                yield Left("collection", name, None, "it was not searched for their faces")
    files = "record save, and event report, picture and clip, write files for whoever asks"
    yield Left("files", "anybody's", None, files)


def _of_camera(aws: Aws, camera: inventory.Camera) -> Iterator[Left]:
    if camera.results:
        kept = kinesis.retention(aws, camera.results)
        yield Left("records", camera.results, kept, "records cannot be deleted one by one")
    if camera.arn and (kept := kinesisvideo.describe(aws, camera.arn).retention):
        yield Left("video", camera.name, kept, "video shows whoever was there")


def _queues(aws: Aws, base: Platform) -> Iterator[Left]:
    for output, what in _QUEUES.items():
        url = base.outputs[output]
        depth = queues.depth(aws, url)
        if depth.messages:
            name = url.rpartition("/")[2]
            yield Left("messages", name, depth.kept_for, f"{depth.messages}: {what}")


def _failures(aws: Aws, base: Platform, rules: Collection[Rule]) -> Iterator[Left]:
    """The queues of what could not be delivered to those who listen, from where it may yet be."""
    whose = {arn: rule.name for rule in rules for arn in rule.failures}
    for arn, rule in whose.items():
        name = arn.rpartition(":")[2]
        try:
            depth = queues.depth(aws, _url(arn, base.outputs["EventFailuresUrl"]))
        except NotFound:
            continue
        except NotAllowed:
            why = f"events that rule {rule} could not deliver, if any: you may not look into it"
            yield Left("messages", name, None, why)
            continue
        if depth.messages:
            why = f"{depth.messages}: events that rule {rule} could not deliver"
            yield Left("messages", name, depth.kept_for, why)


def _url(arn: str, like: str) -> str:
    """A queue's URL: another one's of the region, but for account and name."""
    *_, account, name = arn.split(":")
    return "/".join([*like.split("/")[:-2], account, name])


def _listeners(rules: Collection[Rule], called: Collection[str]) -> Iterator[Left]:
    """Those who listen now: each was told of whatever its rule lets through."""
    for rule in rules:
        why = "it was sent events, which are its targets' now"
        if any(f'"{name}"' in rule.pattern for name in called):
            why += "; its pattern names the person"
        yield Left("events", rule.name, None, why)
