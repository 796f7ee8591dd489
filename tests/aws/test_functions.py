"""Calling a function. Answers are prepared (and checked against AWS's model): moto needs Docker here."""

from __future__ import annotations

import io
import json

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from streamctl.aws import functions
from streamctl.aws.session import Aws
from streamctl.errors import NotAllowed, NotFound, StreamctlError, Throttled, Transient

ARN = "arn:aws:lambda:us-east-1:123456789012:function:sweep"


@pytest.fixture
def aws(made_up_credentials):
    return Aws()


@pytest.fixture
def stub(aws):
    with Stubber(aws.client("lambda", retries=False)) as stub:
        yield stub
        stub.assert_no_pending_responses()


def answer(text, **more):
    body = text.encode() if isinstance(text, str) else text
    return {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(body), len(body)), **more}


def test_what_a_function_answers_is_handed_back(aws, stub):
    """JSON goes in, JSON comes out."""
    asked = {"FunctionName": ARN, "Payload": json.dumps({"dry_run": True}).encode()}
    stub.add_response("invoke", answer('{"findings": [1, "é"]}'), asked)
    assert functions.invoke(aws, ARN, {"dry_run": True}) == {"findings": [1, "é"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"errorType": "KeyError", "errorMessage": "\'x\'"}', "KeyError: 'x'"),
        ('{"errorMessage": "Task timed out after 60.00 seconds"}', "Task timed out after 60.00"),
        ('{"errorType": "A", "errorMessage": "two\\nlines"}', "A: two lines"),
        ('{"errorType": "Runtime.ExitError"}', "Runtime.ExitError"),
        ('{"errorType": null, "errorMessage": ["x"]}', "it gave no reason"),
        ("{}", "it gave no reason"),
        ('["a list"]', "it gave no reason"),
        ("null", "it gave no reason"),
        ("killed", "it gave no reason"),
        (b"\xff\xfe", "it gave no reason"),
        ("", "it gave no reason"),
        ("[" * 100_000, "it gave no reason"),
    ],
)
def test_a_function_that_failed_is_one_line_with_its_words(aws, stub, text, said):
    """Whatever shape they have; the hint says where its log is."""
    stub.add_response("invoke", answer(text, FunctionError="Unhandled"))
    with pytest.raises(StreamctlError) as failed:
        functions.invoke(aws, ARN, {})
    assert str(failed.value).startswith(f"function sweep failed: {said}")
    assert "\n" not in str(failed.value)
    assert failed.value.hint.endswith("--log-group-name /aws/lambda/sweep")


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[" * 100_000])
def test_an_answer_that_is_no_json_is_said(aws, stub, text):
    """A function of that name may be anybody's."""
    stub.add_response("invoke", answer(text))
    with pytest.raises(StreamctlError, match="function sweep answered no JSON"):
        functions.invoke(aws, ARN, {})


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ResourceNotFoundException", 404, NotFound),
        ("AccessDeniedException", 403, NotAllowed),
        ("TooManyRequestsException", 429, Throttled),
        ("ServiceException", 500, Transient),
    ],
)
def test_a_call_that_is_refused_is_not_made_twice(aws, stub, code, status, kind):
    """One that gave no answer may have done its work."""
    stub.add_client_error("invoke", code, http_status_code=status)
    with pytest.raises(kind, match="calling function sweep"):
        functions.invoke(aws, ARN, {})
