"""The templates of subscribers let nobody do more than they must, and lose nothing."""

import json
import re

import pytest

from streamctl.ops import schemas
from tests.cloudformation.test_templates import FOLDER, template

RULE = (
    "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}"
    ":rule/streamctl-${Platform}/streamctl-${Platform}-${Name}"
)
KINDS = ("lambda", "logs", "sns", "sqs", "webhook")
COMMON = {"Platform", "Name", "DetailTypes", "Camera", "RetryAttempts", "RetryForSeconds"}

every_kind = pytest.mark.parametrize("kind", KINDS)


def subscriber(kind):
    return template(f"subscriber-{kind}.yaml")


def of_type(kind, type_):
    found = subscriber(kind)["Resources"]
    return {name: each["Properties"] for name, each in found.items() if each["Type"] == type_}


def policies(kind):
    """Every statement that lets EventBridge act, with the action."""
    for type_ in ("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
        for policy in of_type(kind, type_).values():
            yield from policy["PolicyDocument"]["Statement"]
    for policy in of_type(kind, "AWS::Logs::ResourcePolicy").values():
        text, named = policy["PolicyDocument"]["Fn::Sub"]
        yield from json.loads(text.replace("${Rule}", named["Rule"]["Fn::Sub"]))["Statement"]
    for role in of_type(kind, "AWS::IAM::Role").values():
        yield from role["AssumeRolePolicyDocument"]["Statement"]


def test_there_is_one_for_each_way_out():
    """And no other."""
    assert tuple(sorted(path.stem for path in FOLDER.glob("subscriber-*"))) == tuple(
        f"subscriber-{kind}" for kind in KINDS
    )


@every_kind
def test_all_take_the_same_parameters_and_need_few(kind):
    """What has no default is the subscriber's own: its name, and where it is."""
    found = subscriber(kind)["Parameters"]
    assert set(found) >= COMMON
    needed = {name for name, each in found.items() if "Default" not in each}
    own = {"lambda": {"FunctionArn"}, "webhook": {"Url", "Secret"}}
    assert needed == {"Name"} | own.get(kind, set())
    assert not [name for name, each in found.items() if "Description" not in each]


@every_kind
def test_only_kinds_of_events_that_there_are_can_be_asked_for(kind):
    """CloudFormation holds each of the list to the pattern; of another kind nothing would come."""
    pattern = subscriber(kind)["Parameters"]["DetailTypes"]["AllowedPattern"]
    titles = [schemas.load(each)["title"] for each in schemas.NAMES if each != schemas.ENVELOPE]
    assert len(titles) > 6
    assert all(re.fullmatch(pattern, each) for each in ("all", *titles))
    for nonsense in ("Nonsense", "sighting started", "Sighting Started Too", "Envelope", ""):
        assert not re.fullmatch(pattern, nonsense)


@every_kind
def test_what_is_not_delivered_is_tried_again_and_then_kept(kind):
    """In a failure queue that is the subscriber's own, encrypted, for as long as SQS keeps anything."""
    (rule,) = of_type(kind, "AWS::Events::Rule").values()
    (target,) = rule["Targets"]
    assert set(target["RetryPolicy"]) == {"MaximumRetryAttempts", "MaximumEventAgeInSeconds"}
    assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": ["Failures", "Arn"]}
    for queue in of_type(kind, "AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True
        assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert {"FailureQueueUrl", "FailureQueueArn", "RuleArn"} <= set(subscriber(kind)["Outputs"])


@every_kind
def test_a_rule_takes_the_platforms_events_and_nobody_elses(kind):
    (rule,) = of_type(kind, "AWS::Events::Rule").values()
    assert rule["EventPattern"]["source"] == ["streamctl"]
    assert rule["EventBusName"] == {"Fn::Sub": "streamctl-${Platform}"}
    assert RULE.endswith(rule["Name"]["Fn::Sub"])


@every_kind
def test_only_this_rule_may_use_what_there_is(kind):
    """CreateLogStream excepted, which EventBridge asks for in no rule's name."""
    found = list(policies(kind))
    for statement in found:
        services = statement["Principal"]["Service"]
        services = {services} if isinstance(services, str) else set(services)
        assert services <= {"events.amazonaws.com", "delivery.logs.amazonaws.com"}
        if statement["Action"] != "logs:CreateLogStream":
            named = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
            assert named in ({"Fn::Sub": RULE}, RULE)
        assert isinstance(statement["Action"], str)
        assert "*" not in statement["Action"]
        assert statement.get("Resource") != "*"
    for permission in of_type(kind, "AWS::Lambda::Permission").values():
        assert permission["SourceArn"] == {"Fn::Sub": RULE}
        assert permission["Action"] == "lambda:InvokeFunction"
    assert found


@every_kind
def test_nothing_is_delivered_before_it_may_be(kind):
    """What EventBridge may not do it does not try again: each permission comes before the rule."""
    resources = subscriber(kind)["Resources"]
    permissions = {
        name
        for name, each in resources.items()
        if each["Type"].endswith(("QueuePolicy", "TopicPolicy", "ResourcePolicy", "Permission"))
    }
    assert set(resources["Rule"]["DependsOn"]) == permissions


def test_what_an_app_receives_in_vain_does_not_come_back_for_ever():
    """It goes where what was not delivered goes, and no further."""
    queues = of_type("sqs", "AWS::SQS::Queue")
    redrive = queues["Queue"]["RedrivePolicy"]
    assert redrive == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["Failures", "Arn"]},
        "maxReceiveCount": 5,
    }
    assert "RedrivePolicy" not in queues["Failures"]


def test_a_webhooks_secret_is_shown_nowhere():
    """NoEcho, and in no output; its role may call this endpoint alone, in this account."""
    found = subscriber("webhook")
    assert found["Parameters"]["Secret"]["NoEcho"] is True
    assert "Default" not in found["Parameters"]["Secret"]
    assert "Secret" not in json.dumps(found["Outputs"])
    (role,) = of_type("webhook", "AWS::IAM::Role").values()
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    ((statement,),) = (each["PolicyDocument"]["Statement"] for each in role["Policies"])
    assert statement["Action"] == "events:InvokeApiDestination"
    assert statement["Resource"] == {"Fn::GetAtt": ["Destination", "Arn"]}


def test_a_log_group_expires():
    (group,) = of_type("logs", "AWS::Logs::LogGroup").values()
    assert group["RetentionInDays"] == {"Ref": "RetentionDays"}
    assert group["LogGroupName"]["Fn::Sub"].startswith("/aws/events/")
