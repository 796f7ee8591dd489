"""Forgetting: everything of a person goes, nothing of anybody else, and twice is once."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.core import folding, forgetting, forgotten, heard, sightings
from streamctl.core.folding import Cooling, Story
from streamctl.core.forgetting import Counts, Pictures, Stretch
from streamctl.core.sightings import UNKNOWN
from streamctl.core.watch import WATCH, Attention, Rule, Watch
from tests.core.frames_shown import RUN, arrival, fold, shown
from tests.core.scene import CAMERA, at
from tests.core.told_events import camera_arn, processor, sighting
from tests.ops.messages_told import told

NOBODY = forgetting.presence([], timedelta(0))
PEOPLE = ("ada", "bob", "cy")

# -- names ----------------------------------------------------------------------------------------

SAME = Watch(same={"ada-2019": "ada", "ada-2020": "ada", "bobby": "bob"})


@pytest.mark.parametrize(
    ("asked", "called"),
    [
        (["ada"], {"ada", "ada-2019", "ada-2020"}),
        (["ada-2019"], {"ada", "ada-2019", "ada-2020"}),
        (["bob"], {"bob", "bobby"}),
        (["cy"], {"cy"}),
        (["cy", "bobby"], {"cy", "bob", "bobby"}),
    ],
)
def test_a_person_is_all_the_names_that_mean_the_same(asked, called):
    """Whichever of them is asked for."""
    assert forgetting.names_of(SAME, asked) == called
    assert forgetting.names_of(WATCH, asked) == set(asked)


def presence_at(*seconds):
    """Somebody was there at each of these, so for half a minute before and after."""
    stretches = [Stretch(CAMERA, at(second), at(second)) for second in seconds]
    return forgetting.presence(stretches, timedelta(seconds=30))


# -- stories --------------------------------------------------------------------------------------


def test_a_story_is_left_without_them_and_with_the_others():
    """Open, cooling, and what is to be told of them."""
    story = fold(arrival(0, "ada", "bob"), arrival(1, "ada", "bob"))
    story = folding.close_all(story, RUN, Watch(cooldown=timedelta(hours=1)))
    story = fold(arrival(200, "ada", "bob"), arrival(201, "ada", "bob"), story=story)
    assert {each.person for each in story.open} == {"ada", "bob"}
    assert {each.person for each in story.cooling} == {"ada", "bob"}
    after = forgetting.without(story, {"ada"}, NOBODY)
    assert "ada" not in repr(after)
    assert [each.person for each in after.open] == ["bob"]
    assert [each.person for each in after.cooling] == ["bob"]
    assert {event.detail["person"] for event in after.outbox} == {"bob"}
    assert (after.frames, after.newest) == (story.frames, story.newest)


def test_who_is_not_in_a_story_changes_nothing_in_it():
    """Neither do those who match nobody, whom no name means."""
    story = fold(arrival(0, "bob", unknown=1), arrival(1, "bob", unknown=1))
    assert forgetting.without(story, {"ada", "bo", "bobby"}, NOBODY) == story
    assert list(forgetting.in_story(story, {"ada"})) == []


def test_what_a_story_says_of_where_they_were():
    """One who is seen and not told of yet, one who is there, one whose end is to be told."""
    waiting = shown("ada", 7)
    assert list(forgetting.in_story(waiting, {"ada"})) == [("", Stretch(CAMERA, at(7), at(7)))]
    there = shown("ada", 0, 1, 2)
    ids = {ident for ident, _ in forgetting.in_story(there, {"ada"})}
    assert ids == {there.open[0].id}
    ended = folding.close_all(folding.published(there), RUN)
    assert list(forgetting.in_story(ended, {"ada"})) == [
        (there.open[0].id, Stretch(CAMERA, at(0), at(2)))
    ]


@st.composite
def stories(draw):
    """Frames with any of three people, some of whom have gone since."""
    story = Story(CAMERA)
    for second in sorted(draw(st.sets(st.integers(0, 300), max_size=12))):
        people = draw(st.sets(st.sampled_from(PEOPLE)))
        story = fold(arrival(second, *sorted(people)), story=story)
    kept = tuple(Cooling(who, at(0)) for who in draw(st.sets(st.sampled_from(PEOPLE))))
    return replace(story, cooling=kept)


@given(
    stories(),
    st.sets(st.sampled_from(PEOPLE)),
    st.sets(st.sampled_from(PEOPLE)),
    st.lists(st.integers(0, 300)),
)
def test_twice_is_once_and_in_any_order(story, some, others, seconds):
    there = presence_at(*seconds)
    after = forgetting.without(story, some, there)
    assert forgetting.without(after, some, there) == after
    assert forgetting.without(after, others, there) == forgetting.without(
        story, some | others, there
    )
    assert not any(f"'{name}'" in repr(after) for name in some)
    assert list(forgetting.in_story(after, some)) == []


@given(stories(), st.sampled_from(PEOPLE), st.lists(st.integers(0, 300)))
def test_what_comes_of_a_story_later_is_as_if_they_had_not_been_in_it(story, person, seconds):
    """The others are told of no less, and the person no more; with pictures of when they were not
    there, and of no other time.
    """
    there = presence_at(*seconds)
    after = folding.close_all(forgetting.without(story, {person}, there), RUN).outbox
    before = folding.close_all(story, RUN).outbox
    others = [event.detail for event in before if event.detail["person"] != person]
    assert [unpictured(event.detail) for event in after] == list(map(unpictured, others))
    assert {event.id for event in after if "picture" in event.detail["best"]} == {
        detail["id"]
        for detail in others
        if not there.covers(CAMERA, datetime.fromisoformat(detail["best"]["time"]))
    }


def unpictured(detail):
    best = {member: value for member, value in detail["best"].items() if member != "picture"}
    return {**detail, "best": best}


def test_a_better_frame_from_after_they_had_gone_is_pictured():
    """Of the same sighting; one that is joined to it later does not undo that."""
    there = forgetting.presence([Stretch(CAMERA, at(0), at(1))], timedelta(seconds=2))
    story = folding.published(fold(arrival(0, "bob"), arrival(1, "bob")))
    after = forgetting.without(story, {"ada"}, there)
    ended = folding.close_all(fold(arrival(3, "bob", similarity=80.0), story=after), RUN)
    assert "picture" not in ended.outbox[-1].detail["best"]
    ended = folding.close_all(fold(arrival(4, "bob", similarity=99.0), story=after), RUN)
    assert "picture" in ended.outbox[-1].detail["best"]


# -- when they were there -------------------------------------------------------------------------

moments = st.integers(0, 100).map(at)
some_stretches = st.builds(
    lambda camera, times: Stretch(camera, min(times), max(times)),
    st.sampled_from(["a", "b"]),
    st.tuples(moments, moments),
)


@given(st.lists(some_stretches), st.integers(0, 20), st.sampled_from(["a", "b"]), moments)
def test_presence_is_each_stretch_and_somewhat_more(given_, seconds, camera, moment):
    """Whatever overlaps what, and in any order."""
    around = timedelta(seconds=seconds)
    there = any(
        each.camera == camera and each.since - around <= moment <= each.until + around
        for each in given_
    )
    assert forgetting.presence(given_, around).covers(camera, moment) == there


def test_an_event_says_how_long_they_were_there():
    started = sighting("started", "x", 0, 1)
    assert forgetting.stretch_of(started) == Stretch(camera_arn("door"), at(0), at(1))
    ended = sighting("ended", "x", 0, 60)
    assert forgetting.stretch_of(ended) == Stretch(camera_arn("door"), at(0), at(60))


# -- pictures -------------------------------------------------------------------------------------


def key(ident, number=0):
    return f"{sightings.pictures_of(ident)}{number}.jpg"


def pictured(ident, second, *, person, camera="door"):
    """An event of somebody at a second, with a picture of then."""
    event = sighting("started", ident, second, second, person=person, camera=camera)
    picture = heard.PictureRef("pictures-of-main", key(ident))
    return replace(event, best=replace(event.best, picture=picture))


@pytest.mark.parametrize(
    ("event", "loses", "goes"),
    [
        (pictured("b", 100, person="bob"), True, True),
        (pictured("b", 130, person="bob"), True, True),
        (pictured("b", 131, person="bob"), False, False),
        (pictured("b", 69, person="bob"), False, False),
        (pictured("b", 100, person=None), True, True),
        (pictured("b", 100, person="bob", camera="gate"), False, False),
    ],
    ids=["then", "just after", "later", "before", "a stranger", "elsewhere"],
)
def test_who_was_there_too_loses_the_picture_and_not_the_event(event, loses, goes):
    found = Pictures({key("b")}, frozenset({"a"}), presence_at(100))
    assert found.note(event) == loses
    assert (key("b") in found.keys) == goes
    assert found.of_others == ({key("b")} if goes else set())
    assert found.own == set()


def test_a_persons_own_pictures_go_and_so_do_those_that_no_event_tells_of():
    keys = {key("a"), key("a", 1), key("ab"), key("late")}
    found = Pictures(keys, frozenset({"a"}), NOBODY)
    assert not found.note(pictured("a", 0, person="ada"))
    assert not found.note(pictured("ab", 0, person="bob"))
    assert not found.note(sighting("ended", "none", 0, 1, person="bob"))
    assert not found.note(processor("Started", 0))
    assert found.own == {key("a"), key("a", 1)}
    assert found.keys == {key("a"), key("a", 1), key("late")}
    assert found.of_others == set()


def test_an_event_without_its_picture_is_otherwise_the_same():
    message = told(arrival(0, "bob"), arrival(1, "bob"))[0]
    before, after = heard.read(message), heard.read(forgetting.without_picture(message))
    assert before.best.picture is not None
    assert after == replace(before, best=replace(before.best, picture=None))
    again = forgetting.without_picture(forgetting.without_picture(message))
    assert json.loads(again) == json.loads(forgetting.without_picture(message))


# -- what is watched for --------------------------------------------------------------------------


def test_rules_and_other_names_of_theirs_go_and_the_rest_keeps_its_order():
    others = (Rule(Attention.ALERT, person="bob"), Rule(Attention.IGNORE, camera="gate"))
    strangers = Rule(Attention.ALERT, person=UNKNOWN)
    adas = (Rule(Attention.ALLOW, person="ada"), Rule(Attention.ALLOW, person="ada-2019"))
    watch = Watch((others[0], adas[0], others[1], adas[1], strangers), SAME.same)
    called = forgetting.names_of(watch, ["ada"])
    after = forgetting.unwatched(watch, called)
    assert after == Watch((*others, strangers), {"bobby": "bob"})
    assert forgetting.watched(watch, called) == 4
    assert forgetting.watched(after, called) == 0
    assert forgetting.unwatched(Watch(same={"x": "ada"}), {"ada"}) == WATCH
    assert forgetting.unwatched(watch, {"cy"}) == watch


def test_counts_add_up():
    once = Counts(1, 2, 3, 4, 5, 6)
    assert once.plus(once) == Counts(2, 4, 6, 8, 10, 12)
    assert once.plus(Counts()) == once


# -- the trail ------------------------------------------------------------------------------------

SALT = "00" * forgotten.SALT_BYTES


def test_a_request_is_known_by_the_name_and_does_not_say_it():
    asked = forgotten.request({"ada", "ada-2019"}, "arn:me", at(0), SALT, Counts())
    assert forgotten.is_about(asked, "ada")
    assert forgotten.is_about(asked, "ada-2019")
    assert not forgotten.is_about(asked, "bob")
    assert not forgotten.is_about(asked, "ad")
    assert "ada" not in repr(asked)


def test_two_requests_have_nothing_in_common_but_the_name():
    """So the trail does not say that the same person asked twice."""
    other = "11" * forgotten.SALT_BYTES
    assert forgotten.digest("ada", SALT) != forgotten.digest("ada", other)
    first, second = (
        forgotten.request({"ada"}, "arn:me", at(0), salt, Counts()) for salt in (SALT, other)
    )
    assert forgotten.identity(first) != forgotten.identity(second)
    assert forgotten.identity(first).startswith("2026-01-01T00:00:00Z-")
