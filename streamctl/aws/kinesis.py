"""Results: the Kinesis data stream that a processor writes to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from streamctl.aws.refusals import translated
from streamctl.aws.session import Aws
from streamctl.errors import AskedWrongly

_POLL_S: Final = 0.25  # GetRecords: 5 calls a second and shard, shared by all readers
_PAGE: Final = 1000  # records; an answer may have 10 MiB
_ROUNDING: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it lies in results. `arrived` is the service's approximate arrival time."""

    data: bytes
    partition_key: str
    sequence_number: str
    arrived: datetime
    shard: str


def follow(
    aws: Aws, name: str, start: datetime | None = None, stop_when_idle: bool = False
) -> Iterator[Record | None]:
    """Records as they arrive, from `start` on or from the oldest; None where none came for a while.

    `stop_when_idle` ends at the end of what is there. Each shard's records come in order, shards
    have no common one, and shards that split are not followed. Raises NotFound, NotAllowed,
    Throttled.
    """
    shards = [_Shard(aws, name, shard, start) for shard in _shards(aws, name)]
    while shards:
        found = False
        for shard in shards:
            for record in shard.read():
                found = True
                yield record
        shards = [shard for shard in shards if not shard.is_over]
        if not found:
            if stop_when_idle and not any(shard.is_behind for shard in shards):
                return
            yield None
        time.sleep(_POLL_S)


def retention(aws: Aws, name: str) -> timedelta:
    """For how long records are kept. Raises NotFound."""
    with translated(f"describing results {name}"):
        found = aws.client("kinesis").describe_stream_summary(StreamName=name)
    return timedelta(hours=found["StreamDescriptionSummary"]["RetentionPeriodHours"])


def newest_arrival(aws: Aws, name: str, since: datetime) -> datetime | None:
    """When the newest record since `since`, or up to a second before, arrived; None where none did.

    Raises what `follow` raises.
    """
    newest = None
    for record in follow(aws, name, since - _ROUNDING, stop_when_idle=True):
        if record is not None:
            newest = max(newest or record.arrived, record.arrived)
    return newest


@dataclass(slots=True)
class _Shard:
    """How far one shard has been read, from `start` on or from its oldest record."""

    aws: Aws
    results: str
    id: str
    start: datetime | None
    is_behind: bool = True
    """The service holds more than it has given (MillisBehindLatest)."""
    is_over: bool = False
    """It is closed, and all of it was read."""
    _iterator: str = ""
    _last: str = ""
    """The sequence number of the last record that was read."""

    def read(self) -> list[Record]:
        """The next records, at most a page of them."""
        answer = self._answer()
        records = [_record(each, self.id) for each in answer["Records"]]
        if records:
            self._last = records[-1].sequence_number
        self._iterator = answer.get("NextShardIterator") or ""
        self.is_over = not self._iterator
        self.is_behind = bool(answer.get("MillisBehindLatest"))
        return records

    def _answer(self) -> dict[str, Any]:
        client = self.aws.client("kinesis")
        with translated(f"reading results {self.results}"):
            try:
                return self._records(self._iterator or self._opened())
            except client.exceptions.ExpiredIteratorException:
                # They live for five minutes, and whoever reads us may have paused for longer.
                return self._records(self._opened())

    def _records(self, iterator: str) -> dict[str, Any]:
        client = self.aws.client("kinesis")
        answer: dict[str, Any] = client.get_records(ShardIterator=iterator, Limit=_PAGE)
        return answer

    def _opened(self) -> str:
        """An iterator behind the last record that was read, or where the reading is to begin."""
        if self._last:
            after = {"StartingSequenceNumber": self._last}
            return self._iterator_at("AFTER_SEQUENCE_NUMBER", **after)
        if self.start is None:
            return self._iterator_at("TRIM_HORIZON")
        try:
            return self._iterator_at("AT_TIMESTAMP", Timestamp=self.start)
        except AskedWrongly:
            # By the service's clock `start` is yet to come, and it takes no such time (observed in
            # hazelcast's and Flink's connectors): what comes from now on is what was asked for.
            return self._iterator_at("LATEST")

    def _iterator_at(self, kind: str, **place: Any) -> str:
        wanted = {"StreamName": self.results, "ShardId": self.id, "ShardIteratorType": kind}
        with translated(f"reading results {self.results}"):
            answer = self.aws.client("kinesis").get_shard_iterator(**wanted, **place)
        return str(answer["ShardIterator"])


def _shards(aws: Aws, name: str) -> list[str]:
    pages = aws.client("kinesis").get_paginator("list_shards")
    with translated(f"listing the shards of results {name}"):
        return [
            shard["ShardId"] for page in pages.paginate(StreamName=name) for shard in page["Shards"]
        ]


def _record(record: dict[str, Any], shard: str) -> Record:
    return Record(
        data=record["Data"],
        partition_key=record["PartitionKey"],
        sequence_number=record["SequenceNumber"],
        arrived=record["ApproximateArrivalTimestamp"].astimezone(UTC),
        shard=shard,
    )
