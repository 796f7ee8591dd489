"""Whom a platform tells of, a line each, until Ctrl-C.

Run: python listen.py [PLATFORM]. It makes a queue and a rule that sends the bus's events to it, and
takes both away at the end. An app keeps them, made by a stack of its own (docs/events.md).
"""

import contextlib
import json
import signal
import sys
import uuid
from collections.abc import Iterator

import boto3

import streamctl


@contextlib.contextmanager
def subscribed(bus: str) -> Iterator[str]:
    """The URL of a queue that has the bus's events for as long as this lasts."""
    sqs, events, name = boto3.client("sqs"), boto3.client("events"), f"listen-{uuid.uuid4().hex}"
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    try:
        asked = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        arn = asked["Attributes"]["QueueArn"]
        pattern = json.dumps({"source": ["streamctl"]})
        rule = events.put_rule(EventBusName=bus, Name=name, EventPattern=pattern)["RuleArn"]
        may_send = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [may_send]})
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
        events.put_targets(EventBusName=bus, Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
        try:
            yield queue
        finally:
            events.remove_targets(EventBusName=bus, Rule=name, Ids=["queue"])
            events.delete_rule(EventBusName=bus, Name=name)
    finally:
        sqs.delete_queue(QueueUrl=queue)


def main(platform: str = "main") -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), subscribed(f"streamctl-{platform}") as queue:
        print(f"listening to platform {platform}", flush=True)
        for event in streamctl.consume(queue):
            print(event.time, event.camera, event.what, getattr(event, "person", ""), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
