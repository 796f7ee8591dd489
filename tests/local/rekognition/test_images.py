"""Images, looked at by the real engine: faces indexed, detected and searched with."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from botocore.exceptions import ClientError

from streamctl.local.service import ServiceFault
from streamctl.media import clip, images

Live = Callable[..., None]
World = Any

KNOWN, UNKNOWN = clip.portrait(clip.KNOWN), clip.portrait(clip.UNKNOWN)


def jpeg(pixels: np.ndarray) -> bytes:
    """A JPEG file of these pixels."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = frame.width, frame.height, "yuvj444p"
    context.time_base = 1
    packets = [*context.encode(frame.reformat(format="yuvj444p")), *context.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


BLANK = jpeg(np.full((200, 300, 3), 128, dtype=np.uint8))


def side_by_side() -> bytes:
    """One picture of both people; the known one is nearer."""
    near, far = images.read(KNOWN), images.read(UNKNOWN)
    room = np.full((950, 1200, 3), 120, dtype=np.uint8)
    big = near.repeat(3, axis=0).repeat(3, axis=1)
    room[20 : 20 + big.shape[0], 20 : 20 + big.shape[1]] = big
    room[100 : 100 + far.shape[0], 880 : 880 + far.shape[1]] = far
    return jpeg(room)


@pytest.mark.usefixtures("engine_at_hand")
def test_indexed_faces_are_found_again(live: Live) -> None:
    """The right person, by image and by FaceId; the other one is not taken for her."""

    async def story(world: World) -> None:
        ids = await world.people(known=KNOWN)
        found = await world.search(KNOWN)
        (match,) = found["FaceMatches"]
        assert match["Face"]["FaceId"] == ids["known"]
        assert match["Face"]["ExternalImageId"] == "known"
        assert match["Similarity"] > 99
        assert (await world.search(UNKNOWN))["FaceMatches"] == []
        low = await world.search(UNKNOWN, FaceMatchThreshold=0.0)
        assert 0 < low["FaceMatches"][0]["Similarity"] < 80
        other = (await world.index(UNKNOWN))["FaceRecords"][0]["Face"]
        assert "ExternalImageId" not in other
        by_id = await world("SearchFaces", CollectionId="people", FaceId=other["FaceId"])
        assert by_id["FaceMatches"] == []

    live(story)


@pytest.mark.usefixtures("engine_at_hand")
def test_what_index_faces_says(live: Live) -> None:
    """Face and FaceDetail with the members of AWS, and the place of the face in the image."""

    async def story(world: World) -> None:
        await world.people()
        answer = await world.index(KNOWN, ExternalImageId="known", DetectionAttributes=["ALL"])
        assert "OrientationCorrection" not in answer
        assert answer["FaceModelVersion"] == "7.0"
        (record,) = answer["FaceRecords"]
        face, detail = record["Face"], record["FaceDetail"]
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-.+", face["FaceId"])
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-3[0-9a-f]{3}-.+", face["ImageId"])
        assert list(detail) == ["BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"]
        places = {mark["Type"]: (mark["X"], mark["Y"]) for mark in detail["Landmarks"]}
        assert list(places) == ["eyeLeft", "eyeRight", "mouthLeft", "mouthRight", "nose"]
        assert places["eyeLeft"][0] < places["nose"][0] < places["eyeRight"][0]
        assert places["eyeLeft"][1] < places["nose"][1] < places["mouthLeft"][1]
        box = detail["BoundingBox"]
        assert box["Left"] < places["nose"][0] < box["Left"] + box["Width"]

    live(story)


@pytest.mark.usefixtures("engine_at_hand")
def test_the_same_image_again(live: Live) -> None:
    """Under the same external id no second face is stored; under another there is one."""

    async def story(world: World) -> None:
        first = await world.people(known=KNOWN)
        again = await world.index(KNOWN, ExternalImageId="known")
        assert again["FaceRecords"][0]["Face"]["FaceId"] == first["known"]
        assert await count(world) == 1
        await world.index(KNOWN, ExternalImageId="alias")
        assert await count(world) == 2
        assert len((await world.search(KNOWN))["FaceMatches"]) == 2
        assert len((await world.search(KNOWN, MaxFaces=1))["FaceMatches"]) == 1

    live(story)


async def count(world: World) -> int:
    return int((await world("DescribeCollection", CollectionId="people"))["FaceCount"])


@pytest.mark.usefixtures("engine_at_hand")
def test_two_faces_and_max_faces(live: Live) -> None:
    """The larger face is indexed, the other named with its reason; searching takes the larger."""

    async def story(world: World) -> None:
        await world.people(known=KNOWN)
        both = side_by_side()
        answer = await world.index(both, MaxFaces=1)
        assert len(answer["FaceRecords"]) == 1
        (left_out,) = answer["UnindexedFaces"]
        assert left_out["Reasons"] == ["EXCEEDS_MAX_FACES"]
        widths = [
            each["FaceDetail"]["BoundingBox"]["Width"]
            for each in (*answer["FaceRecords"], left_out)
        ]
        assert widths[0] > widths[1]
        faces = await world("DetectFaces", Image={"Bytes": both})
        assert len(faces["FaceDetails"]) == 2
        assert "known" in {
            match["Face"].get("ExternalImageId")
            for match in (await world.search(both))["FaceMatches"]
        }
        assert len((await world.index(both))["FaceRecords"]) == 2

    live(story)


@pytest.mark.usefixtures("engine_at_hand")
def test_faces_that_are_too_poor_are_left_out_with_a_reason(live: Live) -> None:
    """A dark picture fails the quality filter, and passes without one."""

    async def story(world: World) -> None:
        await world.people()
        dark = jpeg(images.read(KNOWN) // 8)
        answer = await world.index(dark, QualityFilter="HIGH")
        assert answer["FaceRecords"] == []
        assert "LOW_BRIGHTNESS" in answer["UnindexedFaces"][0]["Reasons"]
        assert len((await world.index(dark, QualityFilter="NONE"))["FaceRecords"]) == 1

    live(story)


@pytest.mark.usefixtures("engine_at_hand")
def test_an_image_without_a_face(live: Live) -> None:
    """Nothing to index or detect; searching with it is InvalidParameterException."""

    async def story(world: World) -> None:
        await world.people(known=KNOWN)
        answer = await world.index(BLANK)
        assert (answer["FaceRecords"], answer["UnindexedFaces"]) == ([], [])
        assert (await world("DetectFaces", Image={"Bytes": BLANK}))["FaceDetails"] == []
        with pytest.raises(ServiceFault, match="no faces") as refused:
            await world.search(BLANK)
        assert refused.value.code == "InvalidParameterException"

    live(story)


@pytest.mark.parametrize(
    ("image", "code"),
    [
        pytest.param({"Bytes": b"GIF89a" + bytes(99)}, "InvalidImageFormatException", id="gif"),
        pytest.param({"Bytes": KNOWN[:3000]}, "InvalidImageFormatException", id="cut off"),
        pytest.param({"Bytes": bytes(6_000_000)}, "ImageTooLargeException", id="above 5 MB"),
        pytest.param({}, "InvalidParameterException", id="none"),
        pytest.param(
            {"Bytes": KNOWN, "S3Object": {"Bucket": "b", "Name": "n"}},
            "InvalidParameterException",
            id="both",
        ),
        pytest.param(
            {"Bytes": jpeg(np.zeros((60, 200, 3), dtype=np.uint8))},
            "InvalidParameterException",
            id="below 80 pixels",
        ),
    ],
)
@pytest.mark.usefixtures("engine_at_hand")
def test_images_that_aws_refuses(live: Live, image: dict[str, Any], code: str) -> None:
    """Each with its own error."""

    async def story(world: World) -> None:
        assert await world.code("DetectFaces", Image=image) == code

    live(story)


class FakeS3:
    """One bucket with one object; enough of get_object."""

    def __init__(self, body: bytes, length: int) -> None:
        self.body, self.length = body, length

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - botocore's
        if (Bucket, Key) != ("pictures", "known.jpg"):
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "no"}}, "GetObject")
        return {"ContentLength": self.length, "Body": BytesIO(self.body)}


