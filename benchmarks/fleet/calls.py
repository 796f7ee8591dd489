"""What a request of the core takes when it is asked of AWS: calls, their time, limits and retries.

SimulatedAws answers a request at once. Here is what lies between: each call takes its time, may be
throttled by the rates that the service publishes (General Reference, Rekognition quotas), may fail
in a time of trouble, and is tried again as the SDK does it (aws/session.py: standard mode, four
attempts; Stop once). The times are assumed: what such calls take within a region, warm.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.fleet.troubles import REKOGNITION, TABLE, Troubles
from benchmarks.simulated_aws import Bucket, Limits, SimulatedAws
from streamctl.core import asking
from streamctl.errors import StreamctlError, Throttled, Unreachable

NO_LIMITS: Final = Limits(*[1e9] * 5)
"""For SimulatedAws: the limits are kept here, where a call can be tried again."""

VIDEO_PER_S: Final = 300.0
"""DescribeStream and GetDataEndpoint, by account (Kinesis Video quotas)."""


@dataclass(frozen=True, slots=True)
class Call:
    """`limit` names the rate that it counts against; empty where the rate is out of reach."""

    service: str
    seconds: float
    limit: str = ""
    attempts: int = 4


_SAVE: Final = Call(TABLE, 0.008)
_DESCRIBE: Final = Call(REKOGNITION, 0.06, "describe")
_PROCESSORS_A_PAGE: Final = 1000
_OPEN_A_PAGE: Final = 4000

_CALLS: Final[dict[type[asking.Request[Any]], tuple[Call, ...]]] = {
    asking.Load: (Call(TABLE, 0.007),),
    asking.Save: (_SAVE,),
    asking.CloseSightings: (_SAVE,),
    asking.TakeTurn: (_SAVE,),
    asking.Describe: (_DESCRIBE,),
    asking.DescribeTagged: (_DESCRIBE, Call(REKOGNITION, 0.05, "tags")),
    asking.RecentVideo: (Call("video", 0.03, "video"), Call("video", 0.05)),
    asking.NewestArrival: (Call("results", 0.03), Call("results", 0.03)),
    asking.Publish: (Call("bus", 0.015),),
    asking.Send: (Call("queue", 0.010),),
    asking.Stop: (Call(REKOGNITION, 0.08, "stop", attempts=1),),
    asking.Delete: (Call(REKOGNITION, 0.08, "delete"),),
}
_LIST_OPEN: Final = Call(TABLE, 0.06)
_LIST_PROCESSORS: Final = Call(REKOGNITION, 0.15, "list")


class Calls:
    def __init__(self, aws: SimulatedAws, troubles: Troubles, dice: random.Random) -> None:
        self._aws, self._troubles, self._dice = aws, troubles, dice
        self._buckets = {**Limits().buckets(), "video": Bucket(VIDEO_PER_S)}
        self.tried: Counter[str] = Counter()
        """How often each limited call was made; `throttled`: and how often in vain."""
        self.throttled: Counter[str] = Counter()

    def of(self, request: asking.Request[Any]) -> tuple[Call, ...]:
        """The calls that a request takes, one after the other."""
        match request:
            case asking.Wait(seconds):
                return (Call("", seconds),)
            case asking.ListProcessors():
                return (_LIST_PROCESSORS,) * _pages(len(self._aws.processors), _PROCESSORS_A_PAGE)
            case asking.ListOpen():
                return (_LIST_OPEN,) * _pages(len(self._aws.runs), _OPEN_A_PAGE)
            case _:
                return _CALLS[type(request)]

    def seconds(self, call: Call) -> float:
        """How long this call takes, this time. To wait takes as long as it takes."""
        return call.seconds * self._dice.uniform(0.7, 1.5) if call.service else call.seconds

    def refusal(self, call: Call) -> StreamctlError | None:
        """Why this call is refused, if it is."""
        if call.limit:
            self.tried[call.limit] += 1
            if not self._buckets[call.limit].take(self._aws.timeline.now):
                self.throttled[call.limit] += 1
                return Throttled(call.limit)
        share = self._troubles.share(call.service)
        if share and self._dice.random() < share:
            return self._dice.choice([Throttled, Unreachable])("in a time of trouble")
        return None

    def pause(self, attempt: int) -> float:
        """Seconds before the next attempt after this one, the first being 0 (standard mode)."""
        return self._dice.random() * 2.0**attempt


def _pages(items: int, size: int) -> int:
    return max(1, math.ceil(items / size))
