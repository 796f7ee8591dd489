"""Stacks: make them so, wait until they are, and say which resource was in the way."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from streamctl.aws.refusals import translated
from streamctl.aws.session import Aws
from streamctl.errors import AskedWrongly, Busy, GaveUpWaiting, NotFound, StreamctlError

Progress = Callable[[str], None]
"""Takes a line that says how far something is."""

TEMPLATE: Final = "streamctl:template"
"""A tag with the template's digest. UpdateStack tells "no changes" by nothing but the text of its
message, so we ask for an update only where digest or parameters differ: then there is a change."""

_PATIENCE_S: Final = 20 * 60.0
_FIRST_LOOK_S: Final = 0.2
_LATER_LOOKS_S: Final = 3.0
_NEVER_STOOD: Final = frozenset(
    {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS", "DELETE_FAILED"}
)
_GOOD: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})


@dataclass(frozen=True, slots=True)
class Stack:
    """`status` is CloudFormation's; `reason` its StatusReason, often empty."""

    name: str
    status: str
    reason: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    tags: Mapping[str, str]

    @property
    def is_good(self) -> bool:
        """It stands, though perhaps as it was before an update that failed."""
        return self.status in _GOOD or self.status == "UPDATE_ROLLBACK_COMPLETE"


class Outcome(StrEnum):
    """What `apply` did to a stack."""

    CREATED = "created"
    REMADE = "made anew, as its first creation had failed"
    UPDATED = "updated"
    UNCHANGED = "up to date"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a stack is to be."""

    name: str
    template: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.template.encode()).hexdigest()[:32]

    def is_met_by(self, stack: Stack) -> bool:
        """Whether the stack is this already. Parameters that are not named may be anything."""
        same_template = stack.tags.get(TEMPLATE) == self.digest
        return same_template and self.parameters.items() <= stack.parameters.items()


def describe(aws: Aws, name: str) -> Stack:
    """Raises NotFound if there is no stack of that name."""
    client = aws.client("cloudformation")  # what is wrong with the settings is said as it is
    try:
        with translated(f"describing stack {name}"):
            answer = client.describe_stacks(StackName=name)
    except AskedWrongly as error:
        # For a well-formed name, ValidationError is how CloudFormation says that it has none.
        raise NotFound(f"there is no stack {name}") from error
    return _stack(answer["Stacks"][0])


def every(aws: Aws) -> Iterator[Stack]:
    """Every stack of the account and region that is not deleted."""
    pages = aws.client("cloudformation").get_paginator("describe_stacks")
    with translated("listing stacks"):
        for page in pages.paginate():
            yield from (_stack(each) for each in page["Stacks"])


def apply(aws: Aws, wanted: Wanted, progress: Progress) -> Outcome:
    """Make a stack what is wanted and wait until it is.

    A stack whose creation failed can't be updated: it is deleted first. Raises StreamctlError with
    the first resource that failed and its reason, Busy while somebody else changes the stack, and
    GaveUpWaiting after 20 minutes.
    """
    before = _standing(aws, wanted.name)
    if before and before.is_good and wanted.is_met_by(before):
        return Outcome.UNCHANGED
    outcome = Outcome.UPDATED if before else Outcome.CREATED
    if before and before.status in _NEVER_STOOD:
        progress(f"stack {wanted.name} is {before.status}: deleting it to begin again")
        delete(aws, wanted.name, progress)
        outcome = Outcome.REMADE
    _ask(aws, wanted, outcome)
    after = _settled(aws, wanted.name, progress)
    if after.status not in _GOOD:
        raise _failure(aws, after, "deploying")
    return outcome


def delete(aws: Aws, name: str, progress: Progress) -> None:
    """Delete a stack and wait until it is gone. One that is not there is gone already.

    Raises StreamctlError with the resource that could not be deleted, GaveUpWaiting after 20 minutes.
    """
    with translated(f"deleting stack {name}"):
        aws.client("cloudformation").delete_stack(StackName=name)
    try:
        left = _settled(aws, name, progress)
    except NotFound:
        return
    if left.status != "DELETE_COMPLETE":
        raise _failure(aws, left, "deleting")


def _standing(aws: Aws, name: str) -> Stack | None:
    """The stack, if there is one that can be updated or begun again. Busy if it is in motion."""
    try:
        stack = describe(aws, name)
    except NotFound:
        return None
    if stack.is_good or stack.status in _NEVER_STOOD:
        return stack
    if stack.status.endswith("_IN_PROGRESS"):
        raise Busy(f"stack {name} is {stack.status}", hint="wait until it is done, and try again")
    raise StreamctlError(
        f"stack {name} is {stack.status} and takes no update: {stack.reason}",
        hint=f"aws cloudformation continue-update-rollback --stack-name {name}, then again",
    )


def _ask(aws: Aws, wanted: Wanted, outcome: Outcome) -> None:
    client = aws.client("cloudformation")
    with translated(f"deploying stack {wanted.name}"):
        if outcome is Outcome.UPDATED:
            client.update_stack(**_request(wanted))
        else:
            client.create_stack(**_request(wanted), OnFailure="ROLLBACK")


def _request(wanted: Wanted) -> dict[str, Any]:
    tags = {**wanted.tags, TEMPLATE: wanted.digest}
    return {
        "StackName": wanted.name,
        "TemplateBody": wanted.template,
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in wanted.parameters.items()
        ],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


def _settled(aws: Aws, name: str, progress: Progress) -> Stack:
    """The stack once nothing about it is in progress. Raises NotFound once it is gone."""
    deadline = time.monotonic() + _PATIENCE_S
    pause = _FIRST_LOOK_S
    while True:
        stack = describe(aws, name)
        if not stack.status.endswith("_IN_PROGRESS"):
            return stack
        if time.monotonic() > deadline:
            raise GaveUpWaiting(
                f"stack {name} is still {stack.status} after {_PATIENCE_S / 60:.0f} minutes",
                hint="look at its events in CloudFormation; run the command again to go on waiting",
                last_seen=stack.status,
            )
        progress(f"stack {name}: {stack.status}{_latest_resource(aws, name)}")
        time.sleep(pause)
        pause = min(pause * 1.5, _LATER_LOOKS_S)


def _latest_resource(aws: Aws, name: str) -> str:
    event = next(_events(aws, name), None)
    return f" ({event['LogicalResourceId']} {event['ResourceStatus']})" if event else ""


def _failure(aws: Aws, stack: Stack, doing: str) -> StreamctlError:
    """What to say of a stack that did not get where it should: the resource that began it."""
    cause = stack.reason or "CloudFormation gives no reason"
    for event in _events(aws, stack.name):  # newest first
        if event["ResourceStatus"].endswith("_FAILED") and event.get("ResourceStatusReason"):
            cause = f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
        if _begins(event, stack.name):
            break
    return StreamctlError(
        f"{doing} stack {stack.name} failed ({stack.status}): {cause}",
        hint="correct that and run the command again",
    )


def _begins(event: Mapping[str, Any], name: str) -> bool:
    """Whether this event is the stack's own, of the moment when it began to change."""
    starts = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
    return event["LogicalResourceId"] == name and event["ResourceStatus"] in starts


def _events(aws: Aws, name: str) -> Iterator[dict[str, Any]]:
    """What happened to a stack, newest first, page by page as it is asked for."""
    pages = aws.client("cloudformation").get_paginator("describe_stack_events")
    with translated(f"reading the events of stack {name}"):
        for page in pages.paginate(StackName=name):
            yield from page["StackEvents"]


def _stack(found: Mapping[str, Any]) -> Stack:
    return Stack(
        name=found["StackName"],
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", ""),
        outputs={each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])},
        parameters={
            each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])
        },
        tags={each["Key"]: each["Value"] for each in found.get("Tags", [])},
    )
