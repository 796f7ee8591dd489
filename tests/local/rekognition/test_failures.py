"""Processors that cannot work: Start succeeds, and what is missing shows in StatusMessage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Live = Callable[..., None]
World = Any


CAUSES = {
    "role": "Access denied to Role",
    "video": "Access denied to Kinesis Video",
    "data": "Access denied to Kinesis Data",
    "camera": "Stream door doesn't exist",
    "collection": "Collection not found",
    "results": "Stream AmazonRekognition-door under account 000000000000 not found",
}


async def take_away(world: World, what: str) -> None:
    """Remove one thing that the processor `door` needs."""
    if what == "role":
        world.roles.trusted.clear()
    elif what == "video":
        world.roles.denied.add("kinesisvideo:GetMedia")
    elif what == "data":
        world.roles.denied.add("kinesis:PutRecords")
    elif what == "camera":
        world.cameras.arns.clear()
    elif what == "collection":
        await world("DeleteCollection", CollectionId="people")
    else:
        world.kinesis.streams.clear()


@pytest.mark.parametrize("what", CAUSES)
def test_start_succeeds_and_the_failure_shows_later(live: Live, what: str) -> None:
    """What is missing is found after Start has answered; mended, it starts."""

    async def story(world: World) -> None:
        await world.create()
        await take_away(world, what)
        await world("StartStreamProcessor", Name="door")
        assert await world.status() == "STARTING"
        described = await world.settled("FAILED", "RUNNING")
        assert (described["Status"], described.get("StatusMessage")) == ("FAILED", CAUSES[what])
        if what == "collection":
            await world("CreateCollection", CollectionId="people")
        await world.furnish()
        world.roles.denied.clear()
        await world("StartStreamProcessor", Name="door")
        assert "StatusMessage" not in await world.settled("RUNNING")

    live(story)


@pytest.mark.parametrize("what", CAUSES)
def test_what_is_taken_away_while_running_is_noticed(live: Live, what: str) -> None:
    """A RUNNING processor becomes FAILED, with the same words."""

    async def story(world: World) -> None:
        await world.create()
        await world("StartStreamProcessor", Name="door")
        await world.settled("RUNNING")
        await take_away(world, what)
        described = await world.settled("FAILED")
        assert described["StatusMessage"] == CAUSES[what]
        assert world.cameras.followers == 0
        await world("DeleteStreamProcessor", Name="door")

    live(story)


def test_a_camera_or_results_of_another_region_are_not_found(live: Live) -> None:
    """Everything must be in the processor's region (developer guide, troubleshooting)."""

    async def story(world: World) -> None:
        given = await world.furnish()
        far = given["Output"]["KinesisDataStream"]["Arn"].replace("us-east-1", "eu-west-1")
        given["Output"] = {"KinesisDataStream": {"Arn": far}}
        await world("CreateStreamProcessor", **given)
        await world("StartStreamProcessor", Name="door")
        assert (await world.settled("FAILED"))["StatusMessage"] == CAUSES["results"]

    live(story)
