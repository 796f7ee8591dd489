"""What others do to a run's processor and camera, and descriptions from before it was done."""

from streamctl.core import events, teardown
from streamctl.core.liveness import Status
from streamctl.core.policy import OnEnd, Policy
from streamctl.core.runs import Action, Phase, Reason
from tests.core.scene import ZERO, at
from tests.core.teardown_world import IDLE, World, about_to_be_stopped


def test_one_stopped_by_hand_while_video_flows_is_left_alone():
    world = World()
    world.look(1)
    world.status, world.updated, world.video = Status.STOPPED, at(30), 50
    world.until(31, 500)
    assert (world.done, world.run.reason) == ([], Reason.STOPPED)
    assert world.status is Status.STOPPED


def test_one_stopped_by_hand_before_any_video_is_left_alone():
    world = World(video=None, arrival=None)
    world.look(1)
    world.status, world.updated = Status.STOPPED, at(30)
    world.until(31, 900)
    assert (world.done, world.run.reason) == ([], Reason.STOPPED)


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
    world = about_to_be_stopped()
    world.updated = at(121.1)  # stopped and started again by hand
    world.look(121.5)
    assert (world.run.reason, world.done) == (Reason.RESTARTED, [])
    old = world.run.id
    world.look(122)
    assert world.run.id != old
    assert (world.run.phase, world.done) == (Phase.LIVE, [])


def test_one_started_again_while_it_starts_is_a_run_of_its_own():
    world = World(Status.STARTING, video=None, arrival=None)
    world.look(1)
    world.updated = at(100)
    world.look(130)
    assert world.run.reason is Reason.RESTARTED
    world.look(131)
    assert (world.run.phase, world.run.since) == (Phase.LIVE, at(100))


def test_a_camera_that_is_gone_takes_its_processor_along():
    world = World()
    world.look(1)
    world.camera, world.video = False, None
    world.until(2, 60)
    assert (world.status, world.run.reason) == (None, Reason.CAMERA_GONE)


def test_a_camera_that_goes_while_its_processor_is_to_be_stopped_is_the_reason():
    """Its video cannot be looked at any more: the want of it would be no reason."""
    world = about_to_be_stopped()
    world.camera, world.video = False, None
    world.until(121.5, 140)
    assert (world.run.reason, world.status) == (Reason.CAMERA_GONE, None)


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
    world = about_to_be_stopped()
    world.look(121.3)
    assert world.done == [Action.STOP]
    world.look(122)  # seen STOPPED
    world.status, world.updated = Status.RUNNING, ZERO
    before = world.run
    step = world.look(122.5)
    assert (step.action, world.run.phase) == (None, before.phase)
    assert step.due == at(122.5) + teardown.LOOK_AGAIN
