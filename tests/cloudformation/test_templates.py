"""The templates keep the limits that AWS enforces and emulators let pass."""

from pathlib import Path

import pytest
from cfnlint.decode import cfn_yaml

from streamctl.ops import bundle

FOLDER = Path(bundle.__file__).parents[2] / "cloudformation"
NAMES = ("platform.yaml", "camera.yaml")

ANY_RESOURCE = {
    # Actions that AWS gives no resource to, or whose resources are named by others.
    "kinesis:ListStreams",
    "rekognition:ListStreamProcessors",
}


def template(name):
    return cfn_yaml.load(str(FOLDER / name))


def resources(name, kind):
    return {
        logical: resource["Properties"]
        for logical, resource in template(name)["Resources"].items()
        if resource["Type"] == kind
    }


def statements(name):
    for kind in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy"):
        for logical, role in resources(name, kind).items():
            policies = [role] if "PolicyDocument" in role else role["Policies"]
            for policy in policies:
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield logical, statement


@pytest.mark.parametrize(
    ("queue", "function"), [("ClockQueue", "OnClock"), ("EventQueue", "OnEvents")]
)
def test_a_queue_hides_a_message_six_times_as_long_as_its_function_may_run(queue, function):
    queue = resources("platform.yaml", "AWS::SQS::Queue")[queue]
    function = resources("platform.yaml", "AWS::Lambda::Function")[function]
    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]


def test_no_function_reserves_concurrency():
    """An account may have ten in all: reserving is refused there."""
    for function in resources("platform.yaml", "AWS::Lambda::Function").values():
        assert "ReservedConcurrentExecutions" not in function


def test_clocks_are_handled_a_few_at_once_and_what_fails_is_kept():
    mapping = resources("platform.yaml", "AWS::Lambda::EventSourceMapping")["ClockMapping"]
    assert "MaximumConcurrency" in mapping["ScalingConfig"]
    queue = resources("platform.yaml", "AWS::SQS::Queue")["ClockQueue"]
    assert "deadLetterTargetArn" in queue["RedrivePolicy"]


def test_pictures_are_private_encrypted_and_expire():
    """What the local cloud lets pass: it neither expires objects nor refuses strangers."""
    (bucket,) = resources("platform.yaml", "AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", {"Ref": "KeepDays"})
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"]


def test_what_is_kept_is_encrypted_and_expires():
    for table in resources("platform.yaml", "AWS::DynamoDB::Table").values():
        assert table["SSESpecification"]["SSEEnabled"] is True
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}


def test_results_are_read_from_the_oldest_and_what_is_given_up_is_told():
    (mapping,) = resources("camera.yaml", "AWS::Lambda::EventSourceMapping").values()
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "Destination" in mapping["DestinationConfig"]["OnFailure"]
    results = resources("camera.yaml", "AWS::Kinesis::Stream")["Results"]
    assert mapping["MaximumRecordAgeInSeconds"] < 3600 * results["RetentionPeriodHours"]


def test_every_function_has_a_log_group_that_expires_and_goes_with_the_stack():
    groups = resources("platform.yaml", "AWS::Logs::LogGroup")
    functions = resources("platform.yaml", "AWS::Lambda::Function")
    assert len(groups) == len(functions)
    for group in groups.values():
        assert "RetentionInDays" in group
    for logical, resource in template("platform.yaml")["Resources"].items():
        if logical in groups:
            assert resource["DeletionPolicy"] == "Delete"


def test_everything_that_holds_faces_is_encrypted():
    for queue in resources("platform.yaml", "AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True
    for table in resources("platform.yaml", "AWS::DynamoDB::Table").values():
        assert table["SSESpecification"]["SSEEnabled"] is True
    for results in resources("camera.yaml", "AWS::Kinesis::Stream").values():
        assert results["StreamEncryption"]["EncryptionType"] == "KMS"


@pytest.mark.parametrize("name", NAMES)
def test_no_policy_allows_more_than_it_names(name):
    for logical, statement in statements(name):
        actions = statement["Action"]
        actions = [actions] if isinstance(actions, str) else actions
        assert not any("*" in action for action in actions), logical
        if statement["Resource"] == "*":
            assert set(actions) <= ANY_RESOURCE, logical


@pytest.mark.parametrize("name", NAMES)
def test_every_role_of_a_service_guards_against_a_confused_deputy(name):
    """Lambda's own roles are guarded by PassRole; other services must name this account."""
    for role in resources(name, "AWS::IAM::Role").values():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        if statement["Principal"]["Service"] != "lambda.amazonaws.com":
            assert "aws:SourceAccount" in statement["Condition"]["StringEquals"]


def test_results_are_named_as_awss_managed_role_wants_them():
    pattern = template("camera.yaml")["Parameters"]["ResultsName"]["AllowedPattern"]
    assert pattern.startswith("AmazonRekognition")
