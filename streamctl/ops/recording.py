"""Saving real records to a file, and feeding a file through the code that folds live ones.

A saved record is a line of JSON: its bytes as base64, when it arrived, its shard and its place
there. So whatever was wrong with a record is still in the file.
"""

from __future__ import annotations

import base64
import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import Any, BinaryIO, Final

from streamctl.aws import aggregates, kinesis
from streamctl.aws.kinesis import Record
from streamctl.aws.session import Aws
from streamctl.core import records, replaying
from streamctl.core.folding import Arrival
from streamctl.core.replaying import Told
from streamctl.core.watch import Watch
from streamctl.errors import RecordError
from streamctl.ops import inventory

LINE_AT_MOST: Final = 2 * 1024 * 1024
"""A record has 1 MiB at most (Kinesis Data Streams quotas), and base64 makes a third more of it."""

_LONGEST_PAUSE_S: Final = 3600.0


def save(
    aws: Aws, platform: str, camera: str, since: datetime | None, to: BinaryIO
) -> Iterator[int]:
    """Write what lies in a camera's results, from `since` on or all; how many so far, as they come.

    Ends when all is read that was there. Raises NotFound, NotAllowed, Throttled.
    """
    found = inventory.usable_camera(aws, platform, camera)
    saved = 0
    for record in kinesis.follow(aws, found.results, since, stop_when_idle=True):
        if record is not None:
            to.write(_line(record))
            saved += 1
            yield saved


def replay(
    source: BinaryIO, watch: Watch, speed: float | None, note: Callable[[str], None]
) -> Iterator[Told]:
    """What would be told of the records in a file, at so many times the speed of then; None is as
    fast as can be. What cannot be decoded is noted, with its line, and passed over.

    Raises RecordError for a file of something else.
    """
    arrivals = _arrivals(source, note)
    return replaying.replay(arrivals if speed is None else _paced(arrivals, speed), watch)


def _line(record: Record) -> bytes:
    plain = {
        "data": base64.b64encode(record.data).decode(),
        "arrived": record.arrived.isoformat(),
        "shard": record.shard,
        "sequence_number": record.sequence_number,
    }
    return json.dumps(plain).encode() + b"\n"


def _arrivals(source: BinaryIO, note: Callable[[str], None]) -> Iterator[Arrival]:
    number = good = bad = 0
    while line := source.readline(LINE_AT_MOST + 1):
        number += 1
        for each in _frames(*_read(line, number)):
            if isinstance(each, Arrival):
                good += 1
                yield each
            else:
                bad += 1
                note(f"line {number}: {each}")
    if bad and not good:
        raise RecordError(f"none of {bad} records could be decoded")
    if not good:
        note("the file holds no record")


def _frames(data: bytes, arrived: datetime) -> Iterator[Arrival | RecordError]:
    """What a saved record describes, which may be an aggregate, or what is wrong with it."""
    try:
        for each in aggregates.records(data):
            try:
                yield Arrival(records.parse(each, arrived), arrived)
            except RecordError as error:
                yield error
    except RecordError as error:
        yield error


def _read(line: bytes, number: int) -> tuple[bytes, datetime]:
    """A line's record, and when it arrived. Raises RecordError for no line of ours, or one that is
    cut because it is too long.
    """
    try:
        plain = _object(line)
        return _data(plain.get("data")), _arrived(plain.get("arrived"))
    except RecordError as error:
        raise RecordError(
            f"line {number} is no saved record: {error}",
            hint="streamctl record save --camera CAMERA FILE writes such a file",
        ) from error


def _object(line: bytes) -> dict[str, Any]:
    if not line.strip():
        raise RecordError("it is empty")
    if len(line) > LINE_AT_MOST:
        raise RecordError(f"it has more than {LINE_AT_MOST // 2**20} MiB")
    try:
        plain = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RecordError("it is not JSON") from error
    if not isinstance(plain, dict):
        raise RecordError("it is no JSON object")
    return plain


def _data(given: Any) -> bytes:
    try:
        return base64.b64decode(given, validate=True)
    except (TypeError, ValueError) as error:
        raise RecordError("its 'data' is no base64") from error


def _arrived(given: Any) -> datetime:
    with contextlib.suppress(TypeError, ValueError):
        arrived = datetime.fromisoformat(given)
        # Clocks reckon from it in both directions, so neither end of time can be meant.
        if MINYEAR < arrived.year < MAXYEAR:
            return arrived.astimezone(UTC)
    raise RecordError("its 'arrived' is no time like 2026-01-01T12:00:00+00:00")


def _paced(arrivals: Iterable[Arrival], speed: float) -> Iterator[Arrival]:
    """Each as long after the one before as it was then, divided by the speed."""
    before: datetime | None = None
    for arrival in arrivals:
        apart = arrival.at - before if before else timedelta(0)
        time.sleep(min(max(apart.total_seconds() / speed, 0.0), _LONGEST_PAUSE_S))
        before = arrival.at
        yield arrival
