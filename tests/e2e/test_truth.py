"""Clips of people whom we placed there ourselves: the stories told are what happened in them."""

from __future__ import annotations

import random
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from streamctl.local.launch import LocalCloud
from streamctl.media import clip
from tests.e2e.pipeline import COMMAND, Pipeline

EILEEN, GRACE = clip.KNOWN, clip.UNKNOWN
WITHIN_S = 2.0

WATCH = """
[sighting]
gap = "4s"
lateness = "3s"

[[rule]]
attention = "alert"
person = "?"
"""


@dataclass(frozen=True)
class Clip:
    """What is played to a camera, whom its collection knows, and who is there from when to when."""

    scenes: tuple[clip.Scene, ...]
    knows: str
    truth: tuple[tuple[str | None, float, float], ...]
    dropped: frozenset[int] = frozenset()


CLIPS = {
    "both": Clip(
        (((EILEEN, GRACE), 5), ((), 2)),
        "everybody",
        ((EILEEN, 0, 5), (GRACE, 0, 5)),
    ),
    "returns": Clip(
        (((EILEEN,), 4), ((), 7), ((EILEEN,), 4), ((), 1)),
        "everybody",
        ((EILEEN, 0, 4), (EILEEN, 11, 15)),
    ),
    "stranger": Clip(
        (((EILEEN,), 3), ((EILEEN, GRACE), 4), ((), 1)),
        "eileen-alone",
        ((EILEEN, 0, 7), (None, 3, 7)),
    ),
    "drops": Clip(
        (((), 2), ((GRACE,), 8), ((), 1)),
        "everybody",
        ((GRACE, 2, 10),),
        frozenset({*range(60, 90), *random.Random(1).sample(range(90, 160), 30)}),
    ),
}


@pytest.fixture
def pipeline(tmp_path):
    """A camera for each clip, and a collection that knows both people, or one."""
    cloud = LocalCloud.start(port=0)
    try:
        made = Pipeline(cloud, tmp_path)
        made.build("5s")
        _enrol(made, "everybody", EILEEN, GRACE)
        _enrol(made, "eileen-alone", EILEEN)
        rules = made.folder / "watch.toml"
        rules.write_text(WATCH)
        made.run("watch", "apply", rules)
        for name, shown in CLIPS.items():
            made.run("camera", "create", name)
            order = ("--camera", name, "--collection", shown.knows, "--idle-after", "5s")
            made.run("processor", "create", *order)
            clip.render(made.folder / f"{name}.mkv", shown.scenes, shown.dropped)
        yield made
        assert made.misfits() == []
    finally:
        cloud.stop()


def _enrol(pipeline: Pipeline, collection: str, *people: str) -> None:
    pipeline.run("collection", "create", collection)
    for person in people:
        still = pipeline.folder / f"{person}.jpg"
        still.write_bytes(clip.portrait(person))
        pipeline.run("face", "enrol", "--collection", collection, still)


@pytest.mark.minutes
@pytest.mark.timeout(400)
def test_the_stories_are_what_happened(pipeline):
    """Who, from when to when, in seconds of each clip: nobody else, and nobody twice.

    One test for all clips, which are played at once: a cloud for each would take minutes.
    """
    told = _told(pipeline)
    for name, shown in CLIPS.items():
        began = _first_frame(pipeline, name)
        stories = sorted(
            (_story(each, began) for each in _of(told, name, "Sighting Ended")),
            key=lambda each: (each[1] // WITHIN_S, str(each[0])),
        )
        assert [who for who, _, _ in stories] == [who for who, _, _ in shown.truth], name
        for (_, start, end), (_, began_s, ended_s) in zip(stories, shown.truth, strict=True):
            assert abs(start - began_s) <= WITHIN_S, (name, stories)
            assert abs(end - ended_s) <= WITHIN_S, (name, stories)
    begun = {each["detail"]["sighting"] for each in told if _is(each, "Sighting Started")}
    ended = {each["detail"]["sighting"] for each in told if _is(each, "Sighting Ended")}
    assert begun == ended
    of_strangers = _of(told, "stranger", "Sighting Ended")
    (stranger,) = [each for each in of_strangers if each["person"] is None]
    assert (stranger["at_once"], stranger["attention"]) == (1, "alert")


def _told(pipeline: Pipeline) -> list[dict[str, Any]]:
    """All clips, played at once in real time, and what was told until all processors were gone."""
    for name in CLIPS:
        pipeline.run("processor", "start", name)
    for name in CLIPS:
        pipeline.run("processor", "wait", name, "--for", "running", "--timeout", "60s")
    playing = [
        subprocess.Popen(
            [*COMMAND, "camera", "push", name, str(pipeline.folder / f"{name}.mkv")],
            env=pipeline.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for name in CLIPS
    ]
    for each in playing:
        assert each.wait(90) == 0
    pipeline.wait_for(
        lambda: len(pipeline.told("Processor Torn Down")) == len(CLIPS), 180, "all torn down"
    )
    return pipeline.heard()


def _story(detail: dict[str, Any], began: float) -> tuple[str | None, float, float]:
    started, ended = _time(detail["started"]["time"]), _time(detail["ended"]["time"])
    return detail["person"], started - began, ended - began


def _of(told: list[dict[str, Any]], camera: str, kind: str) -> list[dict[str, Any]]:
    return [
        each["detail"]
        for each in told
        if _is(each, kind) and f":stream/{camera}/" in each["detail"]["camera"]
    ]


def _is(event: dict[str, Any], kind: str) -> bool:
    return bool(event["detail-type"] == kind)


def _first_frame(pipeline: Pipeline, camera: str) -> float:
    """When the camera received the clip's first frame, by the service's own clock."""
    videos = pipeline.client("kinesisvideo")
    where = videos.get_data_endpoint(StreamName=camera, APIName="LIST_FRAGMENTS")["DataEndpoint"]
    archive = pipeline.client("kinesis-video-archived-media", endpoint_url=where)
    always = {"StartTimestamp": 0, "EndTimestamp": time.time()}
    selector = {"FragmentSelectorType": "SERVER_TIMESTAMP", "TimestampRange": always}
    found = archive.list_fragments(StreamName=camera, FragmentSelector=selector)["Fragments"]
    return float(min(each["ServerTimestamp"].timestamp() for each in found))


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
