"""With AUTH=true every caller needs its policies' leave, for our services as for ministack's."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest


@pytest.fixture(scope="module")
def strict():
    """One cloud that enforces IAM."""
    launch = pytest.importorskip("streamctl.local.launch")
    with launch.LocalCloud.start(port=0, auth=True) as cloud:
        yield cloud


@pytest.fixture
def code_of(strict, world_of):
    """The error code of a call, or "" if it went through."""
    return world_of(strict).refused


@pytest.fixture
def caller(strict, world_of):
    """Clients of a user with the given statements."""
    return users_of(world_of(strict))


def users_of(root):
    def make(*statements):
        iam, name = root.client("iam"), root.unique("user")
        iam.create_user(UserName=name)
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        secrets = {
            "aws_access_key_id": key["AccessKeyId"],
            "aws_secret_access_key": key["SecretAccessKey"],
        }
        return lambda service, **options: root.client(service, **{**secrets, **options})

    return make


def test_nothing_is_allowed_by_itself(caller, code_of):
    """A user without policies may list nothing, of ours or of ministack's."""
    nobody = caller()
    for service, operation in (
        ("rekognition", "list_stream_processors"),
        ("kinesisvideo", "list_streams"),
        ("kinesis", "list_streams"),
    ):
        assert code_of(getattr(nobody(service), operation)) == "AccessDeniedException"


def test_an_action_on_one_processor_is_not_one_on_another(caller, code_of):
    """Statements name processors by ARN."""
    stopper = caller(
        {
            "Effect": "Allow",
            "Action": "rekognition:StopStreamProcessor",
            "Resource": "arn:aws:rekognition:us-east-1:000000000000:streamprocessor/door",
        }
    )
    stop = stopper("rekognition").stop_stream_processor
    assert code_of(stop, Name="door") == "ResourceNotFoundException"
    assert code_of(stop, Name="yard") == "AccessDeniedException"
    describe = stopper("rekognition").describe_stream_processor
    assert code_of(describe, Name="door") == "AccessDeniedException"


def test_a_camera_is_named_by_its_whole_arn(strict, caller, world_of, code_of):
    """A call that gives only the name is judged by the ARN that the name has."""
    root = world_of(strict)
    name = root.unique("camera")
    arn = root.client("kinesisvideo").create_stream(StreamName=name)["StreamARN"]
    viewer = caller({"Effect": "Allow", "Action": "kinesisvideo:Describe*", "Resource": arn})
    assert code_of(viewer("kinesisvideo").describe_stream, StreamName=name) == ""
    assert code_of(viewer("kinesisvideo").describe_stream, StreamARN=arn) == ""
    assert code_of(viewer("kinesisvideo").delete_stream, StreamARN=arn) == "AccessDeniedException"


def test_media_needs_permission_as_well(strict, caller, world_of, code_of):
    """GetMedia on the media port, though it has no end."""
    root = world_of(strict)
    name = root.unique("camera")
    root.client("kinesisvideo").create_stream(StreamName=name)
    nobody = caller()("kinesis-video-media", endpoint_url=root.media_url)
    start = {"StartSelectorType": "NOW"}
    denied = "AccessDeniedException"
    assert code_of(nobody.get_media, StreamName=name, StartSelector=start) == denied


def test_a_clip_and_images_need_permissions_of_their_own(strict, caller, world_of, code_of):
    """One of a clip is none for images, on the same port."""
    root = world_of(strict)
    name, moment = root.unique("camera"), datetime(2026, 1, 1, tzinfo=UTC)
    arn = root.client("kinesisvideo").create_stream(StreamName=name)["StreamARN"]
    may = {"Effect": "Allow", "Action": "kinesisvideo:GetClip", "Resource": arn}
    archive = caller(may)("kinesis-video-archived-media", endpoint_url=root.media_url)
    span = {"StartTimestamp": moment, "EndTimestamp": moment + timedelta(seconds=1)}
    selector = {"FragmentSelectorType": "SERVER_TIMESTAMP", "TimestampRange": span}
    clip = {"StreamName": name, "ClipFragmentSelector": selector}
    assert code_of(archive.get_clip, **clip) == "NoDataRetentionException"
    how = {"ImageSelectorType": "SERVER_TIMESTAMP", "Format": "JPEG", **span}
    assert code_of(archive.get_images, StreamName=name, **how) == "AccessDeniedException"


