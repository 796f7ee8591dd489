"""What there is: platforms, their cameras, and every processor with whose it is. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from streamctl.aws import bus, cloudformation, kinesisvideo, rekognition
from streamctl.aws.cloudformation import Stack
from streamctl.aws.session import Aws
from streamctl.core import names, policy
from streamctl.core.policy import Ownership
from streamctl.errors import NotFound, StreamctlError, Unsuitable


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform as it stands. `outputs` are its stack's: queues, table, bus, functions."""

    name: str
    stack: str
    status: str
    outputs: Mapping[str, str]

    @property
    def min_idle_after(self) -> timedelta:
        """No processor may have a shorter idle time."""
        return timedelta(seconds=float(self.outputs["MinIdleAfter"]))


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera and what belongs to it. The ARNs are empty while its stack does not stand."""

    name: str
    platform: str
    stack: str
    status: str
    arn: str
    results: str
    results_arn: str
    role_arn: str


@dataclass(frozen=True, slots=True)
class OwnedProcessor:
    """A processor and whose it is: `owned` is None where it carries no tags of ours."""

    described: rekognition.Described
    owned: Ownership | None

    @property
    def name(self) -> str:
        return self.described.processor.name

    @property
    def camera_arn(self) -> str:
        return self.described.processor.camera

    @property
    def command(self) -> str:
        """How a hint's command line about it begins, so that its own platform is meant."""
        return command(self.owned.platform) if self.owned else "streamctl"

    def belongs_to(self, platform: str) -> bool:
        return self.owned is not None and self.owned.platform == platform


def platform(aws: Aws, name: str) -> Platform:
    """The platform of that name. Raises NotFound, with the cure, if it is not deployed."""
    names.platform(name)
    try:
        stack = cloudformation.describe(aws, names.platform_stack(name))
    except NotFound as error:
        raise NotFound(
            f"platform {name} is not deployed in {aws.region_name}",
            hint=f"{command(name)} stack deploy",
        ) from error
    return Platform(name, stack.name, stack.status, stack.outputs)


def usable_platform(aws: Aws, name: str) -> Platform:
    """The platform of that name. Raises StreamctlError if its deployment did not succeed."""
    found = platform(aws, name)
    if "ClockQueueUrl" not in found.outputs or "MinIdleAfter" not in found.outputs:
        raise StreamctlError(
            f"platform {name} cannot be used: its stack is {found.status}",
            hint=f"{command(name)} stack deploy",
        )
    return found


def subscribers(aws: Aws, base: Platform) -> list[bus.Rule]:
    """The rules on a platform's bus but its own, which keeps what is told. Raises NotFound for no
    such bus.
    """
    own = base.outputs["EventQueueUrl"].rpartition("/")[2]
    return [
        rule
        for rule in bus.rules(aws, base.outputs["BusName"])
        if all(arn.rpartition(":")[2] != own for arn in rule.targets)
    ]


def every_camera(aws: Aws) -> list[Camera]:
    """The cameras of all platforms in the account and region, by name."""
    stacks = [
        stack
        for stack in cloudformation.every(aws)
        if policy.PLATFORM in stack.tags and policy.CAMERA in stack.tags
    ]
    return sorted(map(_camera, stacks), key=lambda each: each.name)


def cameras(aws: Aws, platform: str) -> list[Camera]:
    """The cameras of one platform, by name."""
    return [each for each in every_camera(aws) if each.platform == platform]


def camera(aws: Aws, platform: str, name: str) -> Camera:
    """Raises NotFound, with the cure, if the platform has no camera of that name."""
    names.platform(platform)
    names.camera(name)
    missing = NotFound(
        f"platform {platform} has no camera {name} in {aws.region_name}",
        hint=f"{command(platform)} camera create {name}",
    )
    try:
        stack = cloudformation.describe(aws, names.camera_stack(platform, name))
    except NotFound as error:
        raise missing from error
    if stack.tags.get(policy.CAMERA) != name:
        raise missing
    return _camera(stack)


def usable_camera(aws: Aws, platform: str, name: str) -> Camera:
    """As `camera`. Raises Unsuitable, with the cure, if its creation did not succeed."""
    found = camera(aws, platform, name)
    if not found.role_arn:
        raise Unsuitable(
            f"camera {name} cannot be used: its stack is {found.status}",
            hint=f"{command(platform)} camera create {name}",
        )
    return found


def video(aws: Aws, platform: str, name: str) -> str:
    """The ARN of a camera's video: of the platform's camera of that name, or else of any Kinesis
    video stream of that name or ARN, which can be played to and looked into as well.

    Raises NotFound, with the cure, if there is neither; Unsuitable as usable_camera does.
    """
    if name.startswith("arn:"):
        return kinesisvideo.describe(aws, names.video_stream(name)).arn
    try:
        return usable_camera(aws, platform, name).arn
    except NotFound:
        if not kinesisvideo.exists(aws, name):
            raise
    return kinesisvideo.describe(aws, name).arn


def processors(aws: Aws) -> list[OwnedProcessor]:
    """Every processor of the account and region, ours or not."""
    found = []
    for name, _ in rekognition.names(aws):
        try:
            found.append(processor(aws, name))
        except NotFound:
            continue  # deleted since it was listed
    return found


def processor(aws: Aws, name: str) -> OwnedProcessor:
    """Raises NotFound, with the cure, if there is no processor of that name."""
    names.processor(name)
    try:
        described = rekognition.describe(aws, name)
    except NotFound as error:
        raise no_processor(aws, name) from error
    tags = rekognition.tags(aws, described.arn)
    return OwnedProcessor(described, policy.from_tags(tags, tags.get(policy.PLATFORM, "")))


def no_processor(aws: Aws, name: str) -> NotFound:
    """The error for a processor that is not there."""
    return NotFound(
        f"there is no processor {name} in {aws.region_name}", hint="streamctl processor list"
    )


def _camera(stack: Stack) -> Camera:
    return Camera(
        name=stack.tags[policy.CAMERA],
        platform=stack.tags[policy.PLATFORM],
        stack=stack.name,
        status=stack.status,
        arn=stack.outputs.get("CameraArn", ""),
        results=stack.outputs.get("ResultsName", ""),
        results_arn=stack.outputs.get("ResultsArn", ""),
        role_arn=stack.outputs.get("RoleArn", ""),
    )


def command(platform: str) -> str:
    """How a hint's command line begins, so that it means this platform."""
    return "streamctl" if platform == "main" else f"streamctl --platform {platform}"
