"""What injected faults do to processors, and that without them, or to others, nothing of it happens."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.local.faults import Fault
from streamctl.local.rekognition.output import shuffled_s

Live = Callable[..., None]
World = Any

LONG_S = 3600
HALF_OF_ALL_KEYS = 1 << 127
"""Where a results stream of two shards is parted (Kinesis: MD5 of the partition key)."""


async def running(world: World, name: str = "door") -> list[tuple[str, bytes]]:
    """A processor that is RUNNING; returns the list that its records will be in."""
    given = await world.furnish(name)
    world.cameras.apart[given["Input"]["KinesisVideoStream"]["Arn"]] = asyncio.Queue()
    await world("CreateStreamProcessor", **given)
    await world("StartStreamProcessor", Name=name)
    await world.settled("RUNNING", name=name)
    records: list[tuple[str, bytes]] = world.kinesis.streams[f"AmazonRekognition-{name}"]
    return records


def play(world: World, video: bytes) -> None:
    """On every camera."""
    for camera in world.cameras.apart.values():
        camera.put_nowait(video)


def frames(records: list[tuple[str, bytes]]) -> list[tuple[str, float]]:
    """Fragment and offset of each record, in the order of their arrival."""
    videos = [json.loads(data)["InputInformation"]["KinesisVideo"] for _, data in records]
    return [(video["FragmentNumber"], video["FrameOffsetInSeconds"]) for video in videos]


def test_a_processor_is_stuck_in_a_passing_state(live: Live) -> None:
    """STARTING until the fault is taken back; the processor beside it is RUNNING long since."""

    async def story(world: World) -> None:
        for name in ("door", "gate"):
            await world.create(name)
        world.cloud.faults.add(Fault("rekognition.Transition", target="door", delay_s=LONG_S))
        for name in ("door", "gate"):
            await world("StartStreamProcessor", Name=name)
        await world.settled("RUNNING", name="gate")
        assert await world.status() == "STARTING"
        assert await world.code("StopStreamProcessor", Name="door") == "ResourceInUseException"
        world.cloud.faults.clear(target="door")
        await world.settled("RUNNING")

    live(story)


def test_what_is_stuck_can_be_deleted(live: Live) -> None:
    """The guide's cure for it works here too."""

    async def story(world: World) -> None:
        await world.create()
        world.cloud.faults.add(Fault("rekognition.Transition", delay_s=LONG_S))
        await world("StartStreamProcessor", Name="door")
        await world.until(lambda: world.cloud.faults.listed() == [])
        await world("DeleteStreamProcessor", Name="door")
        assert await world.code("DescribeStreamProcessor", Name="door") == (
            "ResourceNotFoundException"
        )

    live(story)


def test_the_transition_that_is_meant_is_delayed(live: Live) -> None:
    """`skip` passes the start; STOPPING it is that lasts."""

    async def story(world: World) -> None:
        world.cloud.faults.add(Fault("rekognition.Transition", skip=1, delay_s=LONG_S))
        await running(world)
        await world("StopStreamProcessor", Name="door")
        await world.until(lambda: world.cloud.faults.listed() == [])
        assert await world.status() == "STOPPING"
        world.cloud.faults.clear()
        await world.settled("STOPPED")

    live(story)


def test_a_frozen_worker_does_nothing_and_then_everything(live: Live, three_scenes: bytes) -> None:
    """Its video waits; its records come late, whole and in order. Another's come at once."""

    async def story(world: World) -> None:
        records, others = await running(world), await running(world, "gate")
        world.cloud.faults.add(Fault("rekognition.Frame", target="door", skip=1, delay_s=LONG_S))
        play(world, three_scenes)
        await world.until(lambda: len(others) == 3 and len(records) == 1)
        play(world, three_scenes)
        await world.until(lambda: len(others) == 6)
        assert len(records) == 1
        world.cloud.faults.clear()
        await world.until(lambda: len(records) == 6)
        assert frames(records) == frames(others)

    live(story)


def test_records_come_late_and_in_order(live: Live, three_scenes: bytes) -> None:
    """Analysis goes on meanwhile; the fault's end lets go of all of them."""

    async def story(world: World) -> None:
        records, others = await running(world), await running(world, "gate")
        late = Fault("rekognition.Record", target="door", times=None, delay_s=LONG_S)
        world.cloud.faults.add(late)
        play(world, three_scenes)
        await world.until(lambda: len(others) == 3 and len(world.cloud.faults._held) == 3)
        assert records == []
        world.cloud.faults.clear()
        await world.until(lambda: len(records) == 3)
        assert frames(records) == sorted(frames(records)) == frames(others)

    live(story)


