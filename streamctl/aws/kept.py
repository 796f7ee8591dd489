"""The DynamoDB table of what was told: one item for each event, kept for a while.

An event stands under what it is about (a sighting, or a run) and its own id, so the same event kept
twice is kept once, as it was told first. Two indexes find events by the hour in which they were, and
by person. Where an event was forgotten a mark stands for a while, which no index holds: whatever
tells of the event once more, it is not kept again.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from streamctl.aws.refusals import translated
from streamctl.aws.session import Aws
from streamctl.core import events
from streamctl.core.heard import Heard, SightingEvent
from streamctl.errors import Lost, Throttled

BY_HOUR: Final = "by-hour"
BY_PERSON: Final = "by-person"

_HOUR: Final = timedelta(hours=1)
_WRITTEN_AT_ONCE: Final = 25  # BatchWriteItem's most
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Key:
    """Where an event stands: `about` is a sighting's id or a run's, `id` the event's own."""

    about: str
    id: str


def key_of(event: Heard) -> Key:
    return Key(event.sighting if isinstance(event, SightingEvent) else event.run, event.id)


def put(aws: Aws, table: str, event: Heard, message: str, expires: datetime) -> None:
    """Keep an event, as the message that told it, unless it is kept already or was forgotten.

    Raises NotFound, Throttled, Transient.
    """
    time = event.time.astimezone(UTC)
    item = {
        **_plain(key_of(event)),
        "hour": {"S": _hour(time)},
        "at": {"S": events.iso(time)},
        "message": {"S": message},
        "expires": {"N": str(int(expires.timestamp()))},
    }
    if isinstance(event, SightingEvent) and event.person is not None:
        item["person"] = {"S": event.person}
    with contextlib.suppress(Lost), translated(f"keeping an event in table {table}"):
        aws.client("dynamodb").put_item(
            TableName=table, Item=item, ConditionExpression="attribute_not_exists(id)"
        )


def get(aws: Aws, table: str, key: Key) -> str | None:
    """An event's message, as it is kept now; None where it is not. Raises NotFound, Throttled."""
    with translated(f"reading table {table}"):
        answer = aws.client("dynamodb").get_item(
            TableName=table, Key=_plain(key), ConsistentRead=True
        )
    item = answer.get("Item", {})
    return str(item["message"]["S"]) if "message" in item else None


def rewrite(aws: Aws, table: str, key: Key, message: str) -> None:
    """Keep an event as another message from now on, unless it is kept no more.

    Raises NotFound for no such table, Throttled, Transient.
    """
    with contextlib.suppress(Lost), translated(f"changing an event in table {table}"):
        aws.client("dynamodb").update_item(
            TableName=table,
            Key=_plain(key),
            UpdateExpression="SET message = :message",
            ConditionExpression="attribute_exists(message)",
            ExpressionAttributeValues={":message": {"S": message}},
        )


def between(aws: Aws, table: str, since: datetime, until: datetime) -> Iterator[str]:
    """The messages of events that were in this time, which ends with `until`; the earliest first.

    One query for each hour; the index lags by less than a second as a rule. Raises NotFound,
    Throttled.
    """
    since, until = since.astimezone(UTC), until.astimezone(UTC)
    hour = since.replace(minute=0, second=0, microsecond=0)
    while hour <= until:
        yield from _unexpired(
            _queried(
                aws,
                table,
                IndexName=BY_HOUR,
                KeyConditionExpression="#hour = :hour AND #at BETWEEN :since AND :until",
                ExpressionAttributeNames={"#hour": "hour", "#at": "at"},
                ExpressionAttributeValues={
                    ":hour": {"S": _hour(hour)},
                    ":since": {"S": events.iso(since)},
                    ":until": {"S": events.iso(until)},
                },
            )
        )
        hour += _HOUR


def about(aws: Aws, table: str, about: str) -> Iterator[str]:
    """The messages of events about one sighting or run. Raises NotFound, Throttled."""
    return _unexpired(
        _queried(
            aws,
            table,
            ConsistentRead=True,
            KeyConditionExpression="about = :about",
            ExpressionAttributeValues={":about": {"S": about}},
        )
    )


def every(aws: Aws, table: str) -> Iterator[tuple[Key, str]]:
    """All that is kept: where it stands, and its message.

    It reads the whole table, 1 MB a request. Raises NotFound, Throttled.
    """
    pages = aws.client("dynamodb").get_paginator("scan")
    with translated(f"reading table {table}"):
        for page in pages.paginate(TableName=table, ConsistentRead=True):
            for item in filter(_is_kept, page["Items"]):
                yield Key(item["about"]["S"], item["id"]["S"]), item["message"]["S"]


def of_person(aws: Aws, table: str, person: str) -> Iterator[Key]:
    """Where the events about a person stand, also those that expired. Raises NotFound, Throttled."""
    for item in _queried(
        aws,
        table,
        IndexName=BY_PERSON,
        KeyConditionExpression="person = :person",
        ExpressionAttributeValues={":person": {"S": person}},
    ):
        yield Key(item["about"]["S"], item["id"]["S"])


def forget(aws: Aws, table: str, keys: Iterable[Key], expires: datetime) -> None:
    """Leave nothing of these events but a mark, by which none of them is kept again until it expires.

    Raises NotFound for no such table, Throttled where it stays too busy.
    """
    rest, until = iter(keys), {"N": str(int(expires.timestamp()))}
    while some := list(itertools.islice(rest, _WRITTEN_AT_ONCE)):
        marks = ({**_plain(key), "expires": until} for key in some)
        request = {table: [{"PutRequest": {"Item": mark}} for mark in marks]}
        for _ in range(_TRIES):
            with translated(f"forgetting events in table {table}"):
                answer = aws.client("dynamodb").batch_write_item(RequestItems=request)
            request = answer.get("UnprocessedItems") or {}
            if not request:
                break
        else:
            what = "it takes only some of what was asked"
            raise Throttled(f"forgetting events in table {table}: {what}")


def _queried(aws: Aws, table: str, **how: Any) -> Iterator[Mapping[str, Any]]:
    pages = aws.client("dynamodb").get_paginator("query")
    with translated(f"reading table {table}"):
        for page in pages.paginate(TableName=table, **how):
            yield from page["Items"]


def _unexpired(items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for item in filter(_is_kept, items):
        yield item["message"]["S"]


def _is_kept(item: Mapping[str, Any]) -> bool:
    """No mark, nor expired: DynamoDB deletes hours or days late (developer guide, TTL)."""
    return "message" in item and float(item["expires"]["N"]) > datetime.now(UTC).timestamp()


def _plain(key: Key) -> dict[str, dict[str, str]]:
    return {"about": {"S": key.about}, "id": {"S": key.id}}


def _hour(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H")
