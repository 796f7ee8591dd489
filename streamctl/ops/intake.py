"""Take a batch of results in: decode, fold into sightings, publish what changed.

Order makes it safe: the story is saved with its events in an outbox, then they are published, then
the outbox is cleared. Killed anywhere in between, the same batch comes again: frames that were
folded change nothing, and what was perhaps not published is published again under the same ids.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from streamctl.aws import aggregates, queues, table
from streamctl.aws.session import Aws
from streamctl.core import folding, records
from streamctl.core.folding import Arrival, Story
from streamctl.core.runs import Run
from streamctl.core.watch import WATCH, Watch
from streamctl.errors import Lost, RecordError, Transient
from streamctl.ops import journal, stories
from streamctl.ops.setting import WATCH_KEY, Setting, run_key, story_key

POISON_BYTES: Final = 128 * 1024
_SINGLY_AT_MOST: Final = 100
"""Of more bad records in one aggregate the aggregate is reported, once: it may hold 10,000, and each
report is a call."""

_ATTEMPTS: Final = 10
"""At one story that others save meanwhile. Of four shards that write to the same stories at full
speed, each loses five times in a row in every sixteenth batch."""

_ASK_AGAIN_S: Final = 60.0

_asked: dict[str, float] = {}
"""Cameras whose unknown run was reported within the last _ASK_AGAIN_S, and when."""


@dataclass(frozen=True, slots=True)
class _Decoded:
    """What a batch holds. `first` is each camera's first record, by sequence number."""

    arrivals: defaultdict[str, list[Arrival]]
    first: dict[str, str]
    poison: list[tuple[Mapping[str, Any], bytes, str]]


def take(aws: Aws, setting: Setting, batch: Sequence[Mapping[str, Any]]) -> list[str]:
    """Handle a Lambda batch of Kinesis records.

    Returns the sequence number from which the batch must be delivered again, in a list, or an empty
    list. Only what may succeed later is asked for again: a record that cannot be decoded goes to
    the failure queue, and counts as handled.
    """
    decoded = _decode(batch)
    if not decoded.arrivals:
        _note(batch, decoded)
    failed: list[str] = []
    for record, data, why in decoded.poison:
        try:
            queues.send(aws, setting.failure_queue, _poison_message(record, data, why))
        except Transient as error:
            failed.append(_failed(record["kinesis"]["sequenceNumber"], error))
    for camera, arrivals in decoded.arrivals.items():
        try:
            run = _fold(aws, setting, camera, arrivals)
        except Transient as error:
            failed.append(_failed(decoded.first[camera], error, camera=camera))
        else:
            _note(batch, decoded, camera=camera, run=run)
    return [min(failed, key=int)] if failed else []


def _note(batch: Sequence[Mapping[str, Any]], decoded: _Decoded, **about: str) -> None:
    """One line for each camera that a batch is about: as a rule one, since results are a camera's
    own. `run` is empty where none is known.
    """
    journal.note(
        "batch",
        **about,
        results=batch[0]["eventSourceARN"],
        records=len(batch),
        undecodable=len(decoded.poison),
    )


def _decode(batch: Sequence[Mapping[str, Any]]) -> _Decoded:
    decoded = _Decoded(defaultdict(list), {}, [])
    for record in batch:
        data = b""
        try:
            data = binascii.a2b_base64(record["kinesis"]["data"], strict_mode=True)
            bad = _decode_all(decoded, record, aggregates.records(data))
        except (RecordError, binascii.Error) as error:
            bad = [(data, str(error))]
        if len(bad) > _SINGLY_AT_MOST:
            why = f"{len(bad)} records of the aggregate cannot be read; the first: {bad[0][1]}"
            bad = [(data, why)]
        for each, why in bad:
            decoded.poison.append((record, each, why))
    return decoded


def _decode_all(
    decoded: _Decoded, record: Mapping[str, Any], inside: Iterable[bytes]
) -> list[tuple[bytes, str]]:
    """Decode what one record holds; what of it cannot be, and why."""
    kinesis = record["kinesis"]
    bad: list[tuple[bytes, str]] = []
    arrived = datetime.fromtimestamp(kinesis["approximateArrivalTimestamp"], UTC)
    for data in inside:
        try:
            frame = records.parse(data, arrived)
        except RecordError as error:
            bad.append((data, str(error)))
            continue
        decoded.arrivals[frame.camera].append(Arrival(frame, arrived))
        decoded.first.setdefault(frame.camera, kinesis["sequenceNumber"])
    return bad


def _fold(aws: Aws, setting: Setting, camera: str, arrivals: Sequence[Arrival]) -> str:
    """Fold what arrived into the camera's story; the id of the run it belongs to."""
    for _ in range(_ATTEMPTS):
        try:
            return _fold_once(aws, setting, camera, arrivals)
        except Lost:
            continue  # another shard's batch, or a clock, saved this story meanwhile
    raise Transient(f"the story of {camera} changed {_ATTEMPTS} times while this batch was folded")


def _fold_once(aws: Aws, setting: Setting, camera: str, arrivals: Sequence[Arrival]) -> str:
    keys = {run_key(camera): Run, story_key(camera): Story, WATCH_KEY: Watch}
    found = table.load(aws, setting.table, keys)
    run, saved = found[run_key(camera)].thing, found[story_key(camera)]
    if run is None or not run.is_open:
        _ask_for_a_look(aws, setting, camera)
    under = stories.under(setting, run)
    watch, now = found[WATCH_KEY].thing or WATCH, datetime.now(UTC)
    before = saved.thing or Story(camera)
    story = folding.fold(before, arrivals, under, now, watch)
    if len(story.outbox) > folding.TOLD_AT_ONCE:  # what it comes to must fit into an item
        if half := len(arrivals) // 2:
            _fold(aws, setting, camera, arrivals[:half])
            return _fold(aws, setting, camera, arrivals[half:])
        ended = folding.ended_before(before, arrivals[0].frame, under, watch)
        if ended.outbox:
            stories.store(aws, setting, ended, saved.version)
            return _fold(aws, setting, camera, arrivals)
    if story != saved.thing or story.outbox:
        stories.store(aws, setting, story, saved.version)
    return under.id


def _ask_for_a_look(aws: Aws, setting: Setting, camera: str) -> None:
    """Records come and no run is open, so no clock is on its way: send one, once in a while.

    It takes up a processor that nobody knows, or ends the sightings of records that came late.
    """
    now = time.monotonic()
    for each in [each for each, at in _asked.items() if now - at >= _ASK_AGAIN_S]:
        del _asked[each]
    if camera not in _asked:
        queues.send(aws, setting.clock_queue, {"camera": camera})
        _asked[camera] = now


def _poison_message(record: Mapping[str, Any], data: bytes, why: str) -> dict[str, Any]:
    """What the failure queue gets: the bytes, whence they came, and what is wrong with them."""
    return {
        "reason": why,
        "data": base64.b64encode(data[:POISON_BYTES]).decode(),
        "truncated": len(data) > POISON_BYTES,
        "shard": record["eventID"].partition(":")[0],
        "sequence_number": record["kinesis"]["sequenceNumber"],
        "results": record["eventSourceARN"],
    }


def _failed(sequence_number: str, error: Transient, **about: str) -> str:
    journal.note(
        "record to be delivered again", **about, sequence_number=sequence_number, why=error
    )
    return sequence_number
