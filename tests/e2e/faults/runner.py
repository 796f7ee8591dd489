"""Play rows of the fault matrix, and judge what they leave: the same measures for all."""

from __future__ import annotations

import json
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.faults.accounts import Account, account
from tests.e2e.faults.row import Row
from tests.e2e.faults.stage import IDLE_S, Stage, stage

SWEPT_S = 220.0  # an open sighting may wait for 90 s, a clock is lost 60 s later, then one sweep


@dataclass(frozen=True)
class Verdict:
    """What came of one row. `beyond_s` is from the last video to gone, less the idle time."""

    fault: str
    why: str
    matches: int
    lost: int
    leaked: int
    killed: int
    beyond_s: float | None
    took_s: float

    @property
    def survived(self) -> bool:
        return not (self.why or self.lost or self.leaked or self.killed)


def judge(row: Row, folder: Path, patience_s: float = SWEPT_S) -> Verdict:
    """Play one row in a local cloud of its own. Whatever goes wrong is in the verdict.

    `patience_s`: how long the platform may take to see to what is left over.
    """
    began = time.monotonic()
    why, on = "", None
    beyond, leaked, killed, found = None, 0, 0, Account(0, 0, ())
    try:
        with stage(folder, **row.options) as on:
            try:
                row.script(on)
            except Exception as error:  # noqa: BLE001 - a row that fails is a result too
                why = f"{type(error).__name__}: {error}"[:300]
                traceback.print_exc()
            left, killed = _left(on, patience_s), len(on.watch.killed)
            leaked, beyond = len(left), _beyond(on)
            found = _settled(on, patience_s)
            why = why or _unused(on) or _misfits(on)
            why = why or "; ".join((*found.wrong, *left, *on.watch.killed.values()))
    except Exception as error:  # noqa: BLE001 - nor must a cloud that will not start end the run
        why = why or f"{type(error).__name__}: {error}"[:300]
        traceback.print_exc()
    took = time.monotonic() - began
    return Verdict(row.name, why, found.matches, found.lost, leaked, killed, beyond, took)


def _unused(on: Stage) -> str:
    """A fault that never came to act proves nothing."""
    left = [fault for fault in on.cloud.faults() if fault["times"]]
    return f"never acted: {left}" if left else ""


def _misfits(on: Stage) -> str:
    """Whatever happens, nothing is told that the schemas do not allow."""
    found = on.misfits()
    return f"does not fit its schema: {found[0]}" if found else ""


def _settled(on: Stage, patience_s: float) -> Account:
    """The account once every sighting has ended, or as it is when that takes too long."""
    deadline = time.monotonic() + patience_s
    while True:
        found = account(_records(on), on.told("Sighting Ended"))
        if not (found.lost or found.wrong) or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def _records(on: Stage) -> list[dict[str, Any]]:
    """What lies in results and is JSON, with what the row put there itself or saw before."""
    kinesis = on.client("kinesis")
    found = list(on.played)
    for name in kinesis.list_streams()["StreamNames"]:
        for shard in kinesis.list_shards(StreamName=name)["Shards"]:
            found += _shard(kinesis, name, shard["ShardId"])
    return found


def _shard(kinesis: Any, name: str, shard: str) -> list[dict[str, Any]]:
    where = kinesis.get_shard_iterator(
        StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    found = []
    while where:
        answer = kinesis.get_records(ShardIterator=where, Limit=1000)
        found += [record for each in answer["Records"] for record in _json(each["Data"])]
        where = answer["NextShardIterator"] if answer["Records"] else None
    return found


def _json(data: bytes) -> list[dict[str, Any]]:
    try:
        record = json.loads(data)
    except ValueError:
        return []
    return [record] if isinstance(record, dict) else []


def _beyond(on: Stage) -> float | None:
    """The longest of all processors, from the end of its camera's video, less the idle time."""
    found = []
    for name, gone in dict(on.watch.gone_at).items():
        ended = on.video_ended(name)
        if ended is not None:
            found.append(gone - ended - IDLE_S)
    return max(found, default=None)


def _left(on: Stage, patience_s: float) -> list[str]:
    """What is left over once the platform has had that time to see to it."""
    deadline = time.monotonic() + patience_s
    while (left := _leaked(on)) and time.monotonic() < deadline:
        time.sleep(1)
    return left


def _leaked(on: Stage) -> list[str]:
    """What is there and should not be: a processor that nobody may keep, or a run still open."""
    found = on.client("rekognition").list_stream_processors()["StreamProcessors"]
    names = [each["Name"] for each in found if each["Name"] not in on.spared]
    items = on.client("dynamodb").scan(TableName=on.table())["Items"]
    return names + [item["key"]["S"] for item in items if "open" in item]
