"""SQS, as far as clocks and failures need it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from streamctl.aws.refusals import translated
from streamctl.aws.session import Aws
from streamctl.errors import RecordError


def send(aws: Aws, url: str, body: Mapping[str, Any], delay_s: int = 0) -> None:
    """Send one JSON message, to be seen after `delay_s` seconds: 0 to 900, as SQS has it.

    A message may have 256 KiB. Raises NotFound for no such queue, AskedWrongly for a message that
    is too large or too late.
    """
    with translated(f"sending to queue {_short(url)}"):
        aws.client("sqs").send_message(
            QueueUrl=url,
            MessageBody=json.dumps(body),
            DelaySeconds=delay_s,
        )


@dataclass(frozen=True, slots=True)
class Queue:
    url: str
    arn: str


def create(aws: Aws, name: str, from_bus_arn: str) -> Queue:
    """Make a queue, encrypted, that rules of this bus may send to.

    One of that name that is like it already is taken as it is. Raises Busy within 60 s of its
    deletion: its name is held for so long (API reference, CreateQueue).
    """
    with translated(f"creating queue {name}"):
        client = aws.client("sqs")
        url = client.create_queue(QueueName=name, Attributes={"SqsManagedSseEnabled": "true"})
        url = url["QueueUrl"]
        wanted = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn = wanted["Attributes"]["QueueArn"]
        policy = json.dumps(_lets_rules_send(arn, from_bus_arn))
        client.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return Queue(url, arn)


@dataclass(frozen=True, slots=True)
class Depth:
    """About how many messages a queue holds, seen, delayed or neither; and for how long at most."""

    messages: int
    kept_for: timedelta


def depth(aws: Aws, url: str) -> Depth:
    """How much is in a queue. Raises NotFound if there is none."""
    counts = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]
    with translated(f"looking at queue {_short(url)}"):
        found = aws.client("sqs").get_queue_attributes(
            QueueUrl=url, AttributeNames=[*counts, "MessageRetentionPeriod"]
        )["Attributes"]
    kept_for = timedelta(seconds=int(found["MessageRetentionPeriod"]))
    return Depth(sum(int(found[count]) for count in counts), kept_for)


def delete(aws: Aws, queue: Queue) -> None:
    """Delete a queue with what is in it. Raises NotFound if there is none."""
    with translated(f"deleting queue {_short(queue.url)}"):
        aws.client("sqs").delete_queue(QueueUrl=queue.url)


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was received, and is hidden from others for the queue's visibility timeout."""

    id: str
    body: str
    receipt: str


def waiting(aws: Aws, url: str, wait_s: int, at_most: int = 10) -> list[Message]:
    """Up to `at_most` messages (10 at most) that are there, or come within `wait_s` seconds (20 at
    most). Each comes again unless it is acknowledged. Raises NotFound for no such queue.
    """
    with translated(f"receiving from queue {_short(url)}"):
        answer = aws.client("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=at_most, WaitTimeSeconds=wait_s
        )
    found = answer.get("Messages", [])
    return [Message(each["MessageId"], each["Body"], each["ReceiptHandle"]) for each in found]


def acknowledge(aws: Aws, url: str, message: Message) -> None:
    """Delete a message, so that it does not come again."""
    with translated(f"deleting message {message.id} of queue {_short(url)}"):
        aws.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message.receipt)


def receive(aws: Aws, queue: Queue, wait_s: int) -> Iterator[dict[str, Any]]:
    """Up to ten JSON messages that are there, or come within `wait_s` seconds (0 to 20).

    Each is deleted once the next is asked for; what was not asked for comes again. Raises
    RecordError for a message that is no JSON, which is left in the queue.
    """
    for message in waiting(aws, queue.url, wait_s):
        yield _read(message)
        acknowledge(aws, queue.url, message)


def _read(message: Message) -> dict[str, Any]:
    try:
        body: dict[str, Any] = json.loads(message.body)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"message {message.id} is no JSON: {error}") from error
    return body


def _short(url: str) -> str:
    """A queue's name, from its URL."""
    return url.rsplit("/", 1)[-1]


def _lets_rules_send(queue_arn: str, bus_arn: str) -> dict[str, Any]:
    rules = bus_arn.replace(":event-bus/", ":rule/") + "/*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": {"ArnLike": {"aws:SourceArn": rules}},
            }
        ],
    }
