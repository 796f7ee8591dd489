"""Reading results as a person would: following them live, and decoding what was saved."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from streamctl.aws import aggregates, kinesis
from streamctl.aws.session import Aws
from streamctl.core import records
from streamctl.core.records import Frame
from streamctl.errors import RecordError
from streamctl.ops import inventory

INPUT_AT_MOST: Final = 16 * 1024 * 1024
"""A Lambda event holds 6 MB, GetRecords answers with 10 MiB."""

_INPUTS_ARE: Final = (
    "give one record as JSON or in base64, a KPL aggregate,"
    " a Lambda event, or an answer of GetRecords"
)


@dataclass(frozen=True, slots=True)
class Read:
    """One record: the frame that it describes, or what is wrong with it. `arrived` where known."""

    frame: Frame | None
    error: str = ""
    arrived: datetime | None = None


def follow(aws: Aws, platform: str, camera: str) -> Iterator[Read | None]:
    """The records of a camera as they arrive, from now on, without end; None while none comes."""
    found = inventory.usable_camera(aws, platform, camera)
    for record in kinesis.follow(aws, found.results, datetime.now(UTC)):
        if record is None:
            yield None
        else:
            yield from _read(record.data, record.arrived)


def decode(data: bytes) -> list[Read]:
    """Every record in what somebody saved, whichever way they did.

    That is: one record; base64 of one; a KPL aggregate; a Lambda event, or an answer of GetRecords,
    which hold many. Raises RecordError if it is none of these.
    """
    if len(data) > INPUT_AT_MOST:
        raise RecordError(f"the input has more than {INPUT_AT_MOST // 2**20} MiB")
    listed = _listed(data)
    if listed is not None:
        return [read for each in listed for read in _read_listed(each)]
    read = list(_read(_unwrapped(data), None))
    if len(read) == 1 and read[0].frame is None:
        raise RecordError(f"the input is no saved record: {read[0].error}", hint=_INPUTS_ARE)
    return read


def _listed(data: bytes) -> list[Any] | None:
    """The list in a Lambda event or an answer of GetRecords, or a bare one; None if it is none."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    found = document.get("Records") if isinstance(document, dict) else document
    return found if isinstance(found, list) else None


def _read_listed(entry: Any) -> Iterator[Read]:
    try:
        encoded, arrived = _kinesis(entry)
        data = base64.b64decode(encoded, validate=True)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        yield Read(None, "not a Kinesis record")
        return
    yield from _read(data, arrived)


def _kinesis(entry: Any) -> tuple[str, datetime | None]:
    """What a Lambda event's entry carries, or what one of GetRecords' does."""
    if "kinesis" not in entry:
        return entry["Data"], None
    arrived = entry["kinesis"].get("approximateArrivalTimestamp")
    at = None if arrived is None else datetime.fromtimestamp(arrived, UTC)
    return entry["kinesis"]["data"], at


def _unwrapped(data: bytes) -> bytes:
    """The bytes behind base64, if that is what it is: a record begins with a brace or with magic,
    while `null` and digits happen to be base64 as well.
    """
    try:
        behind = base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error:
        return data
    return behind if behind.lstrip().startswith((b"{", aggregates.MAGIC)) else data


def _read(data: bytes, arrived: datetime | None) -> Iterator[Read]:
    try:
        for each in aggregates.records(data):
            yield _parsed(each, arrived)
    except RecordError as error:
        yield Read(None, str(error), arrived)


def _parsed(data: bytes, arrived: datetime | None) -> Read:
    try:
        return Read(records.parse(data, arrived), arrived=arrived)
    except RecordError as error:
        return Read(None, str(error), arrived)
