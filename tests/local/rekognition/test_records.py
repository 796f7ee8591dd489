"""Our records against real ones: same members, same order, same numbers, same bytes."""

from __future__ import annotations

import base64
import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamctl.local.rekognition.records import FaceInFrame, FrameAt, java_number, record

CAMERA = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1586555054989"
AT = FrameAt("91343852333181575993726619732005714928165461243", 1586916360.265, 1586916359.979, 0.0)
DETAIL = {
    "BoundingBox": {"Height": 0.47088882, "Width": 0.26207104, "Left": 0.3, "Top": -0.0005},
    "Confidence": 99.99994,
    "Landmarks": [{"X": 0.38395754, "Y": 0.69052404, "Type": "eyeLeft"}],
    "Pose": {"Pitch": -3.295989, "Roll": 0.0, "Yaw": -25.0},
    "Quality": {"Brightness": 77.14184, "Sharpness": 100.0},
}


def real_records(shared_data: Path) -> list[bytes]:
    """The bytes of every real record in the captured Lambda events."""
    events = sorted((shared_data / "records").glob("kinesis_event_*.json"))
    return [
        base64.b64decode(entry["kinesis"]["data"])
        for path in events
        for entry in json.loads(path.read_bytes())["Records"]
    ]


def rewritten(real: bytes) -> bytes:
    """A real record's content, written by our writer."""
    content = json.loads(real)
    video = content["InputInformation"]["KinesisVideo"]
    at = FrameAt(
        video["FragmentNumber"],
        video["ServerTimestamp"],
        video["ProducerTimestamp"],
        round(video["FrameOffsetInSeconds"], 3),
    )
    faces = [
        FaceInFrame(face["DetectedFace"], face["MatchedFaces"])
        for face in content["FaceSearchResponse"]
    ]
    return record(video["StreamArn"], at, faces)


def test_real_records_are_written_byte_for_byte(shared_data: Path) -> None:
    """Each captured record, read and written again, is the same bytes."""
    captured = real_records(shared_data)
    assert len(captured) == 3
    for real in captured:
        assert rewritten(real) == real


def test_a_record_without_an_external_image_id_has_no_such_member(shared_data: Path) -> None:
    """The plain capture was reformatted by its owner, so it is compared as JSON."""
    real = (shared_data / "records" / "record_plain_336c3be.json").read_bytes()
    assert json.loads(rewritten(real)) == json.loads(real)
    assert b"ExternalImageId" not in rewritten(real)


def test_every_member_of_a_record_by_hand() -> None:
    """The whole of a small record, so that the shape is seen without the captures."""
    match = {
        "Similarity": 99.85649,
        "Face": {
            "BoundingBox": {"Height": 0.5, "Width": 0.25, "Left": 0.0914077, "Top": 0.285533},
            "FaceId": "ace85a70-9a10-4c91-afc9-3b3f87c0887e",
            "Confidence": 100.0,
            "ImageId": "062a0bf3-87ed-31e3-a4ef-e6877f8ef246",
            "ExternalImageId": "mary",
        },
    }
    assert record(CAMERA, AT, [FaceInFrame(DETAIL, [match])]).decode() == (
        '{"InputInformation":{"KinesisVideo":{"StreamArn":"' + CAMERA + '",'
        '"FragmentNumber":"91343852333181575993726619732005714928165461243",'
        '"ServerTimestamp":1.586916360265E9,"ProducerTimestamp":1.586916359979E9,'
        '"FrameOffsetInSeconds":0.0}},"StreamProcessorInformation":{"Status":"RUNNING"},'
        '"FaceSearchResponse":[{"DetectedFace":{"BoundingBox":{"Height":0.47088882,'
        '"Width":0.26207104,"Left":0.3,"Top":-5.0E-4},"Confidence":99.99994,'
        '"Landmarks":[{"X":0.38395754,"Y":0.69052404,"Type":"eyeLeft"}],'
        '"Pose":{"Pitch":-3.295989,"Roll":0.0,"Yaw":-25.0},'
        '"Quality":{"Brightness":77.14184,"Sharpness":100.0}},'
        '"MatchedFaces":[{"Similarity":99.85649,"Face":{"BoundingBox":{"Height":0.5,"Width":0.25,'
        '"Left":0.0914077,"Top":0.285533},"FaceId":"ace85a70-9a10-4c91-afc9-3b3f87c0887e",'
        '"Confidence":100.0,"ImageId":"062a0bf3-87ed-31e3-a4ef-e6877f8ef246",'
        '"ExternalImageId":"mary"}}]}]}'
    )


