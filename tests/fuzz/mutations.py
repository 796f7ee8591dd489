"""Records as Lambda hands them over, and what may be wrong with them: made from a seed, so that any
of them can be made again.

The seeds are the real records of Rekognition and the real aggregates of the producer library, where
they are; else records in their shape.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, Final

from benchmarks import inputs
from streamctl.aws.aggregates import MAGIC

_HOLE: Final = "~hole~"
_KEPT_TIME: Final = 1.7e9
_FRAGMENT: Final = 91343852333181575993726619732005714928165461243

ODD: Final = (
    b"Infinity",
    b"-Infinity",
    b"NaN",
    b"1e999",
    b"-1e999",
    b"1e-999",
    b"-0.0",
    b"-1",
    b"0",
    b"60.0000001",
    b"100.00001",
    b"253402300800",
    b"1" + b"0" * 400,
    b"9" * 5000,
    b"0." + b"1" * 5000,
    b"1.586930697183E9",
    b"true",
    b"false",
    b"null",
    b"[]",
    b"{}",
    b"[[]]",
    b"[null]",
    b'""',
    b'"1.5"',
    b'"?"',
    b'"\\ud800"',
    b'"\\u0000"',
    b'"\\udbff\\udfff"',
    '"\N{SNOWMAN}"'.encode(),
    b'"\xff"',
    b'"' + b"x" * 300 + b'"',
    b"[" * 50 + b"]" * 50,
)
HUGE: Final = (
    b"[" * 100_000,
    b"[" * 20_000 + b"]" * 20_000,
    b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    b'"' + b"x" * 200_000 + b'"',
    b'"' + b"x" * (1 << 20) + b'"',
    b"1" * 200_000,
    b"0." + b"1" * 500_000,
    b"[" + b"{}," * 5000 + b"{}]",
    b"[" + b'{"Face":{"FaceId":"f"},"Similarity":1},' * 4200 + b"{}]",
)
"""What costs time or room, so it comes seldom."""


def batch(seed: int, number: int) -> list[dict[str, Any]]:
    """The Lambda batch with this number: 1 to 100 records, most of them with something wrong."""
    lots = Random(f"{seed}/{number}")
    count = lots.choice((1, 10, 100, 100, 100))
    return [_delivered(_data(lots, number * 100 + n), number * 100 + n) for n in range(count)]


def _delivered(data: bytes, number: int) -> dict[str, Any]:
    sequence_number = str(49605974038509424079760648011085574233984981398739484674 + number)
    return {
        "kinesis": {
            "sequenceNumber": sequence_number,
            "data": base64.b64encode(data).decode(),
            "approximateArrivalTimestamp": _time(number) + 3,
        },
        "eventID": f"shardId-000000000000:{sequence_number}",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/AmazonRekognition-door",
    }


def _time(number: int) -> float:
    return _KEPT_TIME + number % 10_000


def _data(lots: Random, number: int) -> bytes:
    if lots.random() < 0.1:
        return _several(lots, number)
    return _one(lots, number)


def _one(lots: Random, number: int) -> bytes:
    (spoil,) = lots.choices([each for each, _ in _WAYS], [weight for _, weight in _WAYS])
    return spoil(lots, _good(lots, number))


def _good(lots: Random, number: int) -> bytes:
    """A real record's frame, at a time of its own."""
    said = lots.choice(_said())
    video = {
        "StreamArn": inputs.CAMERA,
        "FragmentNumber": str(_FRAGMENT + number),
        "ServerTimestamp": _time(number),
        "ProducerTimestamp": _time(number) - 0.286,
        "FrameOffsetInSeconds": lots.choice((0, 0.5, 1.000999927520752)),
    }
    frame = {**said, "InputInformation": {"KinesisVideo": video}}
    return json.dumps(frame, separators=(",", ":")).encode()


@functools.cache
def _said() -> list[dict[str, Any]]:
    return [frame for frames in inputs.frames().values() for frame in frames]


# -- ways to spoil one ----------------------------------------------------------------------------


def _nothing(_lots: Random, data: bytes) -> bytes:
    return data


