"""A security app consumes: what it handled does not come again, what it did not handle does."""

from __future__ import annotations

import json
import threading

import boto3
import pytest

import streamctl
from streamctl.core import heard
from streamctl.core.sightings import UNKNOWN
from streamctl.core.watch import Attention, Rule, Watch
from streamctl.errors import NotFound
from tests.core.frames_shown import arrival, at
from tests.ops.messages_told import envelope, told

STARTED, ENDED = told(arrival(0, "ada"), arrival(1, "ada"))


@pytest.fixture
def sqs(mocked_aws):
    return boto3.client("sqs", "us-east-1")


@pytest.fixture
def queue(sqs):
    """What was not acknowledged comes again at once."""
    made = sqs.create_queue(QueueName="app", Attributes={"VisibilityTimeout": "0"})
    return made["QueueUrl"]


def consumed(queue, most, stop=None):
    """The first so many events; the last of them is acknowledged too."""
    stop, found = stop or threading.Event(), []
    for event in streamctl.consume(queue, stop=stop):
        found.append(event)
        if len(found) == most:
            stop.set()
    return found


def fail_over(queue):
    for _ in streamctl.consume(queue):
        raise ZeroDivisionError


def left(sqs, queue):
    wanted = ["ApproximateNumberOfMessages"]
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=wanted)["Attributes"]
    return int(found["ApproximateNumberOfMessages"])


def test_events_come_typed_and_are_gone_once_they_were_handled(sqs, queue):
    for body in (STARTED, ENDED):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    started, ended = consumed(queue, 2)
    assert (started.what, started.person, started.camera) == ("started", "ada", "door")
    assert (started.started.time, started.ended) == (at(0), None)
    assert (ended.what, ended.ended.time, ended.frames) == ("ended", at(1), 2)
    assert (ended.sighting, ended.best.similarity) == (started.sighting, 90.0)
    assert left(sqs, queue) == 0


def test_what_was_not_handled_comes_again(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody=STARTED)
    with pytest.raises(ZeroDivisionError):
        fail_over(queue)
    assert left(sqs, queue) == 1
    (again,) = consumed(queue, 1)
    assert again.what == "started"
    assert left(sqs, queue) == 0


def test_what_comes_again_after_it_was_handled_is_passed_over(sqs, queue):
    for body in (STARTED, STARTED, ENDED):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    assert sorted(each.what for each in consumed(queue, 2)) == ["ended", "started"]


def test_what_is_no_event_is_left_for_the_dead_letter_queue(sqs, caplog):
    """And holds up nothing. What is somebody else's event is none of ours, and goes."""
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]
    policy = json.dumps({"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": "2"})
    attributes = {"VisibilityTimeout": "0", "RedrivePolicy": policy}
    queue = sqs.create_queue(QueueName="with-dead", Attributes=attributes)["QueueUrl"]
    for body in ("{", envelope("Sighting Started", {}, source="other"), STARTED):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    (event,) = consumed(queue, 1)
    assert event.what == "started"
    assert "is left in the queue: the message is no event" in caplog.text
    for _ in range(3):
        sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    assert (left(sqs, queue), left(sqs, dead)) == (0, 1)


def test_no_queue_is_said(mocked_aws):
    with pytest.raises(NotFound):
        next(streamctl.consume("https://sqs.us-east-1.amazonaws.com/123456789012/none"))


def test_strangers_have_no_name():
    watch = Watch((Rule(Attention.ALERT, person=UNKNOWN),))
    started, _ = told(arrival(0, unknown=2), arrival(1, unknown=1), watch=watch)
    event = heard.read(started)
    assert (event.person, event.at_once, event.attention) == (None, 2, "alert")


@pytest.mark.parametrize(
    "change",
    [
        {"id": 7},
        {"person": ["ada"]},
        {"time": "2026-01-01T00:00:00"},
        {"time": "soon"},
        {"best": None},
        {"frames": "many"},
        {"started": {}},
        {"camera": None},
    ],
)
def test_an_event_that_cannot_be_one_is_refused(change):
    body = json.loads(STARTED)
    body["detail"] |= change
    with pytest.raises(heard.RecordError, match="no event"):
        heard.read(json.dumps(body))


@pytest.mark.parametrize(
    "body", ["", "[]", "7", "null", "[" * 100_000, "x" * (heard.MAX_BYTES + 1)]
)
def test_what_is_no_envelope_is_refused(body):
    with pytest.raises(heard.RecordError):
        heard.read(body)


def test_kinds_and_members_to_come_are_passed_over():
    body = json.loads(STARTED)
    body["detail"]["mood"] = "good"
    assert heard.read(json.dumps(body)).person == "ada"
    assert heard.read(envelope("Weather Changed", {})) is None
