"""What was told comes to the same entries, in whatever order and however often it is heard."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from streamctl.core import chronicle
from streamctl.core.chronicle import ProcessorEntry, SightingEntry
from streamctl.core.events import iso
from tests.core import made_events
from tests.core.scene import at
from tests.core.told_events import processor, read_again, sighting

STARTED = sighting("started", "a", 0, 1)
UPDATED = sighting("updated", "a", 0, 12, similarity=95.0)
ENDED = sighting("ended", "a", 0, 20, similarity=95.0)
FAILED = {"reason": "failed", "status_message": "Access denied", "cause": "no role", "cure": "add"}


def only(*told):
    (entry,) = chronicle.of(told)
    return entry


@pytest.mark.parametrize(
    ("told", "last", "frames", "over"),
    [
        ((STARTED,), 1, 2, False),
        ((STARTED, UPDATED), 12, 13, False),
        ((UPDATED,), 12, 13, False),
        ((STARTED, UPDATED, ENDED), 20, 21, True),
        ((ENDED,), 20, 21, True),
        ((ENDED, STARTED, STARTED, UPDATED, ENDED), 20, 21, True),
    ],
)
def test_a_sighting_is_told_of_once_by_what_is_known_last(told, last, frames, over):
    entry = only(*told)
    assert (entry.id, entry.time, entry.last) == ("a", at(0), at(last))
    assert (entry.event.frames, entry.is_over, entry.parts) == (frames, over, ())


def test_of_several_updates_the_furthest_counts():
    """Also of those that were told within a second."""
    first = sighting("updated", "a", 0, 12, similarity=91.0, id="a.1/sighting-updated")
    second = sighting("updated", "a", 0, 12, similarity=99.0, id="a.2/sighting-updated")
    assert only(second, first).event.id == "a.2/sighting-updated"


@pytest.mark.parametrize(
    ("told", "over"),
    [
        ((sighting("ended", "a", 0, 60),), True),
        ((sighting("updated", "a", 0, 60, id="a.1/sighting-updated"),), False),
        ((sighting("started", "a", 0, 1),), False),
        ((), False),
    ],
    ids=["ended", "updated", "started", "told elsewhere"],
)
def test_what_turned_out_to_be_a_part_is_told_with_the_whole(told, over):
    """However much of the whole is known here; its end is not the part's."""
    part = (
        sighting("started", "b", 40, 41),
        sighting("ended", "b", 40, 50, similarity=99.0, merged_into="a"),
    )
    entry = only(*told, *part)
    assert (entry.id, entry.parts, entry.is_over) == ("a", ("b",), over)
    assert entry.time == (at(0) if told else at(40))
    assert entry.last == (at(60) if over or (told[:1] and told[0].what == "updated") else at(50))
    assert (entry.event.best.similarity, entry.event.merged_into) == (99.0, None)


def test_parts_of_parts_are_parts():
    c = sighting("ended", "c", 80, 90, merged_into="b")
    b = sighting("ended", "b", 40, 90, merged_into="a")
    entry = only(c, sighting("ended", "a", 0, 99), b)
    assert (entry.id, entry.parts, entry.last) == ("a", ("b", "c"), at(99))


def test_one_that_says_it_is_its_own_part_is_told_all_the_same():
    """Nobody tells so; whoever writes it must not keep us forever."""
    a, b = (
        sighting("ended", one, 0, 9, merged_into=other) for one, other in (("a", "b"), ("b", "a"))
    )
    assert only(a, b) == only(b, a)
    assert only(sighting("ended", "a", 0, 9, merged_into="a")).id == "a"


@pytest.mark.parametrize(
    ("what", "said", "words"),
    [
        ("Started", {}, ("started", "")),
        ("Ended", {"reason": "ended"}, ("ended", "its video ended")),
        ("Ended", {"reason": "over-time"}, ("ended", "it ran for as long as --max-run allows")),
        ("Ended", {"reason": "to-come"}, ("ended", "to-come")),
        ("Ended", {"reason": 7}, ("ended", "")),
        ("Torn Down", {"reason": "camera-gone"}, ("torn down", "its camera was deleted")),
        ("Failed", FAILED, ("failed", "no role")),
        ("Failed", {**FAILED, "cause": ""}, ("failed", "Access denied")),
        ("Failed", {"reason": "stuck-starting", "cause": None}, ("failed", "stuck-starting")),
        ("Paused", {"reason": "to-come"}, ("paused", "to-come")),
    ],
)
def test_a_turn_of_a_processor_is_told_in_words(what, said, words):
    entry = only(processor(what, 5, **said))
    assert (entry.what, entry.why) == words
    assert entry.failed == (what == "Failed")


