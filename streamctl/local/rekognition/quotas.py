"""How often an operation may be called: a token bucket each, by account and region.

Source: General Reference, "Amazon Rekognition endpoints and quotas".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from streamctl.local.service import ServiceFault

STREAM_PROCESSORS: Final = 10_000
"""Stream processors that may exist in an account and region."""

_LARGE_REGIONS: Final = frozenset({"us-east-1", "us-west-2", "eu-west-1"})
_COLLECTION_CONTROL: Final = frozenset(
    {"CreateCollection", "DescribeCollection", "ListCollections", "DeleteCollection"}
)
_PER_SECOND: Final = {
    "CreateStreamProcessor": 20.0,
    "DescribeStreamProcessor": 20.0,
    "StartStreamProcessor": 20.0,
    "UpdateStreamProcessor": 20.0,
    "DeleteStreamProcessor": 20.0,
    "ListStreamProcessors": 5.0,
    "TagResource": 10.0,
    "UntagResource": 10.0,
    "ListTagsForResource": 10.0,
}
_UNKNOWN: Final = 50.0  # IndexFaces, ListFaces, DeleteFaces: not in the sheet; those of searching


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float


class Quotas:
    """Counts calls against their limits. `stop_interval_s` is the time between two Stops."""

    def __init__(self, stop_interval_s: float = 1.0) -> None:
        self._stop_interval_s = stop_interval_s
        self._buckets: dict[tuple[str, str, str], _Bucket] = {}

    def take(self, scope: tuple[str, str], operation: str, now: float) -> None:
        """Count one call at `now` (seconds, any steady clock).

        Raises the fault ThrottlingException when the limit is reached; that call is not counted.
        """
        rate = self._rate(operation, scope[1])
        if rate is None:
            return
        burst = max(1.0, rate)
        bucket = self._buckets.setdefault((*scope, operation), _Bucket(burst, now))
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.filled) * rate)
        bucket.filled = now
        if bucket.tokens < 1.0:
            raise ServiceFault("ThrottlingException", "Slow down; rate exceeded for this operation")
        bucket.tokens -= 1.0

    def _rate(self, operation: str, region: str) -> float | None:
        """Calls a second, or None for no limit."""
        if operation == "StopStreamProcessor":
            return 1.0 / self._stop_interval_s if self._stop_interval_s else None
        if operation in _COLLECTION_CONTROL:
            return 5.0
        large = region in _LARGE_REGIONS
        if operation == "DetectFaces":
            return 100.0 if large else 25.0
        if operation.startswith("SearchFaces"):
            return 50.0 if large else 5.0
        return _PER_SECOND.get(operation, _UNKNOWN)
