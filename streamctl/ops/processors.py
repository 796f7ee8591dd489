"""Creating processors, starting, stopping and deleting them. Waiting for them is in waiting.py.

Rekognition is asked once for each; that a stop or a start has happened, only Describe tells.
Doing anything twice is doing it once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from streamctl.aws import queues, rekognition
from streamctl.aws.session import Aws
from streamctl.core import failures, names
from streamctl.core.liveness import Status
from streamctl.core.policy import OnEnd, Ownership, Policy, format_duration, to_tags
from streamctl.errors import Busy, NotFound, StreamctlError, Throttled
from streamctl.ops import cameras, inventory, requirements
from streamctl.ops.inventory import Camera, OwnedProcessor

Progress = Callable[[str], None]

_NAME_HELD_S: Final = 10.0
"""A deleted processor's name may be unusable for a few seconds (API reference, Delete...)."""
_STOP_PATIENCE_S: Final = 15.0
_STOP_INTERVAL_S: Final = 1.1  # one stop per second and account (quotas, General Reference)
_STALE_S: Final = 5.0
_AGAIN_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Order:
    """A processor to create. `threshold` is the lowest similarity that counts as a match."""

    name: str
    camera: str
    collection: str
    threshold: float = 80.0
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True)
class Started:
    """What a start came to: whether there was anything to start, and what may be wrong."""

    is_new: bool
    warnings: tuple[str, ...]


def create(
    aws: Aws, platform: str, order: Order, progress: Progress
) -> tuple[OwnedProcessor, bool]:
    """Create a processor, stopped; it, and whether it is new.

    Raises AskedWrongly, NotFound or Unsuitable, with the cure, for what could not work; Busy if
    another processor has the name or the camera.
    """
    camera, wanted = _prepare(aws, platform, order)
    deadline = time.monotonic() + _NAME_HELD_S
    while True:
        try:
            rekognition.create(aws, wanted)
            return _created(aws, order.name), True
        except Busy as error:
            found = _same(aws, wanted)
            if found:
                return found, False
            _refuse_used(aws, camera)
            if time.monotonic() > deadline:
                raise Busy(str(error), hint="the name is still held: try again later") from error
            progress(f"the name {order.name} is still held by a deleted processor")
            time.sleep(_AGAIN_S)


def is_foreign(aws: Aws, platform: str, name: str) -> bool:
    """Whether it is not this platform's to touch. One that is not there is nobody's."""
    found = find(aws, name)
    return found is not None and not found.belongs_to(platform)


def start(aws: Aws, platform: str, name: str, *, check: bool = True) -> Started:
    """Ask for a start, and wake the platform's clock so that the run has one from its first second.

    With `check`, video that flows already must be fit for face search: else Unsuitable says what was
    found, and the cure. Raises NotFound too, or Busy with what the processor is doing. Once it is
    started, nothing is raised: what goes wrong then is a warning.
    """
    found = inventory.processor(aws, name)
    queue = ""
    if found.belongs_to(platform):
        queue = inventory.usable_platform(aws, platform).outputs["ClockQueueUrl"]
    unseen = requirements.check_video(aws, found.camera_arn) if check else ""
    is_new = _start(aws, name)
    untold = _wake(aws, queue, found) if queue else ""
    return Started(is_new, tuple(filter(None, (unseen, untold))))


def stop(aws: Aws, name: str, progress: Progress) -> bool:
    """Ask for a stop; whether there was anything to stop.

    Raises NotFound, Busy while it is STARTING, Throttled if others stop more than one a second.
    """
    deadline = time.monotonic() + _STOP_PATIENCE_S
    while True:
        try:
            rekognition.stop(aws, name)
        except Throttled:
            if time.monotonic() > deadline:
                raise
            progress("AWS allows one stop a second: waiting for a turn")
            time.sleep(_STOP_INTERVAL_S)
        except NotFound as error:
            raise inventory.no_processor(aws, name) from error
        except Busy as error:
            status = inventory.processor(aws, name).described.processor.status
            if status in (Status.STOPPED, Status.STOPPING, Status.FAILED):
                return False
            if status is not Status.RUNNING or time.monotonic() > deadline:
                raise _cannot_stop(name, status) from error
            time.sleep(_AGAIN_S)
        else:
            return True


def delete(aws: Aws, name: str) -> bool:
    """Delete a processor that is not running; whether there was one. Raises Busy if it is."""
    deadline = time.monotonic() + _STALE_S
    while True:
        try:
            rekognition.delete(aws, name)
        except NotFound:
            return False
        except Busy as error:
            found = find(aws, name)
            if found is None:
                return False
            status = found.described.processor.status
            if not _may_be_stale(status) or time.monotonic() > deadline:
                raise _cannot_delete(found) from error
            time.sleep(_AGAIN_S)
        else:
            return True


def find(aws: Aws, name: str) -> OwnedProcessor | None:
    """The processor of that name, None where there is none."""
    try:
        return inventory.processor(aws, name)
    except NotFound:
        return None


