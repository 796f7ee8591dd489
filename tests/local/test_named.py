"""What requests name, for every way in which they do."""

from __future__ import annotations

import json

import pytest

from streamctl.local.http import Request
from streamctl.local.named import names_in

JSON = {"content-type": "application/x-amz-json-1.1"}
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


def posted(**members):
    return Request("POST", "/", "", JSON, json.dumps(members).encode())


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        pytest.param(posted(Name="door"), "door", id="a member"),
        pytest.param(posted(Entries=[{"EventBusName": "bus"}]), "bus", id="a member of a list"),
        pytest.param(posted(Item={"key": {"S": "run#1"}}), "run#1", id="a key"),
        pytest.param(posted(RequestItems={"t": {"Keys": []}}), "t", id="a batch's table"),
        pytest.param(posted(MessageBody='{"processor": "door"}'), "door", id="JSON in a message"),
        pytest.param(
            posted(Entries=[{"Detail": '{"camera": "arn:c"}'}]), "arn:c", id="JSON in an event"
        ),
        pytest.param(
            Request("POST", "/", "", FORM, b"QueueUrl=http%3A%2F%2Fq"), "http://q", id="form"
        ),
        pytest.param(
            Request("POST", "/2015-03-31/functions/on%2Dclock/invocations", "", {}),
            "/2015-03-31/functions/on-clock/invocations",
            id="a path",
        ),
        pytest.param(Request("GET", "/", "Action=ListX&RoleName=r", {}), "r", id="the query"),
        pytest.param(
            Request("POST", "/putMedia", "", {"x-amzn-stream-name": "door"}), "door", id="PutMedia"
        ),
    ],
)
def test_what_a_request_names(request_, named):
    """Members, keys and paths; also within JSON that it carries as text."""
    assert named in names_in(request_)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\x00\xff", id="bytes"),
        pytest.param(b"7", id="a number"),
        pytest.param(b"{", id="half of JSON"),
        pytest.param(b"[" * 100_000, id="a deep hole"),
        pytest.param(b'{"a":' * 500 + b'"door"' + b"}" * 500, id="deep objects"),
        pytest.param(
            json.dumps({"RequestItems": 7, "a": None}).encode(), id="not what it should be"
        ),
    ],
)
def test_what_names_nothing(body):
    """Whatever is sent, nothing breaks."""
    assert "door" not in names_in(Request("POST", "/", "", JSON, body))