def test_records_are_read_by_leave_for_their_data_stream(strict, caller, world_of, code_of):
    """Its iterator tells which: the call need not name it."""
    root = world_of(strict)
    names = [root.unique("results") for _ in range(2)]
    for name in names:
        root.client("kinesis").create_stream(StreamName=name, ShardCount=1)
    arn = f"arn:aws:kinesis:us-east-1:000000000000:stream/{names[0]}"
    iterators = {"Effect": "Allow", "Action": "kinesis:GetShardIterator", "Resource": "*"}
    reader = caller(
        iterators, {"Effect": "Allow", "Action": "kinesis:GetRecords", "Resource": arn}
    )("kinesis")
    for name, code in zip(names, ("", "AccessDeniedException"), strict=True):
        found = reader.get_shard_iterator(
            StreamName=name, ShardId="shardId-000000000000", ShardIteratorType="LATEST"
        )
        assert code_of(reader.get_records, ShardIterator=found["ShardIterator"]) == code


ONE, OTHER = "s3:DeleteObject", "s3:DeleteObjectVersion"


def deleting(root, names, *actions, version=None):
    """What a user who may do so much hears when it deletes things of these names."""
    bucket, s3 = root.unique("bucket"), root.client("s3")
    s3.create_bucket(Bucket=bucket)
    for name in names:
        s3.put_object(Bucket=bucket, Key=name, Body=b"x")
    which = {"VersionId": version} if version else {}
    may = [{"Effect": "Allow", "Action": each, "Resource": "arn:aws:s3:::*"} for each in actions]
    return root.refused(
        users_of(root)(*may)("s3").delete_objects,
        Bucket=bucket,
        Delete={"Objects": [{"Key": name, **which} for name in names]},
    )


@pytest.mark.parametrize("names", ["0", "01"])
def test_deleting_versions_takes_both_permissions(strict, world_of, names):
    """As AWS asks for them, of the first as of the others; without a version one is enough."""
    root = world_of(strict)
    assert deleting(root, names, ONE, version="null") == "AccessDenied"
    assert deleting(root, names, OTHER, version="null") == "AccessDenied"
    assert deleting(root, names, ONE) == ""
    assert deleting(root, names, ONE, OTHER, version="null") == ""


def test_control_ministack_deletes_versions_with_one_permission(strict_ministack):
    """The control of the test above."""
    assert deleting(strict_ministack, "0", ONE, version="null") == ""


def test_creating_a_processor_hands_over_a_role(caller, code_of):
    """CreateStreamProcessor alone is not enough: iam:PassRole on the role is asked too."""
    role = "arn:aws:iam::000000000000:role/watcher"
    create = {"Effect": "Allow", "Action": "rekognition:*", "Resource": "*"}
    hand_over = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role}
    wanted = {
        "Name": "door",
        "RoleArn": role,
        "Settings": {"FaceSearch": {"CollectionId": "nobody"}},
        "Input": {
            "KinesisVideoStream": {
                "Arn": "arn:aws:kinesisvideo:us-east-1:000000000000:stream/none/1"
            }
        },
        "Output": {
            "KinesisDataStream": {"Arn": "arn:aws:kinesis:us-east-1:000000000000:stream/none"}
        },
    }
    without = caller(create)("rekognition").create_stream_processor
    assert code_of(without, **wanted) == "AccessDeniedException"
    allowed = caller(create, hand_over)("rekognition").create_stream_processor
    assert code_of(allowed, **wanted) != "AccessDeniedException"


