"""Requests that boto3 cannot send are signed with whatever credentials are good at the moment.

That the signatures are right, a local cloud checks: see test_putmedia.py and test_getmedia.py.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import UnauthorizedSSOTokenError

from streamctl import errors
from streamctl.aws import wire
from streamctl.aws.session import Aws


def signed_by(aws):
    """The access key that a request is signed with."""
    request = wire.signed(aws, "https://example.com/operation", {})
    headers = {name.decode().lower(): value.decode() for name, value in request.headers}
    return headers["authorization"].partition("Credential=")[2].partition("/")[0]


def fetched(keys):
    """The next key of some, for an hour."""
    expires = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    return {"access_key": next(keys), "secret_key": "s", "token": "t", "expiry_time": expires}


def test_credentials_that_are_about_to_expire_are_fetched_anew(made_up_credentials):
    """A push lasts for hours, a role's credentials for one: each connection is signed with good ones."""
    keys = iter(["SECOND"])
    soon = datetime.now(UTC) + timedelta(seconds=30)
    aws = Aws()
    aws.session._session._credentials = RefreshableCredentials(
        "FIRST", "s", "t", soon, lambda: fetched(keys), "test"
    )
    assert signed_by(aws) == "SECOND"
    assert signed_by(aws) == "SECOND"


def test_credentials_that_cannot_be_fetched_anew_are_not_allowed(made_up_credentials):
    """Somebody has to sign in again, and is told so."""

    def signed_out():
        raise UnauthorizedSSOTokenError

    aws, past = Aws(), datetime.now(UTC) - timedelta(hours=1)
    aws.session._session._credentials = RefreshableCredentials(
        "FIRST", "s", "t", past, signed_out, "test"
    )
    with pytest.raises(errors.NotAllowed) as refused:
        signed_by(aws)
    assert "aws sso login" in refused.value.hint


def test_no_credentials_are_not_allowed(made_up_credentials, monkeypatch):
    """Said before anything is sent."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(errors.NotAllowed, match="no AWS credentials"):
        signed_by(Aws())
