"""A cut of the fault matrix, and the controls without which its zeros would mean nothing."""

import copy

import pytest

from tests.e2e.faults.accounts import account
from tests.e2e.faults.matrix import ROWS
from tests.e2e.faults.row import Row
from tests.e2e.faults.runner import judge
from tests.e2e.faults.stage import NAME, Stage

CAMERA = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1"


@pytest.mark.minutes
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [row.name for row in ROWS.values() if row.cut])
def test_a_fault_costs_no_match_no_life_and_leaves_nothing(name, tmp_path):
    """All of them: make faults."""
    verdict = judge(ROWS[name], tmp_path)
    assert verdict.survived, verdict


@pytest.mark.minutes
@pytest.mark.timeout(300)
def test_control_each_measure_can_tell_of_harm(tmp_path):
    """No mapping, no clock, and a hand that stops what must live: every column must show it."""
    verdict = judge(Row("harm", _harm), tmp_path, patience_s=1)
    assert not verdict.survived
    assert (verdict.matches > 0, verdict.lost) == (True, verdict.matches)
    assert verdict.leaked > 0
    assert verdict.killed == 1


def _harm(on: Stage) -> None:
    on.start()
    on.switch_off_clocks()
    functions = on.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.delete_event_source_mapping(UUID=mapping["UUID"])
    pushing = on.play_behind()
    with on.watch.must_live(NAME):
        on.wait_for(on.records, 30, "records")
        on.wait_for(lambda: len(on.records()) > 5, 30, "more records")
        on.client("rekognition").stop_stream_processor(Name=NAME)
        pushing.wait(60)


def record(second, *people):
    faces = [
        {
            "MatchedFaces": [
                {"Similarity": 99.0, "Face": {"ExternalImageId": person}},
                {"Similarity": 81.0, "Face": {"ExternalImageId": "somebody-else"}},
            ]
        }
        for person in people
    ]
    video = {
        "StreamArn": CAMERA,
        "FragmentNumber": str(second),
        "ServerTimestamp": 1.7e9 + second,
        "FrameOffsetInSeconds": 0.0,
    }
    return {
        "InputInformation": {"KinesisVideo": video},
        "FaceSearchResponse": [*faces, {"MatchedFaces": []}],
    }


def ended(person, first, last, frames, ident="a"):
    def at(second):
        return {"time": f"2023-11-14T22:{13 + (20 + second) // 60}:{(20 + second) % 60:02}.000Z"}

    return {
        "id": f"{ident}/sighting-ended",
        "camera": CAMERA,
        "person": person,
        "frames": frames,
        "started": at(first),
        "ended": at(last),
    }


SEEN = [record(second, "ada") for second in (0, 1, 2)]
APART = [*SEEN, record(60, "ada")]


@pytest.mark.parametrize(
    ("records", "told", "lost", "fits"),
    [
        pytest.param(SEEN, [ended("ada", 0, 2, 3)], 0, True, id="all told"),
        pytest.param(SEEN * 2, [ended("ada", 0, 2, 3)], 0, True, id="repeats count once"),
        pytest.param(SEEN, [ended("ada", 0, 2, 3)] * 2, 0, True, id="told twice"),
        pytest.param(SEEN, [], 3, False, id="nothing told"),
        pytest.param(SEEN, [ended("ada", 0, 2, 2)], 1, True, id="one frame short"),
        pytest.param(SEEN, [ended("ada", 0, 2, 4)], 0, False, id="one frame too many"),
        pytest.param(SEEN, [ended("ada", 0, 1, 3)], 0, False, id="ends too early"),
        pytest.param(SEEN, [ended("bob", 0, 2, 3)], 3, False, id="somebody else"),
        pytest.param(
            APART,
            [ended("ada", 0, 2, 3), ended("ada", 60, 60, 1, "b")],
            0,
            True,
            id="two stretches",
        ),
        pytest.param(APART, [ended("ada", 0, 60, 4)], 0, False, id="a gap that was not told"),
    ],
)
def test_an_account_tells_what_does_not_fit(records, told, lost, fits):
    """What the matrix calls lost, by examples."""
    found = account(copy.deepcopy(records), told)
    assert (found.lost, not found.wrong) == (lost, fits)
