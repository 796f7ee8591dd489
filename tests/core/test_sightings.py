"""Sightings: from matches, frame by frame, to stories of people."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.core import events, sightings
from streamctl.core.records import Box, Face, Frame, Match
from streamctl.core.sightings import GAP, LATENESS, Arrival, RunRef, Story

CAMERA = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1"
ZERO = datetime(2026, 1, 1, tzinfo=UTC)
RUN = RunRef("door", "door@1")


def arrival(second, *people, unknown=0, similarity=90.0, lag=1.0):
    """A frame at `second` in which these people were matched and `unknown` faces were not."""
    box = Box(0.1, 0.1, 0.2, 0.2)
    faces = [Face(box, 99.0, (Match(p, f"id-{p}", similarity),)) for p in people]
    faces += [Face(box, 99.0, ())] * unknown
    start = ZERO + timedelta(seconds=second)
    frame = Frame(CAMERA, f"{int(second):047d}", timedelta(0), start, start, tuple(faces))
    return Arrival(frame, start + timedelta(seconds=lag))


def fold(*arrivals, story=None):
    return sightings.fold(story or Story(CAMERA), arrivals, RUN)


def said(story):
    return [(event.type, event.detail["person"]) for event in story.outbox]


def test_the_first_match_starts_a_sighting_and_the_next_ones_continue_it():
    story = fold(arrival(0, "ada"), arrival(1, "ada"), arrival(2, "ada"))
    assert said(story) == [(events.SIGHTING_STARTED, "ada")]
    (sighting,) = story.open
    assert (sighting.frames, sighting.last.time) == (3, ZERO + timedelta(seconds=2))


def test_one_persons_sighting_does_not_hide_anothers():
    story = fold(arrival(0, "ada"), arrival(1, "ada", "bob"))
    assert [person for _, person in said(story)] == ["ada", "bob"]


def test_a_frame_that_comes_again_changes_nothing():
    once = fold(arrival(0, "ada"), arrival(1, "ada", unknown=1))
    assert fold(arrival(1, "ada", unknown=1), arrival(0, "ada"), story=once) == once


def resent(original, later, produced=None):
    """The same picture in another fragment, received `later` seconds later."""
    again = replace(
        original.frame,
        fragment=str(int(original.frame.fragment) + 10**6).zfill(47),
        server_time=original.frame.server_time + timedelta(seconds=later),
        producer_time=produced or original.frame.producer_time,
    )
    return Arrival(again, original.at + timedelta(seconds=later))


def test_a_picture_that_a_producer_sent_again_is_one_frame():
    story = fold(arrival(0, "ada"), resent(arrival(0, "ada"), later=20))
    assert (story.frames, story.open[0].frames) == (1, 1)


@pytest.mark.parametrize("clock", [datetime.fromtimestamp(0, UTC), ZERO - timedelta(days=3)])
def test_a_producers_clock_that_is_far_off_tells_no_picture_from_another(clock):
    """Two frames with the same impossible time are two."""
    first = arrival(0, "ada")
    first = replace(first, frame=replace(first.frame, producer_time=clock))
    story = fold(first, resent(first, later=20, produced=clock))
    assert story.frames == 2


def test_unknown_faces_are_counted_by_frame():
    story = fold(arrival(0, unknown=2), arrival(1, "ada", unknown=1), arrival(2, "ada"))
    assert (story.frames, story.unknown_frames) == (3, 2)


def test_the_best_frame_is_the_most_similar_one():
    story = fold(
        arrival(0, "ada", similarity=85), arrival(1, "ada", similarity=97), arrival(2, "ada")
    )
    (sighting,) = story.open
    assert (sighting.best.time, sighting.best_similarity) == (ZERO + timedelta(seconds=1), 97)


def test_a_gap_ends_a_sighting_and_the_next_match_starts_another():
    story = fold(arrival(0, "ada"))
    away = ZERO + timedelta(seconds=1) + GAP + LATENESS
    assert sightings.close(story, away - timedelta(milliseconds=1), RUN) == story
    story = sightings.close(story, away, RUN)
    later = GAP.total_seconds() + 5
    story = fold(arrival(later, "ada"), story=story)
    assert [kind for kind, _ in said(story)] == [
        events.SIGHTING_STARTED,
        events.SIGHTING_ENDED,
        events.SIGHTING_STARTED,
    ]
    first, last = story.outbox[0].detail, story.outbox[2].detail
    assert first["sighting"] != last["sighting"]


def test_records_that_wait_to_be_folded_continue_what_they_belong_to():
    """The table was throttled for 45 s in the middle of it; a clock came by meanwhile."""
    story = fold(arrival(0, "ada"))
    story = sightings.close(story, ZERO + timedelta(seconds=50), RUN)
    story = fold(arrival(1, "ada"), arrival(2, "ada"), story=story)
    (sighting,) = story.open
    assert (sighting.first.time, sighting.frames) == (ZERO, 3)


def test_an_end_tells_when_it_began_and_ended_and_how_many_frames():
    story = sightings.close_all(fold(arrival(3, "ada"), arrival(5, "ada")), RUN)
    detail = story.outbox[-1].detail
    assert detail["started"]["time"] == "2026-01-01T00:00:03.000Z"
    assert detail["ended"]["time"] == "2026-01-01T00:00:05.000Z"
    assert (detail["frames"], detail["processor"], detail["run"]) == (2, "door", "door@1")
    assert story.open == ()


def test_a_frame_that_lags_does_not_end_what_it_continues():
    """By arrival the person was here a moment ago, though the frames are minutes old."""
    story = fold(arrival(0, "ada", lag=290), arrival(1, "ada", lag=290))
    assert sightings.close(story, ZERO + timedelta(seconds=295), RUN).open


FRAMES = st.lists(
    st.tuples(st.integers(0, 25), st.sampled_from(["ada", "bob"])),
    min_size=1,
    max_size=25,
    unique_by=lambda each: each[0],
)


@given(FRAMES, st.randoms(use_true_random=False))
def test_order_and_repeats_change_neither_intervals_nor_counts(frames, lots):
    """Within a gap: any order, any repeats, any batching."""
    arrivals = [arrival(second, person) for second, person in frames]
    shuffled = arrivals + lots.choices(arrivals, k=5)
    lots.shuffle(shuffled)
    story = Story(CAMERA)
    while shuffled:
        batch = [shuffled.pop() for _ in range(min(len(shuffled), lots.randint(1, 5)))]
        story = sightings.fold(story, batch, RUN)
    assert intervals(story) == intervals(fold(*arrivals))


@given(FRAMES)
def test_every_distinct_matched_frame_is_accounted_for(frames):
    story = fold(*(arrival(second, person) for second, person in frames))
    assert sum(sighting.frames for sighting in story.open) == len(frames)


def intervals(story):
    return {(s.person, s.first.time, s.last.time, s.frames) for s in story.open}


def test_memory_of_frames_is_bounded():
    lots = random.Random(1)
    story = fold(*(arrival(second) for second in lots.sample(range(5000), 1000)))
    assert len(story.seen) == sightings.REMEMBERED
