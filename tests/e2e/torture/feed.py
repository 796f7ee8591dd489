"""Putting records as fast as they are handled.

No more than so many frames are on their way at once: so no shard is further behind another than the
lateness allows, as it is where frames come once a second. While one shard stands still the others go
on, until all that may be on its way lies in that one: so much is a part of what was put meanwhile.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.torture.scenario import Scenario, Sent, Who

_PUT_AT_ONCE = 500
_LOOK_S = 0.1
_STUCK_S = 120.0
_VOTE_S = 5.0
_PART = 5  # each of four shards has a fourth of what is put, by chance no less than a fifth

Visit = tuple[int, Who]


@dataclass
class Feed:
    """What was put so far, and when. `certain` is when a visit could be told of at the earliest:
    when two frames of it that are close together had been put.
    """

    scenario: Scenario
    kinesis: Any
    results: str
    dynamodb: Any
    table: str
    put: int = 0
    distinct: int = 0
    poison: list[bytes] = field(default_factory=list)
    certain: dict[Visit, float] = field(default_factory=dict)
    _shown: dict[Visit, list[int]] = field(default_factory=lambda: defaultdict(list))

    def run(self) -> Iterator[int]:
        """Put everything, saying now and then how many records were put; wait until it is folded."""
        on_the_way = self.scenario.cameras * self.scenario.measures.skew_s // _PART
        for piece in _pieces(self.scenario.sent(), min(_PUT_AT_ONCE, on_the_way // 2)):
            self._wait_folded(self.distinct + len(piece) - on_the_way)
            self._put(piece)
            yield self.put
        self._wait_folded(self.distinct)

    def close(self) -> None:
        """A frame without anybody from each camera, so much later that whoever was seen has gone."""
        scenario = self.scenario
        last = scenario.seconds + scenario.measures.gap_s + scenario.measures.lateness_s + 5
        cameras = range(scenario.cameras)
        self._put([Sent(scenario.empty(each, last), (each, last)) for each in cameras])
        self._wait_folded(self.distinct)

    def _put(self, piece: Sequence[Sent]) -> None:
        entries = [{"Data": each.data, "PartitionKey": str(uuid.uuid4())} for each in piece]
        answer = self.kinesis.put_records(StreamName=self.results, Records=entries)
        assert answer["FailedRecordCount"] == 0
        now = time.time()
        self.put += len(piece)
        for each in piece:
            if each.frame is None:
                self.poison.append(each.data)
            elif not each.is_repeat:
                self.distinct += 1
                self._show(*each.frame, now)

    def _show(self, camera: int, second: int, now: float) -> None:
        for visit in self.scenario.seen[camera].get(second, {}).values():
            shown = self._shown[camera, visit]
            if any(abs(second - each) <= _VOTE_S for each in shown):
                self.certain.setdefault((camera, visit), now)
            shown.append(second)

    def _wait_folded(self, wanted: int) -> None:
        deadline = time.monotonic() + _STUCK_S
        while (folded := self.folded()) < wanted:
            assert time.monotonic() < deadline, f"{folded} frames folded, {wanted} waited for"
            time.sleep(_LOOK_S)

    def folded(self) -> int:
        """How many distinct frames the cameras' stories hold."""
        cameras = range(self.scenario.cameras)
        keys = [{"key": {"S": f"story#{self.scenario.arn(each)}"}} for each in cameras]
        asked = {self.table: {"Keys": keys, "ConsistentRead": True}}
        found = self.dynamodb.batch_get_item(RequestItems=asked)["Responses"][self.table]
        return sum(json.loads(item["doc"]["S"]).get("frames", 0) for item in found)


def _pieces(all_of_them: Iterator[Sent], size: int) -> Iterator[list[Sent]]:
    piece: list[Sent] = []
    for each in all_of_them:
        piece.append(each)
        if len(piece) == size:
            yield piece
            piece = []
    if piece:
        yield piece
