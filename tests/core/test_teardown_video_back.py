"""Video that comes back while a run is on its way from LIVE to DONE, or begins only then."""

import pytest

from streamctl.core.runs import Action, Phase
from tests.core.teardown_world import World, about_to_be_stopped


def test_video_that_returns_while_draining_keeps_the_processor():
    world = World(video=100, arrival=119, lag=30)
    world.until(1, 140)
    assert world.run.phase is Phase.DRAINING
    world.video = 140
    world.look(141)
    assert (world.run.phase, world.run.reason, world.done) == (Phase.LIVE, None, [])


def never_begun():
    """A world without video, whose processor is to be stopped for that: decided at 601 s."""
    world = World(video=None, arrival=None)
    world.until(1, 599)
    world.look(601)
    assert (world.run.phase, world.done) == (Phase.STOPPING, [])
    return world


@pytest.mark.parametrize(
    ("decided", "sign", "second", "seen"),
    [
        pytest.param(about_to_be_stopped, "video", 121, 121.5, id="video"),
        # Records arrive before the first fragment is whole, and listed.
        pytest.param(about_to_be_stopped, "arrival", 121.2, 121.3, id="a record of new video"),
        pytest.param(never_begun, "video", 602, 603, id="video, where there was none"),
    ],
)
def test_life_between_the_decision_and_the_stop_keeps_the_processor(decided, sign, second, seen):
    world = decided()
    setattr(world, sign, second)
    world.look(seen)
    assert (world.run.phase, world.done) == (Phase.LIVE, [])


def test_video_that_returns_after_the_stop_holds_the_delete():
    """What was stopped is stopped; what lives again is not deleted until it has ended again."""
    world = about_to_be_stopped()
    world.look(121.3)
    assert world.done == [Action.STOP]
    world.video = 122
    world.until(122.5, 141)
    assert world.done == [Action.STOP]
    world.until(142, 160)
    assert world.done == [Action.STOP, Action.DELETE]
