"""The policy, and the tags that carry it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.core import policy
from streamctl.core.policy import OnEnd, Ownership, Policy
from streamctl.errors import AskedWrongly

LENGTHS = st.integers(min_value=1, max_value=365 * 86400 * 1000).map(
    lambda ms: timedelta(milliseconds=ms)
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("2h", 7200), ("1h30m", 5400), ("1d", 86400), ("0.5s", 0.5)],
)
def test_a_length_of_time_is_read(text, seconds):
    assert policy.parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "90", "s", "5 m", "-5s", "0s", "5y", "1h-30m", "400d", "∞s"])
def test_what_is_no_length_of_time_is_refused(text):
    with pytest.raises(AskedWrongly):
        policy.parse_duration(text)


@given(LENGTHS)
def test_a_length_of_time_survives_writing_and_reading(length):
    assert policy.parse_duration(policy.format_duration(length)) == length


@given(
    st.builds(
        Ownership,
        platform=st.just("main"),
        camera=st.text(max_size=20),
        policy=st.builds(
            Policy,
            idle_after=LENGTHS,
            on_end=st.sampled_from(OnEnd),
            max_run=st.none() | LENGTHS,
        ),
        by_stack=st.booleans(),
    )
)
def test_ownership_survives_tags(owned):
    assert policy.from_tags(policy.to_tags(owned), "main") == owned


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {policy.MANAGED: "true"},
        {policy.PLATFORM: "main"},
        {policy.MANAGED: "yes", policy.PLATFORM: "main"},
        {policy.MANAGED: "true", policy.PLATFORM: "other"},
    ],
)
def test_processors_of_others_are_not_ours(tags):
    assert policy.from_tags(tags, "main") is None


def test_an_unreadable_tag_takes_its_default_and_an_unreadable_end_keeps():
    """A typing error must make nothing immortal, and must delete nothing."""
    tags = {
        policy.MANAGED: "true",
        policy.PLATFORM: "main",
        policy.IDLE_AFTER: "ninety",
        policy.MAX_RUN: "soon",
        policy.ON_END: "destroy",
    }
    owned = policy.from_tags(tags, "main")
    assert owned is not None
    assert owned.policy == Policy(on_end=OnEnd.KEEP)