def explain(found: OwnedProcessor) -> tuple[str, str]:
    """Why it FAILED, in one line, and what to do about it, and by when."""
    processor = found.described.processor
    said = processor.status_message or "AWS gives no reason"
    cure = failures.cure(
        said,
        processor=processor.name,
        camera=found.owned.camera if found.owned else processor.camera,
        collection=found.described.collection,
    )
    return f"processor {processor.name} FAILED: {said}", cure + _removal(found.owned)


def _prepare(aws: Aws, platform: str, order: Order) -> tuple[Camera, rekognition.Wanted]:
    """Check everything that AWS would check late, or not at all."""
    names.processor(order.name)
    names.camera(order.camera)
    names.collection(order.collection)
    requirements.check_threshold(order.threshold)
    requirements.check_idle(aws, platform, order.policy)
    camera = inventory.usable_camera(aws, platform, order.camera)
    requirements.check_retention(aws, camera, order.policy)
    requirements.check_collection(aws, order.collection)
    owned = Ownership(platform, camera.name, order.policy, by_stack=False)
    wanted = rekognition.Wanted(
        name=order.name,
        camera_arn=camera.arn,
        results_arn=camera.results_arn,
        role_arn=camera.role_arn,
        collection=order.collection,
        threshold=order.threshold,
        tags=to_tags(owned),
    )
    return camera, wanted


def _created(aws: Aws, name: str) -> OwnedProcessor:
    """The processor that was just created, once Describe knows it (assumptions.md)."""
    deadline = time.monotonic() + _STALE_S
    while True:
        try:
            return inventory.processor(aws, name)
        except NotFound:
            if time.monotonic() > deadline:
                raise
            time.sleep(_AGAIN_S)


def _same(aws: Aws, wanted: rekognition.Wanted) -> OwnedProcessor | None:
    """The processor of that name if it is what is wanted, None if there is none of that name.

    Raises Busy, with what differs, if it is another.
    """
    found = find(aws, wanted.name)
    differs = _differences(found, wanted) if found else ()
    if found and differs:
        what = f"with {', '.join(differs)}" if found.owned else "which is not ours"
        raise Busy(
            f"there is a processor {wanted.name} already, {what}",
            hint="choose another name with --name,"
            f" or: {found.command} processor delete {wanted.name}",
        )
    return found


def _differences(found: OwnedProcessor, wanted: rekognition.Wanted) -> list[str]:
    is_now = found.described
    tags = to_tags(found.owned) if found.owned else {}
    keys = sorted(tags.keys() | wanted.tags.keys())
    pairs = (
        ("camera", is_now.processor.camera, wanted.camera_arn),
        ("collection", is_now.collection, wanted.collection),
        ("threshold", is_now.threshold, wanted.threshold),
        ("results", is_now.results_arn, wanted.results_arn),
        ("role", is_now.role_arn, wanted.role_arn),
        *((key, tags.get(key, "none"), wanted.tags.get(key, "none")) for key in keys),
    )
    return [f"{what} {now}" for what, now, then in pairs if now != then]


def _refuse_used(aws: Aws, camera: Camera) -> None:
    for user in cameras.users(aws, camera):
        raise Busy(
            f"camera {camera.name} is analysed by processor {user.name} already; AWS allows one",
            hint=f"{user.command} processor delete {user.name}",
        )


def _start(aws: Aws, name: str) -> bool:
    deadline = time.monotonic() + _STALE_S
    while True:
        try:
            rekognition.start(aws, name)
        except Busy as error:
            status = inventory.processor(aws, name).described.processor.status
            if status in (Status.STARTING, Status.RUNNING):
                return False
            if not _may_be_stale(status) or time.monotonic() > deadline:
                raise Busy(
                    f"processor {name} is {status} and cannot be started",
                    hint=f"streamctl processor wait {name} --for stopped",
                ) from error
            time.sleep(_AGAIN_S)
        else:
            return True


def _wake(aws: Aws, queue: str, found: OwnedProcessor) -> str:
    """Tell the platform of a start; the warning to give where it cannot be told."""
    try:
        queues.send(aws, queue, {"camera": found.camera_arn, "processor": found.name})
    except StreamctlError as error:
        return f"the platform finds out by its sweep, which takes a minute: {error}"
    return ""


def _removal(owned: Ownership | None) -> str:
    """What the platform does to a FAILED processor (core/teardown.py), as the end of a hint."""
    if owned is None or owned.by_stack or owned.policy.on_end is not OnEnd.DELETE:
        return ""
    return f"; the platform deletes it {format_duration(owned.policy.idle_after)} after it FAILED"


def _may_be_stale(status: Status) -> bool:
    """Start and delete refuse only what is not stopped: so Describe was behind (assumptions.md)."""
    return status in (Status.STOPPED, Status.FAILED)


def _cannot_stop(name: str, status: Status) -> Busy:
    return Busy(
        f"processor {name} is {status} and cannot be stopped yet",
        hint=f"streamctl processor wait {name} --for running; one STARTING for over 2 minutes"
        " may be deleted",
    )


def _cannot_delete(found: OwnedProcessor) -> Busy:
    name = found.name
    return Busy(
        f"processor {name} is {found.described.processor.status} and cannot be deleted",
        hint=f"{found.command} processor stop {name},"
        f" then streamctl processor wait {name} --for stopped",
    )
