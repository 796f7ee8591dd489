"""The life cycle of a stream processor: what each request does in each state. Pure.

Source: the API reference, the developer guide and Terraform's provider. Where AWS documents
no answer, the likelier one stands here, and `docs/assumptions.md` lists it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from streamctl.local.service import ServiceFault


class Status(StrEnum):
    """The values of AWS's StreamProcessorStatus."""

    STOPPED = "STOPPED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    FAILED = "FAILED"
    STOPPING = "STOPPING"
    UPDATING = "UPDATING"


class Request(StrEnum):
    """What a caller may ask of a processor that exists."""

    START = "start"
    STOP = "stop"
    DELETE = "delete"
    UPDATE = "update"


GONE: Final = None
"""Where Delete leads."""

_ALLOWED: Final[dict[tuple[Status, Request], Status | None]] = {
    (Status.STOPPED, Request.START): Status.STARTING,
    (Status.FAILED, Request.START): Status.STARTING,
    (Status.RUNNING, Request.STOP): Status.STOPPING,
    (Status.STOPPED, Request.DELETE): GONE,
    (Status.FAILED, Request.DELETE): GONE,
    # The guide's cure for a processor that is stuck (streaming-video-troubleshooting).
    (Status.STARTING, Request.DELETE): GONE,
    (Status.STOPPED, Request.UPDATE): Status.UPDATING,
}

# The texts are the documented ones (developer guide, error-handling). Callers match the code.
_REFUSED: Final = {
    Request.START: "Specified resource is in use.",
    Request.STOP: "Processor not available for stopping stream.",
    Request.DELETE: "Cannot delete stream processor.",
    Request.UPDATE: "Specified resource is in use.",
}

_NOTHING_TO_STOP: Final = frozenset({Status.STOPPED, Status.STOPPING, Status.FAILED})

SETTLES_AS: Final = {
    Status.STARTING: Status.RUNNING,
    Status.STOPPING: Status.STOPPED,
    Status.UPDATING: Status.STOPPED,
}
"""What a passing state becomes by itself, if nothing fails."""

PROCESSING: Final = frozenset({Status.STARTING, Status.RUNNING, Status.STOPPING})
"""States that take one of the ten places of an account and region (General Reference, quotas)."""


def after(status: Status, request: Request, *, stop_of_stopped_is_error: bool) -> Status | None:
    """The state that a request leads to at once; GONE after Delete.

    Without `stop_of_stopped_is_error`, Stop of what does not run changes nothing. Raises the
    fault ResourceInUseException where the request is not for this state.
    """
    if (status, request) in _ALLOWED:
        return _ALLOWED[status, request]
    if request is Request.STOP and status in _NOTHING_TO_STOP and not stop_of_stopped_is_error:
        return status
    raise ServiceFault("ResourceInUseException", _REFUSED[request])


def after_restart(status: Status) -> Status:
    """What the server finds when it starts on data of an earlier one: nothing runs."""
    return status if status is Status.FAILED else Status.STOPPED
