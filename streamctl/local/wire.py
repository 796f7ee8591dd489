"""One service's protocol: requests into operations and parameters, answers and errors back.

The protocols are JSON 1.1 (the operation is named in X-Amz-Target) and REST-JSON (the operation
is the path), as far as Rekognition and Kinesis Video use them: everything travels in the body.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, NoReturn

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from streamctl.local import shapes
from streamctl.local.http import Answer, Request
from streamctl.local.service import ServiceFault

UNKNOWN_OPERATION: Final = "UnknownOperationException"

# The JSON protocols' names of common errors that the other protocols call otherwise.
_JSON_CODES: Final = {
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "CredentialDateMismatch": "InvalidSignatureException",
    "RequestTimeTooSkewed": "InvalidSignatureException",
    "IncompleteSignature": "IncompleteSignatureException",
    "MissingAuthorizationParameter": "IncompleteSignatureException",
    "UnsupportedSignature": "IncompleteSignatureException",
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "InvalidClientTokenId": "UnrecognizedClientException",
}


class Wire:
    """A service as botocore models it. Building one reads the model; use `wire_of`."""

    def __init__(self, service: str) -> None:
        self._model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
        self._rest = self._model.protocol == "rest-json"
        self._by_path = {
            (operation.http["method"], operation.http["requestUri"]): operation
            for operation in map(self._model.operation_model, self._model.operation_names)
        }

    @property
    def name(self) -> str:
        return str(self._model.service_name)

    def operation(self, request: Request) -> str | None:
        """The operation's name; None if the service has none such."""
        if self._rest:
            found = self._by_path.get((request.method, request.path))
            return found.name if found else None
        name = request.headers.get("x-amz-target", "").rpartition(".")[2]
        return name if name in self._model.operation_names else None

    def params(self, operation: str, body: bytes) -> dict[str, Any]:
        """The parameters, checked against the model. Raises ServiceFault where they are wrong."""
        shape = self._operation(operation).input_shape
        try:
            given = json.loads(body or b"{}", parse_constant=_no_number)
            return dict(shapes.read(shape, given)) if shape else {}
        except (ValueError, RecursionError, shapes.Malformed) as error:
            # RecursionError: JSON nested deeper than anything that AWS accepts.
            reason = str(error) if isinstance(error, shapes.Malformed) else "the body is not JSON"
            raise ServiceFault("SerializationException", reason) from error
        except shapes.Invalid as error:
            raise ServiceFault("ValidationException", str(error)) from error

    def answer(self, operation: str, result: Mapping[str, Any], request_id: str) -> Answer:
        shape = self._operation(operation).output_shape
        body = json.dumps(shapes.write(shape, result) if shape else {}).encode()
        return Answer(HTTPStatus.OK, self._headers(request_id), body)

    def fault(self, fault: ServiceFault, request_id: str) -> Answer:
        """The error as clients of this service read it, with the status that the model gives."""
        code = _JSON_CODES.get(fault.code, fault.code)
        modelled = {shape.name: shape for shape in self._model.error_shapes}.get(code)
        error = modelled.metadata.get("error", {}) if modelled is not None else {}
        headers = self._headers(request_id) | {"x-amzn-ErrorType": code}
        body = {"__type": code, "message": fault.message, "Message": fault.message}
        return Answer(error.get("httpStatusCode", fault.status), headers, json.dumps(body).encode())

    def _operation(self, name: str) -> OperationModel:
        return self._model.operation_model(name)

    def _headers(self, request_id: str) -> dict[str, str]:
        kind = "application/json" if self._rest else "application/x-amz-json-1.1"
        return {"content-type": kind, "x-amzn-RequestId": request_id}


@functools.cache
def wire_of(service: str) -> Wire:
    """The wire of a botocore service ("rekognition", "kinesis-video-media"); models are large."""
    return Wire(service)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")  # Python reads NaN and Infinity all the same


def not_emulated(service: str, operation: str) -> ServiceFault:
    message = f"the local cloud does not emulate {service} {operation}"
    return ServiceFault(UNKNOWN_OPERATION, message)
