"""The local cloud's own paths, under /_streamctl/ on the main port: status, stop and faults."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from streamctl.errors import AskedWrongly
from streamctl.local.cloud import Cloud
from streamctl.local.faults import Fault
from streamctl.local.faults.happenings import is_happening
from streamctl.local.http import Answer, Request
from streamctl.local.operations import demand_known

PREFIX: Final = "/_streamctl/"
_WHICH: Final = ("operation", "target", "caller")


def answer(cloud: Cloud, request: Request) -> Answer:
    """Answer a request below PREFIX."""
    match request.method, request.path.removeprefix(PREFIX):
        case "GET", "status":
            return _json(HTTPStatus.OK, _status(cloud))
        case "GET", "faults":
            waiting = [dataclasses.asdict(fault) for fault in cloud.faults.listed()]
            return _json(HTTPStatus.OK, {"faults": waiting})
        case "POST", "faults":
            return _add(cloud, request.body)
        case "DELETE", "faults":
            return _clear(cloud, request)
    return _json(HTTPStatus.NOT_FOUND, {"error": f"no {request.method} {request.path}"})


def is_stop(request: Request) -> bool:
    """Whether it asks this very process to end: one that has its port now may be another."""
    if (request.method, request.path.removeprefix(PREFIX)) != ("POST", "stop"):
        return False
    try:
        return bool(json.loads(request.body) == {"pid": os.getpid()})
    except (ValueError, RecursionError):
        return False


def stopped(unsaved: Mapping[str, str]) -> Answer:
    """What is said last: what could not be saved, by service, with the reason."""
    return _json(HTTPStatus.OK, {"unsaved": dict(unsaved)})


def _add(cloud: Cloud, body: bytes) -> Answer:
    try:
        fault = Fault.of(json.loads(body))
        if not is_happening(fault.operation):
            demand_known(fault.operation)
        cloud.faults.add(fault)
    except (ValueError, RecursionError):
        return _refused(AskedWrongly("a fault is a JSON object"))
    except AskedWrongly as error:
        return _refused(error)
    return _json(HTTPStatus.OK, {})


def _clear(cloud: Cloud, request: Request) -> Answer:
    which = {name: values[0] for name, values in request.parameters.items()}
    unknown = which.keys() - set(_WHICH)
    if unknown:
        hint = f"they are told by {', '.join(_WHICH)}"
        return _refused(AskedWrongly(f"faults are not told by {min(unknown)}", hint=hint))
    cloud.faults.clear(**which)
    return _json(HTTPStatus.OK, {})


def _refused(error: AskedWrongly) -> Answer:
    return _json(HTTPStatus.BAD_REQUEST, {"error": str(error), "hint": error.hint})


def _status(cloud: Cloud) -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "endpoint_url": cloud.endpoint_url,
        "media_endpoint_url": cloud.media_endpoint_url,
        "data": str(cloud.data),
        "auth": cloud.auth,
        "switches": dataclasses.asdict(cloud.switches),
    }


def _json(status: HTTPStatus, body: dict[str, Any]) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(body).encode())
