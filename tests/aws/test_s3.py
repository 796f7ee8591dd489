"""The bucket for the functions' code, against moto (in-process, fast)."""

import boto3
import pytest
from botocore.stub import Stubber

from streamctl.aws import s3
from streamctl.aws.session import Aws
from streamctl.errors import NotAllowed, StreamctlError

BUCKET = "streamctl-123456789012-eu-west-1-main"


@pytest.fixture
def aws(mocked_aws):
    return Aws(region="eu-west-1")


def client():
    return boto3.client("s3", region_name="eu-west-1")


def test_a_new_bucket_is_private_encrypted_and_keeps_no_versions(aws):
    """What the bucket is, as S3 itself tells."""
    s3.ensure_bucket(aws, BUCKET)
    block = client().get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    rules = client().get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]
    assert all(block.values())
    assert rules["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert "Status" not in client().get_bucket_versioning(Bucket=BUCKET)
    assert client().get_bucket_location(Bucket=BUCKET)["LocationConstraint"] == "eu-west-1"


def test_us_east_1_is_not_named_when_a_bucket_is_made(aws):
    """S3 refuses its own first region as a LocationConstraint."""
    s3.ensure_bucket(Aws(region="us-east-1"), "streamctl-123456789012-us-east-1-main")
    assert s3.exists(aws, "streamctl-123456789012-us-east-1-main")


def test_making_a_bucket_twice_is_making_it_once_and_closes_an_open_one(aws):
    """A bucket that stands is secured, not refused."""
    location = {"LocationConstraint": "eu-west-1"}
    client().create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
    s3.ensure_bucket(aws, BUCKET)
    s3.ensure_bucket(aws, BUCKET)
    assert client().get_public_access_block(Bucket=BUCKET)


def test_code_is_uploaded_once(aws):
    """A key names its content, so one that is there is not sent again."""
    s3.ensure_bucket(aws, BUCKET)
    assert s3.put_new(aws, BUCKET, "functions-1.zip", b"zip")
    assert not s3.put_new(aws, BUCKET, "functions-1.zip", b"zip")
    assert client().get_object(Bucket=BUCKET, Key="functions-1.zip")["Body"].read() == b"zip"


def test_a_bucket_that_somebody_else_deletes_meanwhile_is_deleted(aws):
    """As one that was not there (prepared: that moment cannot be met on purpose)."""
    gone = {"service_error_code": "NoSuchBucket", "http_status_code": 404}
    with Stubber(aws.client("s3")) as stub:
        stub.add_response("head_bucket", {})
        stub.add_client_error("list_object_versions", **gone)
        s3.delete_bucket(aws, BUCKET)
        stub.assert_no_pending_responses()


def test_a_bucket_is_deleted_with_everything_in_it(aws):
    """Page by page (two things a page, here), also versions that somebody switched on."""
    s3.ensure_bucket(aws, BUCKET)
    for number in range(5):
        client().put_object(Bucket=BUCKET, Key=f"functions-{number}.zip", Body=b"")
    client().put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    client().put_object(Bucket=BUCKET, Key="functions-1.zip", Body=b"newer")
    client().delete_object(Bucket=BUCKET, Key="functions-2.zip")

    def two_a_page(params, **_):
        params["MaxKeys"] = 2

    events = aws.client("s3").meta.events
    events.register("provide-client-params.s3.ListObjectVersions", two_a_page)
    s3.delete_bucket(aws, BUCKET)
    assert not s3.exists(aws, BUCKET)


def test_some_keys_are_deleted_and_nothing_else_is(aws):
    """Page by page (two things a page, here), in all versions, also where only those are left."""
    s3.ensure_bucket(aws, BUCKET)
    client().put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for number in range(7):
        client().put_object(Bucket=BUCKET, Key=f"pictures/{number}", Body=b"")
    client().put_object(Bucket=BUCKET, Key="pictures/1", Body=b"newer")
    client().delete_object(Bucket=BUCKET, Key="pictures/2")
    client().put_object(Bucket=BUCKET, Key="other/1", Body=b"")

    def two_a_page(params, **_):
        params["MaxKeys"] = 2

    events = aws.client("s3").meta.events
    events.register("provide-client-params.s3.ListObjectVersions", two_a_page)
    every = {f"pictures/{number}" for number in range(7)}
    assert s3.keys_under(aws, BUCKET, "pictures/") == every
    s3.delete_keys(aws, BUCKET, "pictures/", {"pictures/1", "pictures/2", "pictures/5"})
    left = {"pictures/0", "pictures/3", "pictures/4", "pictures/6"}
    assert s3.keys_under(aws, BUCKET, "pictures/") == left
    assert s3.keys_under(aws, BUCKET, "") == {*left, "other/1"}
    s3.delete_keys(aws, BUCKET, "pictures/", set())
    assert s3.keys_under(aws, BUCKET, "pictures/") == left


def test_deleting_a_bucket_that_is_not_there_is_done_already(aws):
    """Twice is once."""
    s3.delete_bucket(aws, BUCKET)


def test_somebody_elses_bucket_is_not_allowed(aws):
    """HEAD requests have no body, so that S3 can say no more than 403 (prepared: moto has no others)."""
    for ask in (s3.exists, s3.ensure_bucket, s3.delete_bucket):
        with Stubber(aws.client("s3")) as stub:
            stub.add_client_error("head_bucket", "403", "Forbidden", 403)
            with pytest.raises(NotAllowed, match=BUCKET):
                ask(aws, BUCKET)


@pytest.mark.parametrize(
    ("code", "kind", "hint"),
    [
        ("AccessDenied", NotAllowed, "s3:DeleteObject and s3:DeleteObjectVersion"),
        ("InternalError", StreamctlError, ""),
    ],
)
def test_what_cannot_be_deleted_is_told(aws, code, kind, hint):
    """And not tried without end (prepared: moto deletes everything)."""
    s3.ensure_bucket(aws, BUCKET)
    locked = {"Key": "a.zip", "VersionId": "1", "Code": code}
    with Stubber(aws.client("s3")) as stub:
        stub.add_response("head_bucket", {})
        stub.add_response(
            "list_object_versions", {"Versions": [{"Key": "a.zip", "VersionId": "1"}]}
        )
        stub.add_response("delete_objects", {"Errors": [locked]})
        with pytest.raises(StreamctlError, match=rf"a\.zip: {code}") as refused:
            s3.delete_bucket(aws, BUCKET)
    assert type(refused.value) is kind
    assert hint in refused.value.hint


def test_every_call_names_the_account_that_must_own_the_bucket(aws):
    """The name can be guessed, so somebody else may have it.

    It looks at calls because no emulator minds ExpectedBucketOwner: only S3 itself refuses.
    """
    unowned = []

    def note(params, model, **_):
        if params.get("ExpectedBucketOwner") != "123456789012":
            unowned.append(model.name)

    aws.client("s3").meta.events.register("provide-client-params.s3", note)
    s3.ensure_bucket(aws, BUCKET)
    s3.put_new(aws, BUCKET, "functions-1.zip", b"zip")
    s3.delete_bucket(aws, BUCKET)
    assert unowned == ["CreateBucket"]
