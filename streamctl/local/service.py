"""What an emulated service is: operations by name, taking and giving what botocore's model says.

The front door (front.py) parses and validates a request against botocore's model, calls the
operation, and serialises its answer or its fault the way that the service's protocol does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Call:
    """One request, parsed: `params` has the model's member names and Python types."""

    service: str
    """botocore's service name: rekognition, kinesisvideo, kinesis-video-media, ..."""
    operation: str
    params: dict[str, Any]
    account: str
    region: str
    access_key: str
    request_id: str
    stale_s: float = 0.0
    """Answer with what was true so long ago: an injected fault."""

    @property
    def scope(self) -> tuple[str, str]:
        """What state is kept by: nothing of one account and region is seen in another."""
        return self.account, self.region


class ServiceFault(Exception):
    """An error answer. `code` is the model's exception name, or a common AWS error code."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


Operation = Callable[[Call], Awaitable[Mapping[str, Any]]]


class Service(Protocol):
    """An emulated service. Operations that it lacks are answered with a fault that names them."""

    name: str
    operations: Mapping[str, Operation]

    async def start(self) -> None:
        """Called once the ports are open."""
        ...

    async def stop(self) -> None:
        """End every task and child process; write what must outlive the server."""
        ...
