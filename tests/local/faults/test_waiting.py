"""How faults are used up, listed, held and taken back."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.errors import AskedWrongly
from streamctl.local.faults import Fault, Faults
from streamctl.local.faults.waiting import MOST_WAITING

STOP = "rekognition.StopStreamProcessor"


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_fault_hits_its_operation_so_many_times():
    """Others are spared; after its times it is gone."""
    faults = Faults()
    faults.add(Fault(STOP, code="ThrottlingException", times=2))
    assert faults.take("rekognition.StartStreamProcessor") is None
    assert faults.take(STOP).code == "ThrottlingException"
    assert [fault.times for fault in faults.listed()] == [1]
    assert faults.take("rekognition.stopstreamprocessor")
    assert faults.take(STOP) is None
    assert faults.listed() == []


def test_the_oldest_fault_goes_first_and_an_endless_one_stays():
    """Two faults on one operation are a sequence."""
    faults = Faults()
    faults.add(Fault("sqs.SendMessage", code="A"))
    faults.add(Fault("sqs.SendMessage", code="B", times=None))
    assert [faults.take("sqs.SendMessage").code for _ in range(3)] == ["A", "B", "B"]
    faults.clear()
    assert faults.take("sqs.SendMessage") is None


@given(skip=st.integers(0, 5), times=st.integers(1, 5), calls=st.integers(0, 12))
def test_so_many_pass_and_then_so_many_are_hit(skip, times, calls):
    """The nth call is one that `skip` n-1 others."""
    faults = Faults()
    faults.add(Fault(STOP, code="X", skip=skip, times=times))
    hit = [faults.take(STOP) is not None for _ in range(calls)]
    assert hit == [skip <= number < skip + times for number in range(calls)]
    assert bool(faults.listed()) is (calls < skip + times)


def test_what_one_fault_lets_pass_another_may_hit():
    """Each counts for itself."""
    faults = Faults()
    faults.add(Fault(STOP, code="A", skip=1))
    faults.add(Fault(STOP, code="B", times=None))
    assert [faults.take(STOP).code for _ in range(3)] == ["B", "A", "B"]


def test_what_a_fault_is_not_about_does_not_count():
    """Two tests in one cloud do not use up each other's faults."""
    faults = Faults()
    faults.add(Fault(STOP, code="A", target="door", skip=1))
    assert [faults.take(STOP, [name]) for name in ("gate", "gate", "door")] == [None] * 3
    assert faults.take(STOP, ["gate"]) is None
    assert faults.take(STOP, ["door"]).code == "A"


def test_a_fault_ends_with_its_time():
    """What is listed says how much of it remains."""
    faults = Faults(clock := Clock())
    faults.add(Fault(STOP, code="X", times=None, for_s=10))
    clock.now = 9.5
    assert faults.take(STOP)
    assert [fault.for_s for fault in faults.listed()] == [0.5]
    clock.now = 10
    assert faults.take(STOP) is None
    assert faults.listed() == []


def test_one_takes_back_ones_own():
    """By any of operation, target and caller; all without any."""
    faults = Faults()
    one = Fault(STOP, code="X", target="door")
    two, three = Fault(STOP, code="X", target="gate"), Fault("sqs.SendMessage", code="X")
    for fault in (one, two, three):
        faults.add(fault)
    faults.clear(target="door")
    assert faults.listed() == [two, three]
    faults.clear(operation=STOP.lower())
    assert faults.listed() == [three]
    faults.clear()
    assert faults.listed() == []


def test_taking_back_lets_go_of_what_is_held():
    """And of no more than that; a fault for an hour need not be waited for."""

    async def story():
        faults, long = Faults(), 3600
        door = asyncio.create_task(faults.hold(Fault(STOP, target="door"), long))
        gate = asyncio.create_task(faults.hold(Fault(STOP, target="gate"), long))
        await asyncio.sleep(0)
        faults.clear(target="door")
        async with asyncio.timeout(10):
            await door
        assert not gate.done()
        faults.clear()
        async with asyncio.timeout(10):
            await gate

    asyncio.run(story())


def test_too_many_are_refused():
    """A loop that injects without end is told so."""
    faults = Faults()
    for _ in range(MOST_WAITING):
        faults.add(Fault(STOP, code="X"))
    with pytest.raises(AskedWrongly, match="wait already"):
        faults.add(Fault(STOP, code="X"))
