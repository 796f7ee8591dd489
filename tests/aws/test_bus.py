"""Events reach those who subscribed; what the bus does not take is told. Against moto."""

from __future__ import annotations

import boto3
import pytest
from botocore.stub import Stubber

from streamctl.aws import bus, queues
from streamctl.aws.session import Aws
from streamctl.core.events import PROCESSOR_STARTED, SIGHTING_ENDED, Event
from streamctl.errors import NotFound, StreamctlError, Throttled, Transient

CAMERA = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1"


@pytest.fixture
def aws(mocked_aws):
    return Aws()


@pytest.fixture
def subscribed(aws):
    """A queue that every event of ours on the bus goes to."""
    arn = boto3.client("events", "us-east-1").create_event_bus(Name="bus")["EventBusArn"]
    queue = queues.create(aws, "app", arn)
    bus.subscribe(aws, "bus", "everything", queue.arn)
    return queue


def events(count, kind=PROCESSOR_STARTED):
    return [Event(kind, {"id": f"door/{number}", "camera": CAMERA}) for number in range(count)]


def heard(aws, queue):
    found = []
    while more := list(queues.receive(aws, queue, 0)):
        found += more
    return found


def test_an_event_arrives_as_it_was_published(aws, subscribed):
    """With its source, its kind and its camera beside it, for rules to go by."""
    detail = {"id": "door/1", "camera": CAMERA, "person": "Žofie", "similarity": 99.5}
    bus.publish(aws, "bus", [Event(SIGHTING_ENDED, detail)])
    (found,) = heard(aws, subscribed)
    assert found["detail"] == detail
    assert (found["source"], found["detail-type"]) == ("streamctl", SIGHTING_ENDED)
    assert found["resources"] == [CAMERA]


@pytest.mark.parametrize("count", [0, 1, 10, 11, 25])
def test_any_number_of_events_is_published(aws, subscribed, count):
    """Ten a request, which is what PutEvents takes."""
    bus.publish(aws, "bus", events(count))
    found = sorted(each["detail"]["id"] for each in heard(aws, subscribed))
    assert found == sorted(event.id for event in events(count))


def test_other_peoples_events_are_not_heard(aws, subscribed):
    """The bus may be shared."""
    entry = {"EventBusName": "bus", "Source": "other", "DetailType": "x", "Detail": "{}"}
    boto3.client("events", "us-east-1").put_events(Entries=[entry])
    assert heard(aws, subscribed) == []


def published_to(aws, *codes):
    """Publish to a bus that refuses entries with these codes, None taking one.

    Its answer is prepared (and checked against AWS's model): moto refuses no entry of ours.
    """
    entries = [{"ErrorCode": code} if code else {"EventId": "e"} for code in codes]
    failed = sum(code is not None for code in codes)
    with Stubber(aws.client("events")) as stub:
        stub.add_response("put_events", {"FailedEntryCount": failed, "Entries": entries})
        bus.publish(aws, "bus", events(len(codes)))


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure", "NewKindOfTrouble"])
def test_a_refused_event_may_be_published_again(aws, code):
    """PutEvents succeeds all the same, and says in its answer which it did not take."""
    with pytest.raises(Transient, match=f"bus bus: 1 refused: {code}"):
        published_to(aws, None, code, None)


@pytest.mark.parametrize(
    "code",
    [
        "AccessDeniedException",
        "InvalidAccountIdException",
        "InvalidArgument",
        "MalformedDetail",
        "NotAuthorizedForDetailTypeException",
        "NotAuthorizedForSourceException",
        "RedactionFailure",
    ],
)
def test_an_event_that_is_refused_each_time_is_not_worth_another_try(aws, code):
    """Whoever tried again and again would never be done."""
    with pytest.raises(StreamctlError, match=code) as refused:
        published_to(aws, None, "ThrottlingException", code)
    assert not refused.value.retryable


def test_a_throttled_request_is_throttled(aws):
    """When the SDK has tried often enough (prepared: moto has no quota)."""
    with Stubber(aws.client("events")) as stub:
        stub.add_client_error("put_events", "ThrottlingException", http_status_code=400)
        with pytest.raises(Throttled, match="publishing on bus bus"):
            bus.publish(aws, "bus", events(1))


def test_subscribing_twice_is_subscribing_once(aws, subscribed):
    """One rule, one target: an event is heard once."""
    bus.subscribe(aws, "bus", "everything", subscribed.arn)
    bus.publish(aws, "bus", events(1))
    assert len(heard(aws, subscribed)) == 1


def test_after_unsubscribing_nothing_is_heard(aws, subscribed):
    """And no rule is left."""
    bus.unsubscribe(aws, "bus", "everything")
    bus.publish(aws, "bus", events(1))
    assert heard(aws, subscribed) == []
    rules = boto3.client("events", "us-east-1").list_rules(EventBusName="bus")
    assert rules["Rules"] == []


def test_a_bus_that_is_not_there_cannot_be_subscribed_to(aws):
    """Said with its name."""
    with pytest.raises(NotFound, match="nowhere"):
        bus.subscribe(aws, "nowhere", "everything", "arn:aws:sqs:us-east-1:123456789012:app")


REFUSED = {
    "FailedEntryCount": 1,
    "FailedEntries": [{"TargetId": "queue", "ErrorCode": "ConcurrentModificationException"}],
}


def test_a_target_that_was_not_taken_is_told(aws):
    """PutTargets succeeds all the same, and says so in its answer (prepared, as above)."""
    with Stubber(aws.client("events")) as stub:
        stub.add_response("put_rule", {"RuleArn": "arn:aws:events:us-east-1:123456789012:rule/r"})
        stub.add_response("put_targets", REFUSED)
        with pytest.raises(Transient, match="ConcurrentModificationException"):
            bus.subscribe(aws, "bus", "r", "arn:aws:sqs:us-east-1:123456789012:app")


def test_a_target_that_was_not_removed_is_told(aws):
    """And its rule is left alone, which could not be deleted (prepared, as above)."""
    with Stubber(aws.client("events")) as stub:
        stub.add_response("remove_targets", REFUSED)
        with pytest.raises(Transient, match="ConcurrentModificationException"):
            bus.unsubscribe(aws, "bus", "r")


def test_every_rule_of_a_bus_is_listed_with_where_it_leads(aws, subscribed):
    """Also one without targets, and none of another bus."""
    client = boto3.client("events", "us-east-1")
    pattern = '{"detail":{"person":["ada"]}}'
    client.put_rule(Name="ada", EventBusName="bus", EventPattern=pattern)
    client.put_rule(Name="elsewhere", EventPattern=pattern)
    assert sorted(bus.rules(aws, "bus"), key=lambda rule: rule.name) == [
        bus.Rule("ada", pattern, ()),
        bus.Rule("everything", '{"source": ["streamctl"]}', (subscribed.arn,)),
    ]
    with pytest.raises(NotFound):
        list(bus.rules(aws, "none"))


def test_a_rule_says_where_goes_what_it_cannot_deliver(aws, subscribed):
    """Each queue once, though several targets share it."""
    client, failures = boto3.client("events", "us-east-1"), f"{subscribed.arn}-failures"
    for name in ("one", "two"):
        dead = {"Id": name, "Arn": subscribed.arn, "DeadLetterConfig": {"Arn": failures}}
        client.put_targets(Rule="everything", EventBusName="bus", Targets=[dead])
    (rule,) = bus.rules(aws, "bus")
    assert (len(rule.targets), rule.failures) == (3, (failures,))
