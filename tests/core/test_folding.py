"""A camera's story: from matches, frame by frame, to sightings and what is told of them."""

import itertools
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.core import documents, events, folding
from streamctl.core.folding import Arrival, Story
from streamctl.core.records import Box, Face, Frame, Match
from streamctl.core.sightings import Measures
from streamctl.core.telling import RunRef
from streamctl.core.watch import WATCH, Watch

CAMERA = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1"
ZERO = datetime(2026, 1, 1, tzinfo=UTC)
RUN = RunRef("door", "door@1")
STARTED, UPDATED, ENDED = (
    events.SIGHTING_STARTED,
    events.SIGHTING_UPDATED,
    events.SIGHTING_ENDED,
)


def at(second):
    return ZERO + timedelta(seconds=second)


def arrival(second, *people, unknown=0, similarity=90.0, lag=1.0):
    """A frame at `second` in which these people were matched and `unknown` faces were not."""
    box = Box(0.1, 0.1, 0.2, 0.2)
    faces = [Face(box, 99.0, (Match(p, f"id-{p}", similarity),)) for p in people]
    faces += [Face(box, 99.0, ())] * unknown
    frame = Frame(CAMERA, f"{int(second):047d}", timedelta(0), at(second), at(second), tuple(faces))
    return Arrival(frame, at(second + lag))


def fold(*arrivals, story=None, now=None):
    """As if they were folded once the last of them had arrived, if no other time is given."""
    when = max(each.at for each in arrivals) if now is None else at(now)
    return folding.fold(story or Story(CAMERA), arrivals, RUN, when)


def shown(person, *seconds, story=None):
    """Frame by frame, each of them alone."""
    for second in seconds:
        story = fold(arrival(second, person), story=story)
    return story


def said(story):
    return [(event.type, event.detail["person"]) for event in story.outbox]


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
    story = fold(arrival(0, "ada"), arrival(1, "ada"), story=None, now=600)
    story = folding.close(story, at(601), RUN)
    story = fold(arrival(2, "ada"), story=story, now=602)
    assert [each.frames for each in story.open] == [3]


def test_a_frame_that_closes_a_gap_makes_two_sightings_one():
    """Both were told of. The first keeps its id; of the second it is said where it went."""
    story = shown("ada", 0, 1, 40, 41)
    one, two = story.open
    story = folding.close_all(fold(arrival(20, "ada"), story=folding.published(story)), RUN)
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


# -- any order --------------------------------------------------------------------------------------

WINDOW_S = 5.0
LATE_S = 59.0 - WINDOW_S
FRAMES = st.lists(
    st.tuples(
        st.integers(0, 400),
        st.sets(st.sampled_from(["ada", "bob"])),
        st.integers(80, 99),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda each: each[0],
)


def delivered(frames, lots, lateness_s):
    """The frames in some order, some twice, none more than that later than newer ones; and when."""
    arrivals = [arrival(second, *who, similarity=how, lag=0) for second, who, how in frames]
    copies = arrivals + lots.choices(arrivals, k=len(arrivals) // 4)
    due = [(each.at + timedelta(seconds=lots.uniform(0, lateness_s)), each) for each in copies]
    return sorted(due, key=lambda each: each[0])


def batched(deliveries, lots):
    """A batch waits for its last record, which is no longer than WINDOW_S."""
    while deliveries:
        until = deliveries[0][0] + timedelta(seconds=WINDOW_S)
        batch = [each for each in deliveries[: lots.randint(1, 5)] if each[0] <= until]
        deliveries = deliveries[len(batch) :]
        yield batch[-1][0], [each for _, each in batch]


def told(deliveries, lots, watch=WATCH):
    """Everything that is told, with clocks coming by between the batches."""
    story, outbox = Story(CAMERA), []
    for now, batch in batched(deliveries, lots):
        story = folding.close(story, now, RUN, watch)
        story = folding.fold(story, batch, RUN, now, watch)
        outbox += story.outbox
        story = documents.loads(Story, documents.dumps(folding.published(story)))
    return [*outbox, *folding.close_all(story, RUN, watch).outbox]


def sightings_of(outbox):
    """Whom they tell of, from when to when, in how many frames, and in which one best."""
    return {
        (
            detail["person"],
            detail["started"]["time"],
            detail["ended"]["time"],
            detail["frames"],
            detail["best"]["fragment"],
        )
        for detail in (each.detail for each in outbox if each.type == ENDED)
        if "merged_into" not in detail
    }


def in_order(frames):
    arrivals = [arrival(second, *who, similarity=how, lag=0) for second, who, how in frames]
    return sorted(((each.at, each) for each in arrivals), key=lambda each: each[0])


@given(FRAMES, st.randoms(use_true_random=False))
def test_order_repeats_and_batches_change_no_sighting(frames, lots):
    shuffled = told(delivered(frames, lots, lateness_s=LATE_S), lots)
    assert sightings_of(shuffled) == sightings_of(told(in_order(frames), lots))


def test_control_without_lateness_order_does_change_them():
    impatient = Watch(measures=Measures(lateness=timedelta(0)))
    assert any(
        sightings_of(told(delivered(frames, lots, lateness_s=LATE_S), lots, impatient))
        != sightings_of(told(in_order(frames), lots, impatient))
        for frames, lots in made_up(50)
    )


def made_up(count):
    for seed in range(count):
        lots = random.Random(seed)
        seconds = lots.sample(range(200), 40)
        yield [(second, {"ada"}, lots.randint(80, 99)) for second in seconds], lots


def wrong_ids(outbox):
    """Sightings that began and did not end once, under the same id; ids of two people."""
    by_id = {}
    for each in outbox:
        by_id.setdefault(each.detail["sighting"], []).append(each)
    return [
        ident
        for ident, told in by_id.items()
        if len({each.detail["person"] for each in told}) > 1
        or sorted(each.type for each in told if each.type != UPDATED) != [ENDED, STARTED]
    ]


@given(FRAMES, st.randoms(use_true_random=False))
def test_an_id_that_was_told_never_changes(frames, lots):
    assert wrong_ids(told(delivered(frames, lots, lateness_s=LATE_S), lots)) == []


def test_control_an_id_made_from_what_is_known_now_does_change(monkeypatch):
    """As if it were made anew whenever an earlier frame turns up."""
    join = folding.sightings.joined

    def renaming(one, other):
        whole = join(one, other)
        return replace(whole, id=whole.id and f"{whole.first.fragment}")

    monkeypatch.setattr(folding.sightings, "joined", renaming)
    assert any(
        wrong_ids(told(delivered(frames, lots, lateness_s=LATE_S), lots))
        for frames, lots in made_up(50)
    )


@given(FRAMES)
def test_every_matched_frame_of_who_is_told_of_is_accounted_for(frames):
    """And of those who are not, no two were close together."""
    outbox = told(in_order(frames), random.Random(1))
    counted = dict.fromkeys(("ada", "bob"), 0)
    for person, _, _, count, _ in sightings_of(outbox):
        counted[person] += count
    for person, count in counted.items():
        seconds = sorted(second for second, who, _ in frames if person in who)
        close = any(b - a <= 5 for a, b in itertools.pairwise(seconds))
        assert count <= len(seconds)
        assert (count > 0) is close
