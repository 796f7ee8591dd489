"""Whom cameras see, and in which order their records come: made up from a seed.

Every camera is analysed once a second. People come and go; somebody else shows only in blocks of
frames whose records come when their time is long over. Other records come a little late, some come
twice, and some are none.
"""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

ACCOUNT = "000000000000"
LATECOMER = "latecomer"
PEOPLE = ("ada", "bob", "cleo", "dan", "eve", "fay")
BLOCK = 8
"""Frames, one a second, in which nobody but the latecomer is seen."""
BLOCK_EVERY = 80
"""In the first half: so a twentieth of all frames are in blocks."""
APART = 61
"""Seconds for which who left stays away, at least: to be seen anew, however long the gap."""

Who = tuple[str, int]
"""A person, and the number of one visit of theirs."""


@dataclass(frozen=True)
class Measures:
    """What the platform is told, in seconds; `skew_s` is by how much shards may differ.

    More than the default lateness: at a hundred times the speed of cameras, a shard that waits for a
    second is minutes behind the others.
    """

    gap_s: int = 30
    lateness_s: int = 240
    skew_s: int = 200

    @property
    def within_s(self) -> int:
        """How late a record may be sent, and still be folded in time, whatever the shards do."""
        return self.lateness_s - self.skew_s - 1

    @property
    def beyond_s(self) -> int:
        """How late one is sent that is folded too late for sure."""
        return self.lateness_s + self.skew_s + 10


@dataclass(frozen=True)
class Sent:
    """One record on its way. `frame` is the camera's and the second's, None where it is poison."""

    data: bytes
    frame: tuple[int, int] | None
    is_repeat: bool = False


@dataclass
class Scenario:
    """So many records of so many cameras, the first frame at `began` (Unix)."""

    count: int
    cameras: int
    began: float
    measures: Measures
    seed: int = 1
    seconds: int = field(init=False)
    seen: list[dict[int, dict[str, Who]]] = field(init=False)
    """By camera and second: who is seen, and on which visit."""

    def __post_init__(self) -> None:
        self.seconds = int(self.count * 0.94) // self.cameras
        self.seen = [self._visits(camera) for camera in range(self.cameras)]

    def arn(self, camera: int) -> str:
        return f"arn:aws:kinesisvideo:us-east-1:{ACCOUNT}:stream/gate{camera}/1600000000000"

    def time(self, second: int) -> float:
        return self.began + second

    def is_block(self, second: int) -> bool:
        """Late blocks come in the first half, so that they are over when all is."""
        return BLOCK <= second % BLOCK_EVERY < 2 * BLOCK and second < self.seconds // 2

    def records(self) -> Iterator[dict[str, Any]]:
        """Every frame as its record says it, once."""
        for camera, second in itertools.product(range(self.cameras), range(self.seconds)):
            yield self.record(camera, second)

    def record(self, camera: int, second: int) -> dict[str, Any]:
        people = self.seen[camera].get(second, {})
        video = {
            "StreamArn": self.arn(camera),
            "FragmentNumber": f"{10**46 + second}",
            "ServerTimestamp": self.time(second),
            "ProducerTimestamp": self.time(second) - 0.25,
            "FrameOffsetInSeconds": 0.0,
        }
        faces = [
            _face(person, 90 + (second * 7 + number) % 10) for number, person in enumerate(people)
        ]
        return {
            "InputInformation": {"KinesisVideo": video},
            "StreamProcessorInformation": {"Status": "RUNNING"},
            "FaceSearchResponse": faces,
        }

    def empty(self, camera: int, second: int) -> bytes:
        """A frame without anybody, of any time."""
        return json.dumps({**self.record(camera, second), "FaceSearchResponse": []}).encode()

    def sent(self) -> Iterator[Sent]:
        """All records in the order in which they are put, with 5 % repeats and 1 % poison."""
        lots = Random(self.seed)
        waiting: dict[int, list[Sent]] = defaultdict(list)
        poison = itertools.count()
        for second in range(self.seconds + self.measures.beyond_s + 1):
            for camera in range(self.cameras if second < self.seconds else 0):
                sent = Sent(_written(self.record(camera, second)), (camera, second))
                waiting[second + self._late(lots, second)].append(sent)
                if lots.random() < 0.01 / 0.94:
                    waiting[second].append(Sent(_spoilt(lots, sent.data, next(poison)), None))
            due = waiting.pop(second, [])
            lots.shuffle(due)
            for each in due:
                yield each
                if each.frame and lots.random() < 0.05 / 0.94:
                    again = Sent(each.data, each.frame, is_repeat=True)
                    waiting[second + lots.randint(1, 5)].append(again)

    def _late(self, lots: Random, second: int) -> int:
        """By how many seconds a frame's record is late: each twentieth a little."""
        if self.is_block(second):
            return self.measures.beyond_s
        return lots.randint(1, self.measures.within_s) if lots.random() < 0.06 else 0

    def _visits(self, camera: int) -> dict[int, dict[str, Who]]:
        lots = Random(f"{self.seed}/{camera}")
        seen: dict[int, dict[str, Who]] = defaultdict(dict)
        for person in PEOPLE:
            second = lots.randrange(APART)
            for visit in itertools.count():
                if second + 1 >= self.seconds:  # nobody is told of by one frame alone
                    break
                length = lots.randint(2 * BLOCK, 5 * BLOCK)
                for each in range(second, min(second + length, self.seconds)):
                    if not self.is_block(each):
                        seen[each][person] = (person, visit)
                second += length + lots.randint(APART, 3 * APART)
        for second in filter(self.is_block, range(self.seconds)):
            seen[second] = {LATECOMER: (LATECOMER, second // BLOCK_EVERY)}
        return dict(seen)


def _face(person: str, similarity: float) -> dict[str, Any]:
    box = {"Height": 0.25, "Width": 0.125, "Left": 0.5, "Top": 0.25}
    match = {
        "Similarity": similarity,
        "Face": {"BoundingBox": box, "FaceId": f"id-{person}", "ExternalImageId": person},
    }
    detected = {"BoundingBox": box, "Confidence": 99.5}
    return {"DetectedFace": detected, "MatchedFaces": [match]}


def _spoilt(lots: Random, data: bytes, number: int) -> bytes:
    """A record that is none; no two are alike."""
    mark = b"%d" % number
    return lots.choice(
        (
            b"\x00\xff" + mark,
            data[: len(data) // 2] + mark,
            data.replace(b'"ServerTimestamp":', b'"ServerTimestamp":Infinity,"n%b":' % mark),
            b"[" * 2000 + mark,
            b'{"number":%b}' % mark,
        )
    )


def _written(record: dict[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode()
