"""Switches and timings, as the command line and tests spell them."""

from __future__ import annotations

import pytest

from streamctl.errors import AskedWrongly
from streamctl.local.cloud import Timings
from streamctl.local.switches import Switches


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("empty_records", "false", False),
        ("empty_records", "True", True),
        ("stop_of_stopped_is_error", False, False),
        ("stale_describe_s", "2", 2.0),
        ("eleventh_start", "fails", "fails"),
        ("list_fragments_late_s", 1, 1.0),
        ("stops_by_itself_after_s", "2.5", 2.5),
        ("stops_by_itself_after_s", "none", None),
    ],
)
def test_every_switch_has_two_answers(name, text, value):
    """Text and Python values mean the same."""
    assert getattr(Switches.of({name: text}), name) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("empty_record", "true"),
        ("empty_records", "perhaps"),
        ("eleventh_start", "ignored"),
        ("stale_describe_s", "soon"),
        ("stale_describe_s", "-1"),
        ("stale_describe_s", "inf"),
        ("stale_describe_s", "nan"),
        ("stale_describe_s", None),
    ],
)
def test_what_is_no_answer_is_refused(name, text):
    """By name, with what there is instead."""
    with pytest.raises(AskedWrongly):
        Switches.of({name: text})


def test_timings_are_numbers_of_seconds():
    """Known names, no negative time, nothing endless."""
    assert Timings.of({"starting_s": "0.5"}).starting_s == 0.5
    for wrong in ({"starting": 1}, {"starting_s": -1}, {"starting_s": "x"}, {"starting_s": "inf"}):
        with pytest.raises(AskedWrongly):
            Timings.of(wrong)
