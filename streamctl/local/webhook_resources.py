"""Connections and API destinations: in templates, where ministack has none, and as AWS shows them.

AWS::Events::Connection and AWS::Events::ApiDestination are made by ministack's own API calls. Of a
connection AWS tells no secret, and an endpoint of AWS's is https; on this machine http will do.
"""

from __future__ import annotations

import json
import urllib.parse
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from streamctl.local.engine_room import EngineRoom
from streamctl.local.identity import HOST

_EVENTS: Final = "services.eventbridge"
_PROVISIONERS: Final = "services.cloudformation.provisioners"
_NAME_LENGTH: Final = 64
_SECRETS: Final = frozenset({"ApiKeyValue", "ClientSecret", "Password"})

Made = tuple[str, dict[str, str]]


def know_webhooks(engine: EngineRoom) -> None:
    """Once a process, before the first request."""
    _demand_https(engine)
    _keep_secrets(engine)
    for kind in (_CONNECTION, _DESTINATION):
        Resources(engine, kind).install()


@dataclass(frozen=True, slots=True)
class _Kind:
    """A resource type, and what CreateX, UpdateX and DeleteX are called in ministack."""

    type: str
    call: str
    arn: str
    properties: frozenset[str]
    attributes: Callable[[str], dict[str, str]]


def _of_connection(arn: str) -> dict[str, str]:
    region, account, name = arn.split(":")[3], arn.split(":")[4], arn.rpartition("/")[2]
    secret = f"events!connection/{name}/{uuid.uuid5(uuid.NAMESPACE_URL, arn)}"
    return {"SecretArn": f"arn:aws:secretsmanager:{region}:{account}:secret:{secret}"}


_CONNECTION: Final = _Kind(
    type="AWS::Events::Connection",
    call="connection",
    arn="ConnectionArn",
    properties=frozenset({"AuthorizationType", "AuthParameters", "Description"}),
    attributes=_of_connection,
)
_DESTINATION: Final = _Kind(
    type="AWS::Events::ApiDestination",
    call="api_destination",
    arn="ApiDestinationArn",
    properties=frozenset(
        {
            "ConnectionArn",
            "Description",
            "HttpMethod",
            "InvocationEndpoint",
            "InvocationRateLimitPerSecond",
        }
    ),
    attributes=lambda _: {},
)


class Resources:
    """Creates, updates and deletes one kind on behalf of stacks.

    Ref is the name, GetAtt Arn the ARN (CloudFormation's user guide). A new Name replaces the resource.
    """

    def __init__(self, engine: EngineRoom, kind: _Kind) -> None:
        self._engine = engine
        self._kind = kind
        self._generated_name = engine.part(_PROVISIONERS, "_physical_name")

    def install(self) -> None:
        self._engine.part(_PROVISIONERS, "_RESOURCE_HANDLERS")[self._kind.type] = {
            "create": self.create,
            "update": self.update,
            "delete": self.delete,
        }
        self._engine.part(_PROVISIONERS, "_REPLACING_PROPERTIES")[self._kind.type] = ("Name",)

    def create(self, logical_id: str, props: Mapping[str, Any], stack: str) -> Made:
        name = props.get("Name") or self._generated_name(stack, logical_id, max_len=_NAME_LENGTH)
        return self._made(name, self._call("create", name, props))

    def update(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any], stack: str) -> Made:
        del old, stack  # the name is the identity
        return self._made(name, self._call("update", name, new))

    def delete(self, name: str, props: Mapping[str, Any]) -> None:
        """Twice is once: a stack's delete is tried again where it failed half way."""
        del props
        status, _, body = self._engine.part(_EVENTS, f"_delete_{self._kind.call}")({"Name": name})
        if status >= 400 and b"ResourceNotFoundException" not in body:
            raise ValueError(_said(body))

    def _made(self, name: str, answer: Mapping[str, Any]) -> Made:
        arn = str(answer[self._kind.arn])
        return name, {"Arn": arn, "ArnForPolicy": arn, **self._kind.attributes(arn)}

    def _call(self, verb: str, name: str, props: Mapping[str, Any]) -> Mapping[str, Any]:
        """Raises ValueError, which is how ministack's provisioners say that a resource failed."""
        wanted = {key: props[key] for key in self._kind.properties if key in props}
        call = self._engine.part(_EVENTS, f"_{verb}_{self._kind.call}")
        status, _, body = call({**wanted, "Name": name})
        if status >= 400:
            raise ValueError(_said(body))
        answer: Mapping[str, Any] = json.loads(body)
        return answer


def _demand_https(engine: EngineRoom) -> None:
    check = engine.part(_EVENTS, "_validate_http_endpoint")
    refuse = engine.part("core.responses", "error_response_json")

    def checked(endpoint: Any, param: str) -> Any:
        wrong = check(endpoint, param)
        if wrong is not None:
            return wrong
        parts = urllib.parse.urlsplit(endpoint)
        if parts.scheme == "https" or parts.hostname == HOST:
            return None
        said = f"Parameter {param} is not valid. Reason: Must be an https:// endpoint."
        return refuse("ValidationException", said, 400)

    engine.replace(_EVENTS, "_validate_http_endpoint", checked)


def _keep_secrets(engine: EngineRoom) -> None:
    describe = engine.part(_EVENTS, "_describe_connection")

    def described(data: dict[str, Any]) -> Any:
        status, headers, body = describe(data)
        if status >= 400:
            return status, headers, body
        shown = json.loads(body)
        shown["AuthParameters"] = _without_secrets(shown.get("AuthParameters"))
        return status, headers, json.dumps(shown).encode()

    engine.replace(_EVENTS, "_describe_connection", described)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_secrets(each) for each in value]
    if not isinstance(value, dict):
        return value
    hidden = _SECRETS | ({"Value"} if value.get("IsValueSecret") in {True, "true"} else set())
    return {key: _without_secrets(each) for key, each in value.items() if key not in hidden}


def _said(body: bytes) -> str:
    error = json.loads(body)
    return f"{error.get('message', error)} (Service: EventBridge, {error.get('__type', '')})"
