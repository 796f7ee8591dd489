"""When a delivery is tried again: by tables, and by a run of tries that all fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.local.deliveries.retrying import Exhausted, RetryPolicy, next_pause_s

A_DAY = 24 * 3600


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param({}, RetryPolicy(185, A_DAY), id="AWS's own"),
        pytest.param({"RetryPolicy": None}, RetryPolicy(185, A_DAY), id="none"),
        pytest.param(
            {"RetryPolicy": {"MaximumRetryAttempts": 0}}, RetryPolicy(0, A_DAY), id="no retries"
        ),
        pytest.param(
            {"RetryPolicy": {"MaximumRetryAttempts": "3", "MaximumEventAgeInSeconds": "60"}},
            RetryPolicy(3, 60),
            id="a template's texts",
        ),
        pytest.param(
            {"RetryPolicy": {"MaximumRetryAttempts": "many", "MaximumEventAgeInSeconds": "inf"}},
            RetryPolicy(185, A_DAY),
            id="no numbers",
        ),
    ],
)
def test_a_policy_is_read(target, expected):
    """What is not said is as on AWS."""
    assert RetryPolicy.of(target) == expected


@pytest.mark.parametrize(
    ("retries", "age_s", "expected"),
    [
        (0, 0, 1.0),
        (1, 1, 2.0),
        (5, 31, 32.0),
        (6, 63, 60.0),
        (184, 3000, 60.0),
        (185, 3000, Exhausted.ATTEMPTS),
        (7, 3540, 60.0),
        (7, 3541, Exhausted.AGE),
        (185, 3541, Exhausted.ATTEMPTS),
    ],
)
def test_pauses_double_up_to_a_minute_until_something_is_exhausted(retries, age_s, expected):
    """An event that would be too old by then is not waited with."""
    assert next_pause_s(RetryPolicy(185, 3600), retries, age_s, 1.0) == expected


@given(
    attempts=st.integers(0, 185),
    age_s=st.integers(60, A_DAY),
    first_s=st.floats(0.01, 10),
    try_s=st.floats(0, 5),
)
def test_no_event_is_tried_more_often_or_longer_than_its_policy_says(
    attempts, age_s, first_s, try_s
):
    """Each try takes its time and fails; the last one begins before the event is too old."""
    policy, now, retries = RetryPolicy(attempts, age_s), 0.0, 0
    while True:
        assert now <= age_s
        now += try_s
        pause = next_pause_s(policy, retries, now, first_s)
        if isinstance(pause, Exhausted):
            break
        now, retries = now + pause, retries + 1
    assert retries <= attempts
    assert (pause is Exhausted.ATTEMPTS) == (retries == attempts)
