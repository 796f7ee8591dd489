"""Video that comes back while a run is on its way from LIVE to DONE, or begins only then."""

from streamctl.core.runs import Action, Phase
from tests.core.teardown_world import World


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


def test_a_record_of_new_video_holds_the_stop():
    """Records arrive before the first fragment is whole, and listed."""
    world = World(video=100, arrival=98)
    world.until(1, 119.9)
    world.look(121)
    world.arrival = 121.2
    world.look(121.3)
    assert (world.run.phase, world.done) == (Phase.LIVE, [])


def test_video_that_begins_after_the_verdict_keeps_a_run_that_had_none():
    world = World(video=None, arrival=None)
    world.until(1, 599)
    step = world.look(601)
    assert (world.run.phase, step.action) == (Phase.STOPPING, None)
    world.video = 602
    world.look(603)
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
