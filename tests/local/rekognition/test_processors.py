"""The stream processors' calls and lives, against neighbours made of lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from streamctl.local.cloud import Timings
from streamctl.local.service import ServiceFault

Live = Callable[..., None]
World = Any

SLOW = Timings(starting_s=30, stopping_s=30, stop_interval_s=0)


def test_a_life_from_create_to_gone(live: Live) -> None:
    """STOPPED, STARTING, RUNNING, STOPPING, STOPPED, and then there is none."""

    async def story(world: World) -> None:
        await world.create()
        assert await world.status() == "STOPPED"
        await world("StartStreamProcessor", Name="door")
        assert await world.status() == "STARTING"
        await world.settled("RUNNING")
        await world("StopStreamProcessor", Name="door")
        assert await world.status() == "STOPPING"
        await world.settled("STOPPED")
        await world("DeleteStreamProcessor", Name="door")
        assert await world.code("DescribeStreamProcessor", Name="door") == (
            "ResourceNotFoundException"
        )

    live(story)


def test_what_describe_says(live: Live) -> None:
    """Everything that was given, with times, an ARN, and no tags."""

    async def story(world: World) -> None:
        before = dt.datetime.now(dt.UTC) - dt.timedelta(milliseconds=2)
        given = await world.furnish()
        given["Tags"] = {"a": "b"}
        given["DataSharingPreference"] = {"OptIn": False}
        arn = (await world("CreateStreamProcessor", **given))["StreamProcessorArn"]
        described = dict(await world("DescribeStreamProcessor", Name="door"))
        assert before <= described.pop("CreationTimestamp") == described.pop("LastUpdateTimestamp")
        search = {"CollectionId": "people", "FaceMatchThreshold": 80.0}
        assert arn == "arn:aws:rekognition:us-east-1:000000000000:streamprocessor/door"
        assert described == {
            "Name": "door",
            "StreamProcessorArn": arn,
            "Status": "STOPPED",
            "Input": given["Input"],
            "Output": given["Output"],
            "RoleArn": given["RoleArn"],
            "Settings": {"FaceSearch": search},
            "DataSharingPreference": {"OptIn": False},
        }

    live(story)


@pytest.mark.parametrize(("asked", "kept"), [(0.0, 80.0), (50.0, 80.0), (80.0, 80.0), (99.5, 99.5)])
def test_thresholds_below_80_are_raised_without_a_word(
    live: Live, asked: float, kept: float
) -> None:
    """As the API reference says of FaceMatchThreshold."""

    async def story(world: World) -> None:
        search = {"CollectionId": "people", "FaceMatchThreshold": asked}
        await world.create(Settings={"FaceSearch": search})
        described = await world("DescribeStreamProcessor", Name="door")
        assert described["Settings"]["FaceSearch"]["FaceMatchThreshold"] == kept

    live(story)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"Settings": {"ConnectedHome": {"Labels": ["PERSON"]}}}, id="labels"),
        pytest.param({"Settings": {}}, id="no settings"),
        pytest.param({"Settings": {"FaceSearch": {}}}, id="no collection"),
        pytest.param({"Input": {}}, id="no camera"),
        pytest.param({"Output": {}}, id="no results"),
        pytest.param({"Output": {"S3Destination": {"Bucket": "bucket"}}}, id="to S3"),
        pytest.param({"KmsKeyId": "alias/key"}, id="key"),
        pytest.param({"RegionsOfInterest": [{"BoundingBox": {}}]}, id="regions"),
        pytest.param(
            {"NotificationChannel": {"SNSTopicArn": "arn:aws:sns:us-east-1:000000000000:t"}},
            id="topic",
        ),
        pytest.param({"Tags": {"aws:reserved": "x"}}, id="reserved tag"),
    ],
)
def test_what_is_not_for_face_search_is_refused(live: Live, more: dict[str, Any]) -> None:
    """With InvalidParameterException, and nothing is created."""

    async def story(world: World) -> None:
        given = {**await world.furnish(), **more}
        assert await world.code("CreateStreamProcessor", **given) == "InvalidParameterException"
        assert (await world("ListStreamProcessors"))["StreamProcessors"] == []

    live(story)


def test_label_detection_is_named_as_not_emulated(live: Live) -> None:
    """Whoever asks for it learns why it does not work here."""

    async def story(world: World) -> None:
        given = await world.furnish()
        given["Settings"] = {"ConnectedHome": {"Labels": ["PERSON"]}}
        with pytest.raises(ServiceFault, match=r"ConnectedHome.*not emulated"):
            await world("CreateStreamProcessor", **given)

    live(story)


def test_camera_results_and_name_are_for_one_processor(live: Live) -> None:
    """A second processor on any of the three is refused; all free again after the delete."""

    async def story(world: World) -> None:
        first, second = await world.furnish("one"), await world.furnish("two")
        await world("CreateStreamProcessor", **first)
        for shared in ("Name", "Input", "Output"):
            clash = {**second, shared: first[shared]}
            assert await world.code("CreateStreamProcessor", **clash) == "ResourceInUseException"
        await world("DeleteStreamProcessor", Name="one")
        await world("CreateStreamProcessor", **{**second, "Input": first["Input"]})

    live(story)


def test_another_account_or_region_sees_nothing(live: Live) -> None:
    """State is kept by account and region."""

    async def story(world: World) -> None:
        await world.create()
        for scope in (("111122223333", "us-east-1"), ("000000000000", "eu-west-1")):
            assert (await world("ListStreamProcessors", scope))["StreamProcessors"] == []
            with pytest.raises(ServiceFault, match="door"):
                await world("DescribeStreamProcessor", scope, Name="door")

    live(story)


def test_a_deleted_name_is_held_for_a_while(live: Live) -> None:
    """Create answers ResourceInUseException at first, and works later."""

    async def story(world: World) -> None:
        await world.create()
        await world("DeleteStreamProcessor", Name="door")
        given = {**await world.furnish("other"), "Name": "door"}
        assert await world.code("CreateStreamProcessor", **given) == "ResourceInUseException"
        world.ahead_s = 29
        assert await world.code("CreateStreamProcessor", **given) == "ResourceInUseException"
        world.ahead_s = 30
        assert await world.code("CreateStreamProcessor", **given) == ""

    live(story, timings=Timings(name_held_s=30))


def test_deleted_processors_are_forgotten(live: Live) -> None:
    """A server that has seen thousands come and go remembers those of the last moments."""

    async def story(world: World) -> None:
        for number in range(5):
            await world.create(f"door-{number}")
            await world("DeleteStreamProcessor", Name=f"door-{number}")
            world.ahead_s += 20
        assert len(world.register._entries) == 2

    live(story, timings=Timings(name_held_s=30))


def test_list_in_pages(live: Live) -> None:
    """Every processor once, by name and status only, however small the pages."""

    async def story(world: World) -> None:
        for number in range(7):
            await world.create(f"door-{number}")
        found, token = [], {}
        while True:
            page = await world("ListStreamProcessors", MaxResults=3, **token)
            assert len(page["StreamProcessors"]) <= 3
            found += page["StreamProcessors"]
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        assert found == [{"Name": f"door-{n}", "Status": "STOPPED"} for n in range(7)]
        assert await world.code("ListStreamProcessors", NextToken="bogus") == (
            "InvalidPaginationTokenException"
        )

    live(story)


def test_update_passes_through_updating(live: Live) -> None:
    """Data sharing is all that can change; UPDATING settles as STOPPED."""

    async def story(world: World) -> None:
        await world.create()
        sharing = {"DataSharingPreferenceForUpdate": {"OptIn": True}}
        await world("UpdateStreamProcessor", Name="door", **sharing)
        assert await world.status() == "UPDATING"
        assert await world.code("StartStreamProcessor", Name="door") == "ResourceInUseException"
        described = await world.settled("STOPPED")
        assert described["DataSharingPreference"] == {"OptIn": True}
        for labels in (
            {"SettingsForUpdate": {"ConnectedHomeForUpdate": {"MinConfidence": 60.0}}},
            {"ParametersToDelete": ["RegionsOfInterest"]},
        ):
            code = await world.code("UpdateStreamProcessor", Name="door", **labels)
            assert code == "InvalidParameterException"

    live(story)


def test_selectors_are_refused_on_face_search(live: Live) -> None:
    """Face search starts now; a selector is label detection's."""

    async def story(world: World) -> None:
        await world.create()
        for selector in (
            {"StartSelector": {"KVSStreamStartSelector": {"ProducerTimestamp": 1}}},
            {"StopSelector": {"MaxDurationInSeconds": 10}},
        ):
            code = await world.code("StartStreamProcessor", Name="door", **selector)
            assert code == "InvalidParameterException"
        assert await world.status() == "STOPPED"

    live(story)


