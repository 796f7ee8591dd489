"""What ministack gets wrong, put right; each beside a control: ministack alone still does.

A control that fails means that a newer ministack has mended the thing, and ours can go.
What concerns stacks is in test_templates.py.
"""

from __future__ import annotations

import json

import pytest

READING = {"Effect": "Allow", "Action": "kinesis:*", "Resource": "*"}
RECEIVING = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
SILENT = {"app.py": "def handler(event, context):\n    return None\n"}


def long_delay(world, seconds):
    send = world.client("sqs").send_message
    return world.refused(send, QueueUrl=world.queue().url, MessageBody="x", DelaySeconds=seconds)


@pytest.mark.parametrize("seconds", [901, 100_000, -1])
def test_a_delay_above_900_seconds_is_refused(world, seconds):
    """SQS refuses it by name; ministack waits."""
    assert long_delay(world, seconds) == "InvalidParameterValue"


def test_control_ministack_takes_any_delay(bare_ministack):
    """The control of the test above."""
    assert long_delay(bare_ministack, 901) == ""


def test_900_seconds_are_allowed(world):
    """The longest delay there is."""
    assert long_delay(world, 900) == ""


def test_in_a_batch_only_the_message_with_the_long_delay_fails(world):
    """SendMessageBatch reports it as the sender's fault and sends the others."""
    entries = [
        {"Id": "well", "MessageBody": "x", "DelaySeconds": 0},
        {"Id": "late", "MessageBody": "x", "DelaySeconds": 901},
    ]
    answer = world.client("sqs").send_message_batch(QueueUrl=world.queue().url, Entries=entries)
    assert [sent["Id"] for sent in answer["Successful"]] == ["well"]
    failed = answer["Failed"][0]
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == (
        "late",
        "InvalidParameterValue",
        True,
    )


@pytest.mark.parametrize("attribute", ["901", "-1"])
def test_a_queue_cannot_delay_longer_either(world, attribute):
    """CreateQueue and SetQueueAttributes check DelaySeconds as well."""
    sqs = world.client("sqs")
    attributes = {"DelaySeconds": attribute}
    name = world.unique("queue")
    assert world.refused(sqs.create_queue, QueueName=name, Attributes=attributes)
    assert world.refused(
        sqs.set_queue_attributes, QueueUrl=world.queue().url, Attributes=attributes
    )


def test_a_function_does_not_see_what_its_zip_lacks(world):
    """A module that only the local cloud's installation has cannot be imported."""
    name = world.function({"app.py": "import hypercorn\n" + SILENT["app.py"]})
    answer = world.client("lambda").invoke(FunctionName=name)
    error = json.load(answer["Payload"])
    assert answer["FunctionError"] == "Unhandled"
    assert error["errorType"] == "Runtime.ImportModuleError"
    assert error["errorMessage"] == "Unable to import module 'app': No module named 'hypercorn'"
    line = "[ERROR] Runtime.ImportModuleError: Unable to import module 'app'"
    world.until(lambda: line in world.logs(name))


def test_control_ministack_hides_what_a_zip_lacks(bare_ministack):
    """The control of the test above."""
    files = {"app.py": "import hypercorn\n" + SILENT["app.py"]}
    name = bare_ministack.function(files)
    assert "FunctionError" not in bare_ministack.client("lambda").invoke(FunctionName=name)


def test_a_function_sees_lambdas_surroundings_and_no_more(world):
    """boto3 with its dependencies; credentials, region and endpoint; nothing of ours."""
    source = """
import os, sys, boto3, botocore, dateutil, jmespath, s3transfer, six, urllib3

def handler(event, context):
    who = boto3.client("sts").get_caller_identity()["Account"]
    return {"who": who, "environment": sorted(os.environ), "path": sys.path}
"""
    name = world.function({"app.py": source}, variables={"MINE": "1"})
    answer = json.load(world.client("lambda").invoke(FunctionName=name)["Payload"])
    assert answer["who"] == "000000000000"
    assert {"MINE", "AWS_REGION", "AWS_ENDPOINT_URL", "LAMBDA_TASK_ROOT"} <= set(
        answer["environment"]
    )
    assert not [
        name for name in answer["environment"] if name.startswith(("MINISTACK", "HOME", "PYTHON"))
    ]
    assert not [folder for folder in answer["path"] if "site-packages" in folder]


def mapping_of(world, function, source, **settings):
    create = world.client("lambda").create_event_source_mapping
    return world.refused(create, FunctionName=function, EventSourceArn=source, **settings)


def test_a_mapping_needs_a_start_that_there_is(world):
    """StartingPosition is an enumeration, and a stream's mapping needs one."""
    function, stream = world.function(SILENT), world.stream()
    bogus = mapping_of(world, function, stream.arn, StartingPosition="BOGUS")
    assert bogus == "ValidationException"
    assert mapping_of(world, function, stream.arn) == "InvalidParameterValueException"
    assert mapping_of(world, function, stream.arn, StartingPosition="LATEST") == ""


def test_control_ministack_starts_anywhere(bare_ministack):
    """The control of the test above."""
    world = bare_ministack
    function, stream = world.function(SILENT), world.stream()
    assert mapping_of(world, function, stream.arn, StartingPosition="BOGUS") == ""


