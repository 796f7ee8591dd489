"""Records: real ones are read, and nothing that is wrong with one goes further than RecordError."""

import base64
import copy
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.core import records
from streamctl.errors import RecordError

ARN = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1604277868692"
GOOD = {
    "InputInformation": {
        "KinesisVideo": {
            "StreamArn": ARN,
            "FragmentNumber": "91343852333181902899028673905925406775303508824",
            "ServerTimestamp": 1.605467332479e9,
            "ProducerTimestamp": 1.605467324071e9,
            "FrameOffsetInSeconds": 3.2690000534057617,
        }
    },
    "StreamProcessorInformation": {"Status": "RUNNING"},
    "FaceSearchResponse": [
        {
            "DetectedFace": {
                "BoundingBox": {"Height": 0.2, "Width": 0.1, "Left": 0.5, "Top": -0.1},
                "Confidence": 99.3,
            },
            "MatchedFaces": [
                {"Similarity": 81.5, "Face": {"FaceId": "f-1", "ExternalImageId": "ada"}},
                {"Similarity": 97.0, "Face": {"FaceId": "f-2"}},
            ],
        }
    ],
}
VIDEO = ("InputInformation", "KinesisVideo")
FACE = ("FaceSearchResponse", 0)


def changed(path, value):
    """GOOD with the member at `path` replaced, or removed where `value` is ...."""
    record = copy.deepcopy(GOOD)
    parent = record
    for step in path[:-1]:
        parent = parent[step]
    if value is ...:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return json.dumps(record).encode()


def test_a_record_is_read():
    frame = records.parse(json.dumps(GOOD).encode())
    assert frame.camera == ARN
    assert frame.fragment == "91343852333181902899028673905925406775303508824"
    assert frame.offset == timedelta(seconds=3.269)
    assert frame.time == datetime(2020, 11, 15, 19, 8, 55, 748000, UTC)
    assert frame.key == "91343852333181902899028673905925406775303508824+3.269"


def test_matches_come_best_first_and_a_nameless_face_goes_by_its_id():
    (face,) = records.parse(json.dumps(GOOD).encode()).faces
    assert [(m.person, m.similarity) for m in face.matches] == [("f-2", 97.0), ("ada", 81.5)]
    assert face.best is not None
    assert face.best.person == "f-2"


@pytest.mark.parametrize("value", [[], ...])
def test_a_frame_without_faces_may_have_an_empty_list_or_none(value):
    assert records.parse(changed(("FaceSearchResponse",), value)).faces == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"[]",
        b"null",
        b"{}",
        b'{"InputInformation": 7}',
        b"[" * 200_000,
        b" " * (records.MAX_BYTES + 1),
        changed((*VIDEO, "StreamArn"), ...),
        changed((*VIDEO, "StreamArn"), "arn:aws:s3:::bucket"),
        changed((*VIDEO, "FragmentNumber"), 91343852333181902899),
        changed((*VIDEO, "FragmentNumber"), "12a"),
        changed((*VIDEO, "FragmentNumber"), "1" * 129),
        changed((*VIDEO, "FragmentNumber"), "\N{ARABIC-INDIC DIGIT ONE}" * 47),
        changed(
            (*VIDEO, "StreamArn"), ARN.replace("door", "d\N{LATIN SMALL LETTER O WITH STROKE}r")
        ),
        changed((*VIDEO, "ServerTimestamp"), "1.6E9"),
        changed((*VIDEO, "ServerTimestamp"), True),
        changed((*VIDEO, "ServerTimestamp"), -1),
        changed((*VIDEO, "ServerTimestamp"), 1e300),
        changed((*VIDEO, "ServerTimestamp"), 10**400),
        changed((*VIDEO, "ServerTimestamp"), float("nan")),
        changed((*VIDEO, "ProducerTimestamp"), float("inf")),
        changed((*VIDEO, "FrameOffsetInSeconds"), 61),
        changed((*VIDEO, "FrameOffsetInSeconds"), None),
        changed(("FaceSearchResponse",), {}),
        changed(("FaceSearchResponse",), [{}] * (records.MAX_FACES + 1)),
        changed((*FACE, "DetectedFace"), ...),
        changed((*FACE, "DetectedFace", "BoundingBox", "Left"), "0.5"),
        changed((*FACE, "MatchedFaces", 0, "Face", "FaceId"), 12),
        changed((*FACE, "MatchedFaces", 0, "Face", "FaceId"), ""),
        changed((*FACE, "MatchedFaces", 0, "Face", "FaceId"), "f" * 256),
        changed((*FACE, "MatchedFaces", 0, "Face", "ExternalImageId"), 12),
        changed((*FACE, "MatchedFaces", 0, "Face", "ExternalImageId"), "a" * 256),
        changed((*FACE, "MatchedFaces", 0, "Face", "ExternalImageId"), "\ud800"),
        changed((*FACE, "MatchedFaces", 0, "Face", "ExternalImageId"), "?"),
        changed((*FACE, "MatchedFaces", 0, "Similarity"), 101),
    ],
)
def test_what_is_wrong_is_one_record_error(data):
    with pytest.raises(RecordError):
        records.parse(data)


def test_a_frame_is_not_of_a_time_to_come():
    """It would make every later one late. AWS's clocks say both times, so little is allowed."""
    data = json.dumps(GOOD).encode()
    time = records.parse(data).time
    assert records.parse(data, time - records.AHEAD_AT_MOST).time == time
    with pytest.raises(RecordError, match="came at 2020"):
        records.parse(data, time - records.AHEAD_AT_MOST - timedelta(milliseconds=1))


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(data):
    with pytest.raises(RecordError):
        records.parse(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda c: (
            st.lists(c)
            | st.dictionaries(
                st.sampled_from(
                    ["InputInformation", "KinesisVideo", "StreamArn", "FaceSearchResponse"]
                ),
                c,
            )
        ),
    )
)
def test_no_json_raises_anything_else(value):
    with pytest.raises(RecordError):
        records.parse(json.dumps(value).encode())


def real(path):
    """The data of the records in a file: of a Lambda event, or of a record alone."""
    content = json.loads(path.read_text())
    events = content.get("Records")
    return [base64.b64decode(each["kinesis"]["data"]) for each in events or ()] or [
        path.read_bytes()
    ]


def test_every_real_record_is_read(shared_data):
    """All that Rekognition really wrote, and the one that the guide shows."""
    found = {
        path.name: [records.parse(each) for each in real(path)]
        for path in (shared_data / "records").glob("*record*.json")
    }
    shown = {
        name: [
            (len(each.matches), each.best.similarity) for frame in frames for each in frame.faces
        ]
        for name, frames in found.items()
    }
    assert shown == {
        "face_search_record_example.json": [(1, 88.86396)],
        "kinesis_event_1record_2matches_447c55d.json": [(2, 99.85649)],
        "kinesis_event_2records_20matches.json": [(20, 99.99299), (20, 99.99311)],
        "record_plain_336c3be.json": [(1, 99.89643)],
    }
    assert all(len(frame.fragment) == 47 for frames in found.values() for frame in frames)


def test_what_is_told_of_stored_video_is_no_record(shared_data):
    """The one other message of Rekognition's that is at hand: nothing of it is taken for a frame."""
    with pytest.raises(RecordError, match="InputInformation is missing"):
        records.parse(
            (shared_data / "records" / "stored_video_completion_message.json").read_bytes()
        )
