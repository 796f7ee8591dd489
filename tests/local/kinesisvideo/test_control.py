"""Cameras as the control plane shows them."""

import asyncio
import json

import pytest

from streamctl.errors import StreamctlError
from streamctl.local.service import ServiceFault

OTHER_ACCOUNT = ("111122223333", "us-east-1")
OTHER_REGION = ("123456789012", "eu-west-1")


def fault_of(awaitable):
    with pytest.raises(ServiceFault) as fault:
        asyncio.run(awaitable)
    return fault.value.code


def test_created_camera_is_described(world):
    """Everything that CreateStream was told comes back, with AWS's form of the ARN."""
    here = world()
    made = asyncio.run(
        here.call("CreateStream", StreamName="door", DataRetentionInHours=2, MediaType="video/h264")
    )
    info = asyncio.run(here.call("DescribeStream", StreamARN=made["StreamARN"]))["StreamInfo"]
    assert made["StreamARN"] == (
        "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1795200000000"
    )
    assert info["StreamName"] == "door"
    assert info["DataRetentionInHours"] == 2
    assert info["MediaType"] == "video/h264"
    assert info["Status"] == "ACTIVE"
    assert info["CreationTime"].timestamp() == 1_795_200_000
    assert "DeviceName" not in info


def test_names_are_taken_once_per_account_and_region(world):
    """The same name is another camera elsewhere, and in use here."""
    here = world()
    asyncio.run(here.camera())
    asyncio.run(here.call("CreateStream", owner=OTHER_ACCOUNT, StreamName="door"))
    assert fault_of(here.call("CreateStream", StreamName="door")) == "ResourceInUseException"
    listed = asyncio.run(here.call("ListStreams", owner=OTHER_REGION))
    assert listed == {"StreamInfoList": []}


def test_cameras_of_others_are_not_found(world):
    """Not even by their ARN."""
    here = world()
    arn = asyncio.run(here.camera()).arn
    for owner in (OTHER_ACCOUNT, OTHER_REGION):
        described = here.call("DescribeStream", owner=owner, StreamARN=arn)
        assert fault_of(described) == "ResourceNotFoundException"


def test_refused_requests(world):
    """Each with the code that the model gives it."""
    here = world()
    arn = asyncio.run(here.camera()).arn
    assert fault_of(here.call("DescribeStream")) == "InvalidArgumentException"
    assert fault_of(here.call("DescribeStream", StreamName="no")) == "ResourceNotFoundException"
    assert fault_of(here.call("CreateStream", StreamName="../x")) == "InvalidArgumentException"
    for token in ("!", "é"):
        assert fault_of(here.call("ListStreams", NextToken=token)) == "InvalidArgumentException"
    stale = here.call("DeleteStream", StreamARN=arn, CurrentVersion="old")
    assert fault_of(stale) == "VersionMismatchException"
    older = here.call("DescribeStream", StreamARN=arn[:-1] + "9")
    assert fault_of(older) == "ResourceNotFoundException"


def test_deleted_camera_is_gone_with_its_files(world, tmp_path):
    """And its name is free again, for a camera with another ARN."""
    here = world()
    arn = asyncio.run(here.camera()).arn
    asyncio.run(here.call("DeleteStream", StreamARN=arn))
    assert fault_of(here.call("DescribeStream", StreamName="door")) == "ResourceNotFoundException"
    assert list((tmp_path / "kinesisvideo").iterdir()) == []
    here.clock.forward(1)
    assert asyncio.run(here.camera()).arn != arn


def test_retention_changes_by_a_difference_and_a_version(world):
    """UpdateDataRetention adds or takes away, wants the current version, and makes a new one."""
    here = world()
    settings = asyncio.run(here.camera(retention_h=5)).settings
    first = settings.version

    def change(operation, hours, version):
        return here.call(
            "UpdateDataRetention",
            StreamName="door",
            Operation=operation,
            DataRetentionChangeInHours=hours,
            CurrentVersion=version,
        )

    asyncio.run(change("INCREASE_DATA_RETENTION", 3, first))
    assert settings.retention_h == 8
    assert fault_of(change("DECREASE_DATA_RETENTION", 1, first)) == "VersionMismatchException"
    below = change("DECREASE_DATA_RETENTION", 9, settings.version)
    assert fault_of(below) == "InvalidArgumentException"
    asyncio.run(change("DECREASE_DATA_RETENTION", 8, settings.version))
    assert settings.retention_h == 0


