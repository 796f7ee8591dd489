"""Stacks, against moto (in-process, fast). What fails half-way is tested in the local cloud."""

import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from streamctl.aws import cloudformation
from streamctl.aws.cloudformation import Outcome, Wanted
from streamctl.aws.session import Aws
from streamctl.errors import AskedWrongly, Busy, NotFound, StreamctlError


def template(**queues):
    resources = {
        name: {"Type": "AWS::SQS::Queue", "Properties": properties}
        for name, properties in queues.items()
    }
    return json.dumps(
        {
            "Parameters": {"Delay": {"Type": "String", "Default": "1"}},
            "Resources": resources,
            "Outputs": {"Delay": {"Value": {"Ref": "Delay"}}},
        }
    )


ONE_QUEUE = template(Queue={"DelaySeconds": {"Ref": "Delay"}})


@pytest.fixture
def aws(mocked_aws):
    return Aws()


def wanted(text=ONE_QUEUE, **parameters):
    return Wanted("streamctl-main", text, parameters, {"streamctl:platform": "main"})


def silent(_):
    pass


def test_a_stack_is_created_with_its_parameters_and_tags(aws):
    """What is wanted is what stands."""
    assert cloudformation.apply(aws, wanted(Delay="2"), silent) is Outcome.CREATED
    stack = cloudformation.describe(aws, "streamctl-main")
    assert stack.is_good
    assert stack.outputs == {"Delay": "2"}
    assert stack.parameters == {"Delay": "2"}
    assert stack.tags["streamctl:platform"] == "main"


def test_applying_twice_changes_nothing(aws):
    """No changes is success, and is told from the stack itself, never from a message."""
    cloudformation.apply(aws, wanted(), silent)
    assert cloudformation.apply(aws, wanted(), silent) is Outcome.UNCHANGED
    assert cloudformation.apply(aws, wanted(Delay="1"), silent) is Outcome.UNCHANGED


@pytest.mark.parametrize(
    "changed", [wanted(Delay="3"), wanted(template(Queue={}, Other={}))], ids=["value", "template"]
)
def test_a_change_is_applied_in_place(aws, changed):
    """Another parameter or another template is an update, after which there is nothing to do."""
    cloudformation.apply(aws, wanted(), silent)
    assert cloudformation.apply(aws, changed, silent) is Outcome.UPDATED
    assert cloudformation.apply(aws, changed, silent) is Outcome.UNCHANGED


def test_a_stack_that_is_not_there_is_not_found(aws):
    """CloudFormation calls it a validation error; we do not."""
    with pytest.raises(NotFound):
        cloudformation.describe(aws, "streamctl-main")


def test_settings_that_cannot_be_meant_do_not_mean_that_there_is_none(made_up_credentials):
    """Nobody was asked."""
    with pytest.raises(AskedWrongly, match="Invalid endpoint"):
        cloudformation.describe(Aws(endpoint_url="nonsense"), "streamctl-main")


def test_deleting_is_done_once_and_may_be_asked_twice(aws):
    """A stack that is gone is deleted already."""
    cloudformation.apply(aws, wanted(), silent)
    cloudformation.delete(aws, "streamctl-main", silent)
    cloudformation.delete(aws, "streamctl-main", silent)
    assert list(cloudformation.every(aws)) == []


def test_every_stack_is_found_over_all_pages(aws):
    """Other people's stacks, too: whose they are, their tags say."""
    client = boto3.client("cloudformation", region_name="us-east-1")
    for number in range(25):
        client.create_stack(StackName=f"other-{number}", TemplateBody=template(Queue={}))
    cloudformation.apply(aws, wanted(), silent)
    assert len(list(cloudformation.every(aws))) == 26


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def described(status):
    """DescribeStacks, of a stack that stands like that."""
    stack = {"StackName": "streamctl-main", "CreationTime": NOW, "StackStatus": status}
    return {"Stacks": [stack]}


def happened(resource, status, reason=""):
    return {
        "StackId": "id",
        "EventId": "e",
        "StackName": "streamctl-main",
        "Timestamp": NOW,
        "LogicalResourceId": resource,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


def test_the_resource_that_failed_first_is_named_though_much_happened_since(aws):
    """The newest hundred events tell only of the rollback.

    What AWS says is prepared (and checked against its model): moto's stacks do not fail like that.
    """
    since = [happened("Queue", "DELETE_COMPLETE") for _ in range(99)]
    cancelled = happened("Queue", "CREATE_FAILED", "Resource creation cancelled")
    first = happened("Role", "CREATE_FAILED", "not authorized to perform: iam:CreateRole")
    earlier = happened("Role", "CREATE_FAILED", "of the deployment before")
    begun = happened("streamctl-main", "CREATE_IN_PROGRESS", "User Initiated")
    with Stubber(aws.client("cloudformation")) as stub:
        stub.add_client_error("describe_stacks", "ValidationError", "does not exist", 400)
        stub.add_response("create_stack", {"StackId": "id"})
        stub.add_response("describe_stacks", described("ROLLBACK_COMPLETE"))
        page = {"StackEvents": [*since, cancelled], "NextToken": "more"}
        stub.add_response("describe_stack_events", page)
        stub.add_response("describe_stack_events", {"StackEvents": [first, begun, earlier]})
        with pytest.raises(StreamctlError, match="Role: not authorized") as failed:
            cloudformation.apply(aws, wanted(), silent)
    assert "ROLLBACK_COMPLETE" in str(failed.value)


def test_a_stack_that_somebody_else_is_changing_is_busy(aws):
    """Nothing is asked of it (prepared: moto's stacks change at once)."""
    with Stubber(aws.client("cloudformation")) as stub:
        stub.add_response("describe_stacks", described("UPDATE_IN_PROGRESS"))
        with pytest.raises(Busy, match="UPDATE_IN_PROGRESS"):
            cloudformation.apply(aws, wanted(), silent)


def test_a_stack_that_takes_no_update_is_told_with_its_cure(aws):
    """A rollback that failed has to be ended by hand first (prepared, as above)."""
    with Stubber(aws.client("cloudformation")) as stub:
        stub.add_response("describe_stacks", described("UPDATE_ROLLBACK_FAILED"))
        with pytest.raises(StreamctlError, match="UPDATE_ROLLBACK_FAILED") as refused:
            cloudformation.apply(aws, wanted(), silent)
    assert "continue-update-rollback" in refused.value.hint
