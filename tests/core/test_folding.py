"""A camera's story: from matches, frame by frame, to sightings and what is told of them."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from streamctl.core import documents, folding
from streamctl.core.folding import Arrival, Story, published
from streamctl.core.records import Match
from streamctl.core.sightings import Measures
from streamctl.core.watch import Watch
from tests.core.frames_shown import (
    ENDED,
    RUN,
    STARTED,
    UPDATED,
    arrival,
    fold,
    said,
    shown,
)
from tests.core.scene import CAMERA, ZERO, at

# -- who is told of -------------------------------------------------------------------------------


def test_two_frames_start_a_sighting_and_the_next_ones_continue_it():
    story = shown("ada", 0, 1, 2)
    assert said(story) == [(STARTED, "ada")]
    (sighting,) = story.open
    assert (sighting.frames, sighting.last.time) == (3, at(2))
    assert story.outbox[0].detail["started"]["time"] == "2026-01-01T00:00:00.000Z"


@pytest.mark.parametrize("seconds", [(0,), (0, 6), (0, 6, 12, 18, 24), (0, 100)], ids=str)
def test_single_frames_apart_start_none(seconds):
    """A face that looks like somebody else's does so for a moment."""
    story = shown("ada", *seconds)
    assert said(folding.close_all(story, RUN)) == []


def test_how_many_frames_it_takes_can_be_chosen():
    strict = Watch(measures=Measures(min_frames=3))
    story = Story(CAMERA)
    for second in (0, 1, 2):
        assert story.outbox == ()
        story = folding.fold(story, [arrival(second, "ada")], RUN, at(second), strict)
    assert said(story) == [(STARTED, "ada")]


def test_one_persons_sighting_does_not_hide_anothers():
    story = fold(arrival(0, "ada"), arrival(1, "ada", "bob"), arrival(2, "bob"))
    assert [person for _, person in said(story)] == ["ada", "bob"]


def test_several_faces_of_one_person_are_one():
    """The one that looks most like them counts."""
    first, second = arrival(0, "ada", "ada"), arrival(1, "ada")
    worse = replace(first.frame.faces[0], matches=(Match("ada", "id-2", 80.0),))
    frame = replace(first.frame, faces=(worse, *first.frame.faces))
    (sighting,) = fold(replace(first, frame=frame), second).open
    assert (sighting.frames, sighting.best.similarity) == (2, 90.0)


def test_unknown_faces_are_counted_by_frame():
    story = fold(arrival(0, unknown=2), arrival(1, "ada", unknown=1), arrival(2, "ada"))
    assert (story.frames, story.unknown_frames) == (3, 2)


# -- repeats --------------------------------------------------------------------------------------


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


def test_memory_of_frames_is_bounded():
    lots = random.Random(1)
    story = Story(CAMERA)
    for _ in range(5):
        story = fold(*(arrival(second) for second in lots.sample(range(5000), 1000)), story=story)
    assert len(story.seen) == folding.REMEMBERED_AT_MOST
    assert len(fold(arrival(9000), story=story).seen) == folding.REMEMBERED


def test_so_is_how_many_sightings_are_open():
    """Nothing is lost by it: what is too much is ended."""
    people = [f"p{number}" for number in range(folding.OPEN_AT_MOST + 50)]
    story = Story(CAMERA)
    for number in range(0, len(people), 10):
        story = fold(arrival(number / 10, *people[number : number + 10]), story=story)
        story = fold(arrival(number / 10 + 0.5, *people[number : number + 10]), story=story)
    assert len(story.open) == folding.OPEN_AT_MOST
    ended = [person for kind, person in said(story) if kind == ENDED]
    assert ended == people[:50]


def test_so_are_the_votes_of_frames_that_are_too_late():
    """Close together, or never two of them close: each is known for what it is, and the rest goes."""
    for apart, ends in ((1, [ENDED]), (6, [])):
        story = shown("ada", *range(20_000, 20_003))
        story = published(story)
        for second in range(0, 6000, apart):
            story = fold(arrival(second, "bob"), story=story, now=20_010)
        (late,) = (each for each in story.open if each.person == "bob")
        assert len(late.votes) <= folding.VOTES_AT_MOST
        assert late.frames == 6000 / apart
        told = published(story)
        over = folding.close(told, late.over, RUN)
        assert [kind for kind, who in said(over) if who == "bob"] == ends


def test_a_crowd_that_is_new_with_each_frame_fits_into_an_item_of_the_table():
    """A hundred faces, the most that there are in a frame; two frames show each of them."""
    story = Story(CAMERA)
    for crowd in range(6):
        people = [f"somebody-with-a-long-name-{crowd}-{number:03}" for number in range(100)]
        for second in (3 * crowd, 3 * crowd + 1):
            story = fold(arrival(second, *people), story=story)
            assert len(documents.dumps(story)) < 400_000
            story = published(story)


def test_so_do_the_votes_of_a_crowd_that_is_never_sure():
    """Where many frames are wanted and lateness is long, hundreds of votes each are waited with."""
    measures = Measures(lateness=timedelta(minutes=10), min_frames=20, within=timedelta(seconds=20))
    people, story = [f"p{number}" for number in range(40)], Story(CAMERA)
    for second in range(600):
        seen = people if second % 8 else ()
        shown_now = [arrival(second, *seen)]
        story = folding.fold(story, shown_now, RUN, at(second + 1), Watch(measures=measures))
    assert not story.outbox
    assert all(len(each.votes) >= measures.min_frames for each in story.open)
    assert len(documents.dumps(story)) < 200_000


