"""Images and clips of a pushed video through a real server, as boto3 sees them."""

from __future__ import annotations

import base64
import io
import uuid
from datetime import UTC, datetime, timedelta

import av
import boto3
import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError
from urllib3.exceptions import ProtocolError

from streamctl.media import clip, images
from streamctl.ops import push

ARCHIVE = "kinesis-video-archived-media"
ONCE = Config(retries={"total_max_attempts": 1})
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Door:
    """A camera with a pushed video in it, and its archive's client."""

    def __init__(self, aws, path, **how):
        self.name = f"door-{uuid.uuid4().hex[:8]}"
        self.control = boto3.client("kinesisvideo")
        self.arn = self.create(self.name, **how)
        self.began = push.push(aws, self.name, path, fast=True).started
        self.url = self.endpoint("GET_IMAGES")
        assert self.url == self.endpoint("GET_CLIP") != aws.client("kinesisvideo").meta.endpoint_url
        self.archive = boto3.client(ARCHIVE, endpoint_url=self.url, config=ONCE)

    def create(self, name, hours=1):
        made = self.control.create_stream(StreamName=name, DataRetentionInHours=hours)
        return made["StreamARN"]

    def endpoint(self, api):
        return self.control.get_data_endpoint(StreamName=self.name, APIName=api)["DataEndpoint"]

    def at(self, seconds):
        return self.began + timedelta(seconds=seconds)

    def sampling(self, first, last, **more):
        """GetImages' parameters for these seconds of the film."""
        span = {"StartTimestamp": self.at(first), "EndTimestamp": self.at(last)}
        how = {"ImageSelectorType": "PRODUCER_TIMESTAMP", "SamplingInterval": 400, "Format": "PNG"}
        return {"StreamName": self.name, **span, **how, **more}

    def images(self, *span, **more):
        return self.archive.get_images(**self.sampling(*span, **more))["Images"]

    def clip(self, first, last, **more):
        span = {"StartTimestamp": self.at(first), "EndTimestamp": self.at(last)}
        selector = {"FragmentSelectorType": "PRODUCER_TIMESTAMP", "TimestampRange": span}
        return self.archive.get_clip(
            **{"StreamName": self.name, "ClipFragmentSelector": selector, **more}
        )


@pytest.fixture
def door(aws, encode):
    """Three seconds at 25 FPS, in three fragments; the n-th frame has a bar at its n-th column."""
    return Door(aws, encode("film.mkv"))


def numbers(found):
    pictures = [images.read(base64.b64decode(image["ImageContent"])) for image in found]
    return [int(np.argmax(picture[120, :, 0] > 200)) for picture in pictures]


def code_of(call, *args, **named):
    with pytest.raises(ClientError) as refused:
        call(*args, **named)
    return refused.value.response["Error"]["Code"]


def test_images_by_pages(door):
    """boto3's paginator finds every one of them."""
    paginator = door.archive.get_paginator("get_images")
    pages = list(paginator.paginate(**door.sampling(0, 2.8), PaginationConfig={"PageSize": 3}))
    assert [len(page["Images"]) for page in pages] == [3, 3, 2]
    found = [image for page in pages for image in page["Images"]]
    assert numbers(found) == [0, 10, 20, 30, 40, 50, 60, 70]
    assert [image["TimeStamp"] for image in found] == [door.at(0.4 * n) for n in range(8)]


def test_images_as_asked_for(door):
    """By ARN, as JPEG, of another size."""
    size = {"WidthPixels": 640, "HeightPixels": 120}
    asked = door.sampling(0, 0, Format="JPEG", FormatConfig={"JPEGQuality": "90"}, **size)
    del asked["StreamName"]
    (image,) = door.archive.get_images(StreamARN=door.arn, **asked)["Images"]
    jpeg = base64.b64decode(image["ImageContent"])
    assert jpeg.startswith(b"\xff\xd8\xff")
    assert images.size(jpeg) == (640, 120)


