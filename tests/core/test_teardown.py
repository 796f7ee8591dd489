"""The way of a run from LIVE to DONE, driven against a small world that is told what happens."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from streamctl.core import documents, events, stretches, teardown
from streamctl.core.liveness import Processor, Status, Video
from streamctl.core.policy import OnEnd, Ownership, Policy
from streamctl.core.runs import FIRST_CHANGES, LAST_CHANGES, Action, Phase, Reason, Run, Seen

ZERO = datetime(2026, 1, 1, tzinfo=UTC)
CAMERA = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1"
IDLE = timedelta(seconds=20)


def at(seconds):
    return ZERO + timedelta(seconds=seconds)


@dataclass
class World:
    """One camera and its processor, as AWS would show them; `run` is what we saved."""

    status: Status | None = Status.RUNNING
    created: datetime = ZERO
    updated: datetime = ZERO
    video: float | None = 0.0
    arrival: float | None = 0.0
    camera: bool = True
    policy: Policy = field(default_factory=lambda: Policy(idle_after=IDLE))
    by_stack: bool = False
    lag: float = 1.0
    run: Run | None = None
    told: list[str] = field(default_factory=list)
    events: list = field(default_factory=list)
    done: list[Action] = field(default_factory=list)

    def processor(self):
        if self.status is None:
            return None
        return Processor("door", CAMERA, self.status, self.created, self.updated, "Access denied")

    def look(self, now):
        """What one wake-up does: adopt, or step, then act as told. The Step, or None."""
        if self.run is None or not self.run.is_open:
            owned = Ownership("main", CAMERA, self.policy, self.by_stack)
            processor = self.processor()
            if processor is None:
                return None
            self.run = stretches.adopt(owned, processor, self.run, at(now), "test")
        if self.run is None:
            return None
        seen = Seen(
            processor=self.processor(),
            camera_exists=self.camera,
            video=Video(None if self.video is None else at(self.video), timedelta(seconds=2)),
            last_arrival=None if self.arrival is None else at(self.arrival),
            lag=timedelta(seconds=self.lag),
        )
        step = teardown.step(self.run, seen, at(now), "test")
        self.run = documents.loads(Run, documents.dumps(step.run))  # as if saved and loaded
        self.events += self.run.outbox
        self.told += [event.type for event in self.run.outbox]
        self.run = self.run.published()
        self.act(step.action, now)
        return replace(step, run=self.run)

    def act(self, action, now):
        if action is Action.STOP:
            self.status, self.updated = Status.STOPPED, at(now)
        if action is Action.DELETE:
            self.status = None
        if action is not None:
            self.done.append(action)

    def until(self, now, deadline):
        """Look whenever a look is due, until `deadline`. When the last look was."""
        while now <= deadline:
            step = self.look(now)
            if step is None or step.due is None:
                break
            now = max(now + 0.25, (step.due - ZERO).total_seconds())
        return now


def phases(world):
    return [change.phase for change in world.run.changes]


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
    assert phases(world)[-4:] == [Phase.DRAINING, Phase.STOPPING, Phase.DELETING, Phase.DONE]
    assert gone - 101 - IDLE.total_seconds() < 5


def test_the_end_tells_of_the_last_frame_and_of_the_last_sign():
    """Which is a record's arrival, where records come late."""
    world = World(video=100, arrival=104)
    world.until(105, 200)
    ended = next(each for each in world.events if each.type == events.PROCESSOR_ENDED)
    assert ended.detail["last_frame"] == "2026-01-01T00:01:40.000Z"
    assert ended.detail["last_sign"] == "2026-01-01T00:01:44.000Z"
    assert ended.detail["reason"] == Reason.ENDED


def test_nothing_is_done_while_video_flows():
    world = World()
    for now in range(1, 600):
        world.video = now - 5
        world.look(now)
    assert world.done == []
    assert world.run.phase is Phase.LIVE


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


def test_video_that_returns_while_draining_keeps_the_processor():
    world = World(video=100, arrival=119, lag=30)
    world.until(1, 140)
    assert world.run.phase is Phase.DRAINING
    world.video = 140
    world.look(141)
    assert (world.run.phase, world.run.reason, world.done) == (Phase.LIVE, None, [])


def test_video_that_returns_before_the_stop_keeps_the_processor():
    world = World(video=100, arrival=98)
    world.until(1, 119.9)
    step = world.look(121)
    assert (world.run.phase, step.action) == (Phase.STOPPING, None)
    world.video = 121
    world.look(121.5)
    assert (world.run.phase, world.done) == (Phase.LIVE, [])


def test_video_that_returns_after_the_stop_holds_the_delete():
    """What was stopped is stopped; what lives again is not deleted until it has ended again."""
    world = World(video=100, arrival=98)
    world.until(1, 119.9)
    world.look(121)
    world.look(121.3)
    assert world.done == [Action.STOP]
    world.video = 122
    world.until(122.5, 141)
    assert world.done == [Action.STOP]
    world.until(142, 160)
    assert world.done == [Action.STOP, Action.DELETE]


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


def test_video_that_begins_after_the_verdict_keeps_a_run_that_had_none():
    world = World(video=None, arrival=None)
    world.until(1, 599)
    step = world.look(601)
    assert (world.run.phase, step.action) == (Phase.STOPPING, None)
    world.video = 602
    world.look(603)
    assert (world.run.phase, world.done) == (Phase.LIVE, [])


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


