"""Stacks in the local cloud: cameras in templates, and what CloudFormation holds to.

Where ministack does otherwise, a control beside the test shows it: a control that fails means that
a newer ministack has mended the thing, and ours can go.
"""

from __future__ import annotations

import json

import pytest

VIDEO = {
    "Resources": {
        "Camera": {
            "Type": "AWS::KinesisVideo::Stream",
            "Properties": {"DataRetentionInHours": 2, "Tags": [{"Key": "door", "Value": "front"}]},
        }
    },
    "Outputs": {
        "Name": {"Value": {"Ref": "Camera"}},
        "Arn": {"Value": {"Fn::GetAtt": ["Camera", "Arn"]}},
    },
}
ROLE = {
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                }
            },
        }
    }
}
RECEIVING = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
SILENT = {"app.py": "def handler(event, context):\n    return None\n"}


def test_a_template_with_a_role_needs_capabilities(world):
    """CreateStack refuses IAM resources that nobody acknowledged, and takes acknowledged ones."""
    assert world.refused(world.deploy, ROLE) == "InsufficientCapabilitiesException"
    name = world.deploy(ROLE, Capabilities=["CAPABILITY_IAM"])
    assert world.settled(name)["StackStatus"] == "CREATE_COMPLETE"


def test_a_role_with_a_name_needs_the_other_capability(world):
    """CAPABILITY_IAM is not enough for a named role."""
    named = json.loads(json.dumps(ROLE))
    named["Resources"]["Role"]["Properties"]["RoleName"] = world.unique("role")
    options = {"Capabilities": ["CAPABILITY_IAM"]}
    assert world.refused(world.deploy, named, **options) == "InsufficientCapabilitiesException"


def test_control_ministack_asks_for_no_capabilities(bare_ministack):
    """The control of the tests above."""
    assert bare_ministack.refused(bare_ministack.deploy, ROLE) == ""


def test_a_template_makes_changes_and_deletes_a_camera(world):
    """Ref is the name, GetAtt the ARN; retention and tags follow the template; it goes with it."""
    stacks, cameras = world.client("cloudformation"), world.client("kinesisvideo")
    name = world.deploy(VIDEO, Tags=[{"Key": "streamctl:platform", "Value": "main"}])
    stack = world.settled(name)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    info = cameras.describe_stream(StreamName=outputs["Name"])["StreamInfo"]
    assert (info["StreamARN"], info["DataRetentionInHours"]) == (outputs["Arn"], 2)
    tags = cameras.list_tags_for_stream(StreamName=outputs["Name"])["Tags"]
    assert (tags["door"], tags["streamctl:platform"]) == ("front", "main")
    assert tags["aws:cloudformation:stack-name"] == name

    changed = json.loads(json.dumps(VIDEO))
    properties = changed["Resources"]["Camera"]["Properties"]
    properties |= {"DataRetentionInHours": 1, "Tags": [{"Key": "door", "Value": "back"}]}
    stacks.update_stack(StackName=name, TemplateBody=json.dumps(changed))
    assert world.settled(name)["StackStatus"] == "UPDATE_COMPLETE"
    info = cameras.describe_stream(StreamName=outputs["Name"])["StreamInfo"]
    assert (info["StreamARN"], info["DataRetentionInHours"]) == (outputs["Arn"], 1)
    assert cameras.list_tags_for_stream(StreamName=outputs["Name"])["Tags"]["door"] == "back"

    stacks.delete_stack(StackName=name)
    world.until(lambda: world.refused(stacks.describe_stacks, StackName=name))
    gone = world.refused(cameras.describe_stream, StreamName=outputs["Name"])
    assert gone == "ResourceNotFoundException"


def test_a_camera_that_cannot_be_made_fails_its_stack(world):
    """The stack says why; nothing stays behind."""
    taken = world.unique("camera")
    world.client("kinesisvideo").create_stream(StreamName=taken)
    template = {
        "Resources": {
            "Camera": {"Type": "AWS::KinesisVideo::Stream", "Properties": {"Name": taken}}
        }
    }
    name = world.deploy(template)
    assert world.settled(name)["StackStatus"] == "ROLLBACK_COMPLETE"
    events = world.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    reasons = " ".join(event.get("ResourceStatusReason", "") for event in events)
    assert "ResourceInUseException" in reasons
    # The camera that had the name is not the stack's to delete.
    assert world.client("kinesisvideo").describe_stream(StreamName=taken)


@pytest.mark.parametrize(
    "properties", [{"Name": "a door"}, {"DataRetentionInHours": 90_000}, {"MediaType": "video"}]
)
def test_a_template_of_a_camera_is_checked_as_the_api_checks(world, properties):
    """What CreateStream does not take fails the stack."""
    kind = "AWS::KinesisVideo::Stream"
    name = world.deploy({"Resources": {"Camera": {"Type": kind, "Properties": properties}}})
    assert world.settled(name)["StackStatus"] == "ROLLBACK_COMPLETE"


