"""Events on their way to subscribers: tried again, told apart, and never lost without a word.

Where ministack does otherwise, a control beside the test shows it.
"""

from __future__ import annotations

import json

import pytest

from tests.local.deliveries.subscribing import lets

SILENT = {"app.py": "def handler(event, context):\n    print(event['detail']['id'])\n"}


def details(world, queue, count):
    return [event["detail"] for event in world.wait_for(queue, count)]


def test_an_event_reaches_every_queue_that_lets_it(bus, world):
    """Whole, and once."""
    queues = [bus.queue() for _ in range(3)]
    said = bus.say()
    for queue in queues:
        (event,) = world.wait_for(queue, 1)
        assert (event["detail"], event["source"]) == (said, "streamctl")
        assert event["detail-type"] == "Sighting Started"
        assert not bus.count(queue.failures)


def test_what_has_no_policy_for_it_is_not_delivered(bus, world):
    """AWS does not retry what it may not do."""
    queue = world.queue()
    rule = bus.rule(queue.arn, retries=185)
    said = bus.say()
    failed = bus.failed(rule.failures)
    assert failed.detail == said
    assert failed.told["ERROR_CODE"] == "NO_PERMISSIONS"
    assert failed.told["RETRY_ATTEMPTS"] == "0"
    assert not bus.count(queue)


def test_a_policy_for_another_rule_is_none(bus, world):
    """The condition on aws:SourceArn is asked."""
    queue = world.queue()
    rule = bus.rule(queue.arn)
    bus.let_into(queue, f"{rule.arn}-another")
    bus.say()
    assert bus.failed(rule.failures).told["ERROR_CODE"] == "NO_PERMISSIONS"


def test_control_ministack_asks_no_policy(bare_ministack, bus_of):
    """The control of the tests above."""
    bus, queue = bus_of(bare_ministack), bare_ministack.queue()
    bus.rule(queue.arn)
    said = bus.say()
    assert details(bare_ministack, queue, 1) == [said]


def gone_queue(bus, world):
    """What becomes of an event for a queue that was deleted: its rule, after PutEvents."""
    gone = bus.queue(retries=185)
    world.client("sqs").delete_queue(QueueUrl=gone.url)
    healthy = bus.queue()
    said = bus.say()
    assert details(world, healthy, 1) == [said]
    return gone, said


def test_an_event_for_a_queue_that_is_gone_goes_straight_to_the_failure_queue(bus, world):
    """With why, and untried again; another subscriber has it all the same."""
    gone, said = gone_queue(bus, world)
    failed = bus.failed(gone.failures)
    assert failed.detail == said
    assert failed.told == {
        "RULE_ARN": gone.rule.arn,
        "TARGET_ARN": gone.arn,
        "ERROR_CODE": "NO_RESOURCE",
        "ERROR_MESSAGE": f"there is no queue {gone.arn}",
        "RETRY_ATTEMPTS": "0",
    }


def test_control_ministack_forgets_what_it_did_not_deliver(bare_ministack, bus_of):
    """The control of the test above: the healthy one has it, and the failure queue has not."""
    bus = bus_of(bare_ministack)
    gone, _ = gone_queue(bus, bare_ministack)
    assert not bus.count(gone.failures)


def test_a_failure_queue_that_lets_nobody_in_gets_nothing(bus, world):
    """As on AWS, the event is lost then."""
    queue = world.queue()
    shut = bus.rule(queue.arn, keeps_failures=False)
    open_ = bus.rule(queue.arn)
    bus.say()
    bus.failed(open_.failures)
    assert not bus.count(shut.failures)


def test_a_topic_passes_an_event_on_if_its_policy_lets_it(bus, world):
    """What is published is the event."""
    sns, told = world.client("sns"), world.queue()
    made = [sns.create_topic(Name=world.unique("topic"))["TopicArn"] for _ in range(2)]
    rules = [bus.rule(arn) for arn in made]
    policy = lets(made[0], "sns:Publish", rules[0].arn)
    sns.set_topic_attributes(TopicArn=made[0], AttributeName="Policy", AttributeValue=policy)
    sns.subscribe(TopicArn=made[0], Protocol="sqs", Endpoint=told.arn)
    said = bus.say()
    (note,) = world.wait_for(told, 1)
    assert json.loads(note["Message"])["detail"] == said
    assert bus.failed(rules[1].failures).told["ERROR_CODE"] == "NO_PERMISSIONS"
    assert not bus.count(rules[0].failures)


