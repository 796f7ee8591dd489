"""Kinesis Video's control plane: cameras come, change, carry tags, and go."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from streamctl.local.kinesisvideo import refusals
from streamctl.local.kinesisvideo.cameras import Camera, Cameras
from streamctl.local.service import Call, Operation
from streamctl.local.wire import not_emulated

MAX_RETENTION_H: Final = 87_600
MAX_TAGS: Final = 50
DATA_APIS: Final = frozenset(
    {
        "PUT_MEDIA",
        "GET_MEDIA",
        "LIST_FRAGMENTS",
        "GET_MEDIA_FOR_FRAGMENT_LIST",
        "GET_IMAGES",
        "GET_CLIP",
    }
)


class ControlPlane:
    """The operations of botocore's `kinesisvideo` that are emulated."""

    def __init__(self, cameras: Cameras, media_endpoint_url: str) -> None:
        self._cameras = cameras
        self._media_endpoint_url = media_endpoint_url
        self.operations: Mapping[str, Operation] = {
            "CreateStream": self.create_stream,
            "DescribeStream": self.describe_stream,
            "ListStreams": self.list_streams,
            "DeleteStream": self.delete_stream,
            "UpdateStream": self.update_stream,
            "UpdateDataRetention": self.update_data_retention,
            "GetDataEndpoint": self.get_data_endpoint,
            "TagStream": self.tag,
            "UntagStream": self.untag,
            "ListTagsForStream": self.list_tags,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.list_tags,
        }

    async def create_stream(self, call: Call) -> Mapping[str, Any]:
        wanted = call.params
        retention_h = _retention(wanted.get("DataRetentionInHours", 0))
        tags = _tags(wanted.get("Tags", {}), {})
        camera = self._cameras.create(call.scope, wanted["StreamName"])
        settings = camera.settings
        settings.retention_h, settings.tags = retention_h, tags
        settings.media_type = wanted.get("MediaType", "")
        settings.device_name = wanted.get("DeviceName", "")
        settings.kms_key_id = wanted.get("KmsKeyId", settings.kms_key_id)
        camera.update()
        return {"StreamARN": camera.arn}

    async def describe_stream(self, call: Call) -> Mapping[str, Any]:
        return {"StreamInfo": _info(self._camera(call))}

    async def list_streams(self, call: Call) -> Mapping[str, Any]:
        prefix = call.params.get("StreamNameCondition", {}).get("ComparisonValue", "")
        after = _page(call.params.get("NextToken", ""))
        limit = call.params.get("MaxResults", 10_000)
        found = [
            camera
            for camera in self._cameras.all(call.scope)
            if camera.settings.name.startswith(prefix) and camera.settings.name > after
        ]
        page = found[:limit]
        answer: dict[str, Any] = {"StreamInfoList": [_info(camera) for camera in page]}
        if len(found) > limit:
            answer["NextToken"] = base64.b64encode(page[-1].settings.name.encode()).decode()
        return answer

    async def delete_stream(self, call: Call) -> Mapping[str, Any]:
        camera = self._camera(call)
        _check_version(camera, call)
        self._cameras.delete(camera)
        return {}

    async def update_stream(self, call: Call) -> Mapping[str, Any]:
        camera = self._camera(call)
        _check_version(camera, call)
        settings = camera.settings
        settings.media_type = call.params.get("MediaType", settings.media_type)
        settings.device_name = call.params.get("DeviceName", settings.device_name)
        camera.update()
        return {}

    async def update_data_retention(self, call: Call) -> Mapping[str, Any]:
        """The change is a difference, not a target; video that is too old by it goes at once."""
        camera = self._camera(call)
        _check_version(camera, call)
        change_h = call.params["DataRetentionChangeInHours"]
        if call.params["Operation"] == "DECREASE_DATA_RETENTION":
            change_h = -change_h
        camera.settings.retention_h = _retention(camera.settings.retention_h + change_h)
        camera.update()
        camera.trim()
        return {}

    async def get_data_endpoint(self, call: Call) -> Mapping[str, Any]:
        self._camera(call)
        api = call.params["APIName"]
        if api not in DATA_APIS:
            raise not_emulated("kinesis video's", api)
        return {"DataEndpoint": self._media_endpoint_url}

    async def tag(self, call: Call) -> Mapping[str, Any]:
        camera = self._camera(call)
        given = call.params["Tags"]
        if isinstance(given, list):  # TagResource's form
            given = {tag["Key"]: tag["Value"] for tag in given}
        camera.settings.tags = _tags(given, camera.settings.tags)
        camera.save()
        return {}

    async def untag(self, call: Call) -> Mapping[str, Any]:
        camera = self._camera(call)
        for key in call.params["TagKeyList"]:
            camera.settings.tags.pop(key, None)
        camera.save()
        return {}

    async def list_tags(self, call: Call) -> Mapping[str, Any]:
        return {"Tags": dict(self._camera(call).settings.tags)}

    def _camera(self, call: Call) -> Camera:
        arn = call.params.get("StreamARN") or call.params.get("ResourceARN")
        return self._cameras.named(call.scope, call.params.get("StreamName"), arn)


def _info(camera: Camera) -> dict[str, Any]:
    settings = camera.settings
    info = {
        "StreamName": settings.name,
        "StreamARN": camera.arn,
        "MediaType": settings.media_type or None,
        "DeviceName": settings.device_name or None,
        "KmsKeyId": settings.kms_key_id,
        "Version": settings.version,
        "Status": "ACTIVE",
        "CreationTime": datetime.fromtimestamp(settings.created_ms / 1000, UTC),
        "DataRetentionInHours": settings.retention_h,
    }
    return {name: value for name, value in info.items() if value is not None}


def _check_version(camera: Camera, call: Call) -> None:
    given = call.params.get("CurrentVersion")
    if given is not None and given != camera.settings.version:
        raise refusals.stale_version(given)


def _retention(hours: int) -> int:
    if not 0 <= hours <= MAX_RETENTION_H:
        raise refusals.invalid(f"the data retention must be 0 to {MAX_RETENTION_H} hours")
    return hours


def _tags(given: Mapping[str, str], present: Mapping[str, str]) -> dict[str, str]:
    """The tags with the given ones among them. Raises ServiceFault where AWS would."""
    reserved = [key for key in given if key.lower().startswith("aws:")]
    if reserved:
        raise refusals.invalid(f"tag keys that begin with aws: are reserved: {reserved[0]}")
    merged = {**present, **given}
    if len(merged) > MAX_TAGS:
        raise refusals.too_many_tags()
    return merged


def _page(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode()
    except ValueError as error:
        raise refusals.invalid("the NextToken is not one of ours") from error
