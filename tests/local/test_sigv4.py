"""Signatures made with our own key, by botocore's own signer, and what can be wrong with them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from streamctl.local.http import Request
from streamctl.local.identity import ACCESS_KEY, SECRET_KEY
from streamctl.local.service import ServiceFault
from streamctl.local.sigv4 import Claim, claim_of, verify


def signed(
    *, secret=SECRET_KEY, body=b"{}", url="http://127.0.0.1:4566/a%20b?z=1&a=%2F", **headers
):
    request = AWSRequest("POST", url, data=body, headers={"host": "127.0.0.1:4566", **headers})
    SigV4Auth(Credentials(ACCESS_KEY, secret), "kinesisvideo", "us-west-2").add_auth(request)
    return _request(request, body)


def presigned(*, secret=SECRET_KEY, expires=60):
    request = AWSRequest("GET", "http://127.0.0.1:4566/x", headers={"host": "127.0.0.1:4566"})
    signer = SigV4QueryAuth(Credentials(ACCESS_KEY, secret), "sts", "us-east-1", expires)
    signer.add_auth(request)
    return _request(request, b"")


def _request(request, body):
    prepared = request.prepare()
    parts = urlsplit(prepared.url)
    headers = {name.lower(): _text(value) for name, value in prepared.headers.items()}
    return Request(request.method, parts.path, parts.query, headers, body)


def _text(value):
    return value.decode() if isinstance(value, bytes) else value


def refusal(request):
    with pytest.raises(ServiceFault) as fault:
        verify(request, SECRET_KEY)
    return fault.value.code


def test_a_right_signature_passes():
    """In a header, in a query, and over an empty body, as PutMedia's."""
    verify(signed(), SECRET_KEY)
    verify(signed(body=b""), SECRET_KEY)
    verify(presigned(), SECRET_KEY)


def test_whose_request_it_says_it_is():
    """The credential scope; nothing where there is none."""
    assert claim_of(signed()) == Claim(ACCESS_KEY, "us-west-2", "kinesisvideo")
    assert claim_of(presigned()) == Claim(ACCESS_KEY, "us-east-1", "sts")
    assert claim_of(Request("GET", "/", "", {})) == Claim()
    assert claim_of(Request("GET", "/", "", {"authorization": "Basic x"})) == Claim()


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda: signed(secret="another"), id="another secret"),
        pytest.param(lambda: presigned(secret="another"), id="another secret, presigned"),
        pytest.param(lambda: replace(signed(), body=b"{ }"), id="another body"),
        pytest.param(lambda: replace(signed(), path="/a%20c"), id="another path"),
        pytest.param(lambda: replace(signed(), query="z=2&a=%2F"), id="another query"),
        pytest.param(lambda: replace(signed(), method="PUT"), id="another method"),
        pytest.param(
            lambda: replace(signed(), headers={**signed().headers, "host": "example.com"}),
            id="another host",
        ),
    ],
)
def test_a_wrong_signature_is_refused(changed):
    """Everything that is signed counts."""
    assert refusal(changed()) == "SignatureDoesNotMatch"


def test_a_named_body_hash_must_be_the_bodys():
    """A signed hash does not vouch for another body."""
    right = signed(**{"x-amz-content-sha256": "0" * 64})
    assert refusal(right) == "SignatureDoesNotMatch"


def test_an_old_signature_is_refused():
    """A recorded request cannot be played again tomorrow."""
    old = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).strftime("%Y%m%dT%H%M%SZ")
    headers = {**signed().headers, "x-amz-date": old}
    assert refusal(replace(signed(), headers=headers)) == "RequestTimeTooSkewed"
    assert refusal(presigned(expires=-1)) == "RequestExpired"


@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-HMAC-SHA256",
        f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/us-east-1/s3/aws4_request",
        f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}, SignedHeaders=host, Signature=x",
    ],
)
def test_half_a_signature_is_refused(authorization):
    """With AWS's codes for what is missing."""
    request = Request("GET", "/", "", {"authorization": authorization})
    assert refusal(request) in {"MissingAuthorizationParameter", "IncompleteSignature"}


@pytest.mark.parametrize(
    "authorization",
    [
        f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/us-east-1/s3/aws4_request",
        f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/x/y, SignedHeaders=host, Signature=00",
        f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}, SignedHeaders=host, Signature=00",
        f"AWS4-HMAC-SHA512 Credential={ACCESS_KEY}/x/y",
        f"AWS {ACCESS_KEY}:00",
    ],
)
def test_a_key_is_claimed_however_little_else_can_be_read(authorization):
    """Else whoever garbles the rest would not be asked for a signature."""
    request = Request("POST", "/", "", {"authorization": authorization})
    assert claim_of(request).access_key == ACCESS_KEY
    assert refusal(request) in {"MissingAuthorizationParameter", "IncompleteSignature"}


def test_a_credential_in_the_query_is_claimed_beside_a_foreign_header():
    """It is the one by which ministack would know the caller."""
    query = f"X-Amz-Credential={ACCESS_KEY}/20260101/us-east-1/sqs/aws4_request"
    request = Request("GET", "/", query, {"authorization": "Bearer x"})
    assert claim_of(request) == Claim(ACCESS_KEY, "us-east-1", "sqs")
    assert refusal(request) == "MissingAuthorizationParameter"


def test_of_two_credentials_none_vouches_for_the_other():
    """Signed by another key, but named first."""
    right = signed()
    twice = right.headers["authorization"].replace(
        "Credential=", "Credential=another/20260101/us-east-1/sqs/aws4_request, Credential="
    )
    request = replace(right, headers={**right.headers, "authorization": twice})
    assert claim_of(request).access_key == "another"
    assert refusal(request) == "IncompleteSignature"
