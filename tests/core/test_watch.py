"""Whom a platform tells of: rules, hours, other names, and quiet after an end."""

import base64
import json
from datetime import UTC, datetime, time, timedelta

import pytest

from streamctl.core import documents, events, folding, records
from streamctl.core.folding import Arrival, Story
from streamctl.core.sightings import UNKNOWN
from streamctl.core.watch import Attention, Hours, Rule, Watch
from tests.core.frames_shown import RUN, arrival
from tests.core.scene import CAMERA, at

ALLOW, ALERT, IGNORE = Attention.ALLOW, Attention.ALERT, Attention.IGNORE
NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
NIGHT = Hours(time(22), time(6), "Europe/Berlin")


def told(watch, *frames):
    """Frame by frame, and the end of all; who was told of in which way."""
    story = Story(CAMERA)
    for second, people, unknown in frames:
        shown = arrival(second, *people, unknown=unknown)
        story = folding.fold(story, [shown], RUN, at(second), watch)
    return folding.close_all(story, RUN, watch).outbox


def kinds(outbox):
    return [(each.type, each.detail["person"], each.detail["attention"]) for each in outbox]


def met(*people, seconds=(0, 1, 2), unknown=0):
    return [(second, people, unknown) for second in seconds]


@pytest.mark.parametrize(
    ("rules", "person", "attention"),
    [
        ((), "ada", ALERT),
        ((), UNKNOWN, IGNORE),
        ((Rule(ALLOW),), "ada", ALLOW),
        ((Rule(ALLOW),), UNKNOWN, IGNORE),
        ((Rule(ALERT, person=UNKNOWN),), UNKNOWN, ALERT),
        ((Rule(ALERT, person=UNKNOWN),), "ada", ALERT),
        ((Rule(IGNORE, person="ada"), Rule(ALLOW)), "ada", IGNORE),
        ((Rule(IGNORE, person="ada"), Rule(ALLOW)), "bob", ALLOW),
        ((Rule(IGNORE, camera="gate"), Rule(ALLOW)), "ada", ALLOW),
        ((Rule(IGNORE, camera="door"), Rule(ALLOW)), "ada", IGNORE),
        ((Rule(ALLOW), Rule(IGNORE, person="ada")), "ada", ALLOW),
        ((Rule(IGNORE, hours=NIGHT), Rule(ALLOW)), "ada", ALLOW),
    ],
)
def test_the_first_rule_that_covers_it_says_what_a_sighting_means(rules, person, attention):
    assert Watch(rules).attention("door", person, NOON) is attention


@pytest.mark.parametrize(
    ("begin", "end", "utc", "holds"),
    [
        ("22:00", "06:00", "2026-07-01T19:59", False),
        ("22:00", "06:00", "2026-07-01T20:00", True),
        ("22:00", "06:00", "2026-07-02T03:59", True),
        ("22:00", "06:00", "2026-07-02T04:00", False),
        ("22:00", "06:00", "2026-01-01T20:59", False),
        ("22:00", "06:00", "2026-01-01T21:00", True),
        ("08:00", "18:00", "2026-01-01T07:00", True),
        ("08:00", "18:00", "2026-01-01T17:00", False),
    ],
)
def test_hours_are_those_of_the_clock_on_the_wall_there(begin, end, utc, holds):
    """In summer and in winter, and over midnight."""
    hours = Hours(time.fromisoformat(begin), time.fromisoformat(end), "Europe/Berlin")
    assert hours.hold(datetime.fromisoformat(utc).replace(tzinfo=UTC)) is holds


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "/etc/localtime", "..", ""])
def test_hours_in_a_zone_that_is_not_known_never_hold(zone):
    """A function may know fewer zones than the machine on which the file was checked."""
    assert not any(Hours(time(0), time(23), zone).hold(at(hour * 3600)) for hour in range(24))


def test_what_it_means_is_said_in_each_event():
    watch = Watch((Rule(ALLOW, person="ada"),))
    assert kinds(told(watch, *met("ada", "bob"))) == [
        (events.SIGHTING_STARTED, "ada", ALLOW),
        (events.SIGHTING_STARTED, "bob", ALERT),
        (events.SIGHTING_ENDED, "ada", ALLOW),
        (events.SIGHTING_ENDED, "bob", ALERT),
    ]


def test_nothing_is_told_of_who_is_ignored():
    """And of the others everything is."""
    outbox = told(Watch((Rule(IGNORE, person="ada"),)), *met("ada", "bob"))
    assert {each.detail["person"] for each in outbox} == {"bob"}


def test_who_was_ignored_until_a_certain_hour_is_seen_from_then_on():
    dawn = at(100).time()
    rule = Rule(IGNORE, hours=Hours(at(0).time(), dawn, "UTC"))
    started, ended = told(Watch((rule,)), *met("ada", seconds=range(90, 110)))
    assert started.detail["started"]["time"] == "2026-01-01T00:01:40.000Z"
    assert ended.detail["frames"] == 10


def test_strangers_are_told_of_if_that_is_asked_for():
    """How many at once, at least: which is which is not known."""
    watch = Watch((Rule(ALERT, person=UNKNOWN),))
    frames = [(0, (), 1), (1, ("ada",), 3), (2, (), 2)]
    started, ended = told(watch, *frames)
    assert started.detail["person"] is None
    assert (started.detail["at_once"], ended.detail["at_once"]) == (3, 3)
    assert (ended.detail["frames"], ended.detail["best"]["similarity"]) == (3, 0.0)


