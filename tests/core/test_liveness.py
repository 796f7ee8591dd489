"""From evidence to a verdict."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.core import liveness
from streamctl.core.liveness import Evidence, Fragment, State, Status, Video
from streamctl.core.policy import Policy

ZERO = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = Policy(idle_after=timedelta(seconds=90), max_run=timedelta(hours=1))


def at(seconds):
    return ZERO + timedelta(seconds=seconds)


def evidence(video=None, longest=2, arrival=None, sign=None, lag=1, tells_empty=False):
    return Evidence(
        since=ZERO,
        video=Video(None if video is None else at(video), timedelta(seconds=longest)),
        last_arrival=None if arrival is None else at(arrival),
        last_sign=None if sign is None else at(sign),
        lag=timedelta(seconds=lag),
        tells_empty=tells_empty,
    )


@pytest.mark.parametrize(
    ("seen", "status", "now", "state", "due"),
    [
        (evidence(video=100), Status.RUNNING, 189.9, State.LIVE, 190),
        (evidence(video=100), Status.RUNNING, 190, State.ENDED, 190),
        (evidence(video=100, arrival=130), Status.RUNNING, 189, State.LIVE, 220),
        (evidence(video=100, arrival=130), Status.RUNNING, 200, State.DRAINING, 220),
        (evidence(video=100, arrival=130), Status.RUNNING, 220, State.ENDED, 220),
        (evidence(sign=130), Status.RUNNING, 200, State.LIVE, 220),
        (evidence(video=100, arrival=99, lag=45), Status.RUNNING, 110, State.LAGGING, 190),
        (evidence(video=200, arrival=100), Status.RUNNING, 200, State.LIVE, 290),
        (evidence(video=200, arrival=100, tells_empty=True), Status.RUNNING, 159, State.LIVE, 290),
        (
            evidence(video=200, arrival=100, tells_empty=True),
            Status.RUNNING,
            160,
            State.STALLED,
            290,
        ),
        (
            evidence(video=200, arrival=100, tells_empty=True, lag=45),
            Status.RUNNING,
            189,
            State.LAGGING,
            290,
        ),
        (evidence(video=100), Status.STOPPED, 110, State.GONE, 110),
        (evidence(video=100), Status.STOPPING, 110, State.GONE, 110),
        (evidence(arrival=130), Status.RUNNING, 200, State.LIVE, 220),
        (evidence(video=-5), Status.RUNNING, 10, State.LIVE, 100),
        (evidence(video=-5), Status.RUNNING, 599, State.LIVE, 600),
        (evidence(video=-5), Status.RUNNING, 600, State.NEVER_STARTED, 600),
        (evidence(), Status.RUNNING, 600, State.NEVER_STARTED, 600),
        (evidence(video=3595), Status.RUNNING, 3599, State.LIVE, 3600),
        (evidence(video=3600), Status.RUNNING, 3600, State.OVER_TIME, 3600),
        (evidence(), Status.STARTING, 1, State.LIVE, 2),
        (evidence(), Status.STARTING, 40, State.LIVE, 50),
        (evidence(), Status.STARTING, 118, State.LIVE, 120),
        (evidence(), Status.STARTING, 120, State.STUCK, 120),
        (evidence(), Status.FAILED, 1, State.FAILED, 90),
        (evidence(video=100, longest=20), Status.RUNNING, 185, State.LIVE, 190),
    ],
)
def test_verdicts(seen, status, now, state, due):
    verdict = liveness.judge(seen, POLICY, status, at(now))
    assert (verdict.state, verdict.due) == (state, at(due))


@pytest.mark.parametrize(
    ("seen", "status", "now", "why"),
    [
        (evidence(), Status.RUNNING, 5, "running for 5.0 s, no video yet"),
        (evidence(video=100), Status.RUNNING, 101.5, "the newest video ended 1.5 s ago"),
        (evidence(arrival=100), Status.RUNNING, 103, "the last record arrived 3.0 s ago"),
        (
            evidence(video=100, arrival=99, lag=45),
            Status.RUNNING,
            110,
            "the newest video ended 10.0 s ago, records come 45.0 s late",
        ),
        (
            evidence(video=200, arrival=100, tells_empty=True),
            Status.RUNNING,
            201,
            "the newest video ended 1.0 s ago, no record has arrived for 101.0 s",
        ),
        (
            evidence(video=100, arrival=190),
            Status.RUNNING,
            195,
            "the newest video ended 95.0 s ago, its newest record arrived 5.0 s ago",
        ),
        (evidence(video=100), Status.RUNNING, 190, "nothing for 90.0 s; the limit is 90.0 s"),
        (evidence(), Status.RUNNING, 600, "no video at all in 600.0 s of running"),
        (evidence(), Status.STARTING, 125, "STARTING for 125.0 s; the limit is 2 minutes"),
        (evidence(), Status.RUNNING, 3600, "running for 3600.0 s; max-run is 1h"),
        (evidence(), Status.STOPPED, 10, "it is STOPPED, and not by us"),
        (evidence(), Status.FAILED, 10, "AWS reports FAILED"),
    ],
)
def test_a_verdict_says_why_in_figures(seen, status, now, why):
    assert liveness.judge(seen, POLICY, status, at(now)).why == why


def test_the_idle_time_is_never_less_than_two_fragments():
    short = Policy(idle_after=timedelta(seconds=5))
    assert liveness.idle_time(short, Video(ZERO, timedelta(seconds=20))) == timedelta(seconds=40)
    assert liveness.idle_time(short, Video(ZERO, timedelta(seconds=2))) == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("fragments", "end", "longest"),
    [
        ([], None, 0),
        ([(0, 2)], 2, 2),
        ([(10, 2), (0, 2)], 12, 2),
        ([(0, 0)], 20, 20),  # a length that is not told, and nothing to tell it by
        ([(0, 2), (8, 0)], 16, 8),  # ... taken from the gap to the one before
        ([(0, 2), (300, 0)], 320, 20),  # ... which no fragment can exceed
    ],
)
def test_fragments_say_when_video_ended_and_how_long_they_get(fragments, end, longest):
    listed = [Fragment(at(start), timedelta(seconds=length)) for start, length in fragments]
    expected = Video(None if end is None else at(end), timedelta(seconds=longest))
    assert liveness.video_of(listed) == expected


SECONDS = st.integers(-100, 5000)


@given(st.none() | SECONDS, st.integers(1, 20), st.none() | SECONDS, st.integers(0, 5000))
def test_ended_means_silence_for_the_whole_idle_time(video, longest, arrival, now):
    seen = evidence(video, longest, arrival)
    verdict = liveness.judge(seen, POLICY, Status.RUNNING, at(now))
    silence = at(now) - seen.latest
    if verdict.state is State.ENDED:
        assert silence >= max(POLICY.idle_after, timedelta(seconds=2 * longest))
    if verdict.state is State.LIVE:
        assert at(now) < verdict.due