def test_a_moment_without_media(door):
    """An entry of its own, with an error in place of the image."""
    span = {"StartTimestamp": LONG_AGO, "EndTimestamp": LONG_AGO}
    (image,) = door.images(0, 0, **span)
    assert image == {"TimeStamp": LONG_AGO, "Error": "NO_MEDIA"}


def test_a_clip_of_a_rendered_video(aws, tmp_path):
    """The demo's clip: 12 s at 15 FPS, in fragments of a second."""
    clip.render(tmp_path / "clip.mkv")
    door = Door(aws, tmp_path / "clip.mkv")
    answer = door.clip(0, 60 * 60)
    assert answer["ContentType"] == "video/mp4"
    with av.open(io.BytesIO(answer["Payload"].read())) as file:
        frames = list(file.decode(video=0))
    assert len(frames) == 12 * clip.FPS
    assert [round(frame.time, 3) for frame in frames[:3]] == [0, 0.067, 0.133]
    assert {(frame.width, frame.height) for frame in frames} == {(clip.WIDTH, clip.HEIGHT)}


def test_modelled_refusals(door):
    """boto3 finds its own exception classes in them."""
    errors = door.archive.exceptions
    empty = f"{door.name}-empty"
    door.create(empty, hours=0)
    for call in (door.images, door.clip):
        with pytest.raises(errors.ResourceNotFoundException):
            call(0, 1, StreamName="no-such-camera")
        with pytest.raises(errors.NoDataRetentionException):
            call(0, 1, StreamName=empty)
        with pytest.raises(errors.InvalidArgumentException):
            call(1, 0)
    with pytest.raises(errors.ResourceNotFoundException, match="No fragments found"):
        door.clip(60, 61)


def test_a_width_alone_is_refused_and_so_is_a_height_alone(door):
    """With the words that were seen (boto3 issue 3900)."""
    words = "Height and width for the images need to be provided or none"
    for one in ("WidthPixels", "HeightPixels"):
        with pytest.raises(door.archive.exceptions.InvalidArgumentException, match=words):
            door.images(0, 0, **{one: 100})


def test_what_the_model_does_not_allow(door):
    """Sizes, formats and selectors beyond it."""
    wrong = (
        {"WidthPixels": 3841, "HeightPixels": 100},
        {"WidthPixels": 100, "HeightPixels": 2161},
        {"Format": "GIF"},
        {"ImageSelectorType": "NOW"},
        {"FormatConfig": {"PNGQuality": "1"}},
        {"MaxResults": 101},
    )
    codes = [code_of(door.images, 0, 1, **each) for each in wrong]
    assert codes == ["ValidationException"] * len(wrong)


def test_they_are_not_served_at_the_control_endpoint(door):
    """As on AWS: media APIs have endpoints of their own (boto3 issue 1506)."""
    archive = boto3.client(ARCHIVE, config=ONCE)
    assert code_of(archive.get_images, **door.sampling(0, 1)) == "AccessDeniedException"


@pytest.mark.parametrize("operation", ["GetImages", "GetClip"])
def test_faults_are_met(door, shared_local_cloud, operation):
    """An error for this camera, once, and a connection that breaks; another camera is spared."""
    call = {"GetImages": door.images, "GetClip": door.clip}[operation]
    named = f"{ARCHIVE}.{operation}"
    shared_local_cloud.fault(named, target="another", code="InvalidArgumentException")
    shared_local_cloud.fault(named, target=door.name, code="ClientLimitExceededException")
    with pytest.raises(door.archive.exceptions.ClientLimitExceededException, match="injected"):
        call(0, 1)
    assert call(0, 1)
    shared_local_cloud.fault(named, target=door.name, code="Dropped")
    with pytest.raises((ConnectionClosedError, ProtocolError)):  # the latter for streams
        call(0, 1)
    assert call(0, 1)
    assert [fault["target"] for fault in shared_local_cloud.faults()] == ["another"]
