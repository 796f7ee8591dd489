"""Stop and Delete: of what was seen just now, and in turn."""

from datetime import timedelta

import pytest

from benchmarks.simulated_aws import moment
from streamctl.core import acting, asking
from streamctl.core.runs import Phase
from streamctl.errors import Throttled
from tests.core.door_world import World
from tests.core.scene import CAMERA


class SlowOnce(World):
    """A world in which one answer about a processor that is to be stopped takes too long."""

    was_slow = False

    def _found(self, request):
        found = super()._found(request)
        if isinstance(request, asking.Describe) and not self.was_slow and self._stops():
            self.was_slow = True
            self.timeline.run(self.timeline.now + acting.ACT_WITHIN.total_seconds() + 1)
        return found

    def _stops(self):
        run, *_ = self.aws.runs.get(CAMERA, (None,))
        return run is not None and run.phase is Phase.STOPPING


def test_what_was_seen_too_long_ago_is_looked_at_again_before_it_is_acted_on():
    """Between the look and the deed video may come back."""
    world = SlowOnce()
    world.advance()
    world.aws.flow(CAMERA, on=False)
    world.timeline.run(60)
    world.advance()
    assert world.was_slow
    assert "Stop" not in world.asked  # though it was decided, and saved
    assert world.aws.runs[CAMERA][0].phase is Phase.STOPPING
    world.ring_until_gone()
    assert world.aws.runs[CAMERA][0].phase is Phase.DONE


def to_stop_in_turn(turn_in_s):
    """A world whose video has ended, where others have turns at Stop before ours."""
    world = World()
    world.advance()
    world.aws.flow(CAMERA, on=False)
    world.timeline.run(60)
    before = moment(60 + turn_in_s) - acting.STOP_APART
    world.aws.answer(asking.TakeTurn(before, timedelta(0)))
    return world


def test_a_turn_that_is_near_is_waited_for():
    world = to_stop_in_turn(turn_in_s=2)
    run = world.advance()
    assert (run.phase, run.turn) == (Phase.DONE, None)
    assert world.asked.count("TakeTurn") == world.asked.count("Stop") == 1
    assert world.timeline.now > 62


def test_for_a_turn_that_is_far_a_run_comes_back_by_its_clock():
    """Until then the clock, which can be set for a quarter of an hour at most, asks nothing."""
    world = to_stop_in_turn(turn_in_s=1200)
    run = world.advance()
    assert (run.phase, run.turn) == (Phase.STOPPING, moment(1260))
    while world.timeline.now < 900:
        world.ring()
        assert set(world.asked) <= {"Load", "Send", "Save"}
    world.ring_until_gone(deadline_s=1300)
    assert world.timeline.now == pytest.approx(1262, abs=2)


def test_a_stop_that_is_refused_in_its_turn_takes_another():
    """Somebody has stopped another one by hand."""
    world = to_stop_in_turn(turn_in_s=30)
    world.advance()
    world.fails = {"Stop": Throttled("x")}
    while world.fails:
        world.ring()
    assert world.asked.count("TakeTurn") == 1
    world.ring_until_gone()
    run, *_ = world.aws.runs[CAMERA]
    assert world.timeline.now == pytest.approx(93, abs=3)
    assert any("too busy" in change.why for change in run.changes)


def test_a_stop_comes_at_its_turn_to_the_moment():
    """However long the looking takes: the next turn is a second away."""
    world = to_stop_in_turn(turn_in_s=30)
    stopped = []
    stop = world.aws.stop
    world.aws.stop = lambda name: (stopped.append(world.timeline.now), stop(name))
    world.advance()
    world.ring_until_gone()
    assert stopped == [pytest.approx(90, abs=0.01)]


def test_video_that_is_back_needs_no_turn():
    """By then somebody else may have it."""
    world = to_stop_in_turn(turn_in_s=300)
    world.advance()
    world.aws.flow(CAMERA, on=True)
    world.timeline.run(70)
    run = world.advance("sweep")
    assert (run.phase, run.turn) == (Phase.LIVE, None)
