"""A second opinion on whether bytes describe a frame, written from the guide and the API's model.

It shares no code with the parser, which it is to catch erring. Where both read JSON or protobuf they
do so by the same libraries: those are not on trial.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import string
import sys
from typing import Any, Final

# The generated module imports its neighbour by a bare name.
sys.modules.setdefault("config_pb2", importlib.import_module("aws_kinesis_agg.config_pb2"))
_AGGREGATE: Final = importlib.import_module("aws_kinesis_agg.messages_pb2").AggregatedRecord

AHEAD_S: Final = 60.0
_NAME: Final = frozenset(string.ascii_letters + string.digits + "_.:-")


def inside(data: bytes) -> list[bytes] | None:
    """The records that this one holds: itself, unless it is an aggregate. None: one that cannot be
    read.
    """
    body, digest = data[4:-16], data[-16:]
    whole = len(data) >= 20 and data[:4] == bytes.fromhex("f3899ac2")
    if not whole or hashlib.md5(body, usedforsecurity=False).digest() != digest:
        return [data]
    try:
        found = [bytes(each.data) for each in _AGGREGATE.FromString(body).records]
    except Exception:  # noqa: BLE001 - whatever protobuf raises
        return None
    return found if len(found) <= 10_000 else None


def is_frame(data: bytes, arrived: float) -> bool:
    """Whether this is a record that Rekognition may write, and that arrived then (Unix)."""
    if len(data) > 1 << 20:
        return False
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        return False
    video = _at(record, "InputInformation", "KinesisVideo")
    faces = record.get("FaceSearchResponse", []) if isinstance(record, dict) else None
    return _is_place(video, arrived) and _is_list(faces, 100) and all(map(_is_face, faces))


def _is_place(video: Any, arrived: float) -> bool:
    if not isinstance(video, dict):
        return False
    fragment, offset = video.get("FragmentNumber"), video.get("FrameOffsetInSeconds")
    times = [video.get("ServerTimestamp"), video.get("ProducerTimestamp")]
    return (
        _is_camera(video.get("StreamArn"))
        and isinstance(fragment, str)
        and set(fragment) <= set(string.digits)
        and 1 <= len(fragment) <= 128
        and _is_number(offset, 0, 60)
        and all(_is_number(each, 0, 253_370_764_800) for each in times)
        and times[0] + offset <= arrived + AHEAD_S
    )


def _is_camera(arn: Any) -> bool:
    if not isinstance(arn, str) or len(arn.split(":")) != 6:
        return False
    first, partition, service, region, account, resource = arn.split(":")
    kind, _, rest = resource.partition("/")
    name, slash, made = rest.partition("/")
    lower = set(string.ascii_lowercase + string.digits + "-")
    return (
        (first, service, kind) == ("arn", "kinesisvideo", "stream")
        and bool(partition)
        and bool(region)
        and set(partition + region) <= lower
        and len(account) == 12
        and set(account) <= _NAME - set(".:-")
        and 1 <= len(name) <= 256
        and set(name) <= _NAME - {":"}
        and (not slash or (1 <= len(made) <= 20 and set(made) <= set(string.digits)))
    )


def _is_face(face: Any) -> bool:
    detected = _at(face, "DetectedFace")
    box = _at(face, "DetectedFace", "BoundingBox")
    matches = face.get("MatchedFaces", []) if isinstance(face, dict) else None
    return (
        isinstance(box, dict)
        and all(_is_number(box.get(edge), -100, 100) for edge in _EDGES)
        and _is_number(detected.get("Confidence"), 0, 100)
        and _is_list(matches, 4096)
        and all(map(_is_match, matches))
    )


_EDGES: Final = ("Left", "Top", "Width", "Height")


def _is_match(match: Any) -> bool:
    face = _at(match, "Face")
    if not isinstance(face, dict) or not _is_number(match.get("Similarity"), 0, 100):
        return False
    name = face.get("ExternalImageId")
    return _is_name(face.get("FaceId")) and (name is None or name == "" or _is_name(name))


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 255 and set(value) <= _NAME


def _is_number(value: Any, low: float, high: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return not (isinstance(value, float) and math.isnan(value)) and low <= value <= high


def _is_list(value: Any, at_most: int) -> bool:
    return isinstance(value, list) and len(value) <= at_most


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
