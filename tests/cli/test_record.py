"""Records: decoded from whatever they were saved in, and followed live in a local cloud."""

import base64
import hashlib
import importlib
import io
import json
import select
import subprocess
import sys
import time

import pytest

FRAGMENT = "91343852333181670082121365578051976898440285580"
CAMERA = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1600000000000"


def face(*people):
    return {
        "DetectedFace": {
            "BoundingBox": {"Height": 0.2, "Width": 0.1, "Left": 0.5, "Top": 0.25},
            "Confidence": 99.5,
        },
        "MatchedFaces": [
            {"Similarity": similarity, "Face": {"FaceId": f"id-{name}", "ExternalImageId": name}}
            for name, similarity in people
        ],
    }


def record(*faces, offset=1.5, server=1.6e9):
    video = {
        "StreamArn": CAMERA,
        "FragmentNumber": FRAGMENT,
        "ServerTimestamp": server,
        "ProducerTimestamp": server - 2,
        "FrameOffsetInSeconds": offset,
    }
    found = {
        "InputInformation": {"KinesisVideo": video},
        "StreamProcessorInformation": {"Status": "RUNNING"},
        "FaceSearchResponse": list(faces),
    }
    return json.dumps(found).encode()


ONE = record(face(("ann", 97.25), ("bob", 81.0)), face())


def lambda_event(*data):
    return json.dumps(
        {
            "Records": [
                {
                    "kinesis": {
                        "data": base64.b64encode(each).decode(),
                        "approximateArrivalTimestamp": 1600000003.5,
                    }
                }
                for each in data
            ]
        }
    ).encode()


def get_records(*data):
    records = [{"Data": base64.b64encode(each).decode()} for each in data]
    return json.dumps({"Records": records}).encode()


def aggregate(*data):
    """As the KPL makes it, with aws-kinesis-agg's own message."""
    sys.modules.setdefault("config_pb2", importlib.import_module("aws_kinesis_agg.config_pb2"))
    messages = importlib.import_module("aws_kinesis_agg.messages_pb2")
    message = messages.AggregatedRecord(partition_key_table=["a"])
    for each in data:
        message.records.add(partition_key_index=0, data=each)
    body = message.SerializeToString()
    return b"\xf3\x89\x9a\xc2" + body + hashlib.md5(body, usedforsecurity=False).digest()


@pytest.fixture
def decoded(streamctl_, tmp_path):
    """What `record decode` says of these bytes."""

    def decode(data, *options):
        path = tmp_path / "saved"
        path.write_bytes(data)
        return streamctl_("record", "decode", str(path), *options)

    return decode


def test_a_record_is_said_in_our_words(decoded):
    """Camera, time, people and faces; what was never matched is counted."""
    said = decoded(ONE, "-o", "json")
    assert said.code == 0
    assert said.json == [
        {
            "camera": CAMERA,
            "time": "2020-09-13T12:26:41.500Z",
            "producer_time": "2020-09-13T12:26:39.500Z",
            "arrived_at": None,
            "fragment": FRAGMENT,
            "offset_s": 1.5,
            "people": ["ann"],
            "unknown_faces": 1,
            "faces": [
                {
                    "confidence": 99.5,
                    "box": {"left": 0.5, "top": 0.25, "width": 0.1, "height": 0.2},
                    "matches": [
                        {"person": "ann", "face_id": "id-ann", "similarity": 97.25},
                        {"person": "bob", "face_id": "id-bob", "similarity": 81.0},
                    ],
                },
                {
                    "confidence": 99.5,
                    "box": {"left": 0.5, "top": 0.25, "width": 0.1, "height": 0.2},
                    "matches": [],
                },
            ],
        }
    ]


@pytest.mark.parametrize(
    ("saved", "count"),
    [
        (ONE, 1),
        (b"\n " + ONE + b"\n", 1),
        (base64.b64encode(ONE), 1),
        (base64.encodebytes(ONE), 1),
        (lambda_event(ONE, record()), 2),
        (get_records(ONE, record()), 2),
        (json.dumps(json.loads(lambda_event(ONE))["Records"]).encode(), 1),
        (aggregate(ONE, record(), ONE), 3),
        (base64.b64encode(aggregate(ONE, ONE)), 2),
        (lambda_event(aggregate(ONE, ONE), ONE), 3),
        (b'{"Records": []}', 0),
    ],
    ids=[
        "plain",
        "spaces",
        "base64",
        "base64-lines",
        "lambda-event",
        "get-records",
        "bare-list",
        "aggregate",
        "aggregate-base64",
        "event-of-aggregates",
        "empty-event",
    ],
)
def test_however_they_were_saved_records_are_found(decoded, saved, count):
    """One, many, wrapped or aggregated."""
    said = decoded(saved, "-o", "json")
    assert (said.code, len(said.json)) == (0, count)


