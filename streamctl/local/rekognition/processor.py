"""A stream processor as a value: what it was created with, and where it stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from streamctl.local.rekognition.arns import PROCESSOR, Scope, arn_of, merged_tags
from streamctl.local.rekognition.states import Status, after_restart
from streamctl.local.service import Call, ServiceFault

LEAST_THRESHOLD: Final = 80.0
"""Anything below is raised to it without a word (API reference, FaceSearchSettings)."""


@dataclass(frozen=True, slots=True)
class Processor:
    """One face-search processor. Times are Unix seconds; `updated` moves with each state."""

    name: str
    account: str
    region: str
    camera_arn: str
    results_arn: str
    collection_id: str
    threshold: float
    role_arn: str
    created: float
    updated: float
    status: Status = Status.STOPPED
    status_message: str = ""
    data_sharing: bool | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, call: Call, now: float) -> Processor:
        """What CreateStreamProcessor asks for. Raises InvalidParameterException as a fault."""
        params = call.params
        _demand_face_search(params)
        search = params["Settings"]["FaceSearch"]
        threshold = float(search.get("FaceMatchThreshold", LEAST_THRESHOLD))
        return cls(
            name=params["Name"],
            account=call.account,
            region=call.region,
            camera_arn=params["Input"]["KinesisVideoStream"]["Arn"],
            results_arn=params["Output"]["KinesisDataStream"]["Arn"],
            collection_id=search["CollectionId"],
            threshold=max(LEAST_THRESHOLD, threshold),
            role_arn=params["RoleArn"],
            created=now,
            updated=now,
            data_sharing=params.get("DataSharingPreference", {}).get("OptIn"),
            tags=merged_tags({}, params.get("Tags", {})),
        )

    @property
    def scope(self) -> Scope:
        return self.account, self.region

    @property
    def arn(self) -> str:
        return arn_of(self.scope, PROCESSOR, self.name)

    @property
    def names(self) -> tuple[str, ...]:
        """By what a fault may name it: its own name, its camera's, its results'."""
        return self.arn, self.camera_arn, self.results_arn

    def moved(self, status: Status, now: float, message: str = "") -> Processor:
        """The same processor in another state; always at least a millisecond after the one before."""
        updated = max(now, self.updated + 0.001)  # what Describe can tell apart
        return replace(self, status=status, status_message=message, updated=updated)

    def stands_where(self, other: Processor) -> bool:
        """Whether nothing has moved it since it was `other`."""
        return (self.created, self.updated) == (other.created, other.updated)

    def described(self) -> dict[str, Any]:
        """DescribeStreamProcessor's answer. It has no tags."""
        sharing = {"DataSharingPreference": {"OptIn": self.data_sharing}}
        message = {"StatusMessage": self.status_message}
        return {
            "Name": self.name,
            "StreamProcessorArn": self.arn,
            "Status": str(self.status),
            "CreationTimestamp": _time(self.created),
            "LastUpdateTimestamp": _time(self.updated),
            "Input": {"KinesisVideoStream": {"Arn": self.camera_arn}},
            "Output": {"KinesisDataStream": {"Arn": self.results_arn}},
            "RoleArn": self.role_arn,
            "Settings": {
                "FaceSearch": {
                    "CollectionId": self.collection_id,
                    "FaceMatchThreshold": self.threshold,
                }
            },
            **(message if self.status_message else {}),
            **(sharing if self.data_sharing is not None else {}),
        }

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def restarted(cls, read: Mapping[str, Any], now: float) -> Processor:
        """The processor that `to_json` gave to an earlier server: no longer running."""
        before = cls(**{**read, "status": Status(read["status"])})
        status = after_restart(before.status)
        if status is before.status:
            return before
        return before.moved(status, now, "The local cloud was restarted")


def invalid(message: str) -> ServiceFault:
    return ServiceFault("InvalidParameterException", message)


def _demand_face_search(params: Mapping[str, Any]) -> None:
    settings, output = params["Settings"], params["Output"]
    if "ConnectedHome" in settings or "S3Destination" in output:
        raise invalid(
            "Label detection (ConnectedHome) is not emulated by the local cloud;"
            " give Settings.FaceSearch and Output.KinesisDataStream"
        )
    for name in ("NotificationChannel", "KmsKeyId", "RegionsOfInterest"):
        if name in params:
            raise invalid(f"{name} is not for a face-search processor")
    for given in (
        settings.get("FaceSearch", {}).get("CollectionId"),
        params["Input"].get("KinesisVideoStream", {}).get("Arn"),
        output.get("KinesisDataStream", {}).get("Arn"),
    ):
        if not given:
            raise invalid(
                "A face-search processor needs Input.KinesisVideoStream.Arn,"
                " Output.KinesisDataStream.Arn and Settings.FaceSearch.CollectionId"
            )


def _time(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(round(seconds, 3), dt.UTC)
