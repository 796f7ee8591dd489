"""What AWS refuses of CreateEventSourceMapping, and ministack lets pass (Lambda developer guide)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from streamctl.local import shapes
from streamctl.local.roles import Roles

_STREAM_ACTIONS: Final = ("DescribeStream", "GetRecords", "GetShardIterator", "ListShards")
_QUEUE_ACTIONS: Final = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
_LAMBDA: Final = "lambda.amazonaws.com"
_INVALID: Final = "InvalidParameterValueException"


@dataclass(frozen=True, slots=True)
class Refusal:
    code: str
    message: str
    status: int = 400


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mapping that is to be made, and what it is to join."""

    settings: Mapping[str, Any]
    """The members of CreateEventSourceMapping."""
    function_arn: str
    role: str
    function_timeout_s: int
    existing: Iterable[Mapping[str, Any]]
    """The mappings of the same account and region."""
    queue_visibility_s: int | None = None
    """Where the source is a queue that exists."""

    @property
    def source(self) -> str:
        return str(self.settings.get("EventSourceArn", ""))


def malformed(settings: Mapping[str, Any]) -> Refusal | None:
    """Why the request does not meet the constraints that AWS publishes for it."""
    try:
        shapes.read(_input_shape(), dict(settings))
    except shapes.Malformed as error:
        return Refusal("SerializationException", str(error))
    except shapes.Invalid as error:
        return Refusal("ValidationException", str(error))
    return None


def typed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A template's properties with the API's types: CloudFormation hands parameters on as strings."""
    members = _input_shape().members
    known = {key: _typed(value, members[key]) for key, value in settings.items() if key in members}
    return {**settings, **known}


def _typed(value: Any, shape: Shape) -> Any:
    if isinstance(value, Mapping) and shape.type_name == "structure":
        inside = shape.members
        return {k: _typed(v, inside[k]) if k in inside else v for k, v in value.items()}
    if isinstance(value, str) and shape.type_name in ("integer", "long"):
        return int(value) if value.lstrip("-").isdigit() else value
    if isinstance(value, str) and shape.type_name == "boolean":
        return {"true": True, "false": False}.get(value.lower(), value)
    return value


def refusal(wanted: Wanted, roles: Roles) -> Refusal | None:
    """Why AWS would not make this mapping; None if it would."""
    return (
        _repeated(wanted)
        or _without_start(wanted)
        or _windowed(wanted)
        or _impatient(wanted)
        or _forbidden(wanted, roles)
    )


def _repeated(wanted: Wanted) -> Refusal | None:
    for other in wanted.existing:
        if (other["EventSourceArn"], other["FunctionArn"]) == (wanted.source, wanted.function_arn):
            return Refusal(
                "ResourceConflictException",
                f'The event source arn (" {wanted.source} ") and function ("'
                f' {wanted.function_arn} ") provided mapping already exists. Please update or'
                f" delete the existing mapping with UUID {other['UUID']}",
                409,
            )
    return None


def _without_start(wanted: Wanted) -> Refusal | None:
    if ":kinesis:" not in wanted.source:
        return None
    start = wanted.settings.get("StartingPosition")
    if start not in {"TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"}:
        return Refusal(_INVALID, f"StartingPosition {start} is not one for a Kinesis stream.")
    if start == "AT_TIMESTAMP" and "StartingPositionTimestamp" not in wanted.settings:
        return Refusal(_INVALID, "AT_TIMESTAMP needs a StartingPositionTimestamp.")
    return None


def _windowed(wanted: Wanted) -> Refusal | None:
    if not int(wanted.settings.get("TumblingWindowInSeconds") or 0):
        return None
    return Refusal(_INVALID, "the local cloud does not emulate TumblingWindowInSeconds")


def _impatient(wanted: Wanted) -> Refusal | None:
    visibility = wanted.queue_visibility_s
    if visibility is None or visibility >= wanted.function_timeout_s:
        return None
    return Refusal(
        _INVALID,
        f"Queue visibility timeout: {visibility} seconds is less than Function timeout:"
        f" {wanted.function_timeout_s} seconds",
    )


def _forbidden(wanted: Wanted, roles: Roles) -> Refusal | None:
    def lacks(action: str, resource: str) -> bool:
        return not roles.allows(wanted.role, _LAMBDA, action, resource)

    if ":kinesis:" in wanted.source:
        if any(lacks(f"kinesis:{action}", wanted.source) for action in _STREAM_ACTIONS):
            return Refusal(
                _INVALID,
                f"Cannot access stream {wanted.source}. Please ensure the role can perform the"
                " GetRecords, GetShardIterator, DescribeStream, ListShards, and ListStreams"
                " Actions on your stream in IAM.",
            )
    elif ":sqs:" in wanted.source:
        for action in _QUEUE_ACTIONS:
            if lacks(f"sqs:{action}", wanted.source):
                return _no_permission(action, "SQS")
    return _undeliverable(wanted, roles)


def _undeliverable(wanted: Wanted, roles: Roles) -> Refusal | None:
    config = wanted.settings.get("DestinationConfig") or {}
    target = (config.get("OnFailure") or {}).get("Destination") or ""
    if not target:
        return None
    service = target.split(":")[2] if target.count(":") == 5 else ""
    action = {"sqs": "SendMessage", "sns": "Publish"}.get(service)
    if action is None:
        return Refusal(_INVALID, f"the local cloud cannot send what failed to {target}")
    if not roles.allows(wanted.role, _LAMBDA, f"{service}:{action}", target):
        return _no_permission(action, service.upper())
    return None


def _no_permission(action: str, service: str) -> Refusal:
    return Refusal(
        _INVALID,
        f"The provided execution role does not have permissions to call {action} on {service}",
    )


@functools.cache
def _input_shape() -> Shape:
    model = ServiceModel(Loader().load_service_model("lambda", "service-2"), "lambda")
    shape = model.operation_model("CreateEventSourceMapping").input_shape
    assert shape is not None
    return shape