def test_one_stopped_by_hand_while_video_flows_is_left_alone():
    world = World()
    world.look(1)
    world.status, world.updated, world.video = Status.STOPPED, at(30), 50
    world.until(31, 500)
    assert (world.done, world.run.reason) == ([], Reason.STOPPED)
    assert world.status is Status.STOPPED


def test_one_that_stopped_by_itself_after_the_end_is_torn_down():
    world = World(video=30, arrival=30)
    world.look(1)
    world.status, world.updated = Status.STOPPED, at(35)
    world.until(36, 200)
    assert (world.done, world.run.reason) == ([Action.DELETE], Reason.ENDED)


def test_one_deleted_by_hand_is_told_as_such():
    world = World()
    world.look(1)
    world.status = None
    world.look(2)
    assert world.run.phase is Phase.LIVE  # Describe may know nothing of what is so young
    world.look(6)
    assert (world.run.phase, world.run.reason) == (Phase.DONE, Reason.DELETED)
    assert world.told[-1] == events.PROCESSOR_ENDED


def test_another_created_under_the_same_name_is_not_touched():
    world = World(video=100, arrival=100)
    world.until(1, 119)
    world.created = world.updated = at(119.5)
    world.video = None
    world.look(125)
    assert (world.run.phase, world.run.reason, world.done) == (Phase.DONE, Reason.DELETED, [])
    world.look(126)
    assert (world.run.phase, world.run.created) == (Phase.LIVE, at(119.5))


def test_one_started_anew_by_hand_is_a_new_run():
    world = World(video=100, arrival=98)
    world.until(1, 119.9)
    world.look(121)  # decided to stop it
    world.updated = at(121.1)  # stopped and started again by hand
    world.look(121.5)
    assert (world.run.reason, world.done) == (Reason.RESTARTED, [])
    old = world.run.id
    world.look(122)
    assert world.run.id != old
    assert (world.run.phase, world.done) == (Phase.LIVE, [])


def test_a_stale_description_of_a_finished_run_begins_no_new_one():
    """Describe may be seconds old: it may show RUNNING what we have seen STOPPED."""
    world = World(policy=Policy(IDLE, OnEnd.STOP), video=100, arrival=100)
    world.until(1, 200)
    assert world.run.phase is Phase.DONE
    world.status, world.updated = Status.RUNNING, ZERO
    assert world.look(201) is None
    world.updated = at(202)
    world.look(203)
    assert world.run.phase is Phase.LIVE


def test_a_description_older_than_what_is_known_decides_nothing():
    """What was seen STOPPED is not RUNNING again by an answer from before the stop."""
    world = World(video=100, arrival=98)
    world.until(1, 119.9)
    world.look(121)
    world.look(121.3)
    assert world.done == [Action.STOP]
    world.look(122)  # seen STOPPED
    world.status, world.updated = Status.RUNNING, ZERO
    before = world.run
    step = world.look(122.5)
    assert (step.action, world.run.phase) == (None, before.phase)
    assert step.due == at(122.5) + teardown.LOOK_AGAIN


def test_one_stopped_by_hand_before_any_video_is_left_alone():
    world = World(video=None, arrival=None)
    world.look(1)
    world.status, world.updated = Status.STOPPED, at(30)
    world.until(31, 900)
    assert (world.done, world.run.reason) == ([], Reason.STOPPED)


def test_a_camera_that_goes_while_its_processor_is_to_be_stopped_is_the_reason():
    """Its video cannot be looked at any more: the want of it would be no reason."""
    world = World(video=100, arrival=98)
    world.until(1, 119.9)
    world.look(121)
    assert world.run.phase is Phase.STOPPING
    world.camera, world.video = False, None
    world.until(121.5, 140)
    assert (world.run.reason, world.status) == (Reason.CAMERA_GONE, None)


def test_a_record_of_new_video_holds_the_stop():
    """Records arrive before the first fragment is whole, and listed."""
    world = World(video=100, arrival=98)
    world.until(1, 119.9)
    world.look(121)
    world.arrival = 121.2
    world.look(121.3)
    assert (world.run.phase, world.done) == (Phase.LIVE, [])


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


def test_one_started_again_while_it_starts_is_a_run_of_its_own():
    world = World(Status.STARTING, video=None, arrival=None)
    world.look(1)
    world.updated = at(100)
    world.look(130)
    assert world.run.reason is Reason.RESTARTED
    world.look(131)
    assert (world.run.phase, world.run.since) == (Phase.LIVE, at(100))


@pytest.mark.parametrize("status", [Status.STOPPED, Status.STOPPING, Status.UPDATING])
def test_only_what_runs_starts_or_failed_begins_a_run(status):
    assert World(status=status).look(1) is None


def test_a_camera_that_is_gone_takes_its_processor_along():
    world = World()
    world.look(1)
    world.camera, world.video = False, None
    world.until(2, 60)
    assert (world.status, world.run.reason) == (None, Reason.CAMERA_GONE)


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


def test_history_is_bounded():
    world = World()
    for now in range(1, 300):
        world.video = now if now % 2 else None
        world.status = Status.RUNNING
        world.run = world.run and world.run.noted("x", at(now), "test")
        world.look(now)
    assert len(world.run.changes) <= FIRST_CHANGES + LAST_CHANGES
    assert world.run.changes[0].why == "adopted, RUNNING"
