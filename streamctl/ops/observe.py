"""What can be seen of a camera and its processor right now: what the door asks, asked of AWS."""

from __future__ import annotations

from datetime import UTC, datetime

from streamctl.aws import kinesis, kinesisvideo, rekognition
from streamctl.aws.session import Aws
from streamctl.core import liveness
from streamctl.core.asking import Tagged
from streamctl.core.liveness import Processor, Video
from streamctl.errors import NotFound


def described(aws: Aws, processor: str) -> Processor | None:
    """The processor of that name, or None where there is none."""
    try:
        return rekognition.describe(aws, processor).processor
    except NotFound:
        return None


def tagged(aws: Aws, processor: str) -> Tagged | None:
    """The processor of that name with its tags, or None where there is none."""
    try:
        found = rekognition.describe(aws, processor)
        return Tagged(found.processor, rekognition.tags(aws, found.arn))
    except NotFound:
        return None


def video(aws: Aws, camera: str, since: datetime) -> Video | None:
    """What the camera stored since then; None where it is gone. Without retention, nothing is."""
    try:
        if not kinesisvideo.describe(aws, camera).retention:
            return Video()
        listed = kinesisvideo.fragments(aws, camera, since, datetime.now(UTC))
    except NotFound:
        return None
    return liveness.video_of([liveness.Fragment(each.received, each.length) for each in listed])


def newest_arrival(aws: Aws, results: str, since: datetime) -> datetime | None:
    """When the newest record since then arrived; None where there is none, or no results."""
    try:
        return kinesis.newest_arrival(aws, results, since)
    except NotFound:
        return None