def test_a_function_is_invoked_if_it_lets_the_rule(bus, world):
    """One that does not, and one that is gone, are told apart."""
    names = [world.function(SILENT) for _ in range(3)]
    functions = world.client("lambda")
    arns = [
        functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"] for name in names
    ]
    rules = [bus.rule(arn) for arn in arns]
    functions.add_permission(
        FunctionName=names[0],
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rules[0].arn,
    )
    functions.delete_function(FunctionName=names[2])
    said = bus.say()
    world.until(lambda: said["id"] in world.logs(names[0]))
    assert bus.failed(rules[1].failures).told["ERROR_CODE"] == "NO_PERMISSIONS"
    assert bus.failed(rules[2].failures).told["ERROR_CODE"] == "NO_RESOURCE"
    assert said["id"] not in world.logs(names[1])


def function_of(bus, world, source, **target):
    """A function that a rule may invoke: its name, and the rule."""
    name, functions = world.function({"app.py": source}), world.client("lambda")
    arn = functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    rule = bus.rule(arn, **target)
    functions.add_permission(
        FunctionName=name,
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule.arn,
    )
    return name, rule


def test_what_a_function_makes_of_an_event_is_lambdas_to_retry(bus, world):
    """It is invoked twice more, and nothing is in the rule's failure queue."""
    failing = "def handler(event, context):\n    print('tried')\n    raise ValueError\n"
    name, rule = function_of(bus, world, failing)
    bus.say()
    world.until(lambda: world.logs(name).count("tried") == 3)
    assert not bus.count(rule.failures)


def test_a_function_takes_nothing_but_json(bus, world):
    """What a rule makes of the event may be none."""
    _, rule = function_of(bus, world, SILENT["app.py"], Input="no json", retries=185)
    said = bus.say()
    failed = bus.failed(rule.failures)
    assert (failed.told["ERROR_CODE"], failed.detail) == ("INVALID_JSON", said)


def test_a_log_group_gets_the_event_as_a_line(bus, world):
    """If a resource policy lets the rule; ministack knows no such target."""
    logs, groups = world.client("logs"), [world.unique("/aws/events/log") for _ in range(2)]
    for group in groups:
        logs.create_log_group(logGroupName=group)
    arns = [f"arn:aws:logs:us-east-1:000000000000:log-group:{group}" for group in groups]
    rules = [bus.rule(arn) for arn in arns]
    document = {
        "Version": "2012-10-17",
        "Statement": [
            json.loads(lets(f"{arns[0]}:*", "logs:PutLogEvents", rules[0].arn))["Statement"][0],
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "logs:CreateLogStream",
                "Resource": f"{arns[0]}:*",
            },
        ],
    }
    logs.put_resource_policy(policyName=world.unique("p"), policyDocument=json.dumps(document))
    said = [bus.say(number) for number in range(2)]

    def lines():
        found = logs.filter_log_events(logGroupName=groups[0])["events"]
        return len(found) == 2 and [json.loads(event["message"])["detail"] for event in found]

    assert sorted(world.until(lines), key=lambda each: each["number"]) == said
    assert bus.failed(rules[1].failures).told["ERROR_CODE"] == "NO_PERMISSIONS"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"Input": '{"fixed": 1}'}, {"fixed": 1}),
        ({"InputPath": "$.detail.number"}, 7),
        ({"InputPath": "$.source"}, "streamctl"),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {"n": "$.detail.number"},
                    "InputTemplate": '{"number": <n>}',
                }
            },
            {"number": 7},
        ),
    ],
)
def test_a_rule_may_say_what_is_delivered(bus, world, settings, expected):
    """In place of the event."""
    queue = bus.queue(**settings)
    bus.say(7)
    assert world.wait_for(queue, 1) == [expected]


def test_where_iam_is_enforced_events_go_the_same_ways(start_local_cloud, world_of, bus_of):
    """EventBridge asks with no key of anybody's."""
    world = world_of(start_local_cloud(auth=True))
    bus = bus_of(world)
    queue, shut = bus.queue(), bus.rule(world.queue().arn)
    said = bus.say()
    assert details(world, queue, 1) == [said]
    assert bus.failed(shut.failures).told["ERROR_CODE"] == "NO_PERMISSIONS"


def test_events_in_another_region_are_not_delivered_here(bus):
    """And that is said."""
    rule = bus.rule("arn:aws:sqs:eu-west-1:000000000000:far")
    bus.say()
    assert "another region" in bus.failed(rule.failures).told["ERROR_MESSAGE"]
