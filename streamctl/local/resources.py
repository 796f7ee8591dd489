"""AWS::KinesisVideo::Stream for CloudFormation templates, which ministack does not know.

Our service runs on the server's event loop and its operations are coroutines, so these resources
are provisioned in a thread, as ministack does with those that take long.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Mapping
from typing import Any, Final, TypeVar

from streamctl.local.engine_room import EngineRoom
from streamctl.local.identity import ACCESS_KEY
from streamctl.local.kinesisvideo.cameras import AwsScope
from streamctl.local.kinesisvideo.service import KinesisVideoService
from streamctl.local.service import Call, ServiceFault
from streamctl.local.wire import wire_of

TYPE: Final = "AWS::KinesisVideo::Stream"

_PROVISIONERS: Final = "services.cloudformation.provisioners"
_STACKS: Final = "services.cloudformation.stacks"
_PATIENCE_S: Final = 30.0
_NAME_LENGTH: Final = 256
_T = TypeVar("_T")


class CameraResources:
    """Creates, updates and deletes cameras on behalf of stacks.

    Ref is the name, GetAtt Arn the ARN (CloudFormation's user guide). A new Name replaces the resource.
    """

    def __init__(self, engine: EngineRoom, cameras: KinesisVideoService) -> None:
        self._cameras = cameras
        self._loop: asyncio.AbstractEventLoop | None = None
        self._account = engine.part("core.responses", "get_account_id")
        self._region = engine.part("core.responses", "get_region")
        self._generated_name = engine.part(_PROVISIONERS, "_physical_name")
        self._install(engine)

    def start(self) -> None:
        """Called on the event loop that the service runs on."""
        self._loop = asyncio.get_running_loop()

    def create(
        self, logical_id: str, props: Mapping[str, Any], stack: str
    ) -> tuple[str, dict[str, str]]:
        name = props.get("Name") or self._generated_name(stack, logical_id, max_len=_NAME_LENGTH)
        tags = _tags(props, own=False)
        wanted = {
            "StreamName": name,
            "DataRetentionInHours": int(props.get("DataRetentionInHours", 0)),
            **({"Tags": tags} if tags else {}),
            **{
                key: str(props[key])
                for key in ("MediaType", "KmsKeyId", "DeviceName")
                if key in props
            },
        }
        made = self._call("CreateStream", wanted)
        self._wait(self._mark((self._account(), self._region()), name, props))
        return name, {"Arn": str(made["StreamARN"])}

    def update(
        self, name: str, old: Mapping[str, Any], new: Mapping[str, Any], stack: str
    ) -> tuple[str, dict[str, str]]:
        del stack  # the name is the identity
        self._retain(name, int(new.get("DataRetentionInHours", 0)))
        if new.get("MediaType") not in {None, old.get("MediaType")}:  # it cannot be taken away
            wanted = {"StreamName": name, "MediaType": str(new["MediaType"])}
            self._call("UpdateStream", {**wanted, "CurrentVersion": self._info(name)["Version"]})
        self._retag(name, _tags(old, own=False), _tags(new, own=False))
        return name, {"Arn": str(self._info(name)["StreamARN"])}

    def delete(self, name: str, props: Mapping[str, Any]) -> None:
        """Twice is once: a stack's delete is tried again where it failed half way."""
        del props
        try:
            self._call("DeleteStream", {"StreamARN": self._info(name)["StreamARN"]})
        except ValueError as error:
            if not isinstance(error.__cause__, ServiceFault):
                raise
            if error.__cause__.code != "ResourceNotFoundException":
                raise

    async def _mark(self, owner: AwsScope, name: str, props: Mapping[str, Any]) -> None:
        """Set CloudFormation's own tags, which no caller of the API may set."""
        camera = self._cameras.find(owner, name)
        assert camera is not None  # it was made just now
        camera.settings.tags |= _tags(props, own=True)
        camera.save()

    def _retain(self, name: str, hours: int) -> None:
        info = self._info(name)
        change = hours - info["DataRetentionInHours"]
        if not change:
            return
        wanted = {
            "StreamName": name,
            "CurrentVersion": info["Version"],
            "Operation": "INCREASE_DATA_RETENTION" if change > 0 else "DECREASE_DATA_RETENTION",
            "DataRetentionChangeInHours": abs(change),
        }
        self._call("UpdateDataRetention", wanted)

    def _retag(self, name: str, old: dict[str, str], new: dict[str, str]) -> None:
        gone = [key for key in old if key not in new]
        if gone:
            self._call("UntagStream", {"StreamName": name, "TagKeyList": gone})
        if new and new != old:
            self._call("TagStream", {"StreamName": name, "Tags": new})

    def _info(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._call("DescribeStream", {"StreamName": name})["StreamInfo"]
        return found

    def _call(self, operation: str, params: dict[str, Any]) -> Mapping[str, Any]:
        """Raises ValueError, which is how ministack's provisioners say that a resource failed."""
        call = Call(
            service="kinesisvideo",
            operation=operation,
            params=params,
            account=self._account(),
            region=self._region(),
            access_key=ACCESS_KEY,
            request_id=str(uuid.uuid4()),
        )
        try:
            # What comes by the API was read so as well: a template is refused what it is refused.
            wire_of("kinesisvideo").params(operation, json.dumps(params).encode())
            return self._wait(self._cameras.operations[operation](call))
        except ServiceFault as fault:
            raise ValueError(f"{fault.message} (Service: KinesisVideo, {fault.code})") from fault

    def _wait(self, work: Awaitable[_T]) -> _T:
        """Do work on the service's event loop; we are on a thread."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(_awaited(work), self._loop).result(_PATIENCE_S)

    def _install(self, engine: EngineRoom) -> None:
        engine.part(_PROVISIONERS, "_RESOURCE_HANDLERS")[TYPE] = {
            "create": self.create,
            "update": self.update,
            "delete": self.delete,
        }
        engine.part(_PROVISIONERS, "_STACK_TAG_PROPERTY")[TYPE] = ("Tags", "list")
        on_a_thread = engine.part(_STACKS, "_runs_on_worker_thread")
        engine.replace(
            _STACKS, "_runs_on_worker_thread", lambda kind: kind == TYPE or on_a_thread(kind)
        )
        engine.part(_PROVISIONERS, "_REPLACING_PROPERTIES")[TYPE] = ("Name",)


async def _awaited(work: Awaitable[_T]) -> _T:
    return await work


def _tags(props: Mapping[str, Any], *, own: bool) -> dict[str, str]:
    """CloudFormation's own tags (aws:...), or those of the template and the stack."""
    tags = {str(tag["Key"]): str(tag["Value"]) for tag in props.get("Tags") or ()}
    return {key: value for key, value in tags.items() if key.startswith("aws:") == own}
