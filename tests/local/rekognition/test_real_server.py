"""The whole way through boto3 and the real local cloud: a camera's video in, records out."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from streamctl.aws.session import Aws
from streamctl.local.launch import LocalCloud
from streamctl.media import clip
from streamctl.ops.push import push

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "rekognition.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": "000000000000"},
                "StringLike": {
                    "aws:SourceArn": "arn:aws:rekognition:us-east-1:000000000000:streamprocessor/*"
                },
            },
        }
    ],
}
MANAGED = "arn:aws:iam::aws:policy/service-role/AmazonRekognitionServiceRole"
ONCE = Config(retries={"total_max_attempts": 1})


class Site:
    """boto3 clients of one local cloud, and a door with a camera, results and a role."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def enter(self, cloud: LocalCloud, name: str) -> None:
        for key, value in cloud.env().items():
            self.monkeypatch.setenv(key, value)
        self.name, self.results = name, f"AmazonRekognition-{name}"
        self.rekognition = boto3.client("rekognition", config=ONCE)
        self.video = boto3.client("kinesisvideo")
        self.data = boto3.client("kinesis")
        self.iam = boto3.client("iam")

    def furnish(self, attach: str = MANAGED) -> dict[str, Any]:
        """What CreateStreamProcessor takes, all of it there."""
        camera = self.video.create_stream(StreamName=self.name, DataRetentionInHours=1)
        self.data.create_stream(StreamName=self.results, ShardCount=1)
        results = self.data.describe_stream_summary(StreamName=self.results)
        role = self.iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=json.dumps(TRUST))
        if attach:
            self.iam.attach_role_policy(RoleName=self.name, PolicyArn=attach)
        self.rekognition.create_collection(CollectionId=self.name)
        arn = results["StreamDescriptionSummary"]["StreamARN"]
        return {
            "Name": self.name,
            "Input": {"KinesisVideoStream": {"Arn": camera["StreamARN"]}},
            "Output": {"KinesisDataStream": {"Arn": arn}},
            "Settings": {"FaceSearch": {"CollectionId": self.name}},
            "RoleArn": role["Role"]["Arn"],
        }

    def enrol(self, person: str, image: bytes) -> None:
        indexed = self.rekognition.index_faces(
            CollectionId=self.name, Image={"Bytes": image}, ExternalImageId=person
        )
        assert len(indexed["FaceRecords"]) == 1

    def settled(self, *wanted: str) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while True:
            described = self.rekognition.describe_stream_processor(Name=self.name)
            if described["Status"] in wanted:
                return dict(described)
            assert time.monotonic() < deadline, described
            time.sleep(0.1)

    def records(self, at_least: int) -> list[dict[str, Any]]:
        """Everything in results, once there is enough."""
        deadline = time.monotonic() + 30
        while True:
            found = list(self._all_records())
            if len(found) >= at_least:
                return found
            assert time.monotonic() < deadline, f"{len(found)} records"
            time.sleep(0.3)

    def _all_records(self) -> Iterator[dict[str, Any]]:
        (shard,) = self.data.list_shards(StreamName=self.results)["Shards"]
        iterator = self.data.get_shard_iterator(
            StreamName=self.results, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        for record in self.data.get_records(ShardIterator=iterator)["Records"]:
            yield json.loads(record["Data"])


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(monkeypatch)


def persons(record: dict[str, Any]) -> list[str | None]:
    """Per face: the best match's person, or None."""
    return [
        face["MatchedFaces"][0]["Face"]["ExternalImageId"] if face["MatchedFaces"] else None
        for face in record["FaceSearchResponse"]
    ]


def refused(call: Callable[..., Any], **params: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**params)
    return str(error.value.response["Error"]["Code"])


def test_video_in_records_out(
    start_local_cloud: Callable[..., LocalCloud], site: Site, rendered: Path
) -> None:
    """Create, start, push, read; fail to delete while it runs; stop, delete, gone."""
    times = {"starting_s": 0.5, "stopping_s": 0.2, "stop_interval_s": 30}
    site.enter(start_local_cloud(timings=times), "door")
    given = site.furnish()
    site.enrol(clip.KNOWN, clip.portrait(clip.KNOWN))
    site.rekognition.create_stream_processor(**given)
    site.rekognition.start_stream_processor(Name="door")
    assert site.settled("RUNNING", "FAILED")["Status"] == "RUNNING"

    push(Aws(), "door", rendered, fast=True)
    found = site.records(12)
    assert [persons(record) for record in found] == [
        *[[clip.KNOWN]] * 4,
        *[[]] * 3,
        *[[None]] * 4,
        [],
    ]
    listed = {fragment["FragmentNumber"] for fragment in _fragments(given)}
    videos = [record["InputInformation"]["KinesisVideo"] for record in found]
    assert {video["FragmentNumber"] for video in videos} == listed
    assert {video["StreamArn"] for video in videos} == {given["Input"]["KinesisVideoStream"]["Arn"]}

    stop, delete = site.rekognition.stop_stream_processor, site.rekognition.delete_stream_processor
    assert refused(delete, Name="door") == "ResourceInUseException"
    stop(Name="door")
    assert refused(stop, Name="door") == "ThrottlingException"
    site.settled("STOPPED")
    delete(Name="door")
    describe = site.rekognition.describe_stream_processor
    assert refused(describe, Name="door") == "ResourceNotFoundException"


def _fragments(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Every fragment of the last hour, as ListFragments has them."""
    arn = given["Input"]["KinesisVideoStream"]["Arn"]
    endpoint = boto3.client("kinesisvideo").get_data_endpoint(
        StreamARN=arn, APIName="LIST_FRAGMENTS"
    )["DataEndpoint"]
    now = dt.datetime.now(dt.UTC)
    hour = {"StartTimestamp": now - dt.timedelta(hours=1), "EndTimestamp": now}
    selector = {"FragmentSelectorType": "SERVER_TIMESTAMP", "TimestampRange": hour}
    archive = boto3.client("kinesis-video-archived-media", endpoint_url=endpoint)
    return list(archive.list_fragments(StreamARN=arn, FragmentSelector=selector)["Fragments"])


def test_a_role_without_permission_shows_as_failed(
    start_local_cloud: Callable[..., LocalCloud], site: Site
) -> None:
    """Asked of real IAM state: no policy, then the managed one."""
    site.enter(start_local_cloud(timings={"starting_s": 0.2, "failing_s": 0.2}), "door")
    site.rekognition.create_stream_processor(**site.furnish(attach=""))
    site.rekognition.start_stream_processor(Name="door")
    assert site.settled("FAILED")["StatusMessage"] == "Access denied to Kinesis Video"
    site.iam.attach_role_policy(RoleName="door", PolicyArn=MANAGED)
    site.rekognition.start_stream_processor(Name="door")
    assert site.settled("RUNNING", "FAILED")["Status"] == "RUNNING"


def test_input_is_checked_against_the_model(shared_local_cloud: LocalCloud, site: Site) -> None:
    """Names and ids that AWS's model does not allow never reach the service."""
    site.enter(shared_local_cloud, "checked")
    client = site.rekognition
    assert refused(client.create_collection, CollectionId="two words") == "ValidationException"
    assert refused(client.describe_stream_processor, Name="a/b") == "ValidationException"
    search = client.search_faces_by_image
    code = refused(search, CollectionId="c", Image={"Bytes": b"x"}, MaxFaces=5_000)
    assert code == "ValidationException"
    client.create_collection(CollectionId="checked-ids")
    index, image = client.index_faces, {"Bytes": clip.portrait(clip.KNOWN)}
    code = refused(index, CollectionId="checked-ids", Image=image, ExternalImageId="Mary Ann")
    assert code == "ValidationException"


def test_an_image_in_s3(shared_local_cloud: LocalCloud, site: Site) -> None:
    """Read from the local cloud's own S3."""
    site.enter(shared_local_cloud, "pictures")
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="pictures-of-people")
    s3.put_object(Bucket="pictures-of-people", Key="known.jpg", Body=clip.portrait(clip.KNOWN))
    where = {"S3Object": {"Bucket": "pictures-of-people", "Name": "known.jpg"}}
    assert len(site.rekognition.detect_faces(Image=where)["FaceDetails"]) == 1
    where["S3Object"]["Name"] = "nobody.jpg"
    assert refused(site.rekognition.detect_faces, Image=where) == "InvalidS3ObjectException"


def test_two_real_men(
    start_local_cloud: Callable[..., LocalCloud], site: Site, shared_data: Path
) -> None:
    """The second man's still, cut at 16 s and enrolled as JPEG, finds him and never the first."""
    path = shared_data / "video" / "bezos_vogels.mkv"
    site.enter(start_local_cloud(timings={"starting_s": 0.5}), "door")
    given = site.furnish()
    site.enrol("second", _still(path, 16.0))
    site.rekognition.create_stream_processor(**given)
    site.rekognition.start_stream_processor(Name="door")
    site.settled("RUNNING")
    pushed = push(Aws(), "door", path, fast=True)
    assert (pushed.frames_sent, pushed.fragments_acked) == (546, 3)

    seen = [(_second_of(r, pushed.started.timestamp()), persons(r)) for r in site.records(20)]
    assert len(seen) == 20
    assert all(who == ["second"] for second, who in seen if second > 10.8)
    assert all("second" not in who for second, who in seen if second < 10.0)
    assert sum(who == [None] for second, who in seen if second < 10.0) >= 5


def _second_of(record: dict[str, Any], began: float) -> float:
    """When a record's frame is, by the file's own timestamps; the first one is at 0.834 s."""
    video = record["InputInformation"]["KinesisVideo"]
    return float(video["ProducerTimestamp"] + video["FrameOffsetInSeconds"] - began + 0.834)


def _still(path: Path, second: float) -> bytes:
    with av.open(str(path)) as file:
        frame = next(f for f in file.decode(video=0) if (f.time or 0.0) >= second)
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = frame.width, frame.height, "yuvj420p"
    context.time_base = frame.time_base
    packets = [*context.encode(frame.reformat(format="yuvj420p")), *context.encode(None)]
    return b"".join(bytes(packet) for packet in packets)
