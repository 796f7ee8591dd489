"""Ranges of time, and how requests and answers say times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from streamctl.local.kinesisvideo import refusals
from streamctl.local.kinesisvideo.storage import Fragment


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A range with both of its ends, by the producer's clock or the server's. Unix milliseconds."""

    by_producer: bool
    start_ms: int
    end_ms: int

    @classmethod
    def of(cls, kind: str, span: Mapping[str, Any]) -> TimeRange:
        """From a request's selector type, and what holds its StartTimestamp and EndTimestamp.

        Raises ServiceFault for a range that ends before it starts.
        """
        start_ms, end_ms = unix_ms(span["StartTimestamp"]), unix_ms(span["EndTimestamp"])
        if start_ms > end_ms:
            raise refusals.invalid("the StartTimestamp is after the EndTimestamp")
        return cls(kind == "PRODUCER_TIMESTAMP", start_ms, end_ms)

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms

    def begins_ms(self, fragment: Fragment) -> int:
        """When a fragment begins, by the range's clock."""
        return fragment.begins_ms(by_producer=self.by_producer)

    def selects(self, fragment: Fragment) -> bool:
        """Whether it begins in the range; how long it goes on does not count."""
        return self.start_ms <= self.begins_ms(fragment) <= self.end_ms


def moment(time_ms: int) -> datetime:
    """Unix milliseconds as the datetime that answers carry."""
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def unix_ms(moment: datetime) -> int:
    """A request's datetime as Unix milliseconds."""
    return round(moment.timestamp() * 1000)
