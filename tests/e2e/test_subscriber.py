"""The control of what the pipeline's subscriber finds right: what is wrong, it says is wrong."""

import json
import os
import subprocess

import boto3
import pytest

from tests.e2e.pipeline import COMMAND, verdicts
from tests.local.deliveries.subscribing import lets

STARTED = {
    "schema": "1",
    "id": "7d21d4111d4b8630/processor-started",
    "camera": "arn:aws:kinesisvideo:us-east-1:000000000000:stream/door/1",
    "processor": "door",
    "run": "door@1@2",
    "time": "2026-11-20T21:53:20.702Z",
    "since": "2026-11-20T21:53:20.184Z",
}


@pytest.fixture
def tell(shared_local_cloud, aws):
    """Put an event on a bus that a queue listens to; what the subscriber says of it."""
    environment = {**os.environ, **shared_local_cloud.env()}
    events, sqs = boto3.client("events"), boto3.client("sqs")
    url = sqs.create_queue(QueueName="subscriber-control")["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    target = {"Id": "app", "Arn": found["Attributes"]["QueueArn"]}
    bus = {"EventBusName": "subscriber-control"}
    events.create_event_bus(Name=bus["EventBusName"])
    pattern = json.dumps({"source": [{"prefix": ""}]})
    rule = events.put_rule(Name="app", EventPattern=pattern, **bus)["RuleArn"]
    policy = lets(target["Arn"], "sqs:SendMessage", rule)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule="app", Targets=[target], **bus)
    printed = [*COMMAND, "event", "schema", "-o", "json"]
    published = subprocess.run(printed, capture_output=True, text=True, check=True).stdout

    def say(kind, detail, source="streamctl"):
        entry = {"DetailType": kind, "Detail": json.dumps(detail), "Source": source}
        answer = events.put_events(Entries=[{**entry, "Resources": [STARTED["camera"]], **bus}])
        assert not answer["FailedEntryCount"]
        (verdict,) = verdicts(url, published, environment)
        return verdict["problems"]

    yield say
    sqs.delete_queue(QueueUrl=url)
    events.remove_targets(Rule="app", Ids=["app"], **bus)
    events.delete_rule(Name="app", **bus)
    events.delete_event_bus(Name=bus["EventBusName"])


def test_what_fits_and_what_does_not_are_told_apart(tell):
    """By the schema of the detail, by that of the message, and by there being none."""
    assert tell("Processor Started", STARTED) == []
    assert tell("Processor Started", {**STARTED, "new": True}) == []
    without = {name: value for name, value in STARTED.items() if name != "since"}
    assert "$: 'since' is a required property" in tell("Processor Started", without)
    assert len(tell("Processor Started", {**STARTED, "run": 7})) == 2
    assert len(tell("Processor Ended", STARTED)) > 2
    assert tell("Processor Begun", STARTED) == ["a detail type without a schema"]
    assert tell("Processor Started", STARTED, "other") == ["$.source: 'streamctl' was expected"]
