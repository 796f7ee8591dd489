"""Processors as the API gives them, against the local cloud: moto has none."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.stub import Stubber

from streamctl.aws import rekognition
from streamctl.aws.rekognition import Wanted
from streamctl.core.liveness import Status
from streamctl.errors import AskedWrongly, Busy, NotFound, Throttled

CAMERA = "arn:aws:kinesisvideo:us-east-1:000000000000:stream/{}/1600000000000"
RESULTS = "arn:aws:kinesis:us-east-1:000000000000:stream/AmazonRekognition-{}"
ROLE = "arn:aws:iam::000000000000:role/processor"


@pytest.fixture
def made(aws, request):
    """A stopped processor of this test's own."""
    name = request.node.name[:100].replace("[", "-").rstrip("]")
    wanted = Wanted(
        name=name,
        camera_arn=CAMERA.format(name),
        results_arn=RESULTS.format(name),
        role_arn=ROLE,
        collection="staff",
        threshold=85.5,
        tags={"streamctl:managed": "true"},
    )
    rekognition.create(aws, wanted)
    yield wanted
    rekognition.delete(aws, name)


def test_a_processor_is_described_as_it_was_made(aws, made):
    """Times are aware and in UTC; results are named as well as given by ARN."""
    found = rekognition.describe(aws, made.name)
    assert found.processor.name == made.name
    assert found.processor.camera == made.camera_arn
    assert found.processor.status is Status.STOPPED
    assert found.processor.results == f"AmazonRekognition-{made.name}"
    assert found.processor.created.utcoffset().total_seconds() == 0
    assert found.processor.updated >= found.processor.created
    assert (found.results_arn, found.role_arn) == (made.results_arn, made.role_arn)
    assert (found.collection, found.threshold) == ("staff", 85.5)
    assert rekognition.tags(aws, found.arn) == {"streamctl:managed": "true"}
    assert (made.name, "STOPPED") in rekognition.names(aws)


def test_a_processor_of_another_kind_is_described_too(aws):
    """Label detection has neither collection nor results; it is listed with the others.

    Its answer is prepared (and checked against AWS's model), since nothing emulates that kind.
    """
    answer = {
        "Name": "labels",
        "StreamProcessorArn": "arn:aws:rekognition:us-east-1:000000000000:streamprocessor/labels",
        "Status": "STOPPED",
        "CreationTimestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "Input": {"KinesisVideoStream": {"Arn": CAMERA.format("labels")}},
        "Output": {"S3Destination": {"Bucket": "pictures"}},
        "Settings": {"ConnectedHome": {"Labels": ["PERSON"]}},
        "RoleArn": ROLE,
    }
    with Stubber(aws.client("rekognition")) as stub:
        stub.add_response("describe_stream_processor", answer, {"Name": "labels"})
        found = rekognition.describe(aws, "labels")
    assert (found.collection, found.threshold, found.results_arn) == ("", None, "")
    assert found.processor.results == ""
    assert found.processor.updated == found.processor.created


def test_a_name_is_taken_once(aws, made):
    """AWS says ResourceInUse: ours is Busy."""
    with pytest.raises(Busy):
        rekognition.create(aws, made)


def test_what_is_not_there_is_not_found(aws):
    """By every call that names it."""
    calls = (rekognition.describe, rekognition.start, rekognition.stop, rekognition.delete)
    for call in calls:
        with pytest.raises(NotFound):
            in_turn(call, aws, "nobody")


def in_turn(call, *arguments):
    """Call again for as long as it is throttled, which stops are after one a second."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return call(*arguments)
        except Throttled:
            assert time.monotonic() < deadline


def test_stopping_what_is_stopped_is_busy(aws, made):
    """The likelier of AWS's two answers; ops turns it into a quiet success."""
    with pytest.raises(Busy):
        in_turn(rekognition.stop, aws, made.name)


def test_a_throttled_stop_is_said_and_not_tried_again(aws, made, shared_local_cloud):
    """One refusal is prepared: were the SDK to try again by itself, nobody would hear of it."""
    refusal = {"code": "ThrottlingException", "status": 400, "times": 1}
    shared_local_cloud.fault("rekognition.StopStreamProcessor", **refusal)
    with pytest.raises(Throttled):
        rekognition.stop(aws, made.name)


def test_what_the_model_refuses_is_asked_wrongly(aws, made):
    """A role that is no ARN."""
    with pytest.raises(AskedWrongly):
        rekognition.create(aws, replace(made, name="other", role_arn="nobody"))
