"""Everything of the account and region that streamctl could leave behind, by kind and name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from streamctl.aws.refusals import translated
from streamctl.aws.session import Aws


@dataclass(frozen=True, slots=True)
class _Kind:
    """Where the names of a kind of thing are listed; `member` is empty where names stand bare.

    `page` is the page size to ask for, where AWS gives only one page unless it is asked for.
    """

    service: str
    operation: str
    found: str
    member: str = ""
    page: int | None = None


_KINDS: Final = {
    "processor": _Kind("rekognition", "list_stream_processors", "StreamProcessors", "Name"),
    "collection": _Kind("rekognition", "list_collections", "CollectionIds"),
    "video stream": _Kind("kinesisvideo", "list_streams", "StreamInfoList", "StreamName"),
    "results": _Kind("kinesis", "list_streams", "StreamNames"),
    "stack": _Kind("cloudformation", "describe_stacks", "Stacks", "StackName"),
    "function": _Kind("lambda", "list_functions", "Functions", "FunctionName"),
    "mapping": _Kind("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    "table": _Kind("dynamodb", "list_tables", "TableNames"),
    "queue": _Kind("sqs", "list_queues", "QueueUrls", page=1000),
    "bus": _Kind("events", "list_event_buses", "EventBuses", "Name"),
    "schedule": _Kind("scheduler", "list_schedules", "Schedules", "Name"),
    "bucket": _Kind("s3", "list_buckets", "Buckets", "Name"),
    "log group": _Kind("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "role": _Kind("iam", "list_roles", "Roles", "RoleName"),
}


def census(aws: Aws) -> frozenset[tuple[str, str]]:
    """What there is now: pairs of kind ("queue") and name, or whatever AWS lists it by.

    Raises NotAllowed where one of the kinds may not be listed.
    """
    return frozenset(
        (name, found) for name, kind in _KINDS.items() for found in _names(aws, name, kind)
    )


def _names(aws: Aws, name: str, kind: _Kind) -> Iterator[str]:
    with translated(f"listing every {name}"):
        for page in _pages(aws, kind):
            for each in page.get(kind.found, []):
                yield each[kind.member] if kind.member else each


def _pages(aws: Aws, kind: _Kind) -> Iterator[dict[str, Any]]:
    client = aws.client(kind.service)
    if client.can_paginate(kind.operation):
        pages = {"PageSize": kind.page} if kind.page else {}
        yield from client.get_paginator(kind.operation).paginate(PaginationConfig=pages)
        return
    more: dict[str, str] = {}
    while True:
        page = getattr(client, kind.operation)(**more)
        yield page
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}
