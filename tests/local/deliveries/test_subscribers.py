"""Subscribers as their templates make them: what each receives, and what is kept of what it does not."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from tests.local.deliveries.subscribing import FOLDER, reasons

SECRET = "a secret of 24 letters.."
PLAIN = {"app.py": "def handler(event, context):\n    print(event['detail']['id'])\n"}


def function(world):
    """One that prints the id of what it gets: its name and ARN."""
    name = world.function(PLAIN)
    found = world.client("lambda").get_function(FunctionName=name)["Configuration"]
    return SimpleNamespace(name=name, arn=found["FunctionArn"])


def test_a_queue_receives_events(platform, subscribe, world):
    """Those of all cameras and kinds, without parameters."""
    made = subscribe("sqs")
    said = [platform.say(0), platform.say(1, "Processor Ended", "gate")]
    got = world.wait_for(SimpleNamespace(url=made.outputs["QueueUrl"]), 2)
    assert sorted((event["detail"] for event in got), key=lambda each: each["number"]) == said
    assert not platform.count(made.failures)


def test_what_a_queues_app_dies_over_is_in_its_failure_queue(platform, subscribe, world):
    """After the fifth time, as it was told; and others come all the same."""
    made, sqs = subscribe("sqs"), world.client("sqs")
    queue = SimpleNamespace(url=made.outputs["QueueUrl"])
    said = platform.say()

    def receive():
        found = sqs.receive_message(QueueUrl=queue.url, VisibilityTimeout=0)
        return found.get("Messages")

    for _ in range(5):
        (message,) = world.until(receive)
        assert json.loads(message["Body"])["detail"] == said
    world.until(lambda: receive() is None)
    failed = platform.failed(made.failures)
    assert (failed.detail, failed.told) == (said, {})
    said = platform.say(2)
    (event,) = world.wait_for(queue, 1)
    assert event["detail"] == said


def test_a_topic_receives_events(platform, subscribe, world):
    """And passes them on to whoever subscribes."""
    made, told = subscribe("sns"), world.queue()
    world.client("sns").subscribe(
        TopicArn=made.outputs["TopicArn"], Protocol="sqs", Endpoint=told.arn
    )
    said = platform.say()
    (note,) = world.wait_for(told, 1)
    assert json.loads(note["Message"])["detail"] == said
    assert not platform.count(made.failures)


def test_a_webhook_receives_events(platform, subscribe, world, receiver):
    """With the secret in the header that was chosen; the stack tells nobody the secret."""
    made = subscribe("webhook", Url=receiver.url, Secret=SECRET, Header="X-Door")
    said = platform.say()
    world.until(lambda: receiver.got)
    (got,) = receiver.got
    assert (got.body["detail"], got.headers["X-Door"]) == (said, SECRET)
    stacks = world.client("cloudformation")
    assert SECRET not in str(stacks.describe_stacks(StackName=made.stack))
    assert not platform.count(made.failures)


def test_a_function_receives_events(platform, subscribe, world):
    """One that was there before."""
    told = function(world)
    made = subscribe("lambda", FunctionArn=told.arn)
    said = platform.say()
    world.until(lambda: said["id"] in world.logs(told.name))
    assert not platform.count(made.failures)


def test_a_log_group_receives_events(platform, subscribe, world):
    """A line each, for as long as was asked for."""
    made = subscribe("logs", RetentionDays=7)
    group, logs = made.outputs["LogGroupName"], world.client("logs")
    said = platform.say()
    (line,) = world.until(lambda: logs.filter_log_events(logGroupName=group)["events"])
    assert json.loads(line["message"])["detail"] == said
    (found,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert found["retentionInDays"] == 7
    assert not platform.count(made.failures)


def test_a_subscriber_may_want_some_events_only(platform, subscribe, world):
    """Of one camera, not of one whose name begins alike; of some kinds."""
    wanted = subscribe("sqs", DetailTypes="Sighting Started,Sighting Ended", Camera="door")
    every = subscribe("sqs", "every")
    said = [
        platform.say(number, kind, camera)
        for number, (kind, camera) in enumerate(
            [
                ("Sighting Started", "door"),
                ("Sighting Ended", "door"),
                ("Sighting Updated", "door"),
                ("Sighting Started", "doorbell"),
                ("Sighting Started", "gate"),
            ]
        )
    ]
    queue = SimpleNamespace(url=every.outputs["QueueUrl"])
    assert len(world.wait_for(queue, len(said))) == len(said)
    got = world.wait_for(SimpleNamespace(url=wanted.outputs["QueueUrl"]), 2)
    assert sorted(event["detail"]["number"] for event in got) == [0, 1]
    assert not platform.count(SimpleNamespace(url=wanted.outputs["QueueUrl"]))


@pytest.mark.parametrize("kinds", ["Nonsense", "Sighting Started,Nonsense", "sighting-started"])
def test_a_subscriber_to_no_kind_of_event_is_refused(subscribe, world, kinds):
    """It would wait for ever. The list is held to the template member by member."""
    assert world.refused(subscribe, "sqs", DetailTypes=kinds) == "ValidationError"


def test_of_two_subscribers_of_one_name_the_second_fails(platform, subscribe, world):
    """The first goes on receiving."""
    first = subscribe("sqs", "same")
    with pytest.raises(AssertionError, match="ROLLBACK_COMPLETE"):
        subscribe("sqs", "same")
    said = platform.say()
    (event,) = world.wait_for(SimpleNamespace(url=first.outputs["QueueUrl"]), 1)
    assert event["detail"] == said


def kill(kind, world, made, told):
    """Take away what a subscriber delivers to."""
    if kind == "sqs":
        world.client("sqs").delete_queue(QueueUrl=made.outputs["QueueUrl"])
    if kind == "sns":
        world.client("sns").delete_topic(TopicArn=made.outputs["TopicArn"])
    if kind == "lambda":
        world.client("lambda").delete_function(FunctionName=told.name)
    if kind == "logs":
        world.client("logs").delete_log_group(logGroupName=made.outputs["LogGroupName"])


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("sqs", "NO_RESOURCE"),
        ("sns", "NO_RESOURCE"),
        ("lambda", "NO_RESOURCE"),
        ("logs", "NO_RESOURCE"),
        ("webhook", "CONNECTION_FAILURE"),
    ],
)
def test_what_a_dead_subscriber_does_not_get_is_in_its_failure_queue(
    platform, subscribe, world, closed_port, kind, code
):
    """With why; a healthy one on the same bus has it all the same, and an empty failure queue."""
    told = function(world) if kind == "lambda" else None
    own = {
        "lambda": lambda: {"FunctionArn": told.arn},
        "webhook": lambda: {"Url": closed_port, "Secret": SECRET},
    }
    healthy = subscribe("sqs", "healthy")
    dead = subscribe(kind, RetryAttempts=2, **own.get(kind, dict)())
    kill(kind, world, dead, told)
    said = platform.say()
    (event,) = world.wait_for(SimpleNamespace(url=healthy.outputs["QueueUrl"]), 1)
    failed = platform.failed(dead.failures)
    assert event["detail"] == failed.detail == said
    assert failed.told["ERROR_CODE"] == code
    assert failed.told["RULE_ARN"] == dead.outputs["RuleArn"]
    retried = ("2", "MaximumRetryAttempts") if kind == "webhook" else ("0", None)
    told = failed.told
    assert (told["RETRY_ATTEMPTS"], told.get("EXHAUSTED_RETRY_CONDITION")) == retried
    assert not platform.count(healthy.failures)


def test_a_dead_webhook_goes_on_being_tried_while_others_get_more(
    platform, subscribe, world, closed_port
):
    """By default it is tried for an hour; nothing has failed for good meanwhile."""
    dead = subscribe("webhook", "dead", Url=closed_port, Secret=SECRET)
    healthy = subscribe("sqs", "healthy")
    for number in range(50):
        platform.say(number)
    got = world.wait_for(SimpleNamespace(url=healthy.outputs["QueueUrl"]), 50)
    assert {event["detail"]["number"] for event in got} == set(range(50))
    assert not platform.count(dead.failures)


def test_a_subscriber_goes_without_a_trace(platform, subscribe, world, receiver):
    """And another may have its name."""
    stacks, events = world.client("cloudformation"), world.client("events")
    name = f"streamctl-{platform.platform}-app"
    for _ in range(2):
        made = subscribe("webhook", Url=receiver.url, Secret=SECRET)
        assert events.describe_connection(Name=name)["AuthorizationType"] == "API_KEY"
        stacks.delete_stack(StackName=made.stack)
        world.until(lambda made=made: world.refused(stacks.describe_stacks, StackName=made.stack))
        assert world.refused(events.describe_connection, Name=name) == "ResourceNotFoundException"
        gone = world.refused(events.describe_api_destination, Name=name)
        assert gone == "ResourceNotFoundException"
        assert not events.list_rules(EventBusName=platform.name)["Rules"]


def test_a_secret_may_be_changed(platform, subscribe, world, receiver):
    """By an update of the stack, in place."""
    made = subscribe("webhook", Url=receiver.url, Secret=SECRET)
    stacks = world.client("cloudformation")
    keep = [{"ParameterKey": key, "UsePreviousValue": True} for key in ("Platform", "Name", "Url")]
    stacks.update_stack(
        StackName=made.stack,
        UsePreviousTemplate=True,
        Parameters=[
            *keep,
            {"ParameterKey": "Secret", "ParameterValue": "another of 24 letters..."},
        ],
        Capabilities=["CAPABILITY_IAM"],
    )
    assert world.settled(made.stack)["StackStatus"] == "UPDATE_COMPLETE", reasons(world, made.stack)
    platform.say()
    world.until(lambda: receiver.got)
    assert receiver.got[0].headers["X-Streamctl-Secret"] == "another of 24 letters..."


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("sqs", {"Name": "No Name"}),
        ("sqs", {"Camera": "a/b"}),
        ("sqs", {"RetryAttempts": 186}),
        ("sqs", {"RetryForSeconds": 59}),
        ("webhook", {"Url": "http://example.com/", "Secret": SECRET}),
        ("webhook", {"Url": "https://example.com/", "Secret": "short"}),
        ("lambda", {"FunctionArn": "app"}),
        ("logs", {"RetentionDays": 2}),
    ],
)
def test_wrong_parameters_are_refused_before_anything_is_made(world, platform, kind, wrong):
    """By the template alone."""
    given = {"Platform": platform.platform, "Name": "app", **wrong}
    refused = world.refused(
        world.client("cloudformation").create_stack,
        StackName=world.unique("subscriber"),
        TemplateBody=(FOLDER / f"subscriber-{kind}.yaml").read_text(encoding="utf-8"),
        Parameters=[
            {"ParameterKey": key, "ParameterValue": str(value)} for key, value in given.items()
        ],
        Capabilities=["CAPABILITY_IAM"],
    )
    assert refused == "ValidationError"


def test_control_ministack_knows_no_connection(bare_ministack):
    """The control of the tests of webhooks."""
    template = {
        "Resources": {
            "Connection": {
                "Type": "AWS::Events::Connection",
                "Properties": {
                    "AuthorizationType": "API_KEY",
                    "AuthParameters": {
                        "ApiKeyAuthParameters": {"ApiKeyName": "X", "ApiKeyValue": SECRET}
                    },
                },
            }
        }
    }
    assert bare_ministack.refused(bare_ministack.deploy, template) == "ValidationError"
