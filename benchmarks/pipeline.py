"""The whole pipeline in a local cloud, played to again and again, for what takes samples of it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from streamctl.aws import bus, kinesis, queues
from streamctl.aws.queues import Queue
from streamctl.aws.session import Aws
from streamctl.core import events, records
from streamctl.core.folding import Arrival
from streamctl.core.summary import Told
from streamctl.local.launch import LocalCloud
from streamctl.ops import cameras, collections, faces, platform, processors, push, waiting
from streamctl.ops.faces import Still
from streamctl.ops.waiting import Goal

_PLATFORM: Final = "bench"
_COLLECTION: Final = "people"
_RUNNING_WITHIN: Final = timedelta(minutes=1)
_EVENTS_WITHIN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A platform, a collection with people in it, and a subscriber's queue."""

    aws: Aws
    queue: Queue
    people: Mapping[str, Path]
    """Everybody who is enrolled, and who is expected to be seen: name and portrait."""

    def play(self, video: Path, camera: str) -> Heard:
        """Play a video in real time into a new camera with a new processor; what came of it."""
        made, _ = cameras.create(self.aws, _PLATFORM, cameras.Order(camera), _quietly)
        order = processors.Order(camera, camera, _COLLECTION)
        processors.create(self.aws, _PLATFORM, order, _quietly)
        processors.start(self.aws, _PLATFORM, camera)
        waiting.wait(self.aws, camera, Goal.RUNNING, _RUNNING_WITHIN, _quietly)
        told = self._subscribe_while_playing(video, made.arn)
        processors.stop(self.aws, camera, _quietly)
        return Heard(self._arrivals(made.results), told)

    def _subscribe_while_playing(self, video: Path, camera: str) -> list[Told]:
        # boto3's sessions are not to be shared between threads; an interrupt does not wait for it.
        to_play = (replace(self.aws), camera, video)
        player = threading.Thread(target=push.push, args=to_play, daemon=True)
        player.start()
        told: list[Told] = []
        while player.is_alive():
            told += self._receive()
        deadline = time.monotonic() + _EVENTS_WITHIN_S
        while len(_started(told)) < len(self.people) and time.monotonic() < deadline:
            told += self._receive()
        return told

    def _receive(self) -> Iterator[Told]:
        for event in queues.receive(self.aws, self.queue, 1):
            yield Told(event["detail-type"], event["detail"], datetime.now(UTC))

    def _arrivals(self, results: str) -> list[Arrival]:
        return [
            Arrival(records.parse(record.data), record.arrived)
            for record in kinesis.follow(self.aws, results, stop_when_idle=True)
            if record is not None
        ]


@dataclass(frozen=True, slots=True)
class Heard:
    """Every record of one play, and every event that the subscriber received meanwhile."""

    arrivals: list[Arrival]
    told: list[Told]

    def frame_to_record(self) -> list[float]:
        """Seconds from a frame, by the producer's clock, to the arrival of its record."""
        return [(each.at - each.frame.produced).total_seconds() for each in self.arrivals]

    def frame_to_event(self) -> list[float]:
        """Seconds from a sighting's first frame to its being received."""
        return [
            (each.at - datetime.fromisoformat(each.detail["producer_time"])).total_seconds()
            for each in _started(self.told)
        ]


@contextlib.contextmanager
def built(people: Mapping[str, Path]) -> Iterator[Pipeline]:
    """A pipeline in a local cloud of its own, gone at the end."""
    with LocalCloud.start(port=0) as cloud:
        aws = Aws(endpoint_url=cloud.endpoint_url)
        base, _ = platform.deploy(aws, _PLATFORM, _quietly)
        collections.create(aws, _COLLECTION)
        for person, portrait in people.items():
            faces.enrol(aws, _COLLECTION, Still(portrait, person))
        queue = queues.create(aws, "subscriber", base.outputs["BusArn"])
        bus.subscribe(aws, base.outputs["BusName"], "subscriber", queue.arn)
        yield Pipeline(aws, queue, people)


def _started(told: list[Told]) -> list[Told]:
    return [each for each in told if each.kind == events.SIGHTING_STARTED]


def _quietly(_text: str) -> None:
    """Progress that nobody watches."""