def test_each_of_a_crowd_has_the_votes_that_it_needs():
    """As many as may be open, who are all sure with the last of many frames."""
    measures = Measures(min_frames=20, within=timedelta(seconds=20))
    people, story = [f"p{number}" for number in range(folding.OPEN_AT_MOST)], Story(CAMERA)
    for second in range(20):
        assert not story.outbox
        shown_now = [arrival(second, *people)]
        story = folding.fold(story, shown_now, RUN, at(second + 1), Watch(measures=measures))
    assert sorted(person for _, person in said(story)) == sorted(people)


# -- the best picture -----------------------------------------------------------------------------


def test_the_best_frame_is_the_most_similar_one():
    story = fold(
        arrival(0, "ada", similarity=85), arrival(1, "ada", similarity=97), arrival(2, "ada")
    )
    (sighting,) = story.open
    assert (sighting.best.frame.time, sighting.best.similarity) == (at(1), 97)


def test_a_better_picture_is_told_of_now_and_then():
    """Each time under an id of its own, and never a worse one."""
    story = shown("ada", 0, 1)
    for second in range(2, 30):
        story = fold(arrival(second, "ada", similarity=90 + second / 10), story=story)
    for second in range(30, 50):
        story = fold(arrival(second, "ada", similarity=80), story=story)
    updates = [each for each in story.outbox if each.type == UPDATED]
    assert [each.detail["best"]["similarity"] for each in updates] == [91.1, 92.1, 92.9]
    assert len({each.id for each in story.outbox}) == len(story.outbox)
    assert {each.detail["sighting"] for each in story.outbox} == {story.open[0].id}


# -- the end --------------------------------------------------------------------------------------


def test_silence_ends_a_sighting_and_the_next_frames_start_another():
    story = shown("ada", 0, 1)
    over = 1 + 1 + 30 + 60  # folded a second after it was taken
    assert folding.close(story, at(over - 0.001), RUN) == story
    story = folding.close(story, at(over), RUN)
    story = shown("ada", over, over + 1, story=story)
    assert [kind for kind, _ in said(story)] == [STARTED, ENDED, STARTED]
    first, last = story.outbox[0].detail, story.outbox[2].detail
    assert first["sighting"] != last["sighting"]


def test_frames_without_them_end_a_sighting_too():
    """In an engine that writes them; then no clock is needed."""
    story = shown("ada", 0, 1)
    for second in range(2, 92):
        story = fold(arrival(second), story=story)
    assert [kind for kind, _ in said(story)] == [STARTED]
    assert [kind for kind, _ in said(fold(arrival(92), story=story))] == [STARTED, ENDED]


def test_who_returns_after_the_gap_is_seen_anew_before_the_first_end_is_told():
    story = shown("ada", 0, 1, 40, 41)
    assert [kind for kind, _ in said(story)] == [STARTED, STARTED]
    assert len({each.id for each in story.open}) == 2


def test_an_end_tells_when_it_began_and_ended_and_how_many_frames():
    story = folding.close_all(fold(arrival(3, "ada"), arrival(5, "ada")), RUN)
    detail = story.outbox[-1].detail
    assert detail["started"]["time"] == "2026-01-01T00:00:03.000Z"
    assert detail["ended"]["time"] == "2026-01-01T00:00:05.000Z"
    assert (detail["frames"], detail["processor"], detail["run"]) == (2, "door", "door@1")
    assert (detail["late"], "merged_into" in detail) == (False, False)
    assert story.open == ()


# -- records that come late -------------------------------------------------------------------------


def test_records_that_wait_to_be_folded_continue_what_they_belong_to():
    """The table was throttled for a while in the middle of it; a clock came by meanwhile."""
    story = shown("ada", 0, 1)
    story = folding.close(story, at(85), RUN)
    story = fold(arrival(2, "ada"), arrival(3, "ada"), story=story, now=85)
    (sighting,) = story.open
    assert (sighting.first.time, sighting.frames) == (ZERO, 4)


def test_frames_that_lag_do_not_end_what_they_continue():
    """By when they came the person was here a moment ago, though the frames are minutes old."""
    story = fold(arrival(0, "ada", lag=290), arrival(1, "ada", lag=290))
    assert folding.close(story, at(295), RUN).open


def test_a_backlog_that_is_folded_at_last_is_not_ended_between_two_batches():
    """All of it arrived ten minutes ago: silence counts from when it was folded."""
    story = fold(arrival(0, "ada"), arrival(1, "ada"), now=600)
    story = folding.close(story, at(601), RUN)
    story = fold(arrival(2, "ada"), story=story, now=602)
    assert [each.frames for each in story.open] == [3]


def test_a_frame_that_closes_a_gap_makes_two_sightings_one():
    """Both were told of. The first keeps its id; of the second it is said where it went."""
    story = shown("ada", 0, 1, 40, 41)
    one, two = story.open
    story = folding.close_all(fold(arrival(20, "ada"), story=published(story)), RUN)
    merged, end = (each.detail for each in story.outbox)
    assert (merged["sighting"], merged["merged_into"]) == (two.id, one.id)
    assert (end["sighting"], end["frames"]) == (one.id, 5)


def test_what_comes_too_late_is_told_as_late_and_never_as_live():
    story = fold(*(arrival(second) for second in range(200)))
    story = shown("ada", 100.5, 101.5, story=story)
    assert said(story) == []
    story = folding.close(story, at(400), RUN)
    assert said(story) == [(ENDED, "ada")]
    assert story.outbox[0].detail["late"] is True


def test_what_comes_too_late_for_somebody_who_is_still_there_is_theirs():
    story = shown("ada", *range(0, 300, 5), *(296, 297))
    story = fold(arrival(42, "ada"), story=story)
    (sighting,) = story.open
    assert (sighting.frames, sighting.late) == (63, False)
