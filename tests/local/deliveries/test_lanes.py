"""Lanes: who waits for whom, with real threads."""

from __future__ import annotations

import dataclasses
import threading

import pytest

from streamctl.local.deliveries import lanes
from streamctl.local.deliveries.lanes import Again, Delivery, Lane

PATIENCE_S = 10


def delivery(event="e"):
    target = {"Id": "t", "Arn": "arn:aws:sqs:us-east-1:000000000000:q"}
    return Delivery("rule", target, event, event, "000000000000", "us-east-1", begun=0.0)


class Stuck:
    """Attempts that do not end before they are let go."""

    def __init__(self):
        self.let_go = threading.Event()
        self.begun = threading.Semaphore(0)

    def __call__(self, _):
        self.begun.release()
        self.let_go.wait(PATIENCE_S)

    def has_begun(self, count):
        return all(self.begun.acquire(timeout=PATIENCE_S) for _ in range(count))


@pytest.fixture
def stuck():
    found = Stuck()
    yield found
    found.let_go.set()


def test_a_lane_does_a_few_things_at_once_and_no_more(stuck):
    """The fifth waits until one of four has ended."""
    lane = Lane("slow", stuck)
    for _ in range(5):
        assert lane.put(delivery())
    assert stuck.has_begun(4)
    assert not stuck.begun.acquire(timeout=0.2)
    stuck.let_go.set()
    assert stuck.has_begun(1)


def test_a_stuck_lane_holds_up_no_other(stuck):
    """Each has threads of its own."""
    slow, done = Lane("slow", stuck), threading.Event()
    for _ in range(100):
        slow.put(delivery())
    assert stuck.has_begun(4)
    Lane("quick", lambda _: done.set()).put(delivery())
    assert done.wait(PATIENCE_S)


def test_a_lane_that_is_full_says_so(stuck, monkeypatch):
    """And takes more once there is room."""
    monkeypatch.setattr(lanes, "_WAITING_AT_MOST", 3)
    lane = Lane("slow", stuck)
    for _ in range(4):
        lane.put(delivery())
        assert stuck.has_begun(1)
    assert [lane.put(delivery()) for _ in range(5)] == [True, True, True, False, False]
    stuck.let_go.set()
    assert stuck.has_begun(3)
    assert lane.put(delivery())


def test_what_is_tried_again_lets_others_pass():
    """It fails until another, which came later, was done."""
    tries, passed, done = [], threading.Event(), threading.Event()

    def attempt(found):
        if found.event == "good":
            passed.set()
            return None
        tries.append(found.retries)
        if found.retries and passed.is_set():
            done.set()
            return None
        return Again(dataclasses.replace(found, retries=found.retries + 1), 0.02)

    lane = Lane("t", attempt)
    lane.put(delivery("bad"))
    lane.put(delivery("good"))
    assert done.wait(PATIENCE_S)
    assert len(tries) >= 2
    assert tries == list(range(len(tries)))


def test_an_ended_lane_begins_nothing_and_says_what_waited(stuck):
    """What is under way ends by itself."""
    lane = Lane("slow", stuck)
    for _ in range(6):
        lane.put(delivery())
    assert stuck.has_begun(4)
    assert lane.end() == 2
    stuck.let_go.set()
    assert not stuck.begun.acquire(timeout=0.2)


def test_threads_go_when_there_is_no_work(monkeypatch):
    """And come again with it."""
    monkeypatch.setattr(lanes, "_IDLE_S", 0.05)
    name, done = "goes-home", threading.Semaphore(0)
    lane = Lane(name, lambda _: done.release())
    for _ in range(2):
        lane.put(delivery())
        assert done.acquire(timeout=PATIENCE_S)
        for thread in threading.enumerate():
            if thread.name == name:
                thread.join(PATIENCE_S)
        assert name not in {thread.name for thread in threading.enumerate()}
