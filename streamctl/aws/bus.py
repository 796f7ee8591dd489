"""The event bus: the one way out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from streamctl.aws.refusals import translated
from streamctl.aws.session import Aws
from streamctl.core.events import SOURCE, Event
from streamctl.errors import StreamctlError, Transient

_ENTRIES_AT_MOST: Final = 10
"""PutEvents takes 10 entries and 256 KB in all. An event of ours has a few KB."""

_TARGET: Final = "queue"

_REFUSED_FOR_GOOD: Final = frozenset(
    {
        "AccessDeniedException",
        "InvalidAccountIdException",
        "InvalidArgument",
        "MalformedDetail",
        "NotAuthorizedForDetailTypeException",
        "NotAuthorizedForSourceException",
        "RedactionFailure",
    }
)
"""What an entry is refused for each time (API reference, PutEventsResultEntry)."""


def publish(aws: Aws, bus: str, events: Sequence[Event]) -> None:
    """Publish every event, in order.

    Raises Transient if the bus took fewer (publishing all again is safe: ids stay the same), and
    StreamctlError if it will never take some.
    """
    for start in range(0, len(events), _ENTRIES_AT_MOST):
        _publish(aws, bus, events[start : start + _ENTRIES_AT_MOST])


def _publish(aws: Aws, bus: str, events: Sequence[Event]) -> None:
    entries = [
        {
            "EventBusName": bus,
            "Source": SOURCE,
            "DetailType": event.type,
            "Detail": json.dumps(event.detail),
            "Resources": [event.detail["camera"]],
        }
        for event in events
    ]
    with translated(f"publishing on bus {bus}"):
        answer = aws.client("events").put_events(Entries=entries)
    _check(answer, answer["Entries"], f"publishing on bus {bus}")


def _check(answer: Mapping[str, Any], entries: Sequence[Mapping[str, str]], doing: str) -> None:
    """Raise where the service took a request, and refused some of what was in it."""
    if not answer["FailedEntryCount"]:
        return
    codes = {entry["ErrorCode"] for entry in entries if entry.get("ErrorCode")}
    what = f"{doing}: {answer['FailedEntryCount']} refused: {', '.join(sorted(codes))}"
    raise StreamctlError(what) if codes & _REFUSED_FOR_GOOD else Transient(what)


def subscribe(aws: Aws, bus: str, rule: str, queue_arn: str) -> None:
    """Send every event of ours on this bus to a queue, which must let it (queues.create).

    Doing it twice is doing it once. Raises NotFound for no such bus.
    """
    pattern = json.dumps({"source": [SOURCE]})
    doing = f"subscribing to bus {bus}"
    with translated(doing):
        client = aws.client("events")
        client.put_rule(Name=rule, EventBusName=bus, EventPattern=pattern)
        targets = [{"Id": _TARGET, "Arn": queue_arn}]
        answer = client.put_targets(Rule=rule, EventBusName=bus, Targets=targets)
    _check(answer, answer["FailedEntries"], doing)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule on a bus. `pattern` is its JSON; `targets` are ARNs, and `failures` those of the queues
    that get what could not be delivered to them.
    """

    name: str
    pattern: str
    targets: tuple[str, ...]
    failures: tuple[str, ...] = ()


def rules(aws: Aws, bus: str) -> Iterator[Rule]:
    """Every rule on a bus. Raises NotFound for no such bus."""
    client = aws.client("events")
    listed, targets = (
        client.get_paginator("list_rules"),
        client.get_paginator("list_targets_by_rule"),
    )
    with translated(f"listing the rules of bus {bus}"):
        for page in listed.paginate(EventBusName=bus):
            for each in page["Rules"]:
                pages = targets.paginate(Rule=each["Name"], EventBusName=bus)
                yield _rule(each, [target for some in pages for target in some["Targets"]])


def _rule(plain: Mapping[str, Any], targets: Sequence[Mapping[str, Any]]) -> Rule:
    failures = (each.get("DeadLetterConfig", {}).get("Arn") for each in targets)
    return Rule(
        plain["Name"],
        plain.get("EventPattern", ""),
        tuple(each["Arn"] for each in targets),
        tuple(dict.fromkeys(arn for arn in failures if arn)),
    )


def unsubscribe(aws: Aws, bus: str, rule: str) -> None:
    """Undo `subscribe`. Raises NotFound if there is no such bus or rule."""
    doing = f"unsubscribing from bus {bus}"
    with translated(doing):
        client = aws.client("events")
        answer = client.remove_targets(Rule=rule, EventBusName=bus, Ids=[_TARGET])
        _check(answer, answer["FailedEntries"], doing)
        client.delete_rule(Name=rule, EventBusName=bus)
