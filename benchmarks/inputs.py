"""What is measured on: real videos, captures and records where they are, else the like of them."""

from __future__ import annotations

import base64
import copy
import json
import random
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data"
CAMERA: Final = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1586555054989"
RECORDS: Final = 100
"""In a batch: what the mapping of a camera hands over at most."""

_EVENTS: Final = (
    "kinesis_event_1record_2matches_447c55d.json",
    "kinesis_event_2records_20matches.json",
)
_FRAMES_IN_FRAGMENT: Final = 5
_ZERO: Final = 1.586916360265e9
_FIRST_FRAGMENT: Final = 91343852333181575993726619732005714928165461243
_LAG_S: Final = 2.9


def frames() -> dict[str, list[dict[str, Any]]]:
    """What records say, by kind. None without a face was ever captured: that one is made."""
    few, many = _real() if (DATA / "records").is_dir() else ([_made(2)], [_made(20), _made(20)])
    return {
        "2 matches a record": few,
        "20 matches a record": many,
        "both": few + many,
        "no face (made)": [{**few[0], "FaceSearchResponse": []}],
    }


def source() -> str:
    """Where the records come from, for the reader of a table."""
    if (DATA / "records").is_dir():
        return "records: real ones of Rekognition, their times and fragment numbers counted up"
    return f"records: made, in the shape of real ones, as there are none in {DATA}"


def batches(said: Sequence[dict[str, Any]], count: int) -> Iterator[list[dict[str, Any]]]:
    """Lambda batches of one camera, a frame a second, whoever is in `said` always in sight."""
    for first in range(0, count * RECORDS, RECORDS):
        yield [_record(said[n % len(said)], n) for n in range(first, first + RECORDS)]


def _real() -> list[list[dict[str, Any]]]:
    found = []
    for name in _EVENTS:
        event = json.loads((DATA / "records" / name).read_text())
        found.append([json.loads(base64.b64decode(r["kinesis"]["data"])) for r in event["Records"]])
    return found


def _record(said: dict[str, Any], number: int) -> dict[str, Any]:
    """The frame with this number, as Lambda hands its record over."""
    fragment, offset = divmod(number, _FRAMES_IN_FRAGMENT)
    frame = copy.deepcopy(said)
    frame["InputInformation"]["KinesisVideo"] = {
        "StreamArn": CAMERA,
        "FragmentNumber": str(_FIRST_FRAGMENT + fragment),
        "ServerTimestamp": _ZERO + fragment * _FRAMES_IN_FRAGMENT,
        "ProducerTimestamp": _ZERO + fragment * _FRAMES_IN_FRAGMENT - 0.286,
        "FrameOffsetInSeconds": offset + 0.000999927520752,
    }
    sequence_number = str(49605974038509424079760648011085574233984981398739484674 + number)
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": str(uuid.UUID(int=number)),
            "sequenceNumber": sequence_number,
            "data": base64.b64encode(json.dumps(frame, separators=(",", ":")).encode()).decode(),
            "approximateArrivalTimestamp": _ZERO + number + _LAG_S,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000000:{sequence_number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/LambdaKinesis",
        "awsRegion": "us-east-1",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/AmazonRekognition-door",
    }


def _made(matches: int) -> dict[str, Any]:
    """A record's members, spelled and ordered as in real ones."""
    lots = random.Random(matches)
    landmarks = ("eyeLeft", "eyeRight", "mouthLeft", "mouthRight", "nose")
    detected = {
        "BoundingBox": _box(lots),
        "Confidence": 99.99994,
        "Landmarks": [{"X": _ratio(lots), "Y": _ratio(lots), "Type": name} for name in landmarks],
        "Pose": {"Pitch": -3.295989, "Roll": -6.9515314, "Yaw": -25.42777},
        "Quality": {"Brightness": 77.14184, "Sharpness": 26.177368},
    }
    matched = [
        {
            "Similarity": 99.99 - rank / 100,
            "Face": {
                "BoundingBox": _box(lots),
                "FaceId": str(uuid.UUID(int=lots.getrandbits(128))),
                "Confidence": 100.0,
                "ImageId": str(uuid.UUID(int=lots.getrandbits(128))),
            },
        }
        for rank in range(matches)
    ]
    return {
        "InputInformation": {"KinesisVideo": {}},
        "StreamProcessorInformation": {"Status": "RUNNING"},
        "FaceSearchResponse": [{"DetectedFace": detected, "MatchedFaces": matched}],
    }


def _box(lots: random.Random) -> dict[str, float]:
    return {name: _ratio(lots) for name in ("Height", "Width", "Left", "Top")}


def _ratio(lots: random.Random) -> float:
    return round(lots.random(), 8)