def test_a_record_is_as_late_as_it_says(live: Live, three_scenes: bytes) -> None:
    """By the clock, at least; and it is not late without the fault, or after its times."""

    async def story(world: World) -> None:
        records = await running(world)
        world.cloud.faults.add(Fault("rekognition.Record", times=1, skip=2, delay_s=0.7))
        play(world, three_scenes)
        await world.until(lambda: len(records) == 2)
        began = time.monotonic()
        await world.until(lambda: len(records) == 3)
        assert time.monotonic() - began > 0.3  # two and three were analysed at nearly one time

    live(story)


def test_records_on_their_way_arrive_whatever_becomes_of_the_processor(
    live: Live, three_scenes: bytes
) -> None:
    """Late is not lost: it is stopped and deleted, and they come. What it has not seen does not."""

    async def story(world: World) -> None:
        records = await running(world)
        world.cloud.faults.add(Fault("rekognition.Record", times=None, delay_s=LONG_S))
        play(world, three_scenes)
        await world.until(lambda: len(world.cloud.faults._held) == 3)
        await world("StopStreamProcessor", Name="door")
        await world.settled("STOPPED")
        await world("DeleteStreamProcessor", Name="door")
        play(world, three_scenes)
        world.cloud.faults.clear()
        await world.until(lambda: len(records) == 3)

    live(story)


def test_a_processor_that_lags_leaves_the_rest_when_it_is_stopped(
    live: Live, three_scenes: bytes
) -> None:
    """Late by slow analysis: what it has not looked at yet, it never will."""

    async def story(world: World) -> None:
        records = await running(world)
        world.cloud.faults.add(Fault("rekognition.Frame", skip=1, times=None, delay_s=LONG_S))
        play(world, three_scenes)
        await world.until(lambda: len(records) == 1 and len(world.cloud.faults._held) == 1)
        await world("StopStreamProcessor", Name="door")
        await world.settled("STOPPED")
        assert (len(records), world.cloud.faults._held) == (1, [])

    live(story)


@pytest.mark.parametrize("members", [{"copies": 3}, {"copies": 3, "delay_s": 0.05}])
def test_every_record_several_times(
    live: Live, three_scenes: bytes, members: dict[str, Any]
) -> None:
    """The same bytes under the same key, as producers repeat them; each after the other."""

    async def story(world: World) -> None:
        records = await running(world)
        world.cloud.faults.add(Fault("rekognition.Record", times=2, **members))
        play(world, three_scenes)
        await world.until(lambda: len(records) == 7)
        seen = sorted(records)
        assert sorted(seen.count(record) for record in set(seen)) == [1, 3, 3]
        assert len({key for key, _ in records}) == 3

    live(story)


def test_a_record_is_lost(live: Live, three_scenes: bytes) -> None:
    """The second of three; the processor goes on as if it had been written."""

    async def story(world: World) -> None:
        records = await running(world)
        world.cloud.faults.add(Fault("rekognition.Record", skip=1, code="Lost"))
        play(world, three_scenes)
        await world.until(lambda: len(records) == 2)
        play(world, three_scenes)
        await world.until(lambda: len(records) == 5)
        first, _, third = frames(records[2:])
        assert frames(records[:2]) == [first, third]

    live(story)


def test_records_change_their_order_over_both_shards(live: Live, rendered_getmedia: bytes) -> None:
    """Every record once, though not in order, and some in each half of the partition keys."""

    async def story(world: World) -> None:
        records, others = await running(world), await running(world, "gate")
        shuffled = Fault("rekognition.Record", target="door", times=None, shuffle_s=5)
        world.cloud.faults.add(shuffled)
        play(world, rendered_getmedia)
        await world.until(lambda: len(records) == len(others) == 12)
        assert frames(records) != frames(others) == sorted(frames(others))
        assert sorted(frames(records)) == frames(others)
        assert {is_upper(key) for key, _ in records} == {False, True}

    live(story)


def is_upper(key: str) -> bool:
    digest = hashlib.md5(key.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest) >= HALF_OF_ALL_KEYS


@given(st.integers(0, 10_000), st.floats(0.5, 3600))
def test_shuffled_records_stay_within_their_time_and_change_their_order(
    first: int, within_s: float
) -> None:
    """Of any three that follow each other closely, some overtake others."""
    held = [shuffled_s(number, within_s) for number in range(first, first + 3)]
    assert all(0 <= seconds < within_s for seconds in held)
    arrivals = [seconds + number * within_s / 10 for number, seconds in enumerate(held)]
    assert arrivals != sorted(arrivals)
