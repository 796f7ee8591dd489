"""Rekognition's stream processors. Collections and faces are in collections.py.

Start, stop and delete answer before they have happened: only Describe tells (docs/assumptions.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from streamctl.aws.refusals import translated
from streamctl.aws.session import Aws
from streamctl.core.liveness import Processor, Status
from streamctl.errors import StreamctlError

THRESHOLDS: Final = (80.0, 100.0)
"""FaceMatchThreshold: the service silently takes 80 for anything below it (API reference)."""


@dataclass(frozen=True, slots=True)
class Described:
    """A processor and how it was made.

    `results_arn` and `collection` are empty, and `threshold` (0-100) is None, for a processor that
    does not search faces.
    """

    processor: Processor
    arn: str
    results_arn: str
    role_arn: str
    collection: str
    threshold: float | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new processor is made of. `threshold` is the lowest similarity, 80-100, that is a match."""

    name: str
    camera_arn: str
    results_arn: str
    role_arn: str
    collection: str
    threshold: float
    tags: Mapping[str, str]


def create(aws: Aws, wanted: Wanted) -> str:
    """Create a processor, stopped; its ARN.

    Raises Busy if the name, its camera or its results are taken (one processor each, quotas), and
    NotAllowed also where the role may not be handed over (iam:PassRole).
    """
    with translated(f"creating processor {wanted.name}"):
        answer = aws.client("rekognition").create_stream_processor(
            Name=wanted.name,
            Input={"KinesisVideoStream": {"Arn": wanted.camera_arn}},
            Output={"KinesisDataStream": {"Arn": wanted.results_arn}},
            RoleArn=wanted.role_arn,
            Settings={
                "FaceSearch": {
                    "CollectionId": wanted.collection,
                    "FaceMatchThreshold": wanted.threshold,
                }
            },
            Tags=dict(wanted.tags),
        )
    return str(answer["StreamProcessorArn"])


def describe(aws: Aws, name: str) -> Described:
    """How a processor is now. Raises NotFound if there is none of that name."""
    with translated(f"describing processor {name}"):
        found = aws.client("rekognition").describe_stream_processor(Name=name)
    output = found.get("Output", {}).get("KinesisDataStream", {}).get("Arn", "")
    search = found.get("Settings", {}).get("FaceSearch", {})
    return Described(
        processor=_processor(name, found, output),
        arn=found["StreamProcessorArn"],
        results_arn=output,
        role_arn=found.get("RoleArn", ""),
        collection=search.get("CollectionId", ""),
        threshold=search.get("FaceMatchThreshold"),
    )


def tags(aws: Aws, arn: str) -> dict[str, str]:
    """A processor's tags: Describe does not give them. Raises NotFound."""
    with translated(f"reading the tags of {arn.rsplit('/', 1)[-1]}"):
        return dict(aws.client("rekognition").list_tags_for_resource(ResourceArn=arn)["Tags"])


def names(aws: Aws) -> Iterator[tuple[str, str]]:
    """Every processor of the account and region, ours or not: its name and its status."""
    pages = aws.client("rekognition").get_paginator("list_stream_processors")
    with translated("listing processors"):
        for page in pages.paginate():
            for each in page["StreamProcessors"]:
                yield each["Name"], each["Status"]


def start(aws: Aws, name: str) -> None:
    """Ask for a start, which is granted whether or not role, camera and results can be used.

    Raises Busy unless it is stopped or FAILED, NotFound if there is none, and StreamctlError where
    as many run as may (ten a region, quotas).
    """
    with translated(f"starting processor {name}"):
        aws.client("rekognition").start_stream_processor(Name=name)


def stop(aws: Aws, name: str) -> None:
    """Ask for a stop, once. Raises Busy unless it is RUNNING, Throttled, or NotFound.

    Throttled to one call per second and account, so the SDK does not retry: it would only
    keep the others waiting (quotas, General Reference).
    """
    with translated(f"stopping processor {name}"):
        aws.client("rekognition", retries=False).stop_stream_processor(Name=name)


def delete(aws: Aws, name: str) -> None:
    """Delete a processor that is not running. Raises Busy if it is, NotFound if there is none."""
    with translated(f"deleting processor {name}"):
        aws.client("rekognition").delete_stream_processor(Name=name)


def _processor(name: str, found: Mapping[str, Any], output: str) -> Processor:
    created: datetime = found["CreationTimestamp"]
    return Processor(
        name=name,
        camera=found.get("Input", {}).get("KinesisVideoStream", {}).get("Arn", ""),
        status=_status(found["Status"]),
        created=created.astimezone(UTC),
        updated=found.get("LastUpdateTimestamp", created).astimezone(UTC),
        status_message=found.get("StatusMessage", ""),
        results=output.partition(":stream/")[2],
    )


def _status(given: str) -> Status:
    try:
        return Status(given)
    except ValueError as error:
        raise StreamctlError(
            f"AWS reports a status that this version does not know: {given}",
            hint="install a newer streamctl",
        ) from error
