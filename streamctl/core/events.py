"""What is said on the event bus, and how it is identified.

An event's id is made from what it is about, so the same thing said twice has the same id: delivery
is at least once, and consumers tell repeats apart by it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

SOURCE: Final = "streamctl"
SCHEMA: Final = "1"

SIGHTING_STARTED: Final = "Sighting Started"
SIGHTING_UPDATED: Final = "Sighting Updated"
SIGHTING_ENDED: Final = "Sighting Ended"
PROCESSOR_STARTED: Final = "Processor Started"
PROCESSOR_ENDED: Final = "Processor Ended"
PROCESSOR_FAILED: Final = "Processor Failed"
PROCESSOR_TORN_DOWN: Final = "Processor Torn Down"

KINDS: Final = (
    SIGHTING_STARTED,
    SIGHTING_UPDATED,
    SIGHTING_ENDED,
    PROCESSOR_STARTED,
    PROCESSOR_FAILED,
    PROCESSOR_ENDED,
    PROCESSOR_TORN_DOWN,
)
"""Every kind there is; on the bus a kind is the detail type."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: `detail` is plain JSON and holds `schema` and `id` among its members."""

    type: str
    detail: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.detail["id"])


def event(kind: str, about: str, detail: Mapping[str, Any]) -> Event:
    """An event of a kind about one thing: both make its id, so it is the same each time."""
    return Event(kind, {"schema": SCHEMA, "id": f"{about}/{slug(kind)}", **detail})


def identity(*parts: str) -> str:
    """A short name made from the parts: 16 hexadecimal digits of their SHA-256."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def iso(time: datetime) -> str:
    """A time, in UTC, as it stands in an event: ISO 8601, to the millisecond."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def slug(kind: str) -> str:
    """A kind as it stands in ids and in the names of files: `sighting-started`."""
    return kind.lower().replace(" ", "-")
