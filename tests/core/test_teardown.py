"""The way of a run from LIVE to DONE, where nobody comes between."""

from datetime import timedelta

import pytest

from streamctl.core import events, teardown
from streamctl.core.liveness import Status
from streamctl.core.policy import OnEnd, Policy
from streamctl.core.runs import FIRST_CHANGES, LAST_CHANGES, Action, Phase, Reason
from tests.core.scene import at
from tests.core.teardown_world import IDLE, World


@pytest.mark.parametrize("status", [Status.STOPPED, Status.STOPPING, Status.UPDATING])
def test_only_what_runs_starts_or_failed_begins_a_run(status):
    assert World(status=status).look(1) is None


def test_nothing_is_done_while_video_flows():
    world = World()
    for now in range(1, 600):
        world.video = now - 5
        world.look(now)
    assert world.done == []
    assert world.run.phase is Phase.LIVE


def test_an_ended_run_is_drained_stopped_deleted_and_told():
    world = World(video=100, arrival=101)
    gone = world.until(1, 200)
    assert world.status is None
    assert world.done == [Action.STOP, Action.DELETE]
    assert world.told == [
        events.PROCESSOR_STARTED,
        events.PROCESSOR_ENDED,
        events.PROCESSOR_TORN_DOWN,
    ]
    assert world.run.reason is Reason.ENDED
    passed = [change.phase for change in world.run.changes]
    assert passed[-4:] == [Phase.DRAINING, Phase.STOPPING, Phase.DELETING, Phase.DONE]
    assert gone - 101 - IDLE.total_seconds() < 5


def test_the_end_tells_of_the_last_frame_and_of_the_last_sign():
    """Which is a record's arrival, where records come late."""
    world = World(video=100, arrival=104)
    world.until(105, 200)
    ended = next(each for each in world.events if each.type == events.PROCESSOR_ENDED)
    assert ended.detail["last_frame"] == "2026-01-01T00:01:40.000Z"
    assert ended.detail["last_sign"] == "2026-01-01T00:01:44.000Z"
    assert ended.detail["reason"] == Reason.ENDED


def test_records_that_still_arrive_are_waited_for():
    """Twice the lag: Rekognition was seen minutes behind, and what arrives is still to be told."""
    world = World(video=100, arrival=110, lag=30)
    world.until(1, 140)
    assert (world.run.phase, world.done) == (Phase.DRAINING, [])
    world.arrival = 140
    world.until(141, 199)
    assert world.done == []
    world.until(200.5, 300)
    assert world.status is None


@pytest.mark.parametrize(
    ("arrival", "lag", "gone"),
    [
        pytest.param(101, 1, 121, id="records have caught up"),
        pytest.param(60, 1, 160, id="records stopped before the end"),
        pytest.param(None, 0, 160, id="no record ever came"),
    ],
)
def test_records_that_are_behind_the_video_are_waited_for(arrival, lag, gone):
    """How late the next one will be is not known then."""
    world = World(video=100, arrival=arrival, lag=lag)
    world.until(101, gone - 1)
    assert world.done == []
    world.until(gone, gone + 10)
    assert world.status is None


def test_draining_does_not_wait_for_ever():
    world = World(video=0.5, arrival=0.5)
    now = 1
    while world.status is not None and now < 3000:
        if world.run is not None and world.run.phase is Phase.DRAINING:
            world.arrival = now
        world.look(now)
        now += 5
    assert world.status is None
    assert now < 20 + teardown.DRAIN_AT_MOST.total_seconds() + 30


def test_no_action_is_given_in_the_step_that_decides_it():
    """What is decided is saved first: the look that acts is another one, with a new description."""
    world = World(video=100, arrival=98)
    world.look(1)
    before = world.run.phase
    for now in range(100, 160):
        step = world.look(now)
        if step is None:
            break
        assert step.action is None or step.run.phase is before
        before = step.run.phase
    assert world.status is None


