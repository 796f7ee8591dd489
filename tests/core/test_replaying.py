"""Saved records tell again what was told of them, on the clock of then."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from streamctl.core import events, replaying
from streamctl.core.watch import WATCH, Watch
from tests.core.frames_shown import arrival
from tests.core.scene import at


def told(*arrivals, watch=WATCH):
    return [
        (each.at, each.event.type, each.event.detail["person"])
        for each in replaying.replay(arrivals, watch)
    ]


def test_events_come_when_they_would_have_come():
    """The end by a clock, between two records, and not with the second of them."""
    shown = [arrival(second, "ada", lag=1) for second in (0, 1)]
    later = [arrival(second, "bob", lag=1) for second in (500, 501)]
    assert told(*shown, *later) == [
        (at(2), events.SIGHTING_STARTED, "ada"),
        (at(2 + 90), events.SIGHTING_ENDED, "ada"),
        (at(502), events.SIGHTING_STARTED, "bob"),
        (at(502), events.SIGHTING_ENDED, "bob"),
    ]


def test_of_nothing_nothing_is_told():
    assert told() == []


def test_what_is_watched_for_can_be_tried_on_old_records():
    shown = [arrival(second, "ada") for second in (0, 1, 200, 201)]
    starts = [kind for _, kind, _ in told(*shown)].count(events.SIGHTING_STARTED)
    quiet = told(*shown, watch=Watch(cooldown=timedelta(hours=1)))
    assert (starts, [kind for _, kind, _ in quiet].count(events.SIGHTING_STARTED)) == (2, 1)


@given(st.lists(st.tuples(st.integers(0, 500), st.sampled_from(["ada", "bob"])), max_size=30))
def test_time_never_goes_back_and_whatever_begins_ends(frames):
    shown = [arrival(second, person) for second, person in frames]
    found = list(replaying.replay(shown))
    assert [each.at for each in found] == sorted(each.at for each in found)
    begun = [e.event.detail["sighting"] for e in found if e.event.type == events.SIGHTING_STARTED]
    ended = [e.event.detail["sighting"] for e in found if e.event.type == events.SIGHTING_ENDED]
    assert len(set(begun)) == len(begun)
    assert set(begun) <= set(ended)
