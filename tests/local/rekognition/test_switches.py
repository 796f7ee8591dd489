"""Processors where AWS's answer is not documented: both answers, and the limits beside them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from streamctl.local.cloud import Timings

Live = Callable[..., None]
World = Any

HERE = ("000000000000", "us-east-1")
SLOW = Timings(starting_s=30, stopping_s=30, stop_interval_s=0)


async def ten_starting(world: World) -> None:
    for number in range(11):
        await world.create(f"door-{number}")
    for number in range(10):
        await world("StartStreamProcessor", Name=f"door-{number}")


def test_the_eleventh_start_is_refused(live: Live) -> None:
    """By default at once, with LimitExceededException; a place is free after a delete."""

    async def story(world: World) -> None:
        await ten_starting(world)
        assert await world.code("StartStreamProcessor", Name="door-10") == "LimitExceededException"
        assert await world.status("door-10") == "STOPPED"
        await world("DeleteStreamProcessor", Name="door-3")
        assert await world.code("StartStreamProcessor", Name="door-10") == ""

    live(story, timings=SLOW)


def test_the_eleventh_start_fails_later(live: Live) -> None:
    """Under the other answer Start succeeds, and FAILED follows with the limit in its message."""

    async def story(world: World) -> None:
        await ten_starting(world)
        assert await world.code("StartStreamProcessor", Name="door-10") == ""
        described = await world.settled("FAILED", name="door-10")
        assert "limit - 10" in described["StatusMessage"]

    live(story, timings=dataclasses.replace(SLOW, failing_s=0.1), eleventh_start="fails")


def test_stop_of_what_does_not_run(live: Live) -> None:
    """An error by default, nothing under the other answer."""

    async def strict(world: World) -> None:
        await world.create()
        assert await world.code("StopStreamProcessor", Name="door") == "ResourceInUseException"

    async def lenient(world: World) -> None:
        assert await world.code("StopStreamProcessor", Name="door") == ""
        assert await world.status() == "STOPPED"

    live(strict)
    live(lenient, stop_of_stopped_is_error=False)


def test_stop_is_throttled(live: Live) -> None:
    """The second Stop within the interval is a ThrottlingException, whatever it is for."""

    async def story(world: World) -> None:
        codes = [await world.code("StopStreamProcessor", Name="nobody") for _ in range(2)]
        assert codes == ["ResourceNotFoundException", "ThrottlingException"]

    live(story, timings=Timings(stop_interval_s=30))


async def truly(world: World, status: str) -> None:
    """Wait until a stale Describe would have to say this."""
    await world.until(lambda: world.register.get(HERE, "door").status == status)
    world.ahead_s += 30


def test_a_stale_describe(live: Live) -> None:
    """With the switch, Describe and List show what was true before; actions know the truth."""

    async def story(world: World) -> None:
        await world.create()
        await world("StartStreamProcessor", Name="door")
        assert await world.status() == "STOPPED"
        assert await world.code("StartStreamProcessor", Name="door") == "ResourceInUseException"
        await truly(world, "RUNNING")
        await world("StopStreamProcessor", Name="door")
        assert await world.status() == "RUNNING"
        await truly(world, "STOPPED")
        assert await world.status() == "STOPPED"
        await world("DeleteStreamProcessor", Name="door")
        assert (await world("ListStreamProcessors"))["StreamProcessors"] != []
        world.ahead_s += 30
        code = await world.code("DescribeStreamProcessor", Name="door")
        assert code == "ResourceNotFoundException"

    live(story, stale_describe_s=30)


def test_one_that_stops_by_itself(live: Live) -> None:
    """With the switch, a running processor stops unasked."""

    async def story(world: World) -> None:
        await world.create()
        await world("StartStreamProcessor", Name="door")
        await world.settled("STOPPED")
        assert (world.cameras.followed, world.cameras.followers) == (1, 0)

    live(story, stops_by_itself_after_s=0.3)
