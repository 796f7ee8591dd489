"""Everything that could be left behind is counted, on every page; whole, see the demo's test."""

from __future__ import annotations

import boto3
import pytest
from botocore.stub import Stubber

from streamctl.aws import census
from streamctl.aws.session import Aws
from streamctl.errors import NotAllowed


@pytest.fixture
def aws(mocked_aws):
    return Aws()


def names(aws, kind):
    return list(census._names(aws, kind, census._KINDS[kind]))


def test_every_bus_is_found_over_all_pages(aws):
    """boto3 pages it for nobody (its pages are prepared: moto has one)."""
    with Stubber(aws.client("events")) as stub:
        page = {"EventBuses": [{"Name": "default"}], "NextToken": "more"}
        stub.add_response("list_event_buses", page, {})
        stub.add_response(
            "list_event_buses", {"EventBuses": [{"Name": "b"}]}, {"NextToken": "more"}
        )
        assert names(aws, "bus") == ["default", "b"]


def test_every_queue_is_found_over_all_pages(aws, monkeypatch):
    """SQS tells of more than a page only where it was asked for pages."""
    monkeypatch.setitem(
        census._KINDS, "queue", census._Kind("sqs", "list_queues", "QueueUrls", page=2)
    )
    client = boto3.client("sqs", "us-east-1")
    made = {client.create_queue(QueueName=f"q{number}")["QueueUrl"] for number in range(5)}
    assert set(names(aws, "queue")) == made


def test_nothing_of_a_kind_is_an_empty_list(aws):
    """Services leave the member out then, or give it empty."""
    assert names(aws, "queue") == []
    assert names(aws, "results") == []


def test_a_kind_that_may_not_be_listed_is_not_allowed(aws):
    """Nothing is taken for absent that was only not seen (prepared: moto denies nobody)."""
    with Stubber(aws.client("sqs")) as stub:
        stub.add_client_error("list_queues", "AccessDenied", http_status_code=403)
        with pytest.raises(NotAllowed, match="listing every queue"):
            names(aws, "queue")
