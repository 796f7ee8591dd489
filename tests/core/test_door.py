"""The one door: what is asked of the world, in which order, and when it is asked no more."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from benchmarks.simulated_aws import Message, moment
from streamctl.core import asking, door, seeing, sightings, teardown
from streamctl.core.folding import Story
from streamctl.core.liveness import Video
from streamctl.core.policy import OnEnd, Policy
from streamctl.core.runs import Action, Phase, Reason, Seen
from streamctl.errors import AskedWrongly, Lost, Throttled, Unreachable
from tests.core.door_world import RULES, World
from tests.core.frames_shown import arrival, fold
from tests.core.scene import CAMERA


def test_a_run_is_saved_before_it_is_told_and_its_clock_sent_before_it_is_saved():
    world = World()
    run = world.advance()
    assert world.asked == [
        "Load",
        "DescribeTagged",
        "RecentVideo",
        "Describe",
        "Save",
        "Publish",
        "Save",
        "Send",
        "Save",
    ]
    assert run.clock.id == "clock-1"


def test_a_clock_that_finds_fresh_records_asks_nothing_of_the_services():
    """Describe is limited to 20 a second and account: ten thousand cameras would exceed it."""
    world = World()
    world.advance()
    world.ring()
    assert world.asked == ["Load", "Send", "Save"]


def test_without_records_a_clock_is_content_with_fresh_video():
    """Where records come for faces only, an empty room gives none."""
    world = World()
    world.aws.writes_records = False
    world.advance()
    world.ring()
    assert world.asked == ["Load", "RecentVideo", "Send", "Save"]


@pytest.mark.parametrize("trigger", ["message", "sweep"])
def test_whatever_else_wakes_it_looks_closely(trigger):
    world = World()
    world.advance()
    world.advance(trigger)
    assert "Describe" in world.asked


@pytest.mark.parametrize(("looks_after_s", "may_delete"), [(18, False), (20, True)])
def test_what_comes_while_an_answer_is_waited_for_is_not_taken_to_be_wanting(
    looks_after_s, may_delete
):
    """Video came back, unheeded, when the processor was STOPPED. 18 s after it is too soon by an idle
    time of 20 s, and stays so though the description takes 4 s; the same 2 s later is not.
    """
    world = World()
    run = world.advance()
    world.aws.answer(asking.Stop(run))
    world.timeline.run(10)
    world.aws.flow(CAMERA, on=False)
    world.timeline.run(20)
    run = replace(run, phase=Phase.DELETING, reason=Reason.ENDED)
    ends = world.aws.answer(asking.RecentVideo(CAMERA, moment(0))).end
    world.timeline.run((ends - moment(0)).total_seconds() + looks_after_s)
    world.takes_s["Describe"] = 4
    step = world.take(seeing.see(run, Story(CAMERA), "sweep", world.given, glances=False))
    assert (step.action is Action.DELETE) == may_delete


class WithSighting(World):
    """A world in which one sighting is open, folded up to 5 s, and results go on for a while."""

    def __init__(self, results_end_s):
        super().__init__()
        self.story = fold(arrival(4.5, "ada", lag=0.5))
        self.results_end = moment(results_end_s)
        self.closed = []

    def _found(self, request):
        match request:
            case asking.Load():
                return replace(super()._found(request), story=self.story)
            case asking.NewestArrival():
                return self.results_end
            case asking.CloseSightings(_, _, everything):
                self.closed.append(everything)
                return replace(self.story, open=())
            case _:
                return super()._found(request)


@pytest.mark.parametrize(
    ("results_end_s", "closed"),
    [
        pytest.param(5.0, [True], id="all folded"),
        pytest.param(6.0, [], id="a record is yet to be folded, and may continue it"),
    ],
)
def test_the_end_of_a_run_ends_its_sightings_once_all_records_are_folded(results_end_s, closed):
    world = WithSighting(results_end_s)
    world.advance()
    world.aws.flow(CAMERA, on=False)
    world.ring_until_gone()
    assert world.aws.runs[CAMERA][0].phase is Phase.DONE
    assert world.closed == closed


def test_a_sighting_left_open_by_a_run_is_seen_to_by_a_clock():
    world = WithSighting(6.0)
    world.advance()
    world.aws.flow(CAMERA, on=False)
    world.ring_until_gone()
    world.timeline.run(world.timeline.now + sightings.MEASURES.lateness.total_seconds() + 60)
    world.ring()
    assert world.closed[-1:] == [False]


def test_a_processor_is_described_now_and_then_however_lively_it_is():
    world = World()
    world.advance()
    described = []
    while world.timeline.now < 20_000:
        world.ring()
        described += [world.timeline.now] * world.asked.count("Describe")
    apart = {later - earlier for earlier, later in itertools.pairwise(described)}
    assert 45 * 60 <= min(apart) <= max(apart) <= 75 * 60 + 60


@pytest.mark.parametrize(("glance", "described"), [(True, False), (False, True)])
def test_what_a_sweep_hands_on_for_its_clock_alone_needs_no_description(glance, described):
    world = World()
    world.advance()
    world.asked.clear()
    message = {"camera": CAMERA, "processor": "", "glance": glance}
    world.take(door.answer(message, RULES, world.given))
    assert ("Describe" in world.asked) is described


def test_runs_that_began_together_are_not_described_together():
    run = World().advance()
    runs = [replace(run, id=f"door-{number}@1") for number in range(1000)]
    now = run.described + timedelta(minutes=60)
    seen = Seen(None, camera_exists=True, video=Video(now), last_arrival=now, lag=timedelta(0))
    due = sum(teardown.glance(each, seen, now, "clock") is None for each in runs)
    assert 400 < due < 600


def test_no_clock_rings_past_the_run_that_it_is_of():
    """A clock that another one has replaced is dropped, unread."""
    world = World()
    world.advance()
    world.aws.ready.append(Message({"camera": CAMERA, "clock": "other", "version": 1}))
    world.ring()
    assert world.asked == ["Load"]


def test_a_clock_that_rings_before_it_is_saved_is_heard():
    """A short delay may pass before the save that follows the sending is done."""
    world = World()
    world.aws.writes_records = False
    world.advance()
    world.aws.ready.append(Message({"camera": CAMERA, "clock": "other", "version": 99}))
    world.ring()
    assert "RecentVideo" in world.asked


@pytest.mark.parametrize("error", [Throttled("x"), Unreachable("x"), Lost("x")])
def test_a_clock_that_could_not_be_handled_comes_again_soon(error):
    """The queue itself would deliver it again after minutes only."""
    world = World()
    world.advance()
    world.fails = {"Load": error}
    body = world.ring()
    again = world.ring()
    assert (again["clock"], again["tries"]) == (body["clock"], 1)


def test_the_more_tries_were_in_vain_the_later_the_next():
    """A crowd that is refused must thin out."""
    delays = []
    for tries in range(8):
        world = World()
        steps = door.answer(
            {"camera": CAMERA, "tries": tries},
            RULES,
            replace(world.given, between=lambda _low, high: high),
        )
        next(steps)
        delays.append(steps.throw(Throttled("x")).delay_s)
    assert delays == [10, 20, 40, 80, 160, 160, 160, 160]


def test_an_ended_run_is_gone_in_one_waking():
    world = World()
    world.advance()
    world.aws.flow(CAMERA, on=False)
    world.timeline.run(60)
    run = world.advance()
    assert (run.phase, run.reason, world.aws.processors) == (Phase.DONE, Reason.ENDED, {})
    assert [each.type for each in world.aws.told] == [
        "Processor Started",
        "Processor Ended",
        "Processor Torn Down",
    ]


def test_a_run_that_was_deleted_from_the_table_is_adopted_under_the_same_id():
    world = World()
    before = world.advance()
    world.aws.runs.clear()
    body = world.ring()
    assert body["clock"]
    assert world.aws.runs[CAMERA][0].id == before.id


def test_former_runs_are_remembered():
    world = World(Policy(timedelta(seconds=20), OnEnd.STOP))
    first = world.advance()
    world.aws.flow(CAMERA, on=False)
    world.timeline.run(60)
    world.advance()
    world.aws.start("door")
    world.timeline.run(70)
    run = world.advance()
    assert [(each.id, each.reason) for each in run.former] == [(first.id, Reason.ENDED)]
    assert run.id != first.id


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"camera": ""},
        {"camera": 7},
        {"camera": CAMERA, "clock": ["a"]},
        {"camera": CAMERA, "processor": None},
        {"camera": CAMERA, "tries": "1"},
        {"camera": CAMERA, "version": 1.5},
        {"camera": CAMERA, "glance": "yes"},
    ],
)
def test_a_message_that_is_none_of_ours_is_refused(message):
    world = World()
    with pytest.raises(AskedWrongly, match="clock queue"):
        world.take(door.answer(message, RULES, world.given))
