"""What AWS answers, and what never reached it, becomes an error of ours, by its code."""

from __future__ import annotations

import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from urllib3.exceptions import ProtocolError

from streamctl import errors
from streamctl.aws.refusals import FACE_SEARCH_REGIONS, translate, translated


def refusal(code="", status=400, operation="DoIt", message="it is\nso"):
    """AWS's answer, as botocore raises it."""
    said = {"Code": code, "Message": message}
    return boto.ClientError(
        {"Error": said, "ResponseMetadata": {"HTTPStatusCode": status}}, operation
    )


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ResourceNotFoundException", 400, errors.NotFound),
        ("AWS.SimpleQueueService.NonExistentQueue", 400, errors.NotFound),
        ("NoSuchBucket", 404, errors.NotFound),
        ("NewKindOfAbsence", 404, errors.NotFound),
        ("ThrottlingException", 400, errors.Throttled),
        ("ThrottlingException", 500, errors.Throttled),
        ("ProvisionedThroughputExceededException", 400, errors.Throttled),
        ("ClientLimitExceededException", 400, errors.Throttled),
        ("RequestThrottled", 403, errors.Throttled),
        ("KMSThrottlingException", 400, errors.Throttled),
        ("ConditionalCheckFailedException", 400, errors.Lost),
        ("ResourceInUseException", 400, errors.Busy),
        ("AWS.SimpleQueueService.QueueDeletedRecently", 400, errors.Busy),
        ("InvalidParameterException", 400, errors.AskedWrongly),
        ("InvalidParameterValue", 400, errors.AskedWrongly),
        ("ValidationException", 400, errors.AskedWrongly),
        ("LimitExceededException", 400, errors.StreamctlError),
        ("NoDataRetentionException", 400, errors.Unsuitable),
        ("UnsupportedStreamMediaTypeException", 400, errors.Unsuitable),
        ("MissingCodecPrivateDataException", 400, errors.Unsuitable),
        ("InvalidCodecPrivateDataException", 400, errors.Unsuitable),
        ("InvalidMediaFrameException", 400, errors.MediaError),
        ("AccessDeniedException", 400, errors.NotAllowed),
        ("KMSAccessDeniedException", 400, errors.NotAllowed),
        ("ExpiredTokenException", 400, errors.NotAllowed),
        ("InvalidAccessKeyId", 403, errors.NotAllowed),
        ("403", 403, errors.NotAllowed),
        ("NewKindOfRefusal", 401, errors.NotAllowed),
        ("InternalServerError", 500, errors.Transient),
        ("NewKindOfTrouble", 503, errors.Transient),
        ("NewKindOfNo", 400, errors.StreamctlError),
    ],
)
def test_a_code_is_the_error_it_stands_for(code, status, kind):
    """Where it is none that we know, the HTTP status decides."""
    found = translate(refusal(code, status), "doing it")
    assert type(found) is kind
    assert str(found) == f"doing it: it is so ({code})"


def test_an_answer_that_says_nothing_is_still_one_line():
    """No code, no message, no status."""
    found = translate(boto.ClientError({}, "DoIt"), "doing it")
    assert type(found) is errors.StreamctlError
    assert str(found).startswith("doing it")


def test_a_missing_permission_is_named():
    """So that it can be asked for."""
    found = translate(refusal("AccessDenied", 403, "PutItem"), "doing it")
    assert found.hint == "the caller needs permission for PutItem"


def test_a_missing_permission_is_named_as_policies_name_it():
    """S3's operations are called otherwise there: no policy can say s3:DeleteObjects."""
    found = translate(refusal("AccessDenied", 403, "DeleteObjects"), "doing it")
    assert found.hint.endswith("permission for s3:DeleteObject and s3:DeleteObjectVersion")
    found = translate(refusal("AccessDenied", 403, "ListObjectVersions"), "doing it")
    assert found.hint == "the caller needs permission for s3:ListBucketVersions"