def test_an_unknown_key_and_a_wrong_secret_are_refused(caller, code_of):
    """Who nobody knows may nothing; who signs wrongly neither."""
    user = caller({"Effect": "Allow", "Action": "*", "Resource": "*"})
    unknown = user("rekognition", aws_access_key_id="AKIDNOBODY")
    assert code_of(unknown.list_collections) == "UnrecognizedClientException"
    wrong = user("rekognition", aws_secret_access_key="wrong")
    assert code_of(wrong.list_collections) == "InvalidSignatureException"
    assert code_of(user("rekognition").list_collections) == ""


OURS = "streamctl/20260101/us-east-1/rekognition/aws4_request"
UNKNOWN = OURS.replace("streamctl", "AKIDNOBODY")
SIGNED = "SignedHeaders=host;x-amz-date, Signature=00"
NOW = {"X-Amz-Date": "20260101T000000Z"}

UNREADABLE = [
    pytest.param({}, "MissingAuthenticationTokenException", id="nothing"),
    pytest.param({"Authorization": "Bearer x"}, "IncompleteSignatureException", id="foreign"),
    pytest.param({"Authorization": ""}, "MissingAuthenticationTokenException", id="empty"),
    pytest.param(
        {"Authorization": f"AWS4-HMAC-SHA256 Credential={OURS}, {SIGNED}"},
        "IncompleteSignatureException",
        id="no date",
    ),
    pytest.param(
        {"Authorization": f"AWS4-HMAC-SHA256 Credential={OURS}, Signature=00", **NOW},
        "IncompleteSignatureException",
        id="no signed headers",
    ),
    pytest.param(
        {"Authorization": f"AWS4-HMAC-SHA256 Credential=streamctl/x/y, {SIGNED}", **NOW},
        "IncompleteSignatureException",
        id="short scope",
    ),
    pytest.param(
        {"Authorization": f"AWS4-HMAC-SHA256 Credential={UNKNOWN}, {SIGNED}"},
        "IncompleteSignatureException",
        id="unknown key, no date",
    ),
]


@pytest.mark.parametrize(("headers", "code"), UNREADABLE)
@pytest.mark.parametrize(
    "target", ["RekognitionService.ListCollections", "Kinesis_20131202.ListStreams"]
)
def test_what_cannot_be_read_is_nobodys_signature(strict, headers, code, target):
    """Neither root's nor anybody's, at a service of ours or of ministack's."""
    assert code_answered(strict, {"X-Amz-Target": target, **headers}) == code


def test_without_auth_a_garbled_signature_of_our_key_is_refused(shared_local_cloud):
    """That key is checked always; what names no key passes."""
    garbled = {"Authorization": f"AWS4-HMAC-SHA256 Credential={OURS}, {SIGNED}"}
    for target in ("RekognitionService.ListCollections", "Kinesis_20131202.ListStreams"):
        refused = code_answered(shared_local_cloud, {"X-Amz-Target": target, **garbled})
        assert refused == "IncompleteSignatureException"
        assert code_answered(shared_local_cloud, {"X-Amz-Target": target}) == ""


def code_answered(cloud, headers):
    """The error code that a hand-made request is answered with, or "" if it went through."""
    headers = {"Content-Type": "application/x-amz-json-1.1", **headers}
    request = urllib.request.Request(cloud.endpoint_url, b"{}", headers, method="POST")
    try:
        urllib.request.urlopen(request, timeout=20).close()
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error)["__type"].rpartition("#")[2]
    return ""


def test_a_function_may_what_its_role_may(strict, world_of):
    """Functions act as their roles: also towards the services of ours."""
    root = world_of(strict)
    source = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    rekognition = boto3.client("rekognition")
    listed = rekognition.list_collections()["CollectionIds"]
    try:
        rekognition.list_stream_processors()
    except ClientError as error:
        return [listed, error.response["Error"]["Code"]]
"""
    allowed = {"Effect": "Allow", "Action": "rekognition:ListCollections", "Resource": "*"}
    name = root.function({"app.py": source}, role=root.role(allowed))
    answer = json.load(root.client("lambda").invoke(FunctionName=name)["Payload"])
    assert answer == [[], "AccessDeniedException"]