def test_a_person_may_have_several_names():
    watch = Watch(same={"ada-2019": "ada"})
    frames = [(0, ("ada",), 0), (1, ("ada-2019",), 0), (2, ("ada", "ada-2019"), 0)]
    started, ended = told(watch, *frames)
    assert (started.detail["person"], ended.detail["frames"]) == ("ada", 3)


def test_after_an_end_a_person_is_not_told_of_for_the_cooldown():
    """And everybody else is."""
    watch = Watch(cooldown=timedelta(minutes=5))
    again = met("ada", "bob", seconds=(200, 201))
    outbox = told(watch, *met("ada"), *again)
    assert [each.detail["person"] for each in outbox if each.type == events.SIGHTING_STARTED] == [
        "ada",
        "bob",
    ]
    assert [each.detail["person"] for each in outbox if each.type == events.SIGHTING_ENDED] == [
        "ada",
        "bob",
    ]


@pytest.mark.parametrize(("back", "sightings"), [(300, 1), (301, 2)])
def test_the_cooldown_counts_from_when_they_were_last_seen(back, sightings):
    """At second 2, to when they are seen again for the last time."""
    watch = Watch(cooldown=timedelta(minutes=5))
    outbox = told(watch, *met("ada"), *met("ada", seconds=(back, back + 1)))
    assert [each.type for each in outbox].count(events.SIGHTING_STARTED) == sightings


def test_who_is_back_before_the_first_end_is_told_is_within_the_cooldown_too():
    watch = Watch(cooldown=timedelta(minutes=5))
    outbox = told(watch, *met("ada"), *met("ada", seconds=(40, 41)))
    assert [each.type for each in outbox].count(events.SIGHTING_STARTED) == 1


@pytest.mark.parametrize(("who", "people"), [("ada", ("ada",)), (None, ())])
def test_who_stays_for_longer_than_the_cooldown_is_told_of_when_it_is_over(who, people):
    """Of strangers another may be among them."""
    watch = Watch((Rule(ALERT, person=UNKNOWN),), cooldown=timedelta(minutes=5))
    frames = [(second, people, not people) for second in (0, 1, *range(290, 400))]
    began, ended, anew, over = told(watch, *frames)
    assert (began.type, ended.type) == (events.SIGHTING_STARTED, events.SIGHTING_ENDED)
    assert anew.detail["person"] == who
    assert (anew.type, anew.detail["frames"]) == (events.SIGHTING_STARTED, 302 - 290)
    assert (over.type, over.detail["frames"]) == (events.SIGHTING_ENDED, 110)


def test_who_is_told_of_is_not_joined_with_what_nobody_heard_of():
    """A frame that comes late shows that they were there within the cooldown already."""
    watch = Watch(cooldown=timedelta(minutes=5))
    frames = [*met("ada", seconds=(0, 1, 280, 281, 315, 316, 298, 340))]
    outbox = told(watch, *frames)
    assert [each.type for each in outbox] == [events.SIGHTING_STARTED, events.SIGHTING_ENDED] * 2
    assert outbox[2].detail["sighting"] == outbox[3].detail["sighting"]
    assert outbox[3].detail["frames"] == 6
    assert all("merged_into" not in each.detail for each in outbox)


@pytest.mark.parametrize("at_once", [True, False])
def test_the_cooldown_is_the_same_in_one_batch(at_once):
    """A backlog comes in large ones."""
    watch, story = Watch(cooldown=timedelta(minutes=5)), Story(CAMERA)
    frames = [arrival(second, "ada") for second in (0, 1, 40, 41)]
    for batch in [frames] if at_once else [[each] for each in frames]:
        story = folding.fold(story, batch, RUN, at(42), watch)
    started = [each for each in story.outbox if each.type == events.SIGHTING_STARTED]
    assert len(started) == 1


def test_it_is_kept_as_json():
    watch = Watch(
        (Rule(IGNORE, "door", UNKNOWN, NIGHT), Rule(ALLOW)), {"b": "a"}, timedelta(minutes=5)
    )
    assert documents.loads(Watch, documents.dumps(watch)) == watch


def test_what_is_cooling_is_forgotten_in_time():
    watch = Watch(cooldown=timedelta(minutes=5))
    story = Story(CAMERA)
    for second in range(0, 3000, 100):
        for later in (0, 1):
            shown = arrival(second + later, f"p{second}")
            story = folding.fold(story, [shown], RUN, at(second + later), watch)
    assert 1 <= len(story.cooling) <= 4


@pytest.mark.parametrize(
    ("watch", "people"),
    [
        (lambda _faces: Watch(), {"89ecdd"}),
        (lambda faces: Watch(same=dict.fromkeys(faces, "one-name")), {"one-na"}),
        (lambda _faces: Watch((Rule(IGNORE),)), set()),
    ],
    ids=["no rule", "all faces are one person's", "ignored"],
)
def test_a_real_face_that_matches_twenty_others_is_one_story(shared_data, watch, people):
    """Twenty enrolled faces without a name, matched in each of two frames."""
    event = json.loads((shared_data / "records/kinesis_event_2records_20matches.json").read_text())
    found = [records.parse(base64.b64decode(each["kinesis"]["data"])) for each in event["Records"]]
    faces = {match.person for frame in found for face in frame.faces for match in face.matches}
    assert len(faces) > 20
    arrivals = [Arrival(frame, frame.time) for frame in found]
    chosen = watch(faces)
    story = folding.fold(Story(found[0].camera), arrivals, RUN, found[1].time, chosen)
    outbox = folding.close_all(story, RUN, chosen).outbox
    assert {each.detail["person"][:6] for each in outbox} == people
    assert len(outbox) == 2 * len(people)
