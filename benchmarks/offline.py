"""AWS without a network: what `on_records` calls, answered from memory.

The wire can be cut in two places. `InMemory` cuts it at boto3's client: what is left is our own
code alone. `unsent` cuts it where botocore would send a request, so that botocore's own work is
done: checking, writing, signing, reading.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from benchmarks.inputs import CAMERA
from streamctl.aws import table
from streamctl.aws.session import Aws
from streamctl.core.policy import Policy
from streamctl.core.runs import Run
from streamctl.ops.setting import Setting, run_key

SETTING: Final = Setting(
    "main", "table", "bus", "clock", "failure", timedelta(seconds=30), "pictures"
)


@dataclass(slots=True)
class Network:
    """A table that keeps its items, and a bus that takes everything."""

    items: dict[str, Any] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    """Every operation that was called, in order."""

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(operation)
        match operation:
            case "batch_get_item":
                ((name, wanted),) = request["RequestItems"].items()
                keys = [each["key"]["S"] for each in wanted["Keys"]]
                return {"Responses": {name: [self.items[k] for k in keys if k in self.items]}}
            case "put_item":
                self.items[request["Item"]["key"]["S"]] = request["Item"]
                return {}
            case "put_events":
                return {"FailedEntryCount": 0, "Entries": []}
        raise LookupError(f"no answer is made up for {operation}")


@dataclass(frozen=True)
class InMemory(Aws):
    """Hands out clients whose methods are the network's answers."""

    network: Network = field(default_factory=Network)

    def client(self, service: str, **_: Any) -> Any:  # noqa: ARG002 - as Aws has it
        return _Client(self.network)


@dataclass(frozen=True, slots=True)
class _Client:
    network: Network

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        return lambda **request: self.network.answer(operation, request)


def unsent(network: Network) -> Aws:
    """Real clients, whose requests the network answers before they are sent."""
    aws = Aws(region="us-east-1")
    for service in ("dynamodb", "events"):
        respond = functools.partial(_respond, network)
        aws.client(service).meta.events.register(f"before-send.{service}", respond)
    return aws


def remember_run(aws: Aws) -> None:
    """The camera's run is known, as it is in all but a run's first minute."""
    since = datetime(2020, 4, 15, tzinfo=UTC)
    run = Run("door@1", CAMERA, "door", since, since, Policy())
    table.save(aws, SETTING.table, run_key(CAMERA), run, 0)


def _respond(
    network: Network, request: AWSPreparedRequest, event_name: str, **_: Any
) -> AWSResponse:
    operation = xform_name(event_name.rpartition(".")[2])
    answer = network.answer(operation, json.loads(request.body))
    return AWSResponse(request.url, 200, {}, _Body(json.dumps(answer).encode()))


@dataclass(frozen=True, slots=True)
class _Body:
    """What botocore reads of an HTTP answer's body."""

    content: bytes

    def stream(self) -> Iterator[bytes]:
        yield self.content
