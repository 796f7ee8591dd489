"""Values read and written by botocore's shapes, as strictly as AWS reads them."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from hypothesis import given
from hypothesis import strategies as st

from streamctl.local import shapes

REKOGNITION = ServiceModel(Loader().load_service_model("rekognition", "service-2"), "rekognition")


def shape_of(operation):
    return REKOGNITION.operation_model(operation).input_shape


CREATE = {
    "Name": "door",
    "Input": {
        "KinesisVideoStream": {"Arn": "arn:aws:kinesisvideo:us-east-1:000000000000:stream/a/1"}
    },
    "Output": {"KinesisDataStream": {"Arn": "arn:aws:kinesis:us-east-1:000000000000:stream/b"}},
    "RoleArn": "arn:aws:iam::000000000000:role/r",
    "Settings": {"FaceSearch": {"CollectionId": "c", "FaceMatchThreshold": 80}},
}


def test_what_is_right_is_read():
    """Numbers become floats where the model says so; null members are absent."""
    read = shapes.read(shape_of("CreateStreamProcessor"), {**CREATE, "Tags": None})
    assert read["Settings"]["FaceSearch"]["FaceMatchThreshold"] == 80.0
    assert "Tags" not in read


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Name": "a door"}, "'name' failed to satisfy constraint: Member must satisfy regular"),
        ({"Name": "a" * 129}, "Member must have length less than or equal to 128"),
        ({"Name": ""}, "Member must have length greater than or equal to 1"),
        ({"Name": None}, "Value null at 'name' failed to satisfy constraint: Member must not be"),
        ({"RoleArn": "arn:aws-cn:iam::000000000000:role/r"}, "'roleArn'"),
        ({"Tags": {"k" * 129: "v"}}, "'tags.key'"),
        (
            {"Settings": {"FaceSearch": {"FaceMatchThreshold": 101}}},
            "'settings.faceSearch.faceMatchThreshold' failed to satisfy constraint",
        ),
    ],
)
def test_what_breaks_a_constraint_is_named(change, said):
    """The member and the rule, in AWS's words."""
    with pytest.raises(shapes.Invalid) as error:
        shapes.read(shape_of("CreateStreamProcessor"), {**CREATE, **change})
    assert said in str(error.value)


def test_all_wrong_members_are_named_at_once():
    """As AWS counts them."""
    with pytest.raises(shapes.Invalid, match=r"^2 validation errors detected: "):
        shapes.read(shape_of("CreateStreamProcessor"), {**CREATE, "Name": "a b", "RoleArn": "x"})


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("CreateStreamProcessor", []),
        ("CreateStreamProcessor", "x"),
        ("CreateStreamProcessor", {**CREATE, "Name": 7}),
        ("CreateStreamProcessor", {**CREATE, "Settings": []}),
        ("ListFaces", {"CollectionId": "c", "MaxResults": "7"}),
        ("ListFaces", {"CollectionId": "c", "MaxResults": True}),
        ("ListFaces", {"CollectionId": "c", "MaxResults": 1.5}),
        ("DeleteFaces", {"CollectionId": "c", "FaceIds": {}}),
        ("IndexFaces", {"CollectionId": "c", "Image": {"Bytes": "no base64!"}}),
        ("IndexFaces", {"CollectionId": "c", "Image": {"Bytes": 7}}),
        ("IndexFaces", {"CollectionId": "c", "Image": {"Bytes": "nö"}}),
        (
            "CreateStreamProcessor",
            {**CREATE, "Settings": {"FaceSearch": {"FaceMatchThreshold": 10**400}}},
        ),
    ],
)
def test_a_wrong_type_is_malformed(operation, given):
    """AWS cannot even read it."""
    with pytest.raises(shapes.Malformed):
        shapes.read(shape_of(operation), given)


def test_blobs_and_times_travel():
    """Bytes as base64, times as Unix seconds."""
    read = shapes.read(
        shape_of("IndexFaces"),
        {"CollectionId": "c", "Image": {"Bytes": base64.b64encode(b"\xff\xd8").decode()}},
    )
    assert read["Image"]["Bytes"] == b"\xff\xd8"
    output = REKOGNITION.operation_model("DescribeCollection").output_shape
    created = dt.datetime(2026, 1, 2, 3, 4, 5, 678000, dt.UTC)
    written = shapes.write(
        output, {"CreationTimestamp": created, "FaceCount": 1, "UserCount": None}
    )
    assert written == {"FaceCount": 1, "CreationTimestamp": created.timestamp()}


@pytest.mark.parametrize("text", ["not a time", 1e300, {}])
def test_a_time_that_is_none_is_malformed(text):
    """Out of range, or no number."""
    shape = REKOGNITION.operation_model("DescribeCollection").output_shape
    with pytest.raises(shapes.Malformed):
        shapes.read(shape, {"CreationTimestamp": text})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_json_breaks_the_reader(value):
    """Whatever arrives is read, or refused by one of the two refusals."""
    for operation in ("CreateStreamProcessor", "IndexFaces", "ListFaces"):
        with contextlib.suppress(shapes.Malformed, shapes.Invalid):
            shapes.read(shape_of(operation), value)


def test_every_pattern_of_the_models_can_be_read():
    """The models' patterns are Java's; ours must understand each of those that we meet."""
    for service in ("rekognition", "kinesisvideo", "kinesis-video-archived-media", "lambda"):
        model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
        for name in model.shape_names:
            shape = model.shape_for(name)
            if shape.type_name == "string" and shape.metadata.get("pattern"):
                with contextlib.suppress(shapes.Invalid):
                    shapes.read(shape, "x")
