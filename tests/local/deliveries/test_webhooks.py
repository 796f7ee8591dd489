"""Webhooks: what an endpoint gets, what its answers mean, and what is told of its secret.

Where ministack does otherwise, a control beside the test shows it.
"""

from __future__ import annotations

import json
import random

import pytest


def test_a_webhook_gets_the_event_with_the_secret_in_its_header(bus, world, receiver, webhook):
    """The body is the event."""
    made = webhook(world, receiver.url, secret="s3cret of a sort")
    bus.rule(made.arn, RoleArn=made.role)
    said = bus.say()
    world.until(lambda: receiver.got)
    (got,) = receiver.got
    assert (got.body["detail"], got.headers["X-Secret"]) == (said, "s3cret of a sort")
    assert got.headers["Content-Type"].startswith("application/json")


def tries_of(bus, world, receiver, webhook, answers):
    """How often a webhook is called that answers so, once it has had a later event too."""
    receiver.answers = [*answers]
    made = webhook(world, receiver.url)
    rule = bus.rule(made.arn, RoleArn=made.role, retries=3)
    said = bus.say()
    return rule, said, lambda: [each for each in receiver.got if each.body["detail"] == said]


@pytest.mark.parametrize("status", [401, 409, 429, 500, 503])
def test_a_webhook_that_fails_for_now_is_called_again(bus, world, receiver, webhook, status):
    """Until it takes the event; the failure queue stays empty."""
    rule, _, tries = tries_of(bus, world, receiver, webhook, [status, status])
    world.until(lambda: len(tries()) == 3)
    later = bus.say()
    world.until(lambda: any(each.body["detail"] == later for each in receiver.got))
    assert len(tries()) == 3
    assert not bus.count(rule.failures)


def test_control_ministack_calls_a_webhook_once(bare_ministack, bus_of, receiver, webhook):
    """The control of the test above."""
    bus, world = bus_of(bare_ministack), bare_ministack
    _, _, tries = tries_of(bus, world, receiver, webhook, [503])
    world.until(tries)
    later = bus.say()
    world.until(lambda: any(each.body["detail"] == later for each in receiver.got))
    assert len(tries()) == 1


def test_a_webhook_that_goes_on_failing_is_given_up(bus, world, receiver, webhook):
    """After as many retries as its policy has, and that is said."""
    rule, said, tries = tries_of(bus, world, receiver, webhook, [503] * 10)
    failed = bus.failed(rule.failures)
    assert failed.detail == said
    assert failed.told["ERROR_CODE"] == "ERROR_FROM_TARGET"
    assert failed.told["ERROR_MESSAGE"].endswith("answered 503")
    assert failed.told["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert failed.told["RETRY_ATTEMPTS"] == "3"
    assert len(tries()) == 4


@pytest.mark.parametrize("status", [301, 400, 403, 404, 410])
def test_a_webhook_that_refuses_for_good_is_not_called_again(bus, world, receiver, webhook, status):
    """Redirects are refusals too: the secret goes nowhere else."""
    rule, said, tries = tries_of(bus, world, receiver, webhook, [status] * 10)
    failed = bus.failed(rule.failures)
    assert (failed.detail, failed.told["RETRY_ATTEMPTS"]) == (said, "0")
    assert "EXHAUSTED_RETRY_CONDITION" not in failed.told
    assert len(tries()) == 1


def test_a_webhook_where_nobody_listens(bus, world, closed_port, webhook):
    """Tried again, and then given up with what the network said."""
    made = webhook(world, closed_port)
    rule = bus.rule(made.arn, RoleArn=made.role, retries=2)
    bus.say()
    failed = bus.failed(rule.failures)
    assert failed.told["ERROR_CODE"] == "CONNECTION_FAILURE"
    assert "Connection refused" in failed.told["ERROR_MESSAGE"]
    assert failed.told["RETRY_ATTEMPTS"] == "2"


def test_every_event_is_taken_once_or_in_the_failure_queue(bus, world, receiver, webhook):
    """Whatever an endpoint answers; here at random, of answers that pass and that do not."""
    some = random.Random(7)
    receiver.answers = [some.choice([204, 503, 503, 429, 404]) for _ in range(400)]
    made = webhook(world, receiver.url)
    rule = bus.rule(made.arn, RoleArn=made.role, retries=2)
    said, failed = {bus.say(number)["id"] for number in range(100)}, []

    def taken():
        return [each.body["detail"]["id"] for each in receiver.got if each.status < 300]

    def all_are_settled():
        failed.extend(event["detail"]["id"] for event in world.received(rule.failures))
        return len(taken()) + len(failed) >= len(said)

    world.until(all_are_settled)
    assert sorted([*taken(), *failed]) == sorted(said)
    assert taken()
    assert failed


def test_a_webhooks_role_must_be_the_rules(bus, world, receiver, webhook):
    """None, one that may not, and one that trusts somebody else: the endpoint is not called."""
    made = webhook(world, receiver.url)
    powerless = world.role(service="events.amazonaws.com")
    strange = world.role(world.everything(), service="lambda.amazonaws.com")
    rules = {
        "NO_PERMISSIONS": [bus.rule(made.arn), bus.rule(made.arn, RoleArn=powerless)],
        "FAILED_TO_ASSUME_ROLE": [bus.rule(made.arn, RoleArn=strange)],
    }
    bus.say()
    for code, those in rules.items():
        assert {bus.failed(rule.failures).told["ERROR_CODE"] for rule in those} == {code}
    assert not receiver.got


def test_a_webhook_that_hangs_delays_no_other(bus, world, receiver, webhook):
    """It holds ten events, and the queue has them all meanwhile."""
    receiver.may_answer.clear()
    made = webhook(world, receiver.url)
    bus.rule(made.arn, RoleArn=made.role)
    queue = bus.queue()
    said = [bus.say(number) for number in range(10)]
    got = [event["detail"] for event in world.wait_for(queue, 10)]
    assert sorted(got, key=lambda each: each["number"]) == said
    assert not receiver.may_answer.is_set()


def told_of_a_connection(world, webhook):
    """What DescribeConnection answers: its body, since botocore leaves out what AWS would."""
    events, told = world.client("events"), []
    events.meta.events.register(
        "before-parse.events.DescribeConnection",
        lambda response_dict, **_: told.append(response_dict["body"]),
    )
    made = webhook(world, "https://example.com/events", secret="nobody else's business")
    events.describe_connection(Name=made.name)
    return told[0]


def test_a_connection_tells_no_secret(world, webhook):
    """Its header's name is none."""
    told = json.loads(told_of_a_connection(world, webhook))
    assert told["AuthParameters"] == {"ApiKeyAuthParameters": {"ApiKeyName": "X-Secret"}}


def test_control_ministack_tells_a_connections_secret(bare_ministack, webhook):
    """The control of the test above."""
    assert b"nobody else's business" in told_of_a_connection(bare_ministack, webhook)


def test_a_webhook_of_another_machine_is_https(world, webhook):
    """As on AWS; this machine is the exception."""
    create = webhook
    assert world.refused(create, world, "http://example.com/events") == "ValidationException"
    assert world.refused(create, world, "http://127.0.0.1:8080/events") == ""


def test_control_ministack_takes_any_http(bare_ministack, webhook):
    """The control of the test above."""
    assert bare_ministack.refused(webhook, bare_ministack, "http://example.com/events") == ""