@pytest.mark.parametrize(
    ("code", "status", "message", "kind"),
    [
        ("404", 404, "404 page not found", errors.StreamctlError),
        ("405", 405, "<html><h1>Not Allowed</h1></html>", errors.StreamctlError),
        ("501", 501, "<!DOCTYPE HTML><p>Unsupported method", errors.Transient),
    ],
)
def test_another_web_server_is_not_taken_for_aws(code, status, message, kind):
    """Above all, its 404 does not mean that the thing is not there."""
    found = translate(refusal(code, status, "DeleteCollection", message), "doing it")
    assert type(found) is kind
    assert str(found) == f"doing it: what answers there is not AWS, nor a local cloud (HTTP {code})"
    assert "--endpoint-url" in found.hint


def test_an_answer_without_a_body_needs_no_name():
    """It is how S3 says that there is no such bucket."""
    assert type(translate(refusal("404", 404, "HeadBucket"), "doing it")) is errors.NotFound


@pytest.mark.parametrize("operation", ["CreateStreamProcessor", "ListStreamProcessors"])
def test_a_refusal_of_stream_processors_may_have_three_reasons(operation):
    """AWS answers alike without permission, where there is no face search, and for new accounts."""
    found = translate(refusal("AccessDeniedException", 400, operation), "doing it")
    assert f"rekognition:{operation}" in found.hint
    assert all(region in found.hint for region in FACE_SEARCH_REGIONS)
    assert "closed to new customers" in found.hint


def test_expired_credentials_are_no_missing_permission():
    """Also where stream processors were asked for: to sign in again is what helps."""
    found = translate(refusal("ExpiredTokenException", 400, "StopStreamProcessor"), "doing it")
    assert "sign in again" in found.hint
    assert "region" not in found.hint


def test_a_throttled_request_may_be_tried_again_and_a_denied_one_not():
    """Which is what callers go by."""
    assert translate(refusal("ThrottlingException"), "doing it").retryable
    assert not translate(refusal("AccessDenied"), "doing it").retryable


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (boto.NoCredentialsError(), errors.NotAllowed),
        (boto.PartialCredentialsError(provider="env", cred_var="x"), errors.NotAllowed),
        (boto.CredentialRetrievalError(provider="x", error_msg="y"), errors.NotAllowed),
        (boto.UnauthorizedSSOTokenError(), errors.NotAllowed),
        (boto.SSOTokenLoadError(error_msg="x"), errors.NotAllowed),
        (boto.TokenRetrievalError(provider="sso", error_msg="x"), errors.NotAllowed),
        (boto.NoRegionError(), errors.AskedWrongly),
        (boto.InvalidRegionError(region_name="a b"), errors.AskedWrongly),
        (boto.ProfileNotFound(profile="x"), errors.AskedWrongly),
        (boto.ParamValidationError(report="x"), errors.AskedWrongly),
        (boto.EndpointConnectionError(endpoint_url="http://x"), errors.Unreachable),
        (boto.ReadTimeoutError(endpoint_url="http://x"), errors.Unreachable),
        (boto.SSLError(endpoint_url="http://x", error="y"), errors.Unreachable),
        (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), errors.Unreachable),
        (boto.ResponseStreamingError(error="broken"), errors.Unreachable),
        (ProtocolError("Connection broken"), errors.Unreachable),
        (boto.DataNotFoundError(data_path="x"), errors.StreamctlError),
        (ResponseParserError("Unable to parse response: b'<!DOCTYPE HTML>'"), errors.Transient),
    ],
)
def test_what_never_reached_aws_is_an_error_of_ours_too(error, kind):
    """In one line, with what was being done before it."""
    with pytest.raises(kind, match=r"^doing it: [^\n]+$"), translated("doing it"):
        raise error


def test_an_error_of_ours_passes_as_it_is():
    """Translated once, at the innermost place, which knows best."""
    with pytest.raises(errors.Lost, match=r"^mine$"), translated("doing it"):
        raise errors.Lost("mine")
