"""Which operation a request is, for any service: "dynamodb.PutItem", "lambda.Invoke".

Faults are named by operation. The name comes from the protocol where that carries it (JSON, query,
CBOR), and from the paths of botocore's model for the REST services.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from streamctl.errors import AskedWrongly
from streamctl.local.http import Request

# Signing names that are not botocore's names of the services.
_BOTOCORE: Final = {"monitoring": "cloudwatch"}
_UNMODELLED: Final = {"kinesis-video-media": ("PutMedia",)}
_REFUSED: Final = HTTPStatus.BAD_REQUEST
_CBOR: Final = re.compile(r"^/service/[^/]+/operation/([^/]+)$")


def operation_of(request: Request, signing_name: str) -> str:
    """The service's botocore name and the operation's, with a dot; "" if that cannot be told."""
    service = _BOTOCORE.get(signing_name, signing_name)
    name = _named(request) or _by_path(request, service)
    return f"{service}.{name}" if service and name else ""


def demand_known(operation: str) -> None:
    """Raises AskedWrongly where botocore has no such operation, in any case of its letters."""
    service, _, name = operation.partition(".")
    names = (*_definition(service.lower())["operations"], *_UNMODELLED.get(service, ()))
    known = {each.lower(): each for each in names}
    if name.lower() in known:
        return
    near = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f"perhaps {service}.{known[near[0]]}" if near else "a service of botocore, a dot, a call"
    raise AskedWrongly(f"there is no operation {operation}", hint=hint)


def modelled_error(operation: str, code: str) -> tuple[str, int]:
    """What stands on the wire for an error that clients know as `code`, and its HTTP status."""
    definition = _definition(operation.partition(".")[0].lower())
    for name, shape in definition["shapes"].items():
        error = shape.get("error", {})
        on_wire = str(error.get("code", name))
        if shape.get("exception") and code in {name, on_wire}:
            usual = HTTPStatus.INTERNAL_SERVER_ERROR if shape.get("fault") else _REFUSED
            return on_wire, int(error.get("httpStatusCode", usual))
    return code, _REFUSED


@functools.cache
def _definition(service: str) -> Mapping[str, Any]:
    """A service's model as botocore reads it; of a service that there is not, an empty one."""
    try:
        return dict(Loader().load_service_model(service, "service-2"))
    except UnknownServiceError:
        return {"metadata": {"protocol": ""}, "operations": {}, "shapes": {}}


def _named(request: Request) -> str:
    target = request.headers.get("x-amz-target", "")
    if target:
        return target.rpartition(".")[2]
    cbor = _CBOR.match(request.path)
    if cbor:
        return cbor[1]
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form = parse_qs(request.body[:100_000].decode("latin-1"))
        return form.get("Action", [""])[0]
    return request.parameters.get("Action", [""])[0]


@dataclass(frozen=True, slots=True)
class Route:
    """What a REST request of one operation looks like."""

    name: str
    method: str
    path: re.Pattern[str]
    query: tuple[tuple[str, str], ...]
    """Parameters that must be there, with their values, or "" for any."""
    headers: tuple[str, ...]

    def fits(self, request: Request) -> bool:
        given = request.parameters
        return (
            request.method == self.method
            and self.path.fullmatch(request.path) is not None
            and all(name in request.headers for name in self.headers)
            and all(name in given and value in {"", given[name][0]} for name, value in self.query)
        )

    @property
    def particular(self) -> tuple[int, int]:
        """Of two routes that fit, the one that demands more is meant."""
        return len(self.query) + len(self.headers), len(self.path.pattern)


def _by_path(request: Request, service: str) -> str:
    return next((route.name for route in _routes(service) if route.fits(request)), "")


@functools.cache
def _routes(service: str) -> tuple[Route, ...]:
    """A REST service's operations, the most particular first."""
    model = ServiceModel(_definition(service), service)
    if not model.protocol.startswith("rest"):
        return ()
    routes = [_route(model.operation_model(name)) for name in model.operation_names]
    return tuple(sorted(routes, key=lambda route: route.particular, reverse=True))


def _route(operation: OperationModel) -> Route:
    path, _, query = operation.http["requestUri"].partition("?")
    pattern = re.sub(r"\\\{[^}]*?\\\+\\\}", ".+", re.escape(path))
    pattern = re.sub(r"\\\{.*?\\\}", "[^/]+", pattern)
    pairs = [pair.partition("=")[::2] for pair in query.split("&") if pair]
    named = _demanded(operation, "querystring")
    return Route(
        name=operation.name,
        method=operation.http["method"],
        path=re.compile(pattern),
        query=tuple(sorted({**dict.fromkeys(named, ""), **dict(pairs)}.items())),
        headers=tuple(name.lower() for name in _demanded(operation, "header")),
    )


def _demanded(operation: OperationModel, location: str) -> list[str]:
    shape = operation.input_shape
    members = [shape.members[name] for name in shape.required_members] if shape else []
    found = [member.serialization for member in members]
    return [where["name"] for where in found if where.get("location") == location]
