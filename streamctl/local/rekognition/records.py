"""Face-search records, byte for byte the way that Rekognition writes them.

Real records (the captures that the tests compare with) come out of a Java
program: no spaces, no newline at the end, members in a fixed order, times as doubles in exponent
form (`1.586930697183E9`), everything else as 32-bit floats. FrameOffsetInSeconds is a 32-bit float
that was widened before printing: `3.000999927520752`.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

MOST_MATCHES: Final = 20
"""No real record seen has more matches for one face; two have exactly these."""


@dataclass(frozen=True, slots=True)
class FrameAt:
    """Where an analysed frame stands: its fragment, as GetMedia tagged it, and its offset in it.

    Times are Unix seconds of the fragment's start; `fragment` has about 47 digits.
    """

    fragment: str
    server_s: float
    producer_s: float
    offset_s: float


@dataclass(frozen=True, slots=True)
class FaceInFrame:
    """One detected face (AWS's FaceDetail, default attributes) and what it matched, best first.

    Each match is AWS's FaceMatch as a record has it: Similarity, and Face without model version.
    """

    detail: dict[str, Any]
    matches: Sequence[dict[str, Any]]


def record(camera_arn: str, at: FrameAt, faces: Sequence[FaceInFrame]) -> bytes:
    """One record: the bytes that a processor puts for one analysed frame."""
    return _json(
        {
            "InputInformation": {
                "KinesisVideo": {
                    "StreamArn": camera_arn,
                    "FragmentNumber": at.fragment,
                    "ServerTimestamp": _Double(at.server_s),
                    "ProducerTimestamp": _Double(at.producer_s),
                    "FrameOffsetInSeconds": _Double(_single(at.offset_s)),
                }
            },
            "StreamProcessorInformation": {"Status": "RUNNING"},
            "FaceSearchResponse": [
                {"DetectedFace": face.detail, "MatchedFaces": list(face.matches[:MOST_MATCHES])}
                for face in faces
            ],
        }
    ).encode()


class _Double(float):
    """A number that is printed with all 64 bits."""


def _json(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    if isinstance(value, _Double):
        return java_number(repr(float(value)))
    if isinstance(value, float):
        return java_number(_shortest_single(value))
    return json.dumps(value)


def java_number(digits: str) -> str:
    """A finite decimal number the way that Java prints it.

    Plain from 1E-3 up to 1E7, else with one digit before the point and an exponent; always with a
    digit behind the point (Double.toString).
    """
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits} cannot stand in JSON")
    if value == 0.0:
        return "-0.0" if digits.startswith("-") else "0.0"
    sign = "-" if value < 0 else ""
    mantissa, exponent = _scientific(digits)
    if -3 <= exponent < 7:
        return sign + _plain(mantissa, exponent)
    return f"{sign}{mantissa[0]}.{mantissa[1:] or '0'}E{exponent}"


def _scientific(digits: str) -> tuple[str, int]:
    """All significant digits in one string, and the power of ten of the first."""
    plain, _, power = digits.lstrip("-").lower().partition("e")
    whole, _, fraction = plain.partition(".")
    significant = (whole + fraction).lstrip("0")
    leading_zeros = len(whole + fraction) - len(significant)
    exponent = len(whole) - 1 - leading_zeros + int(power or 0)
    return significant.rstrip("0"), exponent


def _plain(mantissa: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + mantissa
    whole = mantissa[: exponent + 1].ljust(exponent + 1, "0")
    return f"{whole}.{mantissa[exponent + 1 :] or '0'}"


def _shortest_single(value: float) -> str:
    """The fewest digits that still name the nearest 32-bit float."""
    single = _single(value)
    candidates = (f"{single:.{precision}g}" for precision in range(1, 10))
    return next(digits for digits in candidates if _single(float(digits)) == single)


def _single(value: float) -> float:
    """The nearest 32-bit float, widened again."""
    return float(struct.unpack("<f", struct.pack("<f", value))[0])