def test_control_ministack_knows_no_camera(bare_ministack):
    """The control of the test above."""
    assert bare_ministack.refused(bare_ministack.deploy, VIDEO) == "ValidationError"


def test_a_template_is_refused_what_the_api_is_refused(world):
    """AWS::Lambda::EventSourceMapping asks the same questions."""
    function = world.function(SILENT, role=world.role(RECEIVING))
    properties = {
        "FunctionName": function,
        "EventSourceArn": world.stream().arn,
        "StartingPosition": "LATEST",
    }
    kind = "AWS::Lambda::EventSourceMapping"
    template = {"Resources": {"Mapping": {"Type": kind, "Properties": properties}}}
    assert world.settled(world.deploy(template))["StackStatus"] == "ROLLBACK_COMPLETE"


def made_twice(world, kind, property_):
    """Whether a second stack can make a resource of a name that the first has made."""
    name = world.unique("same")
    properties = {property_: name, **MORE.get(kind, {})}
    template = {"Resources": {"Same": {"Type": kind, "Properties": properties}}}
    options = {"Capabilities": ["CAPABILITY_NAMED_IAM"]}
    assert world.settled(world.deploy(template, **options))["StackStatus"] == "CREATE_COMPLETE"
    return world.settled(world.deploy(template, **options))["StackStatus"] == "CREATE_COMPLETE"


