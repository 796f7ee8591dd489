"""What an operator is told of a run: what comes next, whether and why it ended, which one it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from streamctl.core import history
from streamctl.core.events import Event
from streamctl.core.liveness import Processor, State, Status
from streamctl.core.policy import OnEnd, Policy
from streamctl.core.runs import (
    FIRST_CHANGES,
    LAST_CHANGES,
    Change,
    Clock,
    Former,
    Phase,
    Reason,
    Run,
)

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CAMERA = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/lobby/1"
EVENT = Event("Processor Ended", {"id": "x"})


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def clock(seconds):
    return Clock("c", at(seconds))


def changes(*lines):
    """A log from pairs of a phase and why, ten seconds apart."""
    return tuple(
        Change(at(10 * i), Phase(phase), why, "clock") for i, (phase, why) in enumerate(lines)
    )


def run(**known):
    first = {"id": "door@1", "camera": CAMERA, "processor": "door", "created": NOW, "since": NOW}
    return Run(**{**first, "policy": Policy(), "running": True, **known})


def former(processor="door", since=-100.0, reason=Reason.ENDED):
    return Former(f"{processor}@0", processor, at(since), at(since + 50), reason, at(since + 20))


LIVES = "it is RUNNING, and its verdict is LIVE"
TOO_BUSY = "AWS was too busy for that"
DUE = "The next look at it is due"
NO_CLOCK = "No clock is set for it: the sweep looks at it within 2 minutes"
LATE = "Its clock is 61 s late: the sweep looks at it within a minute"
ANEW = "A new start begins a new run"
KEPT = {"policy": Policy(on_end=OnEnd.KEEP), "state": State.ENDED}
STOPPING = {"phase": Phase.STOPPING, "reason": Reason.ENDED}
FAILED = {"reason": Reason.FAILED}


@pytest.mark.parametrize(
    ("known", "due", "doing", "look"),
    [
        ({}, 42, LIVES, f"{DUE} in 42 s"),
        ({"state": State.LAGGING}, -60, LIVES.replace("LIVE", "LAGGING"), f"{DUE} now"),
        ({}, -61, LIVES, LATE),
        ({}, None, LIVES, NO_CLOCK),
        ({"running": False}, 1, "it is STARTING; after 2m of that it is given up", f"{DUE} in 1 s"),
        (FAILED, 9, "it FAILED, and is left so for its StatusMessage to be read", f"{DUE} in 9 s"),
        (KEPT, 9, "its verdict is ENDED, and it is kept RUNNING as --on-end keep says", DUE),
        ({"phase": Phase.DRAINING}, 3, "its last records are waited for", f"{DUE} in 3 s"),
        ({**STOPPING, "refusals": 3}, 3, f"it is to be stopped; {TOO_BUSY} 3 times", DUE),
        ({"phase": Phase.DELETING, "refusals": 1}, 3, f"it is to be deleted; {TOO_BUSY} once", DUE),
        ({"phase": Phase.DONE, "reason": Reason.ENDED}, 3, "over: its video ended", ANEW),
        ({"phase": Phase.DONE}, None, "over: nobody noted why", ANEW),
        (
            {"phase": Phase.DONE, "reason": Reason.DELETED, "outbox": (EVENT,)},
            None,
            "over: it was deleted by other hands; events about it are still to be told",
            NO_CLOCK,
        ),
    ],
)
def test_what_comes_next_is_said(known, due, doing, look):
    """What it is up to, who looks next, and when."""
    set_ = None if due is None else clock(due)
    said = history.what_is_next(run(**known, clock=set_), NOW)
    assert said.startswith(f"{doing}. {look}")


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_said_in_words(reason):
    """Also one that is added some day."""
    over = history.what_is_next(run(phase=Phase.DONE, reason=reason), NOW)
    assert over.startswith("over: ")
    assert "noted" not in over


def test_a_history_is_of_the_processor_that_was_asked_for():
    """Its run, those before it, and when somebody looks next."""
    told = history.of(run(clock=clock(5), former=(former("old"),)), "door", NOW)
    assert (told.run.id, told.former, told.next_look) == ("door@1", (former("old"),), at(5))
    assert told.camera == CAMERA


def test_a_run_that_is_over_is_looked_at_no_more():
    """Whatever clock it still has."""
    done = run(phase=Phase.DONE, reason=Reason.ENDED, clock=clock(5))
    assert history.of(done, "door", NOW).next_look is None


def test_of_a_processor_that_was_replaced_only_its_lines_are_left():
    """And it says who has the camera now."""
    told = history.of(run(processor="new", former=(former("door"),)), "door", NOW)
    assert told.run is None
    assert told.former == (former("door"),)
    assert told.next.startswith("over; camera lobby has processor new by now")


@pytest.mark.parametrize(
    ("status", "updated", "anew"),
    [
        (Status.STARTING, 60, True),
        (Status.RUNNING, 60, True),
        (Status.STOPPED, 60, False),
        (Status.RUNNING, 0, False),
    ],
)
def test_a_start_that_nobody_noted_yet_is_not_said_to_be_over(status, updated, anew):
    """Nor is the run before it said to go on. A stale description tells of no start."""
    done = run(phase=Phase.DONE, reason=Reason.ENDED, last_change=NOW)
    described = Processor("door", CAMERA, status, NOW, at(updated))
    told = history.of(done, "door", NOW, described).next
    assert told.startswith(f"that run is over, and it is {status} anew") is anew


@pytest.mark.parametrize(
    ("count", "gap"), [(0, None), (2, None), (FIRST_CHANGES + LAST_CHANGES, FIRST_CHANGES)]
)
def test_a_long_history_says_where_it_may_lack_lines(count, gap):
    """Of so long a one the middle is dropped (core/runs.py)."""
    log = changes(*[("LIVE", "x")] * count)
    assert history.of(run(changes=log), "door", NOW).gap == gap


def test_the_newest_run_of_a_name_is_the_one_that_counts():
    """Over several cameras; others' runs, and those that only mention the name, are passed over."""
    older = run(camera="a", since=at(-500))
    newer = run(camera="b", processor="other", former=(former("door", -100), former("x", -50)))
    oldest = run(camera="c", processor="new", since=at(0), former=(former("door", -900),))
    stranger = run(camera="d", processor="door2", since=at(10))
    assert history.latest([older, newer, oldest, stranger], "door") is newer
    assert history.latest([stranger], "door") is None
    assert history.latest([], "door") is None