def _flipped(lots: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(lots.choice((1, 1, 1, 2, 8))):
        changed[lots.randrange(len(changed))] ^= 1 << lots.randrange(8)
    return bytes(changed)


def _cut(lots: Random, data: bytes) -> bytes:
    return data[: lots.randrange(len(data))]


def _missing(lots: Random, data: bytes) -> bytes:
    first, last = _span(lots, data)
    return data[:first] + data[last:]


def _doubled(lots: Random, data: bytes) -> bytes:
    first, last = _span(lots, data)
    return data[:last] + data[first:]


def _noise(lots: Random, data: bytes) -> bytes:
    first, last = _span(lots, data)
    return data[:first] + lots.randbytes(lots.randrange(50)) + data[last:]


def _span(lots: Random, data: bytes) -> tuple[int, int]:
    first = lots.randrange(len(data))
    return first, min(len(data), first + lots.choice((1, 2, 20, 400)))


def _members(lots: Random, data: bytes) -> bytes:
    """Something else where a value was, here and there."""
    record = json.loads(data)
    odd = [_hole(lots, record, n) for n in range(lots.choice((1, 1, 1, 2, 5)))]
    text = json.dumps(record, separators=(",", ":")).encode()
    for number, value in enumerate(odd):
        text = text.replace(f'"{_HOLE}{number}"'.encode(), value)
    return text


def _hole(lots: Random, record: Any, number: int) -> bytes:
    parent, key = lots.choice(list(_places(record)))
    parent[key] = f"{_HOLE}{number}"
    return lots.choice(HUGE) if lots.random() < 0.002 else lots.choice(ODD)


def _removed(lots: Random, data: bytes) -> bytes:
    record = json.loads(data)
    parent, key = lots.choice(list(_places(record)))
    del parent[key]
    return json.dumps(record).encode()


def _moved(lots: Random, data: bytes) -> bytes:
    """One value where another one belongs."""
    record = json.loads(data)
    places = list(_places(record))
    (parent, key), (source, other) = lots.choice(places), lots.choice(places)
    parent[key] = json.loads(json.dumps(source[other]))
    return json.dumps(record).encode()


def _again(lots: Random, data: bytes) -> bytes:
    """A member twice, the second time with another value: readers of JSON take the last."""
    record = json.loads(data)
    named = [(parent, key) for parent, key in _places(record) if isinstance(parent, dict)]
    parent, key = lots.choice(named)
    members = [f"{json.dumps(k)}:{json.dumps(v)}".encode() for k, v in parent.items()]
    second = json.dumps(key).encode() + b":" + lots.choice(ODD)
    members.insert(lots.randrange(len(members) + 1), second)
    whole = b"{" + b",".join(members) + b"}"
    if parent is record:
        return whole
    _replace(record, parent)
    return json.dumps(record).encode().replace(f'"{_HOLE}"'.encode(), whole)


def _replace(record: Any, wanted: Any) -> None:
    for parent, key in list(_places(record)):
        if parent[key] is wanted:
            parent[key] = _HOLE
            return


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member and element, by what holds it and where."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in inner:
        yield value, key
        if isinstance(each, dict | list):
            yield from _places(each)


def _rubbish(lots: Random, _data: bytes) -> bytes:
    return lots.randbytes(lots.choice((0, 1, 4, 20, 500)))


_Way = Callable[[Random, bytes], bytes]
_WAYS: Final[Sequence[tuple[_Way, int]]] = (
    (_nothing, 12),
    (_flipped, 20),
    (_cut, 4),
    (_missing, 6),
    (_doubled, 4),
    (_noise, 8),
    (_members, 26),
    (_removed, 6),
    (_moved, 6),
    (_again, 6),
    (_rubbish, 2),
)

# -- aggregates -----------------------------------------------------------------------------------


def _several(lots: Random, number: int) -> bytes:
    """Records inside a record; seldom very many, or again an aggregate inside."""
    if lots.random() < 0.1:
        return _spoilt_aggregate(lots, lots.choice(_captured()))
    if lots.random() < 0.01:
        return aggregate([b""] * lots.choice((101, 9_999, 10_001)))
    parts = [_one(lots, number) for _ in range(lots.randrange(1, 5))]
    if lots.random() < 0.1:
        parts.append(aggregate(parts))
    return _spoilt_aggregate(lots, aggregate(parts))


def _spoilt_aggregate(lots: Random, data: bytes) -> bytes:
    """As it is, spoilt as a whole, or spoilt inside and sealed again."""
    way = lots.randrange(4)
    if way == 0:
        return lots.choice((_flipped, _cut, _missing, _doubled))(lots, data)
    if way == 1:
        body = data[len(MAGIC) : -16]
        return _sealed(lots.choice((_flipped, _cut, _missing, _noise))(lots, body))
    return data


def _sealed(body: bytes) -> bytes:
    """An aggregate of this body, whatever it is: magic and digest fit."""
    return MAGIC + body + hashlib.md5(body, usedforsecurity=False).digest()


def aggregate(parts: Sequence[bytes]) -> bytes:
    """These records in one, by hand as aggregation-format.md has it: a partition key, records."""
    records = (b"\x08\x00" + _field(0x1A, part) for part in parts)
    return _sealed(_field(0x0A, b"p") + b"".join(_field(0x1A, record) for record in records))


def _field(tag: int, content: bytes) -> bytes:
    length, size = bytearray(), len(content)
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    return bytes((tag, *length, size)) + content


@functools.cache
def _captured() -> list[bytes]:
    """What the producer library really wrote."""
    path = inputs.DATA / "kpl" / "kpl_lambda_records.json"
    if not path.is_file():
        return [aggregate([b"RECORD 1", b"RECORD 2"])]
    found = json.loads(path.read_text()).values()
    return [base64.b64decode(each.get("kinesis", each)["data"]) for each in found]
