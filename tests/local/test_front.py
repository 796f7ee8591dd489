"""The front door, with the real boto3: who answers what, on which port, signed by whom."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

SERVICES = [
    ("sqs", "list_queues"),
    ("s3", "list_buckets"),
    ("kinesis", "list_streams"),
    ("iam", "list_users"),
    ("lambda", "list_functions"),
    ("dynamodb", "list_tables"),
    ("cloudformation", "list_stacks"),
    ("rekognition", "list_collections"),
    ("kinesisvideo", "list_streams"),
]


def error_of(call, *arguments, **named):
    with pytest.raises(ClientError) as error:
        call(*arguments, **named)
    return error.value.response


@pytest.mark.parametrize(("service", "operation"), SERVICES)
def test_a_wrong_secret_is_refused_by_every_service(world, service, operation):
    """With the key that `local env` prints, whoever answers behind the door."""
    client = world.client(service, aws_secret_access_key="wrong")
    code = error_of(getattr(client, operation))["Error"]["Code"]
    assert code in {"SignatureDoesNotMatch", "InvalidSignatureException"}


@pytest.mark.parametrize(("service", "operation"), SERVICES)
def test_the_right_secret_and_strangers_pass(world, service, operation):
    """Other credentials are nobody's business unless IAM is enforced."""
    getattr(world.client(service), operation)()
    stranger = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "any"}
    getattr(world.client(service, **stranger), operation)()


def test_a_refused_head_has_no_body(world):
    """HEAD answers have none, whatever they say."""
    head = world.client("s3", aws_secret_access_key="wrong").head_object
    error = error_of(head, Bucket=world.unique("bucket"), Key="x")
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_accounts_and_regions_are_apart(world):
    """Twelve digits as a key are that account's root; nothing of one is seen in another."""
    name = world.unique("camera")
    world.client("kinesisvideo").create_stream(StreamName=name)
    other = world.client("kinesisvideo", aws_access_key_id="111122223333")
    assert other.create_stream(StreamName=name)["StreamARN"].split(":")[4] == "111122223333"
    elsewhere = world.client("kinesisvideo", region_name="eu-west-1")
    error = error_of(elsewhere.describe_stream, StreamName=name)
    assert error["Error"]["Code"] == "ResourceNotFoundException"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_media_calls_need_the_media_endpoint(world):
    """GetDataEndpoint names it; on the other port each kind of call is refused, as on AWS."""
    name = world.unique("camera")
    control = world.client("kinesisvideo")
    control.create_stream(StreamName=name, DataRetentionInHours=1)
    endpoint = control.get_data_endpoint(StreamName=name, APIName="LIST_FRAGMENTS")["DataEndpoint"]
    assert endpoint == world.media_url
    query = {
        "StreamName": name,
        "FragmentSelector": {
            "FragmentSelectorType": "SERVER_TIMESTAMP",
            "TimestampRange": {"StartTimestamp": time.time() - 60, "EndTimestamp": time.time()},
        },
    }
    archive = "kinesis-video-archived-media"
    assert world.client(archive, endpoint_url=endpoint).list_fragments(**query)["Fragments"] == []
    wrong = [
        error_of(world.client(archive).list_fragments, **query),
        error_of(world.client("kinesisvideo", endpoint_url=endpoint).list_streams),
        error_of(
            world.client("kinesis-video-media").get_media,
            StreamName=name,
            StartSelector={"StartSelectorType": "NOW"},
        ),
    ]
    assert {error["Error"]["Code"] for error in wrong} == {"AccessDeniedException"}


def test_a_wrong_signature_is_refused_on_the_media_port_too(world):
    """Before the stream is looked for."""
    client = world.client(
        "kinesis-video-media", endpoint_url=world.media_url, aws_secret_access_key="wrong"
    )
    error = error_of(client.get_media, StreamName="x", StartSelector={"StartSelectorType": "NOW"})
    assert error["Error"]["Code"] == "InvalidSignatureException"


def test_what_is_not_emulated_says_so(world):
    """By the operation's name, not by a wrong answer."""
    image = {"Bytes": b"x"}
    error = error_of(world.client("rekognition").detect_labels, Image=image)["Error"]
    assert error["Code"] == "UnknownOperationException"
    assert error["Message"] == "the local cloud does not emulate rekognition DetectLabels"