def test_the_same_mapping_twice_is_refused(world):
    """One mapping for a function and a source."""
    function, stream = world.function(SILENT), world.stream()
    settings = {"StartingPosition": "LATEST"}
    assert mapping_of(world, function, stream.arn, **settings) == ""
    assert mapping_of(world, function, stream.arn, **settings) == "ResourceConflictException"


def test_control_ministack_maps_twice(bare_ministack):
    """The control of the test above."""
    world = bare_ministack
    function, stream = world.function(SILENT), world.stream()
    assert mapping_of(world, function, stream.arn, StartingPosition="LATEST") == ""
    assert mapping_of(world, function, stream.arn, StartingPosition="LATEST") == ""


def test_a_mapping_needs_a_role_that_may_read_the_stream(world):
    """The function's role must hold the stream permissions when the mapping is made."""
    stream = world.stream()
    blind = world.function(SILENT, role=world.role(RECEIVING))
    settings = {"StartingPosition": "LATEST"}
    assert mapping_of(world, blind, stream.arn, **settings) == "InvalidParameterValueException"
    reader = world.function(SILENT, role=world.role(READING))
    assert mapping_of(world, reader, stream.arn, **settings) == ""


@pytest.mark.parametrize(
    "target", ["arn:aws:s3:::lost-records", "arn:aws:sqs:us-east-1:000000000000:lost"]
)
def test_a_mapping_needs_a_destination_that_hears_it(world, target):
    """A queue that the role may not write to is refused; a bucket is not emulated, and says so."""
    function, stream = world.function(SILENT, role=world.role(READING)), world.stream()
    destination = {"DestinationConfig": {"OnFailure": {"Destination": target}}}
    refusal = mapping_of(world, function, stream.arn, StartingPosition="LATEST", **destination)
    assert refusal == "InvalidParameterValueException"


def test_a_role_that_lambda_may_not_assume_is_no_role(world):
    """Permissions without trust are none."""
    foreign = world.role(READING, service="rekognition.amazonaws.com")
    function, stream = world.function(SILENT, role=foreign), world.stream()
    refusal = mapping_of(world, function, stream.arn, StartingPosition="LATEST")
    assert refusal == "InvalidParameterValueException"


def test_control_ministack_asks_for_no_permission(bare_ministack):
    """The control of the tests above."""
    world = bare_ministack
    function = world.function(SILENT, role=world.role(RECEIVING))
    assert mapping_of(world, function, world.stream().arn, StartingPosition="LATEST") == ""


def test_a_queue_must_hide_messages_as_long_as_its_function_may_run(world):
    """A visibility timeout below the function's timeout is refused."""
    function = world.function(SILENT, timeout=60)
    short, long = world.queue(VisibilityTimeout="30"), world.queue(VisibilityTimeout="60")
    assert mapping_of(world, function, short.arn) == "InvalidParameterValueException"
    assert mapping_of(world, function, long.arn) == ""


def test_control_ministack_lets_messages_come_back_early(bare_ministack):
    """The control of the test above."""
    world = bare_ministack
    function = world.function(SILENT, timeout=60)
    assert mapping_of(world, function, world.queue(VisibilityTimeout="30").arn) == ""


def times_tried(world):
    """How often a record that is always reported is seen until a later one is."""
    stream = world.stream()
    world.put(stream, "poison")
    answer = (
        "return {'batchItemFailures': [{'itemIdentifier': r['kinesis']['sequenceNumber']}"
        " for r, text in zip(event['Records'], found) if text == 'poison']}"
    )
    mapped = world.mapped(
        answer, stream, MaximumRetryAttempts=1, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    seen = world.wait_for(mapped.told, 1)
    world.put(stream, "well")

    def well_was_seen():
        seen.extend(world.received(mapped.told))
        return any("well" in told["found"] for told in seen)

    # A shard is read in order: what was to come again has come by then, alone or with this one.
    world.until(well_was_seen)
    return sum("poison" in told["found"] for told in seen)


def test_a_reported_record_comes_again(world):
    """ReportBatchItemFailures is heard."""
    assert times_tried(world) == 2


def test_control_ministack_hears_no_report(bare_ministack):
    """The control of the test above."""
    assert times_tried(bare_ministack) == 1


def log_groups_after(world, function):
    """The log groups of a function that has run, once there was another's."""
    witness = world.function(SILENT)
    for name in (function, witness):
        world.client("lambda").invoke(FunctionName=name)
    world.until(lambda: world.logs(witness))
    found = world.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{function}")
    return found["logGroups"]


def test_a_function_that_may_not_make_its_log_group_has_none(world):
    """It runs all the same; one that may has one."""
    assert not log_groups_after(world, world.function(SILENT, role=world.role(RECEIVING)))
    assert log_groups_after(world, world.function(SILENT))


def test_control_ministack_makes_every_log_group(bare_ministack):
    """The control of the test above."""
    world = bare_ministack
    assert log_groups_after(world, world.function(SILENT, role=world.role(RECEIVING)))