@pytest.mark.parametrize(
    ("known", "over"),
    [
        ({}, False),
        ({"state": State.ENDED}, False),
        ({"policy": Policy(on_end=OnEnd.KEEP)}, False),
        ({"policy": Policy(on_end=OnEnd.KEEP), "state": State.ENDED}, True),
        ({"policy": Policy(on_end=OnEnd.KEEP), "state": State.NEVER_STARTED}, True),
        ({"phase": Phase.DRAINING, "reason": Reason.ENDED}, True),
        ({"phase": Phase.STOPPING, "reason": Reason.ENDED}, True),
        ({"phase": Phase.STOPPING, "reason": Reason.OVER_TIME}, False),
        ({"phase": Phase.DELETING, "reason": Reason.NEVER_STARTED}, False),
        ({"phase": Phase.DONE, "reason": Reason.STOPPED}, True),
        ({"phase": Phase.DONE, "reason": None}, True),
    ],
)
def test_a_run_has_ended_when_its_video_has_or_all_is_done(known, over):
    """For another reason than the end of video it is over only when it is DONE."""
    ended = history.ending(run(**known), "door")
    assert (ended is not None) is over
    assert ended is None or (ended.run, ended.phase) == ("door@1", known.get("phase", Phase.LIVE))


def test_a_replaced_processors_last_run_is_its_end():
    """It is told by the line that is left of it."""
    after = run(
        processor="new", former=(former("door", -500), former(reason=Reason.DELETED), former("x"))
    )
    ended = history.ending(after, "door")
    assert (ended.reason, ended.why) == (Reason.DELETED, "it was deleted by other hands")
    assert (ended.phase, ended.last_sign) == (Phase.DONE, at(-80))


LIVE = [("LIVE", "adopted, STARTING"), ("LIVE", "RUNNING")]
DRAINED = [("STOPPING", "results are drained"), ("DONE", "deleted")]


@pytest.mark.parametrize(
    ("log", "reason", "why"),
    [
        ([], Reason.ENDED, ""),
        ([*LIVE, ("DRAINING", "nothing for 5.0 s"), *DRAINED], Reason.ENDED, "nothing for 5.0 s"),
        ([*LIVE, ("LIVE", "ENDED: nothing for 9 s")], None, "ENDED: nothing for 9 s"),
        (
            [
                *[*LIVE, ("DRAINING", "nothing for 5.0 s"), ("LIVE", "video is back")],
                *[("DRAINING", "nothing for 6.0 s"), *DRAINED],
            ],
            Reason.ENDED,
            "nothing for 6.0 s; before, video came back once",
        ),
        (
            [("LIVE", "RUNNING"), ("STOPPING", "a"), ("LIVE", "video is back")] * 2
            + [("DONE", "STOPPED by other hands")],
            Reason.STOPPED,
            "STOPPED by other hands; before, video came back 2 times",
        ),
        (
            [*LIVE, ("LIVE", "FAILED: Access denied to Role"), ("STOPPING", "AWS reports FAILED")],
            Reason.FAILED,
            "FAILED: Access denied to Role",
        ),
        ([("DONE", "deleted by other hands")], Reason.FAILED, "deleted by other hands"),
    ],
)
def test_why_it_ended_is_what_its_log_says_of_the_first_step_to_its_end(log, reason, why):
    """The tearing down that follows says nothing about why. Video that came back is remembered."""
    assert history.why_over(run(reason=reason, changes=changes(*log))) == why


@pytest.mark.parametrize(
    ("known", "described", "is_it"),
    [
        ({}, {}, True),
        ({}, {"updated": at(50)}, True),
        ({}, {"created": at(-1)}, False),
        ({}, {"name": "gate"}, False),
        ({"phase": Phase.DONE, "last_change": at(10)}, {"updated": at(10)}, True),
        ({"phase": Phase.DONE, "last_change": at(10)}, {"updated": at(11)}, False),
        ({"phase": Phase.DONE}, {"updated": NOW}, True),
    ],
)
def test_a_run_that_is_over_is_not_about_a_later_start(known, described, is_it):
    """An open one is about whatever becomes of the very same processor."""
    processor = Processor("door", CAMERA, Status.RUNNING, NOW, NOW)
    assert history.is_about(run(**known), replace(processor, **described)) is is_it
