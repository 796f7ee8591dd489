"""Why a processor fails: what it needs and does not have, in the words of AWS's StatusMessage.

StartStreamProcessor answers before any of this is looked at (developer guide, issue 7), so it shows
later, in DescribeStreamProcessor. Source of the texts: developer guide,
streaming-video-troubleshooting.
"""

from __future__ import annotations

from typing import Final

from streamctl.local.rekognition.collection_store import CollectionStore
from streamctl.local.rekognition.neighbours import CallFailed, Cameras, Loopback, Roles
from streamctl.local.rekognition.processor import Processor

PRINCIPAL: Final = "rekognition.amazonaws.com"

_CAMERA_ACTIONS: Final = ("kinesisvideo:GetDataEndpoint", "kinesisvideo:GetMedia")
_RESULTS_ACTIONS: Final = ("kinesis:PutRecord", "kinesis:PutRecords")

COLLECTION_NOT_FOUND: Final = "Collection not found"
INTERNAL: Final = "Internal error"


class Failure(Exception):
    """A processor cannot go on; the text is its StatusMessage."""


def results_not_found(processor: Processor) -> str:
    name = processor.results_arn.rpartition("/")[2]
    return f"Stream {name} under account {processor.account} not found"


class Causes:
    """Looks at everything that a processor depends on."""

    def __init__(
        self, cameras: Cameras, roles: Roles, collections: CollectionStore, loopback: Loopback
    ) -> None:
        self._cameras = cameras
        self._roles = roles
        self._collections = collections
        self._loopback = loopback

    async def check(self, processor: Processor) -> None:
        """Raises Failure with the first thing that is wrong."""
        if not self._roles.trusts(processor.role_arn, PRINCIPAL, processor.arn):
            raise Failure("Access denied to Role")
        self._demand(processor, _CAMERA_ACTIONS, processor.camera_arn, "Kinesis Video")
        if not self._cameras.find(processor.scope, processor.camera_arn):
            name = processor.camera_arn.split("/")[1:2] or [processor.camera_arn]
            raise Failure(f"Stream {name[0]} doesn't exist")
        if not self._collections.find(processor.scope, processor.collection_id):
            raise Failure(COLLECTION_NOT_FOUND)
        self._demand(processor, _RESULTS_ACTIONS, processor.results_arn, "Kinesis Data")
        await self._demand_results(processor)

    def _demand(
        self, processor: Processor, actions: tuple[str, ...], resource: str, to_what: str
    ) -> None:
        role = processor.role_arn
        if not all(self._roles.grants(role, action, resource) for action in actions):
            raise Failure(f"Access denied to {to_what}")

    async def _demand_results(self, processor: Processor) -> None:
        here = f":kinesis:{processor.region}:{processor.account}:stream/"
        if here not in processor.results_arn:  # another region's or account's is not looked for
            raise Failure(results_not_found(processor))
        name = processor.results_arn.rpartition("/")[2]
        try:
            await self._loopback.call(
                "kinesis", processor.scope, "describe_stream_summary", StreamName=name
            )
        except CallFailed as error:
            if error.code == "ResourceNotFoundException":
                raise Failure(results_not_found(processor)) from error