def test_entries_are_sorted_by_when_they_began():
    told = (
        ENDED,
        processor("Started", -5),
        sighting("ended", "b", -9, 30, camera="gate"),
        processor("Ended", 25, reason="ended"),
    )
    assert [(each.time, each.id) for each in chronicle.of(told)] == [
        (at(-9), "b"),
        (at(-5), "door-1/processor-started"),
        (at(0), "a"),
        (at(25), "door-1/processor-ended"),
    ]


@pytest.mark.parametrize(
    ("camera", "person", "ids"),
    [
        (None, None, {"a", "b", "c", "door-1/processor-started"}),
        ("door", None, {"a", "c", "door-1/processor-started"}),
        (None, "ada", {"a", "b"}),
        ("door", "ada", {"a"}),
        ("door", "nobody", set()),
        (None, "?", set()),
    ],
)
def test_one_camera_or_one_person_can_be_asked_for(camera, person, ids):
    """Who asks for a person asks for no processor, and for no stranger."""
    told = (
        STARTED,
        sighting("started", "b", 3, 4, camera="gate"),
        sighting("started", "c", 5, 6, person=None, at_once=2),
        processor("Started", 1),
    )
    assert {each.id for each in chronicle.of(told, camera, person)} == ids


def test_strangers_are_counted_and_not_named():
    assert only(sighting("started", "c", 5, 6, person=None, at_once=2)).who == "2 unknown"


def test_runs_are_put_together():
    """Of one that began or ends at another time, what is known."""
    told = (
        processor("Torn Down", 31, reason="ended"),
        processor("Started", 1),
        processor("Ended", 30, reason="ended"),
        processor("Started", 50, run=2),
        processor("Failed", 9, camera="gate", **FAILED),
    )
    found = chronicle.runs(chronicle.of(told))
    assert [(each.processor, each.began, each.over, each.failed) for each in found] == [
        ("door", at(1), at(30), False),
        ("door", at(50), None, False),
        ("gate", None, at(9), True),
    ]


@pytest.mark.parametrize(
    ("since", "began"),
    [(iso(at(3)), 3), ("2026-01-01T00:00:03", 5), ("soon", 5), (7, 5), (None, 5)],
)
def test_a_run_began_before_it_was_noticed(since, began):
    """If it says so in a way that can be read."""
    (run,) = chronicle.runs(chronicle.of([processor("Started", 5, since=since)]))
    assert run.began == at(began)


def test_totals_count_people_once_and_strangers_not():
    told = (
        ENDED,
        sighting("ended", "b", 100, 110, late=True),
        sighting("ended", "c", 5, 6, person=None, at_once=2, attention="allow", camera="gate"),
        processor("Failed", 9, camera="cellar", **FAILED),
    )
    found = chronicle.totals(chronicle.of(told))
    assert (found.sightings, found.alerts, found.people, found.cameras) == (3, 2, 1, 3)
    assert (found.late, found.failures) == (1, 1)
    assert chronicle.totals(()) == chronicle.Totals(0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("seed", range(40))
def test_order_and_repeats_change_nothing(seed):
    """Nor does it matter where the events are cut, as long as all of them are there."""
    lots = random.Random(seed)
    made = [*made_events.of_a_story(lots), *made_events.of_runs(lots).events]
    told = [read_again(each) for each in made]
    entries = chronicle.of(told)
    again = [*told, *lots.sample(told, len(told) // 2)]
    lots.shuffle(again)
    assert chronicle.of(again) == entries
    assert chronicle.runs(chronicle.of(again)) == chronicle.runs(entries)


@pytest.mark.parametrize("seed", range(40))
def test_what_was_told_to_the_end_is_told_as_it_ended(seed):
    """The last event of each sighting is enough: what came before it adds nothing."""
    told = [read_again(each) for each in made_events.of_a_story(random.Random(seed))]
    entries = chronicle.of(told)
    ends = {
        each.sighting: each for each in told if each.what == "ended" and each.merged_into is None
    }
    assert {each.id for each in entries} == set(ends)
    for entry in entries:
        assert entry.is_over
        assert without_picture(entry.event) == without_picture(ends[entry.id])
        assert entry.last == ends[entry.id].time


def without_picture(event):
    """An earlier event may say where the picture of the same frame is, and the last one not."""
    return replace(event, best=replace(event.best, picture=None))


@pytest.mark.parametrize("seed", range(20))
def test_whatever_part_of_it_is_kept_each_event_is_in_one_entry(seed):
    lots = random.Random(seed)
    made = [*made_events.of_a_story(lots), *made_events.of_runs(lots).events]
    told = [read_again(each) for each in made if lots.random() < 0.5]
    entries = chronicle.of(told)
    ids = Counter(
        each
        for entry in entries
        if isinstance(entry, SightingEntry)
        for each in (entry.id, *entry.parts)
    )
    assert not ids or max(ids.values()) == 1
    assert {each.sighting for each in told if hasattr(each, "sighting")} <= set(ids)
    turns = {each.id for each in entries if isinstance(each, ProcessorEntry)}
    assert turns == {each.id for each in told if not hasattr(each, "sighting")}
