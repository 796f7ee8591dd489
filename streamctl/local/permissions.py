"""IAM for the services of ours: with AUTH=true a caller needs its policies' leave, as on AWS."""

from __future__ import annotations

from typing import Any, Final

from streamctl.local.cloud import Cloud
from streamctl.local.engine_room import EngineRoom
from streamctl.local.http import Request
from streamctl.local.kinesisvideo.service import KinesisVideoService
from streamctl.local.service import Call, ServiceFault

# The resource that an IAM statement names (Service Authorization Reference), by the parameter
# that names it in a call. The first that is there counts.
_RESOURCES: Final = (
    ("ResourceArn", "{value}"),
    ("ResourceARN", "{value}"),
    ("StreamARN", "{value}"),
    ("StreamName", "arn:aws:kinesisvideo:{region}:{account}:stream/{value}/0"),
    ("Name", "arn:aws:rekognition:{region}:{account}:streamprocessor/{value}"),
    ("CollectionId", "arn:aws:rekognition:{region}:{account}:collection/{value}"),
)


class Permissions:
    """Asks ministack's IAM whether a caller may do what it asks.

    `cameras` tells the ARN of a camera that a call gives by name.
    """

    def __init__(self, cloud: Cloud, engine: EngineRoom, cameras: KinesisVideoService) -> None:
        self._cloud = cloud
        self._engine = engine
        self._cameras = cameras

    def demand(self, request: Request, call: Call) -> None:
        """Raises ServiceFault where IAM is enforced and says no."""
        if not self._cloud.auth:
            return
        self._ask(request, call, f"{_prefix(call)}:{call.operation}", self._resource(call))
        if call.operation == "CreateStreamProcessor":  # hands a role to the service
            self._ask(request, call, "iam:PassRole", call.params["RoleArn"])

    def _ask(self, request: Request, call: Call, action: str, resource: str) -> None:
        denied = self._engine.denial(request, call, action, resource)
        if denied is not None:
            code, message = denied
            raise ServiceFault(code, message, 400)

    def _resource(self, call: Call) -> str:
        for name, form in _RESOURCES:
            value: Any = call.params.get(name)
            if not isinstance(value, str):
                continue
            camera = self._cameras.find(call.scope, value) if name == "StreamName" else None
            if camera is not None:
                return camera.arn
            return form.format(value=value, region=call.region, account=call.account)
        return "*"


def _prefix(call: Call) -> str:
    return "rekognition" if call.service == "rekognition" else "kinesisvideo"
