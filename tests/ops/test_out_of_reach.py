"""What still holds a person: the failure queues of those who listen, from which events may come."""

import json
from datetime import timedelta

import boto3
import pytest
from botocore.stub import Stubber

from streamctl.aws import bus
from streamctl.aws.session import Aws
from streamctl.ops import out_of_reach
from streamctl.ops.inventory import Platform

REGION = "us-east-1"


@pytest.fixture
def aws():
    return Aws(region=REGION)


@pytest.fixture
def base(mocked_aws):
    """A platform's queues and bus, and nobody who listens."""
    sqs = boto3.client("sqs", REGION)
    boto3.client("events", REGION).create_event_bus(Name="bus")
    outputs = {
        output: sqs.create_queue(QueueName=output)["QueueUrl"]
        for output in ("FailureQueueUrl", "EventQueueUrl", "EventFailuresUrl")
    }
    return Platform("main", "streamctl-main", "CREATE_COMPLETE", {**outputs, "BusName": "bus"})


def arn(name):
    return f"arn:aws:sqs:{REGION}:123456789012:{name}"


def listen(rule, failures):
    """Subscribe, with a failure queue of this name; it is not made."""
    client = boto3.client("events", REGION)
    pattern = json.dumps({"source": ["streamctl"]})
    client.put_rule(Name=rule, EventBusName="bus", EventPattern=pattern)
    target = {"Id": "app", "Arn": arn(rule), "DeadLetterConfig": {"Arn": arn(failures)}}
    client.put_targets(Rule=rule, EventBusName="bus", Targets=[target])


def failed(name, *bodies):
    """A failure queue, as the templates make it, that holds these."""
    sqs = boto3.client("sqs", REGION)
    kept = {"MessageRetentionPeriod": "1209600"}
    url = sqs.create_queue(QueueName=name, Attributes=kept)["QueueUrl"]
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)


def messages(aws, base):
    found = out_of_reach.places(aws, base, ["ada"], [])
    return [(each.where, each.keeps_for, each.why) for each in found if each.what == "messages"]


def test_what_could_not_be_delivered_is_named(aws, base):
    """Not where there is nothing, or no queue any more."""
    failed("desk-failures", "{}", "{}")
    failed("empty")
    for rule, failures in (("desk", "desk-failures"), ("office", "empty"), ("old", "gone")):
        listen(rule, failures)
    assert messages(aws, base) == [
        ("desk-failures", timedelta(days=14), "2: events that rule desk could not deliver")
    ]


def test_a_queue_that_two_share_is_named_once(aws, base):
    failed("shared", "{}")
    listen("desk", "shared")
    listen("office", "shared")
    assert [where for where, *_ in messages(aws, base)] == ["shared"]


def test_where_nobody_may_look_there_may_be_something(aws):
    """Another account's, say (prepared: moto lets everybody look)."""
    rule = bus.Rule("desk", "{}", (arn("desk"),), (arn("desk-failures"),))
    like = Platform("main", "s", "s", {"EventFailuresUrl": "https://sqs/1/EventFailures"})
    with Stubber(aws.client("sqs")) as stub:
        stub.add_client_error("get_queue_attributes", "AccessDenied", http_status_code=403)
        (left,) = out_of_reach._failures(aws, like, [rule])
    assert (left.where, left.keeps_for) == ("desk-failures", None)
    assert "if any: you may not look into it" in left.why
