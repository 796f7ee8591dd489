"""The platform's DynamoDB table: one item per camera for its run, one for its sightings.

Every save carries the version that it was decided on; whoever saved first wins, the other learns
of it as Lost and stops quietly. What is open stands in a sparse index by the time it is due: one
line of some hundred bytes each, which is all that the sweep reads of what is well.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from streamctl.aws.refusals import translated
from streamctl.aws.session import Aws
from streamctl.core import documents
from streamctl.errors import Lost, StreamctlError, Throttled, Transient

OPEN_INDEX: Final = "open-by-due"
SHOWN: Final = ("processor", "expects")
"""What the index holds of an item besides its key and when it is due (platform.yaml)."""

_OPEN: Final = "open"

_PAUSES_S: Final = (0.05, 0.2, 0.8)
"""Before each new try at what BatchGetItem left out, which is to be asked for ever more slowly."""

_TURN_TRIES: Final = 3

_D = TypeVar("_D")


@dataclass(frozen=True, slots=True)
class Saved(Generic[_D]):
    """What is stored under a key, and the version to save against: 0 where nothing is stored."""

    thing: _D | None
    version: int


@dataclass(frozen=True, slots=True)
class Open:
    """How an item stands in the index of what is open: when it is to be looked at, and of SHOWN
    what is known.
    """

    due: datetime
    shows: Mapping[str, str] = field(default_factory=dict)


def load(aws: Aws, table: str, wanted: Mapping[str, type[Any]]) -> dict[str, Saved[Any]]:
    """The items under these keys (100 at most), each of the kind that is wanted, read consistently.

    All come in one request, unless the table is too busy to give them all at once. Raises Throttled
    where it stays so, NotFound for no such table, and StreamctlError for an item that is none of
    ours.
    """
    found: dict[str, Saved[Any]] = {key: Saved(None, 0) for key in wanted}
    keys = [{"key": {"S": key}} for key in wanted]
    request = {table: {"Keys": keys, "ConsistentRead": True}}
    with translated(f"reading table {table}"):
        for pause in (*_PAUSES_S, None):
            answer = aws.client("dynamodb").batch_get_item(RequestItems=request)
            for item in answer["Responses"].get(table, []):
                key = item["key"]["S"]
                found[key] = _saved(key, item, wanted[key])
            request = answer.get("UnprocessedKeys") or {}
            if not request:
                return found
            if pause is not None:
                time.sleep(pause)
    raise Throttled(f"reading table {table}: it gives only some of what was asked for")


def load_one(aws: Aws, table: str, key: str, kind: type[_D]) -> Saved[_D]:
    """The item under a key. Raises what `load` raises."""
    return load(aws, table, {key: kind})[key]


def _saved(key: str, item: Mapping[str, Any], kind: type[_D]) -> Saved[_D]:
    try:
        text, version = item["doc"]["S"], int(item["version"]["N"])
    except KeyError as error:
        raise StreamctlError(f"item {key} is none of ours: it has no {error}") from error
    return Saved(documents.loads(kind, text), version)


def save(
    aws: Aws,
    table: str,
    key: str,
    thing: Any,
    against: int,
    *,
    open_as: Open | None = None,
    expires: datetime | None = None,
) -> int:
    """Store the item if its version is still `against`, or if nothing is stored; the new version.

    With `open_as` it stands in the index of what is open. After `expires` DynamoDB deletes it, hours
    or days late. Raises Lost if somebody saved first, AskedWrongly for an item above 400 KB.
    """
    item: dict[str, Any] = {
        "key": {"S": key},
        "doc": {"S": documents.dumps(thing)},
        "version": {"N": str(against + 1)},
    }
    if open_as is not None:
        item |= {_OPEN: {"S": "yes"}, "due": {"N": _epoch(open_as.due)}}
        item |= {name: {"S": value} for name, value in open_as.shows.items()}
    if expires is not None:
        item["expires"] = {"N": _epoch(expires)}
    with translated(f"saving {key}"):
        aws.client("dynamodb").put_item(
            TableName=table,
            Item=item,
            ConditionExpression="attribute_not_exists(#key) OR version = :against",
            ExpressionAttributeNames={"#key": "key"},
            ExpressionAttributeValues={":against": {"N": str(against)}},
        )
    return against + 1


def take_turn(aws: Aws, table: str, key: str, now: datetime, apart: timedelta) -> datetime:
    """The next turn in the row under this key, taken atomically: nobody else has it.

    It is `apart` from the turn before it, or `now` where that is longer ago. Raises NotFound,
    Throttled, Transient.
    """
    pause = f"{apart.total_seconds():.3f}"
    behind = ("SET #last = #last + :pause", "#last > :ago", {":pause": {"N": pause}})
    first = (
        "SET #last = :now",
        "attribute_not_exists(#last) OR #last <= :ago",
        {":now": {"N": _epoch(now)}},
    )
    for update, condition, values in (behind, first) * _TURN_TRIES:
        with contextlib.suppress(Lost), translated(f"taking a turn in {key}"):
            answer = aws.client("dynamodb").update_item(
                TableName=table,
                Key={"key": {"S": key}},
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#last": "last"},
                ExpressionAttributeValues={**values, ":ago": {"N": _epoch(now - apart)}},
                ReturnValues="UPDATED_NEW",
            )
            return datetime.fromtimestamp(float(answer["Attributes"]["last"]["N"]), UTC)
    raise Transient(f"taking a turn in {key}: others were first, {_TURN_TRIES} times")


def open_items(aws: Aws, table: str) -> Iterator[tuple[str, Open]]:
    """The index of what is open: each item's key, and how it stands there; longest overdue first.

    The index lags behind the items, by less than a second as a rule. Raises NotFound, Throttled.
    """
    pages = aws.client("dynamodb").get_paginator("query")
    with translated(f"reading index {OPEN_INDEX} of table {table}"):
        for page in pages.paginate(
            TableName=table,
            IndexName=OPEN_INDEX,
            KeyConditionExpression="#open = :yes",
            ExpressionAttributeNames={"#open": _OPEN},
            ExpressionAttributeValues={":yes": {"S": "yes"}},
        ):
            for item in page["Items"]:
                yield item["key"]["S"], _open(item)


def search(aws: Aws, table: str, prefix: str, containing: str, kind: type[_D]) -> Iterator[_D]:
    """What is stored under every key that begins so, where its JSON holds this text, consistently.

    It reads the whole table, a page of 1 MB a request: for a person's question now and then, and
    nothing that is done all the time. Raises NotFound, Throttled, and StreamctlError for an item
    that is none of ours.
    """
    pages = aws.client("dynamodb").get_paginator("scan")
    with translated(f"searching table {table}"):
        for page in pages.paginate(
            TableName=table,
            ConsistentRead=True,
            FilterExpression="begins_with(#key, :prefix) AND contains(doc, :text)",
            ExpressionAttributeNames={"#key": "key"},
            ExpressionAttributeValues={":prefix": {"S": prefix}, ":text": {"S": containing}},
        ):
            for item in page["Items"]:
                yield documents.loads(kind, item["doc"]["S"])


def _open(item: Mapping[str, Any]) -> Open:
    due = datetime.fromtimestamp(float(item["due"]["N"]), UTC)
    return Open(due, {name: item[name]["S"] for name in SHOWN if name in item})


def _epoch(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).timestamp():.3f}"
