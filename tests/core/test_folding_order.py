"""Any order, any repeats, any batches: as long as no record is too late, the sightings are the same."""

import itertools
import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from streamctl.core import documents, folding
from streamctl.core.folding import Story
from streamctl.core.sightings import Measures
from streamctl.core.watch import WATCH, Watch
from tests.core.frames_shown import ENDED, RUN, STARTED, UPDATED, arrival
from tests.core.scene import CAMERA

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


def test_of_two_that_turn_out_to_be_one_the_first_keeps_its_id():
    """Also where the frames that show it begin before both; and the other's end tells of the other
    alone.
    """
    story, outbox = Story(CAMERA), []
    for seconds in ((20, 21), (75, 76), (22,), (17, 45, 72)):
        batch = [arrival(second, "ada") for second in seconds]
        story = folding.fold(story, batch, RUN, batch[-1].at)
        outbox += story.outbox
        story = folding.published(story)
    first, second, merged = outbox
    assert [each.type for each in outbox] == [STARTED, STARTED, ENDED]
    assert (merged.detail["sighting"], merged.detail["merged_into"]) == (
        second.detail["sighting"],
        first.detail["sighting"],
    )
    assert merged.detail["started"] == second.detail["started"]
    assert merged.detail["frames"] == 2


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