MORE = {
    "AWS::DynamoDB::Table": {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    },
    "AWS::IAM::Role": ROLE["Resources"]["Role"]["Properties"],
    "AWS::Lambda::Function": {
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Role": "arn:aws:iam::000000000000:role/any",
        "Code": {"ZipFile": SILENT["app.py"]},
    },
}
NAMED = [
    ("AWS::Kinesis::Stream", "Name"),
    ("AWS::DynamoDB::Table", "TableName"),
    ("AWS::IAM::Role", "RoleName"),
    ("AWS::Lambda::Function", "FunctionName"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
    ("AWS::SQS::Queue", "QueueName"),
]


@pytest.mark.parametrize(("kind", "property_"), NAMED)
def test_a_stack_takes_over_nothing_that_there_is(world, kind, property_):
    """A name that is taken fails the stack, which then deletes nothing that was not its own."""
    assert not made_twice(world, kind, property_)


@pytest.mark.parametrize(("kind", "property_"), NAMED)
def test_a_deleted_stacks_names_are_free_again(world, kind, property_):
    """The same stack comes, goes, and comes again."""
    name, stacks = world.unique("again"), world.client("cloudformation")
    properties = {property_: name, **MORE.get(kind, {})}
    template = {"Resources": {"Same": {"Type": kind, "Properties": properties}}}
    for _ in range(2):
        stack = world.deploy(template, Capabilities=["CAPABILITY_NAMED_IAM"])
        assert world.settled(stack)["StackStatus"] == "CREATE_COMPLETE"
        stacks.delete_stack(StackName=stack)
        world.until(lambda stack=stack: world.refused(stacks.describe_stacks, StackName=stack))


def test_control_ministack_takes_over_what_has_the_name(bare_ministack):
    """The control of the test above."""
    assert all(made_twice(bare_ministack, kind, property_) for kind, property_ in NAMED[:2])


BUS = {"Resources": {"Bus": {"Type": "AWS::Events::EventBus", "Properties": {}}}}
RULE = {"EventPattern": {"source": ["streamctl"]}}


def rule_on(bus):
    properties = {**RULE, "EventBusName": bus}
    return {"Resources": {"Rule": {"Type": "AWS::Events::Rule", "Properties": properties}}}


def test_a_rule_on_a_bus_that_there_is_not_fails_its_stack(world):
    """A subscriber of a platform that there is not is told so."""
    name = world.deploy(rule_on(world.unique("nobody")))
    assert world.settled(name)["StackStatus"] == "ROLLBACK_COMPLETE"


def rules_made(world):
    """How two stacks end that make a rule of one name on a bus, and a third on another bus."""
    name, one, other = world.unique("rule"), world.unique("bus"), world.unique("bus")
    for bus in (one, other):
        world.client("events").create_event_bus(Name=bus)
    ends = []
    for bus in (one, one, other):
        template = rule_on(bus)
        template["Resources"]["Rule"]["Properties"]["Name"] = name
        ends.append(world.settled(world.deploy(template))["StackStatus"])
    kept = world.refused(world.client("events").describe_rule, Name=name, EventBusName=one) == ""
    return [*ends, kept]


def test_a_stack_takes_over_no_rule_of_another(world):
    """Two subscribers of one name: the first keeps its rule, also when the second is rolled back."""
    assert rules_made(world) == ["CREATE_COMPLETE", "ROLLBACK_COMPLETE", "CREATE_COMPLETE", True]


def test_control_ministack_takes_over_a_rule(bare_ministack):
    """The control of the test above."""
    assert rules_made(bare_ministack) == [*["CREATE_COMPLETE"] * 3, True]


def test_control_ministack_makes_rules_on_no_bus(bare_ministack):
    """The control of the test above."""
    name = bare_ministack.deploy(rule_on(bare_ministack.unique("nobody")))
    assert bare_ministack.settled(name)["StackStatus"] == "CREATE_COMPLETE"


def deleted_with_its_rule(world):
    """Whether a stack's bus goes on which others have a rule."""
    stacks, events, bus = (
        world.client("cloudformation"),
        world.client("events"),
        world.unique("bus"),
    )
    template = json.loads(json.dumps(BUS))
    template["Resources"]["Bus"]["Properties"]["Name"] = bus
    name = world.deploy(template)
    assert world.settled(name)["StackStatus"] == "CREATE_COMPLETE"
    pattern = json.dumps(RULE["EventPattern"])
    events.put_rule(Name="theirs", EventBusName=bus, EventPattern=pattern)
    stacks.delete_stack(StackName=name)

    def is_over():
        if world.refused(stacks.describe_stacks, StackName=name):
            return "gone"
        status = stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        return status == "DELETE_FAILED" and status

    was = world.until(is_over)
    if was == "DELETE_FAILED":
        assert world.refused(events.delete_event_bus, Name=bus) == "ValidationException"
        events.delete_rule(Name="theirs", EventBusName=bus)
        stacks.delete_stack(StackName=name)
        assert world.until(lambda: is_over() == "gone")
    return was == "gone"


def test_a_bus_with_rules_of_others_is_not_deleted(world):
    """Nor by DeleteEventBus; it is once they have gone."""
    assert not deleted_with_its_rule(world)


def test_control_ministack_deletes_a_bus_with_its_rules(bare_ministack):
    """The control of the test above."""
    assert deleted_with_its_rule(bare_ministack)


def encryption(world):
    wanted = {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}
    properties = {"ShardCount": 1, "StreamEncryption": wanted}
    template = {
        "Resources": {"Results": {"Type": "AWS::Kinesis::Stream", "Properties": properties}},
        "Outputs": {"Name": {"Value": {"Ref": "Results"}}},
    }
    name = world.settled(world.deploy(template))["Outputs"][0]["OutputValue"]
    summary = world.client("kinesis").describe_stream_summary(StreamName=name)
    return summary["StreamDescriptionSummary"].get("EncryptionType")


def test_a_templates_encryption_is_there(world):
    """A results stream that is to be encrypted says that it is."""
    assert encryption(world) == "KMS"


def test_control_ministack_forgets_encryption(bare_ministack):
    """The control of the test above."""
    assert encryption(bare_ministack) != "KMS"


def test_a_stack_makes_and_deletes_what_a_platform_is_made_of(start_local_cloud, world_of):
    """The resource types that our templates use come and go without a trace."""
    world = world_of(start_local_cloud())  # of its own: everything in it is counted
    table, bus, queue = (world.unique(kind) for kind in ("table", "bus", "queue"))
    template = {
        "Resources": {
            "Table": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "TableName": table,
                    "BillingMode": "PAY_PER_REQUEST",
                    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                },
            },
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": bus}},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": queue}},
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "EventBusName": {"Ref": "Bus"},
                    "EventPattern": {"source": ["streamctl"]},
                    "Targets": [{"Id": "q", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
                },
            },
            "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 14}},
            "Results": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1}},
            "Role": ROLE["Resources"]["Role"],
            "Clock": {
                "Type": "AWS::Scheduler::Schedule",
                "Properties": {
                    "FlexibleTimeWindow": {"Mode": "OFF"},
                    "ScheduleExpression": "rate(1 minute)",
                    "Target": {
                        "Arn": {"Fn::GetAtt": ["Queue", "Arn"]},
                        "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    },
                },
            },
        }
    }
    before = inventory(world)
    name = world.deploy(template, Capabilities=["CAPABILITY_IAM"])
    stack = world.settled(name)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    assert len(inventory(world)) == len(before) + len(template["Resources"])
    stacks = world.client("cloudformation")
    stacks.delete_stack(StackName=name)
    world.until(lambda: world.refused(stacks.describe_stacks, StackName=name))
    assert inventory(world) == before


def inventory(world):
    """Everything of the kinds above that there is now."""
    rules = world.client("events")
    buses = [bus["Name"] for bus in rules.list_event_buses()["EventBuses"]]
    return {
        *world.client("dynamodb").list_tables()["TableNames"],
        *buses,
        *world.client("sqs").list_queues().get("QueueUrls", []),
        *(r["Arn"] for bus in buses for r in rules.list_rules(EventBusName=bus)["Rules"]),
        *(g["arn"] for g in world.client("logs").describe_log_groups()["logGroups"]),
        *world.client("kinesis").list_streams()["StreamNames"],
        *(role["Arn"] for role in world.client("iam").list_roles()["Roles"]),
        *(s["Arn"] for s in world.client("scheduler").list_schedules()["Schedules"]),
    }
