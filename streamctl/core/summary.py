"""What a run of the pipeline came to, from what was sent, recorded and told."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from streamctl.core import events
from streamctl.core.folding import Arrival


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds; None where nothing was measured."""

    median: int | None
    p95: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """An event as a subscriber received it, and when."""

    kind: str
    detail: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """A sighting, in seconds of the played file. `best_similarity` is 0-100."""

    person: str
    started_s: float
    ended_s: float
    frames: int
    best_similarity: float


def latency(lengths: Iterable[timedelta]) -> Latency:
    """Median and 95th percentile (the smallest value that 95 % do not exceed)."""
    ordered = sorted(round(length / timedelta(milliseconds=1)) for length in lengths)
    return Latency(_at(ordered, 0.5), _at(ordered, 0.95))


def frame_to_record(arrivals: Iterable[Arrival]) -> Latency:
    """From a frame, by the producer's clock, to the arrival of its record in results."""
    return latency(each.at - each.frame.produced for each in arrivals)


def frame_to_event(told: Iterable[Told]) -> Latency:
    """From a sighting's first frame, by the producer's clock, to the subscriber's receiving it."""
    return latency(
        each.at - datetime.fromisoformat(each.detail["producer_time"])
        for each in told
        if each.kind == events.SIGHTING_STARTED
    )


def unknown_frames(arrivals: Iterable[Arrival]) -> int:
    """Frames with a face that matched nobody."""
    return sum(each.frame.shows_strangers for each in arrivals)


def sightings(told: Iterable[Told], began: datetime, first_s: float) -> list[Seen]:
    """Every sighting that ended, once, in the order of their starts.

    `began` is the producer's time of the first frame played, `first_s` that frame's time in the
    file.
    """
    ended = {
        each.detail["id"]: each.detail
        for each in told
        if each.kind == events.SIGHTING_ENDED and "merged_into" not in each.detail
    }
    found = [
        Seen(
            person=detail["person"],
            started_s=_file_time(detail["started"], began, first_s),
            ended_s=_file_time(detail["ended"], began, first_s),
            frames=detail["frames"],
            best_similarity=round(detail["best"]["similarity"], 2),
        )
        for detail in ended.values()
    ]
    return sorted(found, key=lambda seen: (seen.started_s, seen.person))


def _file_time(frame: Mapping[str, Any], began: datetime, first_s: float) -> float:
    played = datetime.fromisoformat(frame["producer_time"]) - began
    return round(first_s + played.total_seconds(), 3)


def _at(ordered: Sequence[int], share: float) -> int | None:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None
