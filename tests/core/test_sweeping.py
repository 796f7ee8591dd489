"""The periodic look at everything: from one index and one listing to what is to be done."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from streamctl.core import asking, policy, sweeping
from streamctl.core.asking import Given, OpenRun, Rules, Tagged
from streamctl.core.liveness import Processor, Status
from streamctl.core.policy import Ownership, Policy
from streamctl.core.sweeping import Finding, Would
from streamctl.errors import NotAllowed, StreamctlError, Throttled
from tests.core.answering import follow

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
RULES = Rules("main", timedelta(seconds=5))
GIVEN = Given(lambda: NOW, lambda: "clock", lambda low, _high: low)
OURS = policy.to_tags(Ownership("main", "door", Policy(), by_stack=False))


def camera(name):
    return f"arn:aws:kinesisvideo:us-east-1:123456789012:stream/{name}/1"


def open_run(name, late_s=-30, expects="RUNNING"):
    return OpenRun(camera(name), NOW - timedelta(seconds=late_s), name, expects)


@dataclass
class World:
    """What stands in the index, what is listed, and whose tags say what. `fails` is what comes of
    advancing any camera.
    """

    opened: tuple = ()
    listed: dict = field(default_factory=dict)
    tags: dict = field(default_factory=dict)
    fails: StreamctlError | None = None
    asked: list = field(default_factory=list)

    def take(self, steps):
        return follow(steps, self.answer)

    def answer(self, request):
        self.asked.append(request)
        match request:
            case asking.Load() if self.fails:
                raise self.fails
            case asking.ListOpen():
                return self.opened
            case asking.ListProcessors():
                return tuple(self.listed.items())
            case asking.DescribeTagged(name) if name in self.tags:
                status = Status(self.listed[name])
                return Tagged(Processor(name, camera(name), status, NOW, NOW), self.tags[name])
            case asking.DescribeTagged():
                return None
        raise AssertionError(request)

    def find(self):
        return self.take(sweeping.find(RULES, GIVEN))


@pytest.mark.parametrize(
    ("opened", "status", "would", "why"),
    [
        (open_run("door"), "RUNNING", Would.LEAVE, "its next look is due in 30 s"),
        (open_run("door"), "UPDATING", Would.LEAVE, "its next look is due in 30 s"),
        (open_run("door", 59), "RUNNING", Would.LEAVE, "its clock is 59 s late; 60 s are allowed"),
        (open_run("door", 61), "RUNNING", Would.ADVANCE, "its clock is 61 s late"),
        (open_run("door"), "FAILED", Would.ADVANCE, "it is FAILED, and was RUNNING"),
        (open_run("door"), "STOPPED", Would.ADVANCE, "it is STOPPED, and was RUNNING"),
        (open_run("door"), None, Would.ADVANCE, "it is gone, and was RUNNING"),
        (open_run("door", expects="FAILED"), "FAILED", Would.LEAVE, "its next look is due in 30 s"),
        (
            open_run("door", expects="FAILED"),
            "RUNNING",
            Would.ADVANCE,
            "it is RUNNING, and was FAILED",
        ),
        (open_run("door", expects=""), None, Would.LEAVE, "its next look is due in 30 s"),
    ],
)
def test_what_is_known_is_touched_if_it_is_overdue_or_not_as_it_was(opened, status, would, why):
    world = World((opened,), {"door": status} if status else {})
    late = why == "its clock is 61 s late"
    assert world.find() == (Finding(camera("door"), "door", would, why, only_late=late),)


def test_an_overdue_story_is_closed_by_a_look_at_its_camera():
    """A story has no processor."""
    opened = OpenRun(camera("door"), NOW - timedelta(seconds=90))
    assert [each.would for each in World((opened,)).find()] == [Would.ADVANCE]


@pytest.mark.parametrize("status", ["RUNNING", "STARTING", "FAILED"])
def test_one_of_ours_that_no_run_knows_is_adopted(status):
    world = World((), {"door": status}, {"door": OURS})
    why = f"ours, {status}, and no run knows it"
    assert world.find() == (Finding(camera("door"), "door", Would.ADOPT, why),)


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({}, "not ours: no tag streamctl:managed"),
        ({"team": "x"}, "not ours: no tag streamctl:managed"),
        ({**OURS, policy.PLATFORM: "other"}, "another platform's, by its tags"),
    ],
)
def test_what_is_not_ours_is_left_alone_and_that_is_said(tags, why):
    world = World((), {"door": "RUNNING"}, {"door": tags})
    assert world.find() == (Finding("", "door", Would.LEAVE, why),)


def test_what_stands_still_is_not_even_asked_for_its_tags():
    world = World((), {"door": "STOPPED"}, {"door": OURS})
    assert world.find() == (Finding("", "door", Would.LEAVE, "it is STOPPED: nothing to watch"),)
    assert not any(isinstance(each, asking.DescribeTagged) for each in world.asked)


def test_strangers_are_asked_a_hundred_at_a_time_and_all_of_them_in_turn():
    """Tags are limited to 10 requests a second and account."""
    names = [f"p{number}" for number in range(250)]
    asked = set()
    for minute in range(3):
        world = World((), dict.fromkeys(names, "RUNNING"), {name: {} for name in names})
        now = NOW + timedelta(minutes=minute)
        given = Given(lambda now=now: now, GIVEN.new_id, GIVEN.between)
        assert len(world.take(sweeping.find(RULES, given))) == sweeping.STRANGERS_AT_MOST
        asked |= {each.processor for each in world.asked if isinstance(each, asking.DescribeTagged)}
    assert asked == set(names)


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (Throttled("describing: slow down"), "failed: describing: slow down"),
        (NotAllowed("no"), "failed: no"),
    ],
)
def test_one_cameras_failure_spares_the_others(error, result):
    listed = {"a": "RUNNING", "b": "RUNNING"}
    world = World((open_run("a", 100), open_run("b", 90)), listed, fails=error)
    swept = world.take(sweeping.sweep(RULES, GIVEN))
    assert [(each.finding.processor, each.result, each.failed) for each in swept] == [
        ("a", result, True),
        ("b", result, True),
    ]


class Slow(World):
    """Where each look takes ten seconds and comes to nothing, and each message takes ten as well."""

    now = NOW

    def answer(self, request):
        if not isinstance(request, asking.Load | asking.Send):
            return super().answer(request)
        self.asked.append(request)
        self.now += timedelta(seconds=10)
        if isinstance(request, asking.Load):
            raise Throttled("slow down")
        return None


def test_what_the_time_does_not_suffice_for_is_handed_on_and_then_left():
    """The longest overdue come first."""
    names = "abcdefg"
    world = Slow(tuple(open_run(name, 100) for name in names), dict.fromkeys(names, "RUNNING"))
    given = Given(lambda: world.now, GIVEN.new_id, GIVEN.between)
    swept = world.take(sweeping.sweep(RULES, given))
    assert [each.result for each in swept] == [
        *["failed: slow down"] * 3,
        *["handed to the clock queue"] * 2,
        *["left to the next sweep"] * 2,
    ]
    assert [each for each in world.asked if isinstance(each, asking.Send)] == [
        asking.Send({"camera": camera(name), "processor": "", "glance": True}, 0) for name in "de"
    ]


def test_a_camera_whose_run_and_story_are_both_overdue_is_advanced_once():
    story = OpenRun(camera("a"), NOW - timedelta(seconds=80))
    world = World((open_run("a", 100), story), {"a": "RUNNING"}, fails=Throttled("x"))
    swept = world.take(sweeping.sweep(RULES, GIVEN))
    assert len(swept) == 1