@pytest.mark.parametrize(
    ("on_end", "by_stack", "expected"),
    [
        (OnEnd.DELETE, False, [Action.STOP, Action.DELETE]),
        (OnEnd.DELETE, True, [Action.STOP]),
        (OnEnd.STOP, False, [Action.STOP]),
        (OnEnd.KEEP, False, []),
    ],
)
def test_policy_and_owner_say_how_far_it_goes(on_end, by_stack, expected):
    world = World(policy=Policy(IDLE, on_end), by_stack=by_stack, video=100, arrival=100)
    world.until(1, 2000)
    assert world.done == expected


def test_a_run_that_never_saw_video_is_given_ten_minutes():
    world = World(video=None, arrival=None)
    world.until(1, 599)
    assert world.done == []
    world.until(600, 700)
    assert (world.run.reason, world.status) == (Reason.NEVER_STARTED, None)


def test_one_that_is_kept_still_runs_no_longer_than_it_may():
    world = World(policy=Policy(IDLE, OnEnd.KEEP, timedelta(seconds=300)), video=100, arrival=100)
    world.until(1, 299)
    assert world.done == []
    world.until(300, 310)
    assert world.done == [Action.STOP]


def test_max_run_ends_a_run_while_video_flows():
    world = World(policy=Policy(IDLE, max_run=timedelta(seconds=60)))
    for now in range(1, 70):
        world.video = now
        world.look(now)
    assert (world.run.reason, world.status) == (Reason.OVER_TIME, None)


def test_a_failed_processor_is_told_at_once_and_removed_after_the_idle_time():
    world = World(status=Status.STARTING)
    world.look(1)
    world.status, world.updated = Status.FAILED, at(5)
    world.look(6)
    assert world.told == [events.PROCESSOR_FAILED]
    world.video = 24  # flowing all the while: a failed processor sees none of it
    world.until(24.9, 24.9)
    assert world.status is Status.FAILED
    world.until(25.1, 60)
    assert (world.status, world.done) == (None, [Action.DELETE])
    assert world.told == [events.PROCESSOR_FAILED, events.PROCESSOR_TORN_DOWN]


def test_one_stuck_in_starting_is_deleted_without_a_stop():
    world = World(status=Status.STARTING, video=None, arrival=None)
    world.until(1, 200)
    assert (world.done, world.run.reason) == ([Action.DELETE], Reason.STUCK)
    assert events.PROCESSOR_ENDED not in world.told


def test_one_stuck_in_starting_that_is_not_to_be_deleted_is_watched_until_it_runs():
    """It can be neither stopped nor left: once it runs it is a run of its own."""
    world = World(Status.STARTING, policy=Policy(IDLE, OnEnd.STOP), video=None, arrival=None)
    world.until(1, 900)
    assert (world.run.phase, world.run.reason, world.done) == (Phase.STOPPING, Reason.STUCK, [])
    world.status, world.updated, world.video = Status.RUNNING, at(901), 905
    world.look(906)
    assert world.run.reason is Reason.RESTARTED
    world.until(907, 1000)
    assert (world.done, world.status) == ([Action.STOP], Status.STOPPED)


def test_its_end_and_its_teardown_are_told_with_one_reason():
    """Also where it was taken for stuck and runs after all, without a change that Describe tells of."""
    world = World(status=Status.STARTING, video=None, arrival=None)
    world.look(1)
    world.look(125)
    world.status = Status.RUNNING
    world.until(126, 200)
    reasons = {event.type: event.detail.get("reason") for event in world.events}
    assert reasons[events.PROCESSOR_ENDED] == Reason.ENDED
    assert reasons[events.PROCESSOR_TORN_DOWN] == Reason.ENDED


def test_history_is_bounded():
    world = World()
    for now in range(1, 300):
        world.video = now if now % 2 else None
        world.status = Status.RUNNING
        world.run = world.run and world.run.noted("x", at(now), "test")
        world.look(now)
    assert len(world.run.changes) <= FIRST_CHANGES + LAST_CHANGES
    assert world.run.changes[0].why == "adopted, RUNNING"
