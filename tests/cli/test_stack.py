"""Deploying a platform and destroying it, in a local cloud; what is asserted, boto3 sees."""

import pytest

from streamctl.aws import cloudformation
from streamctl.aws.cloudformation import Wanted
from streamctl.aws.session import Aws
from streamctl.errors import StreamctlError

KEYS = {
    "name",
    "stack",
    "status",
    "min_idle_after_s",
    "keep_days",
    "table",
    "bus",
    "clock_queue",
    "failure_queue",
    "kept",
    "pictures",
    "on_records",
    "on_clock",
    "on_sweep",
    "on_events",
}


def log_groups(client):
    groups = client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/streamctl-passing-")
    return [group["logGroupName"] for group in groups["logGroups"]]


def test_a_platform_comes_changes_and_goes(streamctl_, in_cloud, client):
    """Deployed once, found up to date, changed in place, and gone with its bucket and its logs."""
    first = streamctl_("--platform passing stack deploy -o json")
    assert (first.code, first.err) == (0, "platform passing is created\n")
    assert set(first.json) == KEYS
    assert (first.json["min_idle_after_s"], first.json["keep_days"]) == (30, 30)
    bucket = "streamctl-000000000000-us-east-1-passing"
    assert client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 1

    again = streamctl_("--platform passing stack deploy")
    assert (again.code, again.out, again.err) == (0, "", "platform passing is up to date\n")

    changed = streamctl_("--platform passing stack deploy --min-idle-after 45s -o json")
    assert changed.err == "platform passing is updated\n"
    assert changed.json["min_idle_after_s"] == 45
    changed = streamctl_("--platform passing stack deploy --keep-days 7 -o json")
    assert changed.err == "platform passing is updated\n"
    kept = streamctl_("--platform passing stack deploy -o json")
    assert kept.err == "platform passing is up to date\n"
    assert (kept.json["min_idle_after_s"], kept.json["keep_days"]) == (45, 7)
    pictures = kept.json["pictures"]
    client("s3").put_object(Bucket=pictures, Key="pictures/somebody/1-0.jpg", Body=b"a face")

    assert "45s" in streamctl_("--platform passing stack status").out
    assert len(log_groups(client)) == 4

    gone = streamctl_("--platform passing stack destroy -o json")
    assert (gone.code, gone.json) == (0, {"name": "passing", "existed": True})
    assert log_groups(client) == []
    buckets = client("s3").list_buckets()["Buckets"]
    assert {bucket, pictures}.isdisjoint(each["Name"] for each in buckets)
    assert streamctl_("--platform passing stack destroy -o json").json["existed"] is False


def test_a_platform_that_is_not_there_is_not_found(streamctl_, in_cloud):
    """Exit code 4, with the command that makes one."""
    said = streamctl_("--platform nowhere stack status")
    assert said.code == 4
    assert said.err == (
        "error: platform nowhere is not deployed in us-east-1\n"
        "hint: streamctl --platform nowhere stack deploy\n"
    )


def test_a_platform_with_cameras_is_not_destroyed(streamctl_, platform):
    """Whoever wants it gone deletes what leans on it first; the hint is the command."""
    said = streamctl_("stack destroy")
    assert said.code == 1
    assert "still has cameras: door" in said.err
    assert "hint: streamctl camera delete" in said.err
    assert streamctl_("stack status").code == 0


def test_a_platform_with_processors_is_not_destroyed(streamctl_, in_cloud, client):
    """A processor with the platform's tags would run on with nobody to stop it."""
    streamctl_("--platform guarded stack deploy")
    client("rekognition").create_stream_processor(
        Name="orphan",
        Input={
            "KinesisVideoStream": {
                "Arn": "arn:aws:kinesisvideo:us-east-1:000000000000:stream/orphan/1600000000000"
            }
        },
        Output={
            "KinesisDataStream": {"Arn": "arn:aws:kinesis:us-east-1:000000000000:stream/orphan"}
        },
        RoleArn="arn:aws:iam::000000000000:role/orphan",
        Settings={"FaceSearch": {"CollectionId": "nobody"}},
        Tags={"streamctl:managed": "true", "streamctl:platform": "guarded"},
    )
    said = streamctl_("--platform guarded stack destroy")
    assert said.code == 1
    assert "still has processors: orphan" in said.err
    assert streamctl_("--platform guarded processor delete orphan").code == 0
    assert streamctl_("--platform guarded stack destroy").code == 0


