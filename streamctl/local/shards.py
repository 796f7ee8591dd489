"""Mappings and shards as they stand in ministack: what mappings.py reads and moves.

Read in place, not by GetRecords: an idle mapping asks four times a second, and ministack keeps
an iterator for each answer.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from streamctl.local.batches import Batch, Record
from streamctl.local.engine_room import EngineRoom

_BEGINNING: Final = ""  # sorts before every sequence number


@dataclass(frozen=True, slots=True)
class Mapping:
    """An enabled mapping of a Kinesis stream. `settings` is ministack's own record, alive."""

    uuid: str
    account: str
    region: str
    settings: dict[str, Any]

    @property
    def stream_arn(self) -> str:
        return str(self.settings["EventSourceArn"])

    @property
    def on_failure(self) -> str:
        """The destination's ARN, or ""."""
        config = self.settings.get("DestinationConfig") or {}
        return str((config.get("OnFailure") or {}).get("Destination") or "")


class Shards:
    """ministack's event source mappings and Kinesis shards. Used from the workers' threads."""

    def __init__(self, engine: EngineRoom) -> None:
        self._mappings = engine.part("services.lambda_svc", "_esms")
        # Where ministack keeps its own poller's: it saves and forgets them with the mapping.
        self._positions = engine.part("services.lambda_svc", "_kinesis_positions")
        self._function = engine.part("services.lambda_svc", "_get_func_record_for_qualifier")
        self._filtered = engine.part("services.lambda_svc", "_apply_filter_criteria")
        self._streams = engine.part("services.kinesis", "_streams")
        self._base64 = engine.part("services.kinesis", "_ensure_base64")
        self._in_scope = engine.part("core.responses", "request_scope")

    def mappings(self) -> list[Mapping]:
        """Those that are enabled and read a Kinesis stream, in every account and region.

        One that is just being made is left out until it is settled where it begins.
        """
        found = [
            Mapping(settings["UUID"], account, region, settings)
            for (account, region, _), settings in list(self._mappings.all_items())
            if is_kinesis(settings.get("EventSourceArn", "")) and _is_enabled(settings)
        ]
        return [mapping for mapping in found if self._is_anchored(mapping)]

    def is_live(self, mapping: Mapping) -> bool:
        """Whether the mapping still is there, and enabled."""
        stored = self._mappings.get_scoped(mapping.account, mapping.region, mapping.uuid)
        return stored is mapping.settings and _is_enabled(stored)

    def of(self, mapping: Mapping) -> list[str]:
        """The ids of the mapped stream's shards; none where there is no such stream now."""
        return list(self._shards(mapping.stream_arn))

    def after(self, mapping: Mapping, shard: str, limit: int) -> list[Record]:
        """The records behind the mapping's checkpoint."""
        stored = self._shards(mapping.stream_arn).get(shard, {}).get("records", [])
        position = self._positions_of(mapping).get(shard, _BEGINNING)
        at = bisect.bisect_right(stored, position, key=lambda record: record["SequenceNumber"])
        return [self._record(record) for record in stored[at : at + limit]]

    def advance(self, mapping: Mapping, shard: str, sequence: str) -> None:
        """Move the checkpoint behind a record; never back."""
        positions = self._positions_of(mapping)
        if sequence > positions.get(shard, _BEGINNING):
            positions[shard] = sequence

    def anchor(self, mapping: Mapping) -> None:
        """Set the checkpoint of a new mapping by its StartingPosition.

        Shards that come later, by resharding, are read from their beginning.
        """
        positions = {
            shard: _start(stored["records"], mapping.settings)
            for shard, stored in self._shards(mapping.stream_arn).items()
        }
        self._positions.set_scoped(mapping.account, mapping.region, mapping.uuid, positions)

    def events(self, mapping: Mapping, shard: str, batch: Batch) -> list[dict[str, Any]]:
        """The batch as the function gets it, without what a filter drops."""
        with self._in_scope(mapping.account, mapping.region):
            record, _ = self._function(
                mapping.settings["FunctionName"], mapping.settings.get("Qualifier")
            )
            role = ((record or {}).get("config") or {}).get("Role", "")
            events = [_event(mapping, shard, item, role) for item in batch.records]
            return list(self._filtered(events, mapping.settings))

    def _shards(self, stream_arn: str) -> dict[str, Any]:
        _, _, _, region, account, resource = stream_arn.split(":", 5)
        name = resource.partition("/")[2]
        stream = self._streams.get_scoped(account, region, name)
        return dict(stream["shards"]) if stream else {}

    def _is_anchored(self, mapping: Mapping) -> bool:
        stored = self._positions.get_scoped(mapping.account, mapping.region, mapping.uuid)
        return stored is not None

    def _positions_of(self, mapping: Mapping) -> dict[str, str]:
        """None are left of a mapping that was deleted while its batch was in the function."""
        found = self._positions.get_scoped(mapping.account, mapping.region, mapping.uuid)
        positions: dict[str, str] = {} if found is None else found
        return positions

    def _record(self, stored: dict[str, Any]) -> Record:
        return Record(
            sequence=stored["SequenceNumber"],
            partition_key=stored["PartitionKey"],
            data=self._base64(stored["Data"]),
            arrived=stored["ApproximateArrivalTimestamp"],
        )


def is_kinesis(arn: object) -> bool:
    """Whether an event source is a Kinesis data stream."""
    return isinstance(arn, str) and arn.count(":") >= 5 and arn.split(":")[2] == "kinesis"


def _is_enabled(settings: dict[str, Any]) -> bool:
    return str(settings.get("Enabled", True)).lower() == "true"


def _start(records: Iterable[dict[str, Any]], settings: dict[str, Any]) -> str:
    """The sequence number behind which a mapping begins to read."""
    match settings.get("StartingPosition"):
        case "LATEST":
            before = list(records)
        case "AT_TIMESTAMP":
            since = float(settings["StartingPositionTimestamp"])
            before = [r for r in records if r["ApproximateArrivalTimestamp"] < since]
        case _:
            before = []
    return str(before[-1]["SequenceNumber"]) if before else _BEGINNING


def _event(mapping: Mapping, shard: str, record: Record, role: str) -> dict[str, Any]:
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record.partition_key,
            "sequenceNumber": record.sequence,
            "data": record.data,
            "approximateArrivalTimestamp": record.arrived,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard}:{record.sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": role,
        "awsRegion": mapping.region,
        "eventSourceARN": mapping.stream_arn,
    }
