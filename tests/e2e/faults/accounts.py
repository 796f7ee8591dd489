"""Whether every match that arrived in results is accounted for by the sightings that were told.

Reads records as JSON and knows nothing of our parser, which could make the same mistake twice.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

GAP_S = 30.0
CLOSE_S = 0.002  # events tell milliseconds

Who = tuple[str, str]
"""A camera's ARN and a person."""
Frames = dict[Who, dict[tuple[str, float], float]]


@dataclass(frozen=True)
class Account:
    """`lost` matches that no sighting tells of, and what else does not fit, in words."""

    matches: int
    lost: int
    wrong: tuple[str, ...]


def account(records: Iterable[Mapping[str, Any]], told: Iterable[Mapping[str, Any]]) -> Account:
    """Distinct matches, against the sightings that ended, once by their id."""
    frames = matched(records)
    ended = {each["id"]: each for each in told if "merged_into" not in each}.values()
    counted: dict[Who, int] = defaultdict(int)
    spans: dict[Who, list[tuple[float, float]]] = defaultdict(list)
    for detail in ended:
        who = detail["camera"], detail["person"]
        counted[who] += detail["frames"]
        spans[who].append((_time(detail["started"]["time"]), _time(detail["ended"]["time"])))
    lost = sum(max(0, len(seen) - counted[who]) for who, seen in frames.items())
    wrong = [
        f"{who[1]}: {count} frames told, {len(frames.get(who, {}))} matched"
        for who, count in counted.items()
        if count > len(frames.get(who, {}))
    ]
    for who, seen in frames.items():
        if not _same(intervals(seen.values()), sorted(spans[who])):
            wrong.append(f"{who[1]}: seen {intervals(seen.values())}, told {sorted(spans[who])}")
    return Account(sum(map(len, frames.values())), lost, tuple(wrong))


def matched(records: Iterable[Mapping[str, Any]]) -> Frames:
    """By camera and person: each frame that shows them, by fragment and offset; its time (Unix)."""
    found: Frames = defaultdict(dict)
    for record in records:
        video = record["InputInformation"]["KinesisVideo"]
        key = video["FragmentNumber"], video["FrameOffsetInSeconds"]
        for face in record["FaceSearchResponse"]:
            best = max(face["MatchedFaces"], key=lambda each: each["Similarity"], default=None)
            if best is not None:
                who = video["StreamArn"], best["Face"]["ExternalImageId"]
                found[who][key] = video["ServerTimestamp"] + video["FrameOffsetInSeconds"]
    return dict(found)


def intervals(times: Iterable[float]) -> list[tuple[float, float]]:
    """First and last time of each stretch in which no gap is longer than GAP_S."""
    ordered = sorted(times)
    cuts = [i for i, (a, b) in enumerate(itertools.pairwise(ordered), 1) if b - a > GAP_S]
    bounds = [0, *cuts, len(ordered)]
    return [(ordered[a], ordered[b - 1]) for a, b in itertools.pairwise(bounds) if b > a]


def _same(one: list[tuple[float, float]], other: list[tuple[float, float]]) -> bool:
    return len(one) == len(other) and all(
        abs(a - b) < CLOSE_S
        for left, right in zip(one, other, strict=True)
        for a, b in zip(left, right, strict=True)
    )


def _time(text: str) -> float:
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()