def test_a_region_without_the_feature_answers_like_a_missing_permission(world):
    """Stream processors only, and only where AWS has them."""
    far = world.client("rekognition", region_name="ap-southeast-2")
    error = error_of(far.list_stream_processors)["Error"]
    assert error["Code"] == "AccessDeniedException"
    assert far.list_collections()["CollectionIds"] == []
    near = world.client("rekognition", region_name="eu-central-1")
    assert near.list_stream_processors()["StreamProcessors"] == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "ValidationException"),
        (b"{", "SerializationException"),
        (b"[]", "SerializationException"),
        (b"\xff\xfe", "SerializationException"),
        (b"[" * 100_000, "SerializationException"),
        (b'{"CollectionId": 7}', "SerializationException"),
        (b'{"CollectionId": "x", "MaxResults": NaN}', "SerializationException"),
        (b'{"CollectionId": "x", "MaxResults": -Infinity}', "SerializationException"),
        (b'{"CollectionId": "a b"}', "ValidationException"),
        (b'{"CollectionId": "' + b"a" * 300 + b'"}', "ValidationException"),
    ],
)
def test_a_body_that_cannot_be_meant_is_refused(world, body, code):
    """In the protocol's own words, with HTTP 400."""
    headers = {"x-amz-target": "RekognitionService.CreateCollection"}
    status, answer, kind = posted(world.endpoint_url, "/", body, headers)
    assert (status, json.loads(answer)["__type"], kind) == (400, code, code)


def posted(url, path, body, headers):
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    try:
        return answer.status, answer.read(), answer.headers.get("x-amzn-ErrorType")
    finally:
        connection.close()


def test_a_huge_body_is_refused_before_it_is_taken_in(world):
    """Media calls carry a little JSON; what is above a megabyte is not waited for."""
    headers = {"content-length": "2000000"}
    status, _, _ = posted(world.media_url, "/listFragments", b"x" * (1024 * 1024 + 1), headers)
    assert status == 413


def test_put_media_to_the_main_port_is_refused_while_it_sends(world):
    """A producer that has not asked for the endpoint is told so, though its body has no end."""
    headers = {"transfer-encoding": "chunked"}
    status, _, kind = posted(world.endpoint_url, "/putMedia", b"4\r\n\x1a\x45\xdf\xa3\r\n", headers)
    assert (status, kind) == (403, "AccessDeniedException")


@pytest.mark.parametrize(
    ("service", "operation", "code", "status"),
    [
        ("dynamodb", "ListTables", "ProvisionedThroughputExceededException", 400),
        ("kinesis", "ListStreams", "LimitExceededException", 400),
        ("sqs", "ListQueues", "RequestThrottled", 403),
        ("iam", "ListUsers", "Throttling", 400),
        ("s3", "ListBuckets", "SlowDown", 503),
        ("lambda", "ListFunctions", "TooManyRequestsException", 429),
        ("rekognition", "ListCollections", "ThrottlingException", 400),
        ("kinesisvideo", "ListStreams", "ClientLimitExceededException", 400),
    ],
)
def test_a_fault_hits_once_whoever_answers(quick_cloud, world, service, operation, code, status):
    """The named operation fails with the named error, in its own protocol; the next is well."""
    call = getattr(world.client(service), xform_name(operation))
    quick_cloud.fault(f"{service}.{operation}", code=code, status=status)
    error = error_of(call)
    assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    call()


def test_presigned_urls_work_and_are_judged(world):
    """A URL signed with our key opens its object; tampered with, it does not."""
    version = Config(signature_version="s3v4")
    s3, bucket = world.client("s3", config=version), world.unique("bucket")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a b/c+d", Body=b"1" * 300_000)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b/c+d"})
    with urllib.request.urlopen(url) as answer:
        assert len(answer.read()) == 300_000
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(url.replace("c%2Bd", "other").replace("c+d", "other"))
    with error.value as refusal:
        assert refusal.code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:4566"}, 200),
        ({"Host": "bucket.localhost:4566"}, 200),
        ({"Origin": "http://localhost:8080"}, 200),
        ({"Host": "rebound.example:4566"}, 403),
        ({"Host": "127.0.0.1.example"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "https://page.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
    ],
)
def test_no_web_page_gets_in(world, headers, status):
    """Neither across origins nor by DNS rebinding; programs of this machine do."""
    connection = http.client.HTTPConnection(world.endpoint_url.removeprefix("http://"), timeout=10)
    connection.request("GET", "/_ministack/health", headers=headers)
    assert connection.getresponse().status == status
    connection.close()


def test_a_fault_that_cannot_be_meant_is_refused(world):
    """In one line of JSON."""
    status, answer, _ = posted(world.endpoint_url, "/_streamctl/faults", b"[]", {})
    assert (status, json.loads(answer)["error"]) == (400, "a fault is a JSON object")
    status, _, _ = posted(world.endpoint_url, "/_streamctl/nothing", b"", {})
    assert status == 404


def test_a_session_of_boto3_finds_the_cloud_by_its_environment(world, monkeypatch):
    """What `local env` prints is all that a client needs."""
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    assert boto3.session.Session().client("sts").get_caller_identity()["Account"] == "000000000000"
