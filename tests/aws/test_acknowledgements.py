"""PutMedia's acknowledgements: read however they are cut, and told from what is none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl import errors
from streamctl.aws import putmedia
from streamctl.aws.putmedia import Ack, Kind


@given(
    kinds=st.lists(st.sampled_from([kind.value for kind in Kind]), max_size=8),
    gap=st.sampled_from(["", "\n", "\r\n", "  "]),
    at=st.integers(0, 400),
)
def test_acknowledgements_are_read_whatever_lies_between_and_wherever_they_are_cut(kinds, gap, at):
    """They are JSON objects one behind the other; a piece may end in the middle of one."""
    text = gap.join(json.dumps({"EventType": kind, "FragmentTimecode": 7}) for kind in kinds)
    first, rest = putmedia.parse(text[:at])
    second, rest = putmedia.parse(rest + text[at:])
    assert [ack.kind.value for ack in first + second] == kinds
    assert rest == ""


@pytest.mark.parametrize(
    "text",
    [
        '{"EventType": "FROM_THE_FUTURE"}',
        '{"EventType": 7}',
        '{"EventType": ["IDLE"]}',
        '{"EventType": {}}',
        "{}",
        "[1]",
        "7",
    ],
)
def test_what_is_no_acknowledgement_is_passed_over(text):
    """The next one is still read."""
    found, _ = putmedia.parse(text + '\n{"EventType": "IDLE"}')
    assert found == [Ack(Kind.IDLE)]


@pytest.mark.parametrize("text", ["soon", "<html>", "[" * 100_000, '{"EventType": nan}'])
def test_what_is_no_json_is_left_as_it_is(text):
    """It may yet become some; how long to wait for that, an upload decides."""
    assert putmedia.parse(text) == ([], text)


def test_odd_fields_cost_the_field():
    """An acknowledgement with a timecode that is no number still says its kind."""
    (found,), _ = putmedia.parse(
        '{"EventType": "ERROR", "FragmentTimecode": "soon", "ErrorId": "x", "FragmentNumber": 7}'
    )
    assert found == Ack(Kind.ERROR)


@pytest.mark.parametrize(
    ("error_id", "kind"),
    [
        (4000, errors.Transient),
        (4001, errors.Unsuitable),
        (4002, errors.Unsuitable),
        (4003, errors.Unreachable),
        (4004, errors.Unsuitable),
        (4006, errors.Unsuitable),
        (4008, errors.NotFound),
        (4010, errors.Unsuitable),
        (4500, errors.NotAllowed),
        (4506, errors.NotAllowed),
        (4507, errors.NotFound),
        (5000, errors.Transient),
        (5001, errors.Transient),
        (0, errors.Transient),
    ],
)
def test_an_error_acknowledgement_is_the_error_it_stands_for(error_id, kind):
    """What may succeed later is retried by whoever sends; the rest is not."""
    found = putmedia.failure(Ack(Kind.ERROR, error_id=error_id, error_code="SOME_CODE"))
    assert type(found) is kind
    assert f"SOME_CODE ({error_id})" in str(found)