@pytest.mark.usefixtures("engine_at_hand")
def test_images_in_s3(live: Live) -> None:
    """Read from the caller's bucket; a missing or too large object is refused."""

    async def story(world: World) -> None:
        world.cloud.clients["s3"] = FakeS3(KNOWN, len(KNOWN))
        there = {"S3Object": {"Bucket": "pictures", "Name": "known.jpg"}}
        assert len((await world("DetectFaces", Image=there))["FaceDetails"]) == 1
        missing = {"S3Object": {"Bucket": "pictures", "Name": "nobody.jpg"}}
        assert await world.code("DetectFaces", Image=missing) == "InvalidS3ObjectException"
        world.cloud.clients["s3"] = FakeS3(KNOWN, 16_000_000)
        assert await world.code("DetectFaces", Image=there) == "ImageTooLargeException"

    live(story)


def test_an_engine_that_dies_is_started_again(live: Live) -> None:
    """The image over which it died is InternalServerError; the next one is answered."""

    async def story(world: World) -> None:
        await world("DetectFaces", Image={"Bytes": BLANK})
        process = world.service._engine._process
        os.kill(process.pid, signal.SIGSTOP)  # it does not answer before it dies
        asking = asyncio.create_task(world.code("DetectFaces", Image={"Bytes": KNOWN}))
        await asyncio.sleep(0)
        os.kill(process.pid, signal.SIGKILL)
        assert await asking == "InternalServerError"
        refused = {"Bytes": b"GIF89a"}
        assert await world.code("DetectFaces", Image=refused) == "InvalidImageFormatException"
        assert len((await world("DetectFaces", Image={"Bytes": KNOWN}))["FaceDetails"]) == 1

    live(story)


@pytest.mark.usefixtures("engine_at_hand")
def test_real_portraits(live: Live, shared_data: Path) -> None:
    """One man is found by another photograph of him, and another man is not taken for him."""
    photos = {path.stem: path.read_bytes() for path in (shared_data / "faces").glob("*.jpg")}

    async def story(world: World) -> None:
        await world.people(obama=photos["obama"])
        (match,) = (await world.search(photos["obama2"]))["FaceMatches"]
        assert match["Face"]["ExternalImageId"] == "obama"
        assert match["Similarity"] >= 80
        assert (await world.search(photos["biden"]))["FaceMatches"] == []
        faces = await world("DetectFaces", Image={"Bytes": photos["two_people"]})
        assert len(faces["FaceDetails"]) == 2

    live(story)