@pytest.mark.parametrize(
    "saved",
    [
        b"",
        b"not a record",
        b"\xff\xfe\x00",
        b"{}",
        b"[1]",
        b"null",
        b"7",
        b"[" * 100_000,
        ONE[:-9],
        b'[{"kinesis": {"data": "e30=", "approximateArrivalTimestamp": 1e300}}]',
        b'[{"kinesis": ["data"]}]',
    ],
    ids=[
        "empty",
        "text",
        "binary",
        "object",
        "numbers",
        "null",
        "seven",
        "nested",
        "cut-off",
        "far-future",
        "list",
    ],
)
def test_what_is_no_record_is_said_to_be_none(decoded, saved):
    """What it is not, exit code 1, and nothing on stdout that could be taken for data."""
    said = decoded(saved, "-o", "ndjson")
    assert (said.code, said.out) == (1, "")
    assert any(each.startswith("error: ") for each in said.err.splitlines())
    assert "bug" not in said.err


@pytest.mark.parametrize("saved", [b"null", b"1234", b"plain", b"\xff\xfe\x00"])
def test_what_is_expected_is_said(decoded, saved):
    """Also of what happens to be base64: nothing is said of codecs and bytes."""
    said = decoded(saved)
    error, hint = said.err.splitlines()
    assert error.startswith("error: the input is no saved record: ")
    assert "codec" not in error
    assert "GetRecords" in hint


@pytest.mark.parametrize("saved", [b"[]", b'{"Records": []}'])
def test_an_input_that_lists_none_is_whole(decoded, saved):
    """As GetRecords answers most of the time."""
    said = decoded(saved)
    assert (said.code, said.err) == (0, "the input holds no record\n")


def test_a_bad_record_spares_its_neighbours(decoded):
    """The good ones are printed, the bad ones told, and the exit code is 1."""
    said = decoded(lambda_event(ONE, b"poison", ONE), "-o", "json")
    assert said.code == 1
    assert len(said.json) == 2
    assert "not decoded: the record is not JSON" in said.err
    assert said.err.endswith("error: 1 of 3 records could not be decoded\n")


def test_too_much_input_is_refused(decoded):
    """Nothing holds so many records at once."""
    said = decoded(b" " * (16 * 1024 * 1024 + 1))
    assert said.code == 1
    assert "more than 16 MiB" in said.err


def test_records_are_read_from_standard_input(streamctl_, monkeypatch):
    """`-` stands for it."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(ONE)))
    assert streamctl_("record decode - -o json").json[0]["people"] == ["ann"]


def test_as_a_table_records_are_short(decoded):
    """When, who, how many strangers."""
    said = decoded(ONE)
    assert said.out == (
        "TIME                  PEOPLE  UNKNOWN FACES\n2020-09-13 12:26:41Z  ann     1\n"
    )


def test_real_records_are_decoded(streamctl_, shared_data):
    """Captured from Rekognition, in real Lambda events."""
    for name, count in (
        ("kinesis_event_1record_2matches_447c55d.json", 1),
        ("kinesis_event_2records_20matches.json", 2),
        ("record_plain_336c3be.json", 1),
    ):
        said = streamctl_("record", "decode", str(shared_data / "records" / name), "-o", "json")
        assert (said.code, len(said.json)) == (0, count)


def put(client, data):
    name = "AmazonRekognition-main-door"
    client("kinesis").put_record(StreamName=name, Data=data, PartitionKey="k")


def test_records_are_followed_as_they_arrive(platform, client):
    """In a pipe each is a line of JSON, at once; what arrived before is left out, poison is told."""
    put(client, record(face(("early", 99.0))))
    command = [sys.executable, "-m", "streamctl", "record", "tail", "--camera", "door"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = first_line(process, client)
        assert json.loads(line)["people"] == ["ann"]
        put(client, b"poison")
        put(client, record(face(("last", 99.0))))
        while json.loads(line)["people"] != ["last"]:
            line = process.stdout.readline()
    finally:
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert process.returncode == 143
    assert said.count("not decoded") == 1
    assert "Traceback" not in said


def first_line(process, client):
    """Write records until the first one is heard: when it begins to listen cannot be seen."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        put(client, ONE)
        if select.select([process.stdout], [], [], 0.5)[0]:
            return process.stdout.readline()
    raise AssertionError("nothing was heard")


def test_following_a_camera_that_is_not_there_is_not_found(streamctl_, platform):
    """Exit code 4."""
    assert streamctl_("record tail --camera nobody").code == 4
