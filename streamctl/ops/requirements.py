"""What a processor needs to work, checked before it is created or started.

AWS would find most of it only later, or not at all; each refusal comes with its cure.
"""

from __future__ import annotations

from streamctl.aws import collections, kinesisvideo, rekognition
from streamctl.aws.session import Aws
from streamctl.core import video
from streamctl.core.policy import OnEnd, Policy, format_duration
from streamctl.errors import AskedWrongly, NotFound, Unsuitable
from streamctl.ops import inventory, probe
from streamctl.ops.collections import missing
from streamctl.ops.inventory import Camera


def check_threshold(threshold: float) -> None:
    """Raises AskedWrongly for a similarity that AWS would not take, or would quietly change."""
    lowest, highest = rekognition.THRESHOLDS
    if not lowest <= threshold <= highest:
        raise AskedWrongly(
            f"a threshold of {threshold:g} is not within {lowest:g} to {highest:g}",
            hint=f"AWS silently takes {lowest:g} for anything lower, so ask for {lowest:g}",
        )


def check_idle(aws: Aws, platform: str, policy: Policy) -> None:
    """Raises AskedWrongly for an idle time that the platform raises to its own shortest."""
    shortest = inventory.usable_platform(aws, platform).min_idle_after
    if policy.idle_after < shortest:
        raise AskedWrongly(
            f"idle-after {format_duration(policy.idle_after)} is below what platform {platform}"
            f" can keep: {format_duration(shortest)}",
            hint=f"--idle-after {format_duration(shortest)}, or deploy the platform again with"
            " --min-idle-after",
        )


def check_retention(aws: Aws, camera: Camera, policy: Policy) -> None:
    """Raises Unsuitable if the processor is to end with the video, and nobody could see that end.

    What a camera does not keep, ListFragments does not list.
    """
    if policy.on_end is OnEnd.KEEP:
        return
    found = kinesisvideo.describe(aws, camera.arn)
    if not found.retention:
        raise Unsuitable(
            f"camera {camera.name} keeps no video (retention 0), so nobody could see it end",
            hint="--on-end keep, or: aws kinesisvideo update-data-retention --operation"
            " INCREASE_DATA_RETENTION --data-retention-change-in-hours 1"
            f" --current-version {found.version} --stream-arn {camera.arn}",
        )


def check_collection(aws: Aws, collection: str) -> None:
    """Raises NotFound, with the cure: AWS would say so only in a FAILED processor's message."""
    try:
        collections.describe(aws, collection)
    except NotFound as error:
        raise missing(aws, collection) from error


def check_video(aws: Aws, camera_arn: str) -> str:
    """The warning to give where no video flows yet, else nothing.

    Raises Unsuitable, with what was found and the cure, for video that face search cannot use.
    """
    seen = probe.live(aws, camera_arn)
    if seen is None:
        return f"no video flows into camera {kinesisvideo.short(camera_arn)} yet"
    wrong = video.refusals(seen)
    if wrong:
        raise Unsuitable(
            wrong[0].what, hint=f"{wrong[0].cure}; or start on it as it is: --no-check"
        )
    return ""
