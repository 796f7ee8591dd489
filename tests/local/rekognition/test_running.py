"""A RUNNING processor: from a camera's bytes to records, with a real worker process each."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streamctl.media import clip

Live = Callable[..., None]
World = Any


async def running(world: World, **more: Any) -> list[tuple[str, bytes]]:
    """A processor `door` that is RUNNING; returns the list that its records will be in."""
    await world.create(**more)
    await world("StartStreamProcessor", Name="door")
    await world.settled("RUNNING")
    return world.kinesis.streams["AmazonRekognition-door"]


async def enrol(world: World, name: str) -> str:
    """Index a portrait under its own name; returns its FaceId."""
    image = {"Bytes": clip.portrait(name)}
    indexed = await world("IndexFaces", CollectionId="people", Image=image, ExternalImageId=name)
    return str(indexed["FaceRecords"][0]["Face"]["FaceId"])


def people(records: list[tuple[str, bytes]]) -> list[list[str | None]]:
    """Per record, per face: the best match's person, or None."""
    responses = [json.loads(data)["FaceSearchResponse"] for _, data in records]
    return [
        [
            face["MatchedFaces"][0]["Face"]["ExternalImageId"] if face["MatchedFaces"] else None
            for face in response
        ]
        for response in responses
    ]


def workers() -> set[int]:
    """Process ids of this process's children that are workers."""
    if not Path("/proc/self").exists():
        pytest.skip("looks for worker processes in /proc")
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid() and "rekognition.worker" in _command(folder):
                found.add(int(folder.name))
    return found


def _command(folder: Path) -> str:
    return (folder / "cmdline").read_text()


@pytest.mark.usefixtures("engine_at_hand")
def test_known_nobody_unknown_nobody(live: Live, three_scenes: bytes) -> None:
    """Three scenes as records: one a fragment, in order, each under a key of its own."""

    async def story(world: World) -> None:
        await world.furnish()
        face_id = await enrol(world, clip.KNOWN)
        records = await running(world)
        world.kinesis.throttled = 3  # refused for now is put again: none is lost, none doubled
        world.cameras.video.put_nowait(three_scenes)
        await world.until(lambda: len(records) == 3)
        assert people(records) == [[clip.KNOWN], [], [None]]
        keys = [uuid.UUID(key) for key, _ in records]
        assert {key.version for key in keys} == {4}
        assert len(set(keys)) == 3
        first = json.loads(records[0][1])
        video = first["InputInformation"]["KinesisVideo"]
        assert video["StreamArn"] in world.cameras.arns
        assert video["FragmentNumber"] == str(10**46 + 2)
        (match,) = first["FaceSearchResponse"][0]["MatchedFaces"]
        assert match["Face"]["FaceId"] == face_id
        assert match["Similarity"] >= 80
        assert list(match["Face"]) == [
            *("BoundingBox", "FaceId", "Confidence", "ImageId", "ExternalImageId")
        ]

    live(story)


def test_without_empty_records(live: Live, three_scenes: bytes) -> None:
    """Under the other answer a frame without faces leaves no record."""

    async def story(world: World) -> None:
        records = await running(world)
        world.cameras.video.put_nowait(three_scenes)
        await world.until(lambda: len(records) == 2)
        assert people(records) == [[None], [None]]

    live(story, empty_records=False)


@pytest.mark.usefixtures("engine_at_hand")
def test_a_face_that_is_enrolled_meanwhile_counts_at_once(live: Live, three_scenes: bytes) -> None:
    """The collection is searched as it is when the frame has been analysed; so is a removal."""

    async def story(world: World) -> None:
        records = await running(world)
        world.cameras.video.put_nowait(three_scenes)
        await world.until(lambda: len(records) == 3)
        face_id = await enrol(world, clip.KNOWN)
        world.cameras.video.put_nowait(three_scenes)
        await world.until(lambda: len(records) == 6)
        await world("DeleteFaces", CollectionId="people", FaceIds=[face_id])
        world.cameras.video.put_nowait(three_scenes)
        await world.until(lambda: len(records) == 9)
        first = [people(records[at : at + 1])[0] for at in (0, 3, 6)]
        assert first == [[None], [clip.KNOWN], [None]]

    live(story)


def test_nothing_arrives_after_stop(live: Live, three_scenes: bytes) -> None:
    """Video that still waits is left; the camera has its place for a viewer back."""

    async def story(world: World) -> None:
        records = await running(world)
        world.kinesis.throttled = 1_000_000  # the first record cannot be put yet
        world.cameras.video.put_nowait(three_scenes)
        await world.until(lambda: world.kinesis.throttled < 1_000_000)
        await world("StopStreamProcessor", Name="door")
        await world.settled("STOPPED")
        world.kinesis.throttled = 0
        world.cameras.video.put_nowait(three_scenes)
        assert workers() == set()
        assert world.cameras.followers == 0
        assert records == []

    live(story)


def test_a_connection_that_ends_is_opened_again(live: Live, three_scenes: bytes) -> None:
    """GetMedia ends after 45 minutes, or with a quiet camera; the processor goes on."""

    async def story(world: World) -> None:
        records = await running(world)
        world.cameras.video.put_nowait(three_scenes)
        world.cameras.video.put_nowait(None)
        world.cameras.video.put_nowait(three_scenes)
        await world.until(lambda: len(records) == 6)
        assert await world.status() == "RUNNING"

    live(story)


def test_a_worker_that_dies_is_replaced(live: Live, three_scenes: bytes) -> None:
    """What it held is lost; what comes then is analysed by the next one."""

    async def story(world: World) -> None:
        records = await running(world)
        world.cameras.video.put_nowait(three_scenes)
        await world.until(lambda: len(records) == 3)
        (worker,) = workers()
        os.kill(worker, signal.SIGKILL)
        await world.until(lambda: world.cameras.followed == 2)
        world.cameras.video.put_nowait(three_scenes)
        await world.until(lambda: len(records) == 6)
        assert await world.status() == "RUNNING"
        assert workers() != {worker}

    live(story)


def test_a_third_death_in_a_row_fails_the_processor(live: Live) -> None:
    """Video that kills every worker ends as FAILED, "Internal error", with none left running."""

    async def story(world: World) -> None:
        await running(world)
        for number in (1, 2, 3):
            await world.until(lambda number=number: world.cameras.followed == number)
            world.cameras.video.put_nowait(b"\x00" * 100)  # no Matroska: the worker gives up
        described = await world.settled("FAILED")
        assert described["StatusMessage"] == "Internal error"
        assert workers() == set()

    live(story)


def test_results_that_vanish_are_noticed_at_the_next_record(
    live: Live, three_scenes: bytes
) -> None:
    """FAILED, with the guide's words."""

    async def story(world: World) -> None:
        records = await running(world)
        world.kinesis.streams.clear()
        world.cameras.video.put_nowait(three_scenes)
        described = await world.settled("FAILED")
        assert described["StatusMessage"].endswith("under account 000000000000 not found")
        assert records == []

    live(story)


@pytest.mark.parametrize("state", ["STARTING", "RUNNING", "STOPPING"])
def test_the_server_leaves_no_worker(live: Live, state: str) -> None:
    """Whenever it ends, its workers end with it."""

    async def story(world: World) -> None:
        await world.create()
        await world("StartStreamProcessor", Name="door")
        if state != "STARTING":
            await world.settled("RUNNING")
        if state == "STOPPING":
            await world("StopStreamProcessor", Name="door")

    live(story)
    assert workers() == set()
