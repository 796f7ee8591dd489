"""From a frame to its record, and to the event that a subscriber receives: in real plays.

Promise, local engine: to the record in 1 s or less in the median (the managed service takes 3.8 s),
to the event in 2.5 s or less. A video is played in real time into a camera of a local cloud, through
every real part: fragments, processor, faces, results, deployed function, bus, queue. A frame's time
is its producer's: the moment at which the player was to send it. A record's is its arrival in
results; an event's, when a subscriber that waits on its queue has received it. The event is a
sighting's start: so everybody in the video is enrolled, and each play is into a new camera. Player,
engine, functions and subscriber share this machine; a first play meets functions that are cold.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks import pipeline, report, videos
from benchmarks.pipeline import Heard
from benchmarks.report import Table, say
from benchmarks.videos import Video

PLAYS: Final = 3
_COLUMNS: Final = ("played in real time", "plays", "samples", "median ms", "p95", "aim")


def measure() -> Iterator[Table]:
    with tempfile.TemporaryDirectory(prefix="streamctl-bench-") as folder:
        heard = {video.title: _played(video) for video in videos.every(Path(folder))}
    missing = [] if videos.BEZOS_VOGELS.exists() else [f"skipped: no {videos.BEZOS_VOGELS}"]
    to_record, to_event = [], []
    for title, plays in heard.items():
        to_record.append(_row(title, [each.frame_to_record() for each in plays], "<= 1000"))
        to_event.append(_row(title, [each.frame_to_event() for each in plays], "<= 2500"))
    yield Table("latency: from a frame to its record", _COLUMNS, to_record, missing)
    yield Table("latency: from a frame to its event at a subscriber", _COLUMNS, to_event, missing)


def _played(video: Video) -> list[Heard]:
    heard = []
    with pipeline.built(video.people) as cloud:
        for play in range(1, PLAYS + 1):
            say(f"latency: {video.title}: play {play} of {PLAYS}")
            heard.append(cloud.play(video.path, f"camera-{play}"))
    return heard


def _row(title: str, plays: list[list[float]], aim: str) -> tuple[str, ...]:
    samples = [seconds for play in plays for seconds in play]
    figures = report.milliseconds(samples, 0) if samples else ("none", "none")
    return title, str(len(plays)), str(len(samples)), *figures, aim
