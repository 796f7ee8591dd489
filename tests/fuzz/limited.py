"""AWS in memory with the limits that its own would keep: what it would refuse is refused here."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import ClientError

from benchmarks.offline import Network

ITEM_BYTES: Final = 400 * 1024
MESSAGE_BYTES: Final = 256 * 1024
ENTRIES_BYTES: Final = 256 * 1024

# What an SQS message may hold (API reference, SendMessage).
_SENDABLE: Final = re.compile("[\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")


@dataclass(slots=True)
class Limited(Network):
    """A table, a bus and queues. `failures` is what lies in the failure queue."""

    failures: list[dict[str, Any]] = field(default_factory=list)
    largest_item: int = 0

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        match operation:
            case "put_item":
                self._check_item(request["Item"])
            case "put_events":
                self._check_entries(request["Entries"])
            case "send_message":
                return self._take_message(request)
        return Network.answer(self, operation, request)

    def _check_item(self, item: dict[str, Any]) -> None:
        size = sum(len(name) + len(*value.values()) for name, value in _encoded(item))
        self.largest_item = max(size, self.largest_item)
        if size > ITEM_BYTES:
            raise _refused("ValidationException", f"an item of {size} bytes", "PutItem")

    def _check_entries(self, entries: list[dict[str, Any]]) -> None:
        details = [each["Detail"].encode() for each in entries]
        if len(entries) > 10 or sum(map(len, details)) > ENTRIES_BYTES:
            raise _refused("ValidationException", "too much in one request", "PutEvents")
        for each in details:
            json.loads(each, parse_constant=_no_json)

    def _take_message(self, request: dict[str, Any]) -> dict[str, Any]:
        body = request["MessageBody"]
        if not _SENDABLE.fullmatch(body) or len(body.encode()) > MESSAGE_BYTES:
            raise _refused("InvalidParameterValue", "no message", "SendMessage")
        if request["QueueUrl"] == "failure":
            message = json.loads(body)
            self.failures.append({**message, "data": base64.b64decode(message["data"])})
        return {}


def _encoded(item: dict[str, Any]) -> list[tuple[str, dict[str, bytes]]]:
    """As UTF-8, which not every string of ours can be."""
    return [
        (name, {kind: value.encode() for kind, value in each.items()})
        for name, each in item.items()
    ]


def _refused(code: str, why: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": why}}, operation)


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