def test_last_update_moves_with_every_state(live: Live) -> None:
    """STARTING, RUNNING, STOPPING and STOPPED each have a later time; creation stays."""

    async def story(world: World) -> None:
        await world.create()
        seen = [await world("DescribeStreamProcessor", Name="door")]
        await world("StartStreamProcessor", Name="door")
        seen.append(await world("DescribeStreamProcessor", Name="door"))
        seen.append(await world.settled("RUNNING"))
        await world("StopStreamProcessor", Name="door")
        seen.append(await world("DescribeStreamProcessor", Name="door"))
        seen.append(await world.settled("STOPPED"))
        times = [each["LastUpdateTimestamp"] for each in seen]
        assert times == sorted(set(times))
        assert len({each["CreationTimestamp"] for each in seen}) == 1

    live(story)


def test_one_that_is_stuck_in_starting_can_be_deleted(live: Live) -> None:
    """The guide's cure for STARTING without end; Stop is no cure."""

    async def story(world: World) -> None:
        await world.create()
        await world("StartStreamProcessor", Name="door")
        assert await world.code("StopStreamProcessor", Name="door") == "ResourceInUseException"
        await world("DeleteStreamProcessor", Name="door")
        assert await world.code("DescribeStreamProcessor", Name="door") == (
            "ResourceNotFoundException"
        )

    live(story, timings=SLOW)


