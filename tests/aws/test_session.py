"""Settings are taken as AWS's other tools take them; what cannot be meant is said at once."""

from __future__ import annotations

import boto3
import pytest

from streamctl import errors
from streamctl.aws.session import Aws


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"endpoint_url": "nonsense"}, "Invalid endpoint"),
        ({"endpoint_url": "127.0.0.1:4566"}, "Invalid endpoint"),
        ({"endpoint_url": "ftp://127.0.0.1"}, "Invalid endpoint"),
        ({"endpoint_url": "http://127.0.0.1:99999"}, "Invalid endpoint"),
        ({"endpoint_url": "http://127.0.0.1:port"}, "Invalid endpoint"),
        ({"region": "no region"}, "region"),
        ({"region": "us_east_1"}, "region"),
        ({"profile": "nobody"}, "profile"),
    ],
)
def test_settings_that_cannot_be_meant_are_asked_wrongly(made_up_credentials, settings, said):
    """Said before anything is sent, with the option to look at."""
    with pytest.raises(errors.AskedWrongly, match=said) as refused:
        Aws(**settings).client("sqs")
    (option,) = settings
    assert f"--{option.replace('_', '-')}" in refused.value.hint


def test_without_a_region_nothing_is_asked(made_up_credentials, monkeypatch):
    """There is no default: a processor in the wrong region would run there unseen."""
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(errors.AskedWrongly, match="no AWS region") as refused:
        Aws().client("sqs")
    assert "AWS_REGION" in refused.value.hint


def test_the_region_asked_for_comes_before_that_of_the_environment(
    made_up_credentials, monkeypatch
):
    """And AWS_REGION before AWS_DEFAULT_REGION, as for AWS's other tools."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert Aws().region_name == "us-east-1"
    assert Aws(region="eu-central-1").region_name == "eu-central-1"
    monkeypatch.delenv("AWS_REGION")
    assert Aws().region_name == "eu-west-1"


def test_a_client_is_made_once_for_each_way_of_asking(made_up_credentials):
    """Making one takes longer than most calls."""
    aws = Aws()
    assert aws.client("sqs") is aws.client("sqs")
    assert aws.client("sqs") is not aws.client("sqs", retries=False)
    there = aws.client("sqs", endpoint="http://127.0.0.1:1")
    assert there.meta.endpoint_url == "http://127.0.0.1:1"


def test_the_account_is_that_of_the_credentials(mocked_aws):
    """As STS tells it."""
    assert Aws().account == boto3.client("sts", "us-east-1").get_caller_identity()["Account"]


def test_it_says_whose_the_credentials_are(mocked_aws):
    """The account, and the ARN of whoever calls."""
    aws = Aws()
    assert aws.account == "123456789012"
    assert aws.caller == boto3.client("sts").get_caller_identity()["Arn"]
