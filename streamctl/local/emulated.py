"""Requests to the services of ours: parsed, permitted, called, answered."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from streamctl.local.http import Answer, Request
from streamctl.local.permissions import Permissions
from streamctl.local.service import Call, Service, ServiceFault
from streamctl.local.sigv4 import Claim
from streamctl.local.wire import UNKNOWN_OPERATION, Wire, not_emulated, wire_of

# Face search on streaming video (General Reference, Rekognition endpoints and quotas, 2026).
_FACE_SEARCH_REGIONS: Final = frozenset(
    {"us-east-1", "us-west-2", "ap-northeast-1", "eu-central-1", "eu-west-1"}
)
# Kinesis Video is one service of ours and three of botocore's.
_SERVICE_OF: Final = {
    "kinesis-video-media": "kinesisvideo",
    "kinesis-video-archived-media": "kinesisvideo",
}
_MEDIA_WIRES: Final = ("kinesis-video-media", "kinesis-video-archived-media")

_log = logging.getLogger(__name__)


class Emulated:
    """The services of ours, by name."""

    def __init__(self, services: Mapping[str, Service], permissions: Permissions) -> None:
        self._services = services
        self._permissions = permissions

    def wire_on_main_port(self, request: Request, claim: Claim) -> Wire | None:
        """The wire that a request to the main port speaks; None if it is not for us."""
        if request.headers.get("x-amz-target", "").startswith("RekognitionService."):
            return wire_of("rekognition")
        return wire_of("kinesisvideo") if claim.service == "kinesisvideo" else None

    def wire_on_media_port(self, request: Request) -> Wire:
        """Everything on the media port is for us; what no media API has is GetMedia's to refuse."""
        return next(
            (wire for wire in map(wire_of, _MEDIA_WIRES) if wire.operation(request)),
            wire_of(_MEDIA_WIRES[0]),
        )

    async def answer(self, wire: Wire, request: Request, call: Call) -> Answer:
        """Carry one call out. `call.params` is filled in from the request here."""
        try:
            return await self._carry_out(wire, request, call)
        except ServiceFault as fault:
            return wire.fault(fault, call.request_id)
        except Exception:  # noqa: BLE001 - a bug of ours is an error 500, not a hanging client
            _log.exception("%s %s failed", call.service, call.operation)
            failed = ServiceFault("InternalServerError", "the local cloud failed; see its log", 500)
            return wire.fault(failed, call.request_id)

    async def _carry_out(self, wire: Wire, request: Request, call: Call) -> Answer:
        _demand_known(wire, call)
        _demand_region(call)
        call.params.update(wire.params(call.operation, request.body))
        self._permissions.demand(request, call)
        service = self._services[_SERVICE_OF.get(wire.name, wire.name)]
        operation = service.operations.get(call.operation)
        if operation is None:
            raise not_emulated(wire.name, call.operation)
        result = await operation(call)
        return wire.answer(call.operation, result, call.request_id)

    def permit(self, wire: Wire, request: Request, call: Call) -> None:
        """Let a media call without end begin. Raises ServiceFault where IAM does not."""
        _demand_known(wire, call)
        if call.operation == "PutMedia":
            call.params.update(_camera_named(request))
        else:
            call.params.update(wire.params(call.operation, request.body))
        self._permissions.demand(request, call)


def _demand_known(wire: Wire, call: Call) -> None:
    if call.operation:
        return
    if wire.name == "rekognition":
        raise ServiceFault(UNKNOWN_OPERATION, "no such operation of rekognition")
    # What the wrong endpoint answers (boto3 issue 1506): media APIs have endpoints of their own,
    # which GetDataEndpoint names, and control calls do not work there.
    raise ServiceFault(
        "AccessDeniedException", "Unable to determine service/operation name to be authorized", 403
    )


def _demand_region(call: Call) -> None:
    # A region without the feature answers as if the caller lacked a permission
    # (developer guide issue 18).
    streaming = "StreamProcessor" in call.operation
    if streaming and call.region not in _FACE_SEARCH_REGIONS:
        raise ServiceFault("AccessDeniedException", f"not available in {call.region}", 400)


def _camera_named(request: Request) -> dict[str, Any]:
    """PutMedia names its camera in headers, not in its body."""
    headers = {
        "StreamName": request.headers.get("x-amzn-stream-name"),
        "StreamARN": request.headers.get("x-amzn-stream-arn"),
    }
    return {name: value for name, value in headers.items() if value}


def empty_call(**who: Any) -> Call:
    """A call whose parameters are not read yet."""
    return Call(params={}, **who)