@pytest.mark.parametrize("operation", ["Start", "Stop", "Delete", "Describe", "Update"])
def test_what_is_not_there_is_not_found(live: Live, operation: str) -> None:
    """ResourceNotFoundException, by name."""

    async def story(world: World) -> None:
        code = await world.code(f"{operation}StreamProcessor", Name="nobody")
        assert code == "ResourceNotFoundException"

    live(story)


def test_after_a_restart_nothing_runs(live: Live) -> None:
    """A server on the same data finds what ran STOPPED, and says why; what failed still FAILED."""

    async def before(world: World) -> None:
        await world.create("ran", Tags={"streamctl:managed": "true"})
        await world.create("failed")
        world.cameras.arns = {arn for arn in world.cameras.arns if "ran" in arn}
        for name in ("ran", "failed"):
            await world("StartStreamProcessor", Name=name)
        await world.settled("RUNNING", name="ran")
        await world.settled("FAILED", name="failed")

    async def after(world: World) -> None:
        ran = await world("DescribeStreamProcessor", Name="ran")
        assert (ran["Status"], ran["StatusMessage"]) == ("STOPPED", "The local cloud was restarted")
        assert ran["CreationTimestamp"] < ran["LastUpdateTimestamp"]
        tags = await world("ListTagsForResource", ResourceArn=ran["StreamProcessorArn"])
        assert tags == {"Tags": {"streamctl:managed": "true"}}
        assert await world.status("failed") == "FAILED"
        await world("DeleteStreamProcessor", Name="failed")

    async def at_last(world: World) -> None:
        listed = (await world("ListStreamProcessors"))["StreamProcessors"]
        assert listed == [{"Name": "ran", "Status": "STOPPED"}]

    live(before)
    live(after)
    live(at_last)
