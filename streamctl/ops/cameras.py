"""Making cameras, and deleting them: each is one stack beside the platform's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from streamctl.aws import cloudformation, kinesisvideo
from streamctl.aws.cloudformation import Outcome
from streamctl.aws.session import Aws
from streamctl.core import names, policy
from streamctl.errors import AskedWrongly, Busy, NotFound, StreamctlError, Unsuitable
from streamctl.ops import bundle, inventory
from streamctl.ops.inventory import Camera, OwnedProcessor, Platform

Progress = Callable[[str], None]

_HOUR: Final = timedelta(hours=1)
_KEPT: Final = ("RetentionHours", "CameraArn")


@dataclass(frozen=True, slots=True)
class Order:
    """A camera to make. `None` leaves as it is, in one that stands, and else takes the default.

    `retention` is how long its video is kept, in whole hours; `existing` the name or ARN of a Kinesis
    video stream to use instead of a new one.
    """

    name: str
    retention: timedelta | None = None
    existing: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """A camera in full. `video` is None where the video stream is not there (any more)."""

    camera: Camera
    video: kinesisvideo.Camera | None
    processors: tuple[str, ...]


def create(aws: Aws, platform: str, order: Order, progress: Progress) -> tuple[Camera, Outcome]:
    """Make a camera, or bring the one of that name up to date; it, and what that took."""
    names.camera(order.name)
    chosen = _retention(order)
    base = inventory.usable_platform(aws, platform)
    before = _standing(aws, platform, order.name)
    if order.existing:
        chosen |= _existing(aws, platform, order, before)
    elif before is None:
        _refuse_taken(aws, platform, order.name)
    kept = {key: before.parameters[key] for key in _KEPT if before and key in before.parameters}
    wanted = cloudformation.Wanted(
        name=names.camera_stack(platform, order.name),
        template=bundle.template("camera.yaml"),
        parameters={**_parameters(base, order.name), **kept, **chosen},
        tags={policy.PLATFORM: platform, policy.CAMERA: order.name},
    )
    outcome = cloudformation.apply(aws, wanted, progress)
    return inventory.camera(aws, platform, order.name), outcome


def describe(aws: Aws, platform: str, name: str) -> Description:
    """A camera, its video stream and who uses it. Raises NotFound if there is no such camera."""
    camera = inventory.camera(aws, platform, name)
    video = None
    if camera.arn:
        try:
            video = kinesisvideo.describe(aws, camera.arn)
        except NotFound:
            video = None  # deleted behind the stack's back
    return Description(camera, video, tuple(user.name for user in users(aws, camera)))


def delete(aws: Aws, platform: str, name: str, progress: Progress) -> bool:
    """Delete a camera with its results, and its video if we made it; whether there was one.

    Raises Busy while a processor uses it.
    """
    try:
        camera = inventory.camera(aws, platform, name)
    except NotFound:
        return False
    for user in users(aws, camera):
        raise Busy(
            f"camera {name} is used by processor {user.name}",
            hint=f"{user.command} processor stop {user.name},"
            f" then {user.command} processor delete {user.name}",
        )
    cloudformation.delete(aws, camera.stack, progress)
    return True


def users(aws: Aws, camera: Camera) -> list[OwnedProcessor]:
    """The processors that analyse a camera: AWS allows one (quotas, General Reference)."""
    if not camera.arn:
        return []
    return [each for each in inventory.processors(aws) if each.camera_arn == camera.arn]


def _retention(order: Order) -> dict[str, str]:
    if order.retention is None:
        return {}
    if order.existing:
        raise AskedWrongly(
            "the retention of an existing video stream is not changed",
            hint="leave --retention out, or: aws kinesisvideo update-data-retention",
        )
    if order.retention < _HOUR or order.retention % _HOUR:
        raise AskedWrongly(
            "retention is in whole hours, at least one: without, nobody can see the video end",
            hint="--retention 24h",
        )
    return {"RetentionHours": str(order.retention // _HOUR)}


def _parameters(platform: Platform, name: str) -> dict[str, str]:
    return {
        "Platform": platform.name,
        "CameraName": name,
        "ResultsName": names.results(platform.name, name),
        "OnRecordsArn": platform.outputs["OnRecordsArn"],
        "FailureQueueArn": platform.outputs["FailureQueueArn"],
    }


def _standing(aws: Aws, platform: str, name: str) -> cloudformation.Stack | None:
    try:
        stack = cloudformation.describe(aws, names.camera_stack(platform, name))
    except NotFound:
        return None
    if (owner := stack.tags.get(policy.CAMERA)) != name:
        raise AskedWrongly(
            f"camera {name} would share stack {stack.name} with camera {owner}",
            hint="names that differ only in '.', '_' and '-' are too alike: choose another",
        )
    return stack


def _existing(
    aws: Aws, platform: str, order: Order, before: cloudformation.Stack | None
) -> dict[str, str]:
    """The parameter that names the video stream to use; none where the camera has it already.

    Raises Unsuitable if the camera has another, Busy if another camera uses it.
    """
    arn = _existing_arn(aws, platform, order)
    has = before.outputs.get("CameraArn") if before else None
    if has == arn:
        return {}
    if has:
        # CloudFormation would make the change by deleting the video stream that it made.
        raise Unsuitable(
            f"camera {order.name} has a video stream already: {has}",
            hint=f"{inventory.command(platform)} camera delete {order.name},"
            " then create it with the other; or create a camera of another name",
        )
    _refuse_shared(aws, platform, order, arn)
    return {"CameraArn": arn}


def _existing_arn(aws: Aws, platform: str, order: Order) -> str:
    assert order.existing is not None
    names.video_stream(order.existing)
    try:
        return kinesisvideo.describe(aws, order.existing).arn
    except NotFound as error:
        raise NotFound(
            f"there is no Kinesis video stream {order.existing} in {aws.region_name}",
            hint=f"{inventory.command(platform)} camera create {order.name} makes a new one",
        ) from error


def _refuse_shared(aws: Aws, platform: str, order: Order, arn: str) -> None:
    for camera in inventory.every_camera(aws):
        if camera.arn == arn and (camera.platform, camera.name) != (platform, order.name):
            raise Busy(
                f"video stream {order.existing} is camera {camera.name} of platform"
                f" {camera.platform} already",
                hint="use that camera: AWS lets one processor analyse a video stream",
            )


def _refuse_taken(aws: Aws, platform: str, name: str) -> None:
    try:
        kinesisvideo.describe(aws, name)
    except NotFound:
        return
    raise StreamctlError(
        f"there is a video stream {name} already, which no camera of this platform uses",
        hint=f"{inventory.command(platform)} camera create {name} --existing {name}",
    )