def test_listing_is_paged_by_name(world):
    """Pages follow each other without gap or double; a condition picks names by their beginning."""
    here = world()

    async def story():
        for name in ("gate-2", "door-1", "gate-1", "gate-3"):
            await here.camera(name)
        condition = {"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": "gate"}
        first = await here.call("ListStreams", StreamNameCondition=condition, MaxResults=2)
        rest = await here.call(
            "ListStreams", StreamNameCondition=condition, NextToken=first["NextToken"]
        )
        pages = [[info["StreamName"] for info in page["StreamInfoList"]] for page in (first, rest)]
        assert pages == [["gate-1", "gate-2"], ["gate-3"]]
        assert "NextToken" not in rest

    asyncio.run(story())


def test_tags_by_either_api(world):
    """TagStream and TagResource write the same tags."""
    here = world()

    async def story():
        arn = (await here.camera()).arn
        await here.call("TagStream", StreamName="door", Tags={"site": "hall", "floor": "1"})
        await here.call("TagResource", ResourceARN=arn, Tags=[{"Key": "floor", "Value": "2"}])
        await here.call("UntagStream", StreamName="door", TagKeyList=["site", "unknown"])
        for asked in ({"StreamARN": arn}, {"StreamName": "door"}):
            assert await here.call("ListTagsForStream", **asked) == {"Tags": {"floor": "2"}}
        assert await here.call("ListTagsForResource", ResourceARN=arn) == {"Tags": {"floor": "2"}}

    asyncio.run(story())


def test_tags_have_limits(world):
    """Fifty, and none that begins like AWS's own."""
    here = world()
    asyncio.run(here.camera())
    many = here.call("TagStream", StreamName="door", Tags={str(n): "" for n in range(51)})
    assert fault_of(many) == "TagsPerResourceExceededLimitException"
    reserved = here.call("TagStream", StreamName="door", Tags={"aws:x": ""})
    assert fault_of(reserved) == "InvalidArgumentException"


def test_data_endpoint_is_the_media_port(world):
    """For what is emulated; anything else is named as not emulated."""
    here = world()
    asyncio.run(here.camera())
    for api in (
        "PUT_MEDIA",
        "GET_MEDIA",
        "LIST_FRAGMENTS",
        "GET_MEDIA_FOR_FRAGMENT_LIST",
        "GET_IMAGES",
        "GET_CLIP",
    ):
        answer = asyncio.run(here.call("GetDataEndpoint", StreamName="door", APIName=api))
        assert answer == {"DataEndpoint": "http://127.0.0.1:4567"}
    with pytest.raises(ServiceFault, match="GET_DASH_STREAMING_SESSION_URL"):
        asyncio.run(
            here.call(
                "GetDataEndpoint", StreamName="door", APIName="GET_DASH_STREAMING_SESSION_URL"
            )
        )


def test_cameras_survive_a_restart(world):
    """With settings, tags and version, in their account and region."""
    here = world()

    async def described(where):
        info = await where.call("DescribeStream", StreamName="door")
        return info, await where.call("ListTagsForStream", StreamName="door")

    async def story():
        await here.camera(retention_h=3)
        await here.call("TagStream", StreamName="door", Tags={"site": "hall"})
        assert await described(world()) == await described(here)

    asyncio.run(story())


def test_damaged_record_is_named(world, tmp_path):
    """A data folder that cannot be read says which file, and what to do."""
    asyncio.run(world().camera())
    record = next((tmp_path / "kinesisvideo").glob("*/camera.json"))
    record.write_text(json.dumps({"name": "door"}))
    with pytest.raises(StreamctlError, match=r"camera\.json") as error:
        world()
    assert error.value.hint
