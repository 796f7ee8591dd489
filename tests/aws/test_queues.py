"""Messages come late as asked, once, and only from whom they may come. Against moto."""

from __future__ import annotations

import json
from datetime import timedelta

import boto3
import pytest
from botocore.stub import Stubber
from moto.sqs.models import sqs_backends

from streamctl.aws import queues
from streamctl.aws.session import Aws
from streamctl.errors import AskedWrongly, Busy, NotFound, RecordError, Throttled

BUS = "arn:aws:events:us-east-1:123456789012:event-bus/bus"


@pytest.fixture
def aws(mocked_aws):
    return Aws()


@pytest.fixture
def queue(aws):
    return queues.create(aws, "clock", BUS)


def attribute(queue, name):
    client = boto3.client("sqs", "us-east-1")
    found = client.get_queue_attributes(QueueUrl=queue.url, AttributeNames=[name])
    return found["Attributes"][name]


def delays_s(queue):
    """How late each message of a queue comes. SQS does not tell, so moto's own memory must."""
    messages = sqs_backends["123456789012"]["us-east-1"].queues["clock"]._messages
    late_ms = [max(each.delayed_until - each.sent_timestamp, 0) for each in messages]
    return [round(each / 1000) for each in late_ms]


def test_a_message_is_received_as_it_was_sent_and_once(aws, queue):
    """It is JSON on the way, whatever it says."""
    sent = {"camera": "door", "person": "Žofie", "at": [1, 2.5, None]}
    queues.send(aws, queue.url, sent)
    assert list(queues.receive(aws, queue, 0)) == [sent]
    assert list(queues.receive(aws, queue, 0)) == []
    assert attribute(queue, "ApproximateNumberOfMessagesNotVisible") == "0"


@pytest.mark.parametrize("asked_s", [0, 1, 900])
def test_a_message_comes_as_late_as_asked(aws, queue, asked_s):
    queues.send(aws, queue.url, {}, asked_s)
    assert delays_s(queue) == [asked_s]


def test_more_than_sqs_allows_is_refused(aws, queue):
    """Whoever needs more sends it on: the door knows the limit."""
    with pytest.raises(AskedWrongly):
        queues.send(aws, queue.url, {}, 901)


def test_a_delayed_message_is_not_there_yet(aws, queue):
    """It waits in the queue."""
    queues.send(aws, queue.url, {}, 60)
    assert list(queues.receive(aws, queue, 0)) == []
    assert attribute(queue, "ApproximateNumberOfMessagesDelayed") == "1"


def test_a_message_that_was_not_asked_for_stays(aws, queue):
    """Who stops in the middle loses nothing."""
    for number in range(3):
        queues.send(aws, queue.url, {"number": number})
    messages = queues.receive(aws, queue, 0)
    next(messages)
    next(messages)  # now the first is done with
    messages.close()
    assert attribute(queue, "ApproximateNumberOfMessagesNotVisible") == "2"


@pytest.mark.parametrize("body", ["soon", "{", "[" * 50_000])
def test_a_message_that_is_no_json_is_an_error_and_stays(aws, queue, body):
    """Somebody else sent it; it is not ours to throw away."""
    boto3.client("sqs", "us-east-1").send_message(QueueUrl=queue.url, MessageBody=body)
    with pytest.raises(RecordError, match="no JSON"):
        list(queues.receive(aws, queue, 0))
    assert attribute(queue, "ApproximateNumberOfMessagesNotVisible") == "1"


def test_a_message_that_is_too_large_is_asked_wrongly(aws, queue):
    """It would be no smaller the next time."""
    with pytest.raises(AskedWrongly, match="sending to queue clock"):
        queues.send(aws, queue.url, {"data": "x" * 1_100_000})


def test_a_throttled_message_may_be_sent_again(aws, queue):
    """When the SDK has tried often enough (prepared: moto has no quota)."""
    with Stubber(aws.client("sqs")) as stub:
        stub.add_client_error("send_message", "RequestThrottled", http_status_code=400)
        with pytest.raises(Throttled):
            queues.send(aws, queue.url, {})


def test_a_queue_is_encrypted_and_lets_rules_of_its_bus_send(aws, queue):
    """Faces are personal data; and EventBridge delivers nothing without a policy."""
    assert attribute(queue, "SqsManagedSseEnabled") == "true"
    assert attribute(queue, "QueueArn") == queue.arn
    (allowed,) = json.loads(attribute(queue, "Policy"))["Statement"]
    assert (allowed["Effect"], allowed["Action"]) == ("Allow", "sqs:SendMessage")
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert allowed["Resource"] == queue.arn
    rules = "arn:aws:events:us-east-1:123456789012:rule/bus/*"
    assert allowed["Condition"] == {"ArnLike": {"aws:SourceArn": rules}}


def test_a_queue_that_is_there_is_taken_as_it_is(aws, queue):
    """With what is in it."""
    queues.send(aws, queue.url, {})
    assert queues.create(aws, "clock", BUS) == queue
    assert len(list(queues.receive(aws, queue, 0))) == 1


def test_a_name_that_was_just_deleted_is_busy(aws):
    """SQS holds it for 60 s (prepared: moto does not)."""
    code = "AWS.SimpleQueueService.QueueDeletedRecently"
    with Stubber(aws.client("sqs")) as stub:
        stub.add_client_error("create_queue", code, http_status_code=400)
        with pytest.raises(Busy, match="creating queue clock"):
            queues.create(aws, "clock", BUS)


def test_a_deleted_queue_is_not_found(aws, queue):
    """Whatever is asked of it."""
    queues.delete(aws, queue)
    for ask in (
        lambda: queues.delete(aws, queue),
        lambda: queues.send(aws, queue.url, {}),
        lambda: list(queues.receive(aws, queue, 0)),
    ):
        with pytest.raises(NotFound, match="queue clock"):
            ask()


def test_a_queue_says_how_much_is_in_it(aws, queue):
    """Whether it can be received now, was just received, or comes later."""
    assert queues.depth(aws, queue.url) == queues.Depth(0, timedelta(days=4))
    for delay_s in (0, 0, 60):
        queues.send(aws, queue.url, {}, delay_s)
    assert len(queues.waiting(aws, queue.url, 0, at_most=1)) == 1
    assert queues.depth(aws, queue.url).messages == 3
    with pytest.raises(NotFound):
        queues.depth(aws, queue.url.replace("clock", "none"))