def test_a_platform_with_subscribers_is_not_destroyed(streamctl_, in_cloud, client):
    """AWS would say so too, with half of the platform gone."""
    assert streamctl_("--platform heard stack deploy").code == 0
    events = client("events")
    events.put_rule(Name="desk", EventBusName="streamctl-heard", EventPattern='{"source": ["x"]}')
    said = streamctl_("--platform heard stack destroy")
    assert said.code == 1
    assert "platform heard still has subscribers: desk" in said.err
    (stack,) = client("cloudformation").describe_stacks(StackName="streamctl-heard")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    events.delete_rule(Name="desk", EventBusName="streamctl-heard")
    assert streamctl_("--platform heard stack destroy").code == 0


def test_code_that_changed_is_deployed_under_another_key(streamctl_, in_cloud, client, monkeypatch):
    """The zip's key is its content's hash, so CloudFormation sees a change, and only then.

    The zip is replaced, because the sources cannot be changed by a test.
    """
    code = build_zip(b"def handler(event, context): return 1")
    monkeypatch.setattr("streamctl.ops.bundle.build", lambda: code)
    streamctl_("--platform coded stack deploy")
    function = "streamctl-coded-on-clock"
    before = client("lambda").get_function(FunctionName=function)["Configuration"]["CodeSha256"]
    other = build_zip(b"def handler(event, context): return 2")
    monkeypatch.setattr("streamctl.ops.bundle.build", lambda: other)
    assert streamctl_("--platform coded stack deploy").err == "platform coded is updated\n"
    after = client("lambda").get_function(FunctionName=function)["Configuration"]["CodeSha256"]
    assert before != after
    assert streamctl_("--platform coded stack destroy").code == 0


def test_a_platform_that_is_destroyed_while_it_is_deployed_is_said_to_be(
    streamctl_, in_cloud, client, monkeypatch
):
    """Somebody deletes the bucket between its making and the upload; it is no "not found".

    What builds the zip is replaced by that and more, as that moment cannot be met on purpose.
    """

    def build_and_lose():
        client("s3").delete_bucket(Bucket="streamctl-000000000000-us-east-1-raced")
        return build_zip(b"def handler(event, context): return 1")

    monkeypatch.setattr("streamctl.ops.bundle.build", build_and_lose)
    said = streamctl_("--platform raced stack deploy")
    assert (said.code, said.out) == (1, "")
    error, hint = said.err.splitlines()[-2:]
    assert error.startswith("error: platform raced was destroyed while it was being deployed")
    assert hint == "hint: once nobody destroys it: streamctl --platform raced stack deploy"


def build_zip(source):
    import io
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("on_records", "on_clock", "on_sweep", "on_events"):
            archive.writestr(f"lambdas/{name}.py", source)
    return packed.getvalue()


CAMERA = """
Resources:
  Table: {{Type: AWS::SQS::Queue}}
  Video:
    Type: AWS::KinesisVideo::Stream
    Properties: {{Name: {name}, DataRetentionInHours: 1}}
"""


def test_a_failed_deployment_names_the_resource_that_failed_and_is_begun_again(
    in_cloud, client, capsys
):
    """The first reason is in the error; the failed stack is removed when it is deployed again."""
    aws = Aws(region="us-east-1")
    taken = client("kinesisvideo").create_stream(StreamName="already-here", DataRetentionInHours=1)
    wanted = Wanted("half-way", CAMERA.format(name="already-here"), {}, {})
    with pytest.raises(StreamctlError) as failed:
        cloudformation.apply(aws, wanted, lambda _: None)
    assert "deploying stack half-way failed" in str(failed.value)
    assert "Video: " in str(failed.value)
    client("kinesisvideo").delete_stream(StreamARN=taken["StreamARN"])
    seen = []
    outcome = cloudformation.apply(aws, wanted, seen.append)
    assert outcome is cloudformation.Outcome.REMADE
    assert "deleting it to begin again" in seen[0]
    cloudformation.delete(aws, "half-way", lambda _: None)


def test_an_update_that_fails_says_why_and_leaves_what_was(in_cloud, client):
    """It rolls back, says the same when tried again, and what stood before needs no update."""
    aws = Aws(region="us-east-1")
    good = Wanted("rolled-back", CAMERA.format(name="one-name"), {}, {})
    cloudformation.apply(aws, good, lambda _: None)
    taken = client("kinesisvideo").create_stream(StreamName="taken-name", DataRetentionInHours=1)
    bad = Wanted("rolled-back", CAMERA.format(name="taken-name"), {}, {})
    for _ in range(2):
        with pytest.raises(StreamctlError, match="Video: "):
            cloudformation.apply(aws, bad, lambda _: None)
    assert cloudformation.describe(aws, "rolled-back").is_good
    assert cloudformation.apply(aws, good, lambda _: None) is cloudformation.Outcome.UNCHANGED
    cloudformation.delete(aws, "rolled-back", lambda _: None)
    client("kinesisvideo").delete_stream(StreamARN=taken["StreamARN"])