def test_an_unknown_face_and_no_face() -> None:
    """Nobody known is an empty list of matches; nobody at all an empty response."""
    unknown = json.loads(record(CAMERA, AT, [FaceInFrame(DETAIL, [])]))
    assert unknown["FaceSearchResponse"][0]["MatchedFaces"] == []
    assert json.loads(record(CAMERA, AT, []))["FaceSearchResponse"] == []


def test_no_more_matches_than_were_ever_seen() -> None:
    """The best twenty stand for a face that matches more."""
    matches: list[dict[str, Any]] = [{"Similarity": 100.0 - n} for n in range(30)]
    written = json.loads(record(CAMERA, AT, [FaceInFrame(DETAIL, matches)]))
    assert written["FaceSearchResponse"][0]["MatchedFaces"] == matches[:20]


@pytest.mark.parametrize(
    ("digits", "printed"),
    [
        ("1586930697.183", "1.586930697183E9"),
        ("1e16", "1.0E16"),
        ("9999999.5", "9999999.5"),
        ("10000000.0", "1.0E7"),
        ("0.001", "0.001"),
        ("0.0009", "9.0E-4"),
        ("-1.5e-7", "-1.5E-7"),
        ("100.0", "100.0"),
        ("3", "3.0"),
        ("120", "120.0"),
        ("-0.0", "-0.0"),
        ("0.0", "0.0"),
    ],
)
def test_numbers_are_printed_as_java_prints_them(digits: str, printed: str) -> None:
    """Around each border of Double.toString."""
    assert java_number(digits) == printed


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_printed_numbers_read_back(value: float) -> None:
    """Whatever the number, nothing of it is lost and the form is Java's."""
    printed = java_number(repr(value))
    assert struct.pack("<d", float(printed)) == struct.pack("<d", value)
    assert re.fullmatch(r"-?(\d+\.\d+|\d\.\d+E-?\d+)", printed)


@given(st.floats(-(2.0**20), 2.0**20))
@example(-10.37537622797073)  # nine digits of the double name another 32-bit float
def test_ratios_are_printed_as_32_bit_floats(value: float) -> None:
    """Whatever the engine measured, what is printed names the nearest 32-bit float."""
    detail = {"Confidence": value}
    read = json.loads(record(CAMERA, AT, [FaceInFrame(detail, [])]))
    back = read["FaceSearchResponse"][0]["DetectedFace"]["Confidence"]
    assert struct.pack("<f", back) == struct.pack("<f", value)


@pytest.mark.parametrize("digits", ["nan", "inf", "-inf"])
def test_what_json_cannot_hold_is_refused(digits: str) -> None:
    """A record is valid JSON or none."""
    with pytest.raises(ValueError, match="JSON"):
        java_number(digits)


@given(st.integers(0, 20_000))
def test_an_offset_is_a_widened_32_bit_float(millis: int) -> None:
    """Offsets have the artefacts of the real ones: 3.001 s is 3.000999927520752."""
    at = FrameAt("1" * 47, 1.0, 1.0, millis / 1000)
    offset = json.loads(record(CAMERA, at, []))["InputInformation"]["KinesisVideo"]
    assert offset["FrameOffsetInSeconds"] == struct.unpack("<f", struct.pack("<f", millis / 1e3))[0]
