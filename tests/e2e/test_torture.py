"""A cut of the torture, which make torture runs before all of it, and what shows that it would notice harm."""

from collections import Counter

import pytest

from tests.e2e.torture import runner
from tests.e2e.torture.runner import Order, torture
from tests.e2e.torture.scenario import Measures, Scenario

QUICK = Measures(gap_s=12, lateness_s=15, skew_s=12)
ORDER = Order(records=2000, cameras=16, kills=2, clocks=False, measures=QUICK)


@pytest.mark.torture
@pytest.mark.timeout(300)
def test_tortured_it_tells_of_every_match_and_of_all_poison(tmp_path):
    """Nobody waits for who is dead or slow: the healthy subscriber has all that was told."""
    found = torture(ORDER, tmp_path)
    assert found.survived, found
    assert found.matches > found.records
    assert found.poison > 10
    assert found.heard >= 2 * found.sightings - 50  # late ones have no start
    assert found.slow_had < found.heard
    assert len(found.delays) > 50


@pytest.mark.torture
@pytest.mark.timeout(300)
def test_control_each_measure_can_tell_of_harm(tmp_path, monkeypatch):
    """A rule that is off for a while, a failure queue that is emptied, a death that nobody dies."""
    monkeypatch.setattr(runner, "_ENDED_S", -20.0)
    harmed = set()

    def harm(rack, put):
        if put > 500 and not harmed:
            harmed.add(put)
            rule = {"Name": "streamctl-main-healthy", "EventBusName": "streamctl-main"}
            rack.client("events").disable_rule(**rule)
            rack.client("sqs").purge_queue(QueueUrl=rack.output("FailureQueueUrl"))
            rack.cloud.fault("rekognition.CreateStreamProcessor", kills="after", caller="nobody")

    order = Order(records=1000, cameras=16, kills=0, others=False, measures=QUICK)
    found = torture(order, tmp_path, harm)
    assert 0 < found.lost <= found.matches
    assert 0 < found.unreported <= found.poison
    assert any("nobody was killed" in each for each in found.wrong)
    assert not found.survived


def test_what_is_sent_is_what_is_promised():
    """1 % poison, 5 % repeats, 10 % late: half of them too late; and none of it is lost on the way."""
    scenario = Scenario(40_000, 8, 1.7e9, Measures())
    sent = list(scenario.sent())
    first = Counter(each.frame for each in sent if each.frame and not each.is_repeat)
    assert set(first.values()) == {1}
    assert len(first) == 8 * scenario.seconds
    shares = {
        "poison": sum(each.frame is None for each in sent),
        "repeats": sum(each.is_repeat for each in sent),
        "too late": sum(scenario.is_block(each.frame[1]) for each in sent if each.frame),
        "late": late(sent),
    }
    assert {what: round(100 * n / len(sent)) for what, n in shares.items()} == {
        "poison": 1,
        "repeats": 5,
        "too late": 5,
        "late": 10,
    }
    poison = [each.data for each in sent if each.frame is None]
    assert len(set(poison)) == len(poison)


def late(sent):
    """How many come after a later frame of their camera."""
    newest, count = {}, 0
    for each in sent:
        if each.frame is None or each.is_repeat:
            continue
        camera, second = each.frame
        count += second < newest.get(camera, 0)
        newest[camera] = max(second, newest.get(camera, 0))
    return count
