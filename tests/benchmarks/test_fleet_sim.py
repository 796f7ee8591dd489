"""A fleet's day in small: the simulation finds nothing wrong, and finds what is made wrong."""

from benchmarks import fleet_sim
from benchmarks.fleet.simulation import Fleet, simulate
from streamctl.core import teardown

SMALL = Fleet(cameras=20, hours=2.0, pace_h=2.0)
"""A day's troubles within two hours, and stretches of 5 to 30 minutes."""


def ends(outcome):
    return sum(len(late) for late in outcome.delays.values())


def test_a_small_fleet_is_torn_down_and_nothing_else_is():
    """Every end of video under every trouble, and the accounts agree with each other."""
    outcome = simulate(SMALL)
    assert outcome.leaked == []
    assert outcome.wrong == []
    assert outcome.samples[-1].waiting == 0
    assert ends(outcome) > 3 * SMALL.cameras
    assert outcome.delays[outcome.mass_end]
    assert outcome.counts["Stop"] >= ends(outcome)
    assert outcome.counts["queue"] > 2 * outcome.counts["clocks"]


def test_where_records_come_for_faces_only_the_same_holds():
    """Then clocks look at video itself, as nothing else tells an empty room from an ended stream."""
    outcome = simulate(Fleet(cameras=20, hours=2.0, pace_h=2.0, writes_empty=False))
    assert outcome.leaked == []
    assert outcome.wrong == []
    assert outcome.counts["RecentVideo"] > outcome.counts["clocks"] / 2


def test_control_without_clocks_and_sweep_processors_leak():
    """What must be found if it is there."""
    outcome = simulate(Fleet(cameras=20, hours=2.0, pace_h=2.0, sweeps=False, loses_all=True))
    assert outcome.leaked
    assert not ends(outcome)


def test_control_a_core_that_takes_pauses_for_ends_is_found_out(monkeypatch):
    """With an idle time of none at all, video that pauses is killed, and that is seen."""
    monkeypatch.setattr(teardown.liveness, "idle_time", lambda _policy, _video: teardown.LOOK_AGAIN)
    assert simulate(SMALL).wrong


def test_the_tables_of_a_small_fleet_fit_a_terminal(monkeypatch):
    """All of them, from first title to last note."""
    monkeypatch.setattr(fleet_sim, "SIZES", (10, 20))
    monkeypatch.setattr(fleet_sim, "LARGEST", 20)
    monkeypatch.setattr(fleet_sim, "FACES_HOURS", 2.0)
    monkeypatch.setattr(fleet_sim, "HOURS", 2.0)
    lines = "\n".join(map(str, fleet_sim.measure())).splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.split()[-2:] == ["0", "0"] for line in lines)


def test_a_day_is_decided_by_its_seed():
    """So that one with something wrong can be looked at again."""
    assert simulate(SMALL).delays == simulate(SMALL).delays
