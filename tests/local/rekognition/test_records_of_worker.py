"""What a worker really writes, field by field against what Rekognition really wrote."""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from streamctl.media import clip

Live = Callable[..., None]
Shape = dict[str, set[str]]
"""By the path of a member: in which forms it is written, each of which fits all that was seen."""

TIME = re.compile(r"\d\.\d{1,15}E9")


@pytest.fixture
def real(shared_data: Path) -> list[bytes]:
    """The records in the captured Lambda events; their owner reformatted the others."""
    return [
        base64.b64decode(each["kinesis"]["data"])
        for path in sorted((shared_data / "records").glob("kinesis_event_*.json"))
        for each in json.loads(path.read_bytes())["Records"]
    ]


@pytest.fixture
def written(live: Live, three_scenes: bytes, engine_at_hand: None) -> list[bytes]:
    """Of two frames with a face, by a worker; the collection knows the first, without a name."""
    records: list[bytes] = []

    async def story(world: Any) -> None:
        await world.furnish()
        image = {"Bytes": clip.portrait(clip.KNOWN)}
        await world("IndexFaces", CollectionId="people", Image=image)
        await world.create()
        await world("StartStreamProcessor", Name="door")
        await world.settled("RUNNING")
        found = world.kinesis.streams["AmazonRekognition-door"]
        world.cameras.video.put_nowait(three_scenes)
        await world.until(lambda: len(found) == 3)
        records.extend(data for _, data in found)

    live(story)
    return records


def shape(records: Iterable[bytes]) -> Shape:
    """How these records are written. An object's form is its members, in their order."""
    found: Shape = {}
    for record in records:
        for path, forms in _members("", json.loads(record, parse_float=_Number, parse_int=_Number)):
            found[path] = found.get(path, forms) & forms
    return found


class _Number(str):
    """A number as it stands in the text."""

    __slots__ = ()


def _members(path: str, value: Any) -> Iterable[tuple[str, set[str]]]:
    if isinstance(value, dict):
        yield path, {",".join(value)}
        for name, each in value.items():
            yield from _members(f"{path}.{name}", each)
    elif isinstance(value, list):
        yield path, {"list"}
        for each in value:
            yield from _members(f"{path}[]", each)
    else:
        yield path, _forms(value) if isinstance(value, _Number) else {type(value).__name__}


def _forms(text: str) -> set[str]:
    """What a number may be: a time, a 32-bit float in as few digits as name it, or one widened."""
    value = float(text)
    single = struct.unpack("<f", struct.pack("<f", value))[0]
    digits = len(text.partition("E")[0].replace(".", "").strip("-0")) or 1
    fewest = next(
        n
        for n in range(1, 18)
        if struct.pack("<f", float(f"{value:.{n}g}")) == struct.pack("<f", value)
    )
    forms = {"a time"} if TIME.fullmatch(text) else set()
    if "." in text:
        forms |= {"a single"} if digits == fewest else set()
        forms |= {"widened"} if value == single else set()
    return forms


def differences(one: Shape, other: Shape) -> list[str]:
    """Members that are in one alone, or in no form that fits both."""
    return [
        f"{path}: {one.get(path)} and {other.get(path)}"
        for path in sorted(one.keys() | other.keys())
        if not one.get(path, set()) & other.get(path, set())
    ]


def test_each_field_is_written_as_in_real_records(real: list[bytes], written: list[bytes]) -> None:
    """Members, their order, which are absent, and how each number is printed."""
    assert differences(shape(real), shape(written)) == []


def test_no_record_has_anything_between_its_members(
    real: list[bytes], written: list[bytes]
) -> None:
    """Written without spaces, and with nothing behind."""
    for record in (*real, *written):
        assert not re.search(rb'[\s](?=[{\["\d])', record)
        assert record.endswith(b"]}")


def test_a_frame_in_which_nobody_is_differs_in_nothing_else(written: list[bytes]) -> None:
    """No real one was ever seen: it is like the others, with an empty list."""
    somebody, nobody, _ = (json.loads(each) for each in written)
    assert list(nobody) == list(somebody)
    assert nobody["FaceSearchResponse"] == []


def reordered(record: bytes) -> bytes:
    content = json.loads(record)
    return _written(dict(reversed(content.items())))


def _written(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (reordered, ": {"),
        (lambda each: _written(json.loads(each)), "ServerTimestamp"),
        (lambda each: each.replace(b'"Status"', b'"State"'), "Status"),
        (lambda each: re.sub(rb'"Roll":[^,]*,', b"", each), "Roll"),
        (lambda each: re.sub(rb'("Yaw":-?\d+\.)\d+', rb"\g<1>123456789123", each), "Yaw"),
        (lambda each: re.sub(rb'("FrameOffsetInSeconds":)[^}]*', rb"\g<1>3.001", each), "Offset"),
        (lambda each: re.sub(rb'("Brightness":)([^,]*)', rb'\1"\2"', each), "Brightness"),
    ],
)
def test_control_what_is_written_otherwise_is_told(
    real: list[bytes], spoil: Callable[[bytes], bytes], told: str
) -> None:
    """Another order, Python's numbers, another name, a member less, digits more, text for a number."""
    found = differences(shape(real), shape(map(spoil, real)))
    assert any(told in each for each in found), found
