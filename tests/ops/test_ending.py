"""Waiting for the end that the platform sees, where it would take minutes to bring the case about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from streamctl.aws.rekognition import Described
from streamctl.aws.session import Aws
from streamctl.core.liveness import Processor, Status
from streamctl.core.policy import Ownership, Policy
from streamctl.core.runs import Change, Phase, Reason, Run
from streamctl.errors import GaveUpWaiting, NotFound, ProcessorFailed, Unsuitable
from streamctl.ops import ending
from streamctl.ops.inventory import OwnedProcessor, Platform

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CAMERA = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/lobby/1"
LIVE = Run("door@1", CAMERA, "door", NOW, NOW, Policy(), running=True, last_change=NOW)


def noted(run, phase, why, **known):
    change = Change(NOW, Phase(phase), why, "clock")
    return replace(run, phase=Phase(phase), changes=(*run.changes, change), **known)


DRAINING = noted(LIVE, "DRAINING", "nothing for 9 s", reason=Reason.ENDED)
DONE = noted(DRAINING, "DONE", "deleted")
BACK = noted(DRAINING, "LIVE", "video is back", reason=None)


def processor(status=Status.RUNNING, message="", owned="main", **times):
    when = {"created": NOW, "updated": NOW, **times}
    found = Processor("door", CAMERA, status, status_message=message, **when)
    whose = Ownership(owned, "lobby", Policy(), by_stack=False) if owned else None
    return OwnedProcessor(Described(found, "arn", "results", "role", "staff", 80.0), whose)


@pytest.fixture
def seen(monkeypatch):
    """What is seen, look by look, of the processor and of its camera's latest run; the last stays.

    Replaced, because it is about what comes after what, down to looks that fall between two steps.
    """

    def see(*looks):
        left = list(looks)

        def find(_aws, _name):
            return left[0][0]

        def run_of(*_):
            run = left[0][1]
            if len(left) > 1:
                left.pop(0)
            return run

        def usable_platform(_aws, name):
            return Platform(name, "streamctl-main", "CREATE_COMPLETE", {"TableName": "t"})

        monkeypatch.setattr(ending.processors, "find", find)
        monkeypatch.setattr(ending, "run_of", run_of)
        monkeypatch.setattr(ending, "latest_run", run_of)
        monkeypatch.setattr(ending.inventory, "usable_platform", usable_platform)
        monkeypatch.setattr(ending, "_POLL_S", 0.001)

    return see


def waited(timeout=timedelta(minutes=2), progress=lambda _: None):
    """Wait with patience, unless giving up is what is waited for."""
    return ending.wait(Aws(), "main", "door", timeout, progress)


def gave_up():
    with pytest.raises(GaveUpWaiting) as error:
        waited(timedelta(seconds=0.02))
    return error.value


def test_an_end_is_known_from_the_moment_when_it_is_seen(seen):
    """While its records are waited for and the processor still runs; and why it is one."""
    seen((processor(), LIVE), (processor(), DRAINING))
    over, found = waited()
    assert (over.run, over.phase, over.reason) == ("door@1", Phase.DRAINING, Reason.ENDED)
    assert over.why == "nothing for 9 s"
    assert found.described.processor.status is Status.RUNNING


def test_video_that_came_back_before_anybody_looked_is_told_in_the_end(seen):
    """The run was held, and why it took so long is part of why it ended."""
    again = noted(BACK, "DRAINING", "nothing for 10 s", reason=Reason.ENDED)
    seen((processor(), BACK), (processor(), again))
    assert waited()[0].why == "nothing for 10 s; before, video came back once"


def test_whoever_watches_is_told_how_it_stands(seen):
    """Phase, and the last line of its log."""
    seen((processor(), LIVE), (processor(), BACK), (None, DONE))
    told = []
    waited(progress=told.append)
    assert told == [
        "waiting for door to end: LIVE, LIVE",
        "waiting for door to end: LIVE, video is back",
    ]


def test_one_that_is_long_gone_has_ended(seen):
    """Asked afterwards, it is told all the same."""
    seen((None, DONE))
    over, found = waited()
    assert (over.phase, found) == (Phase.DONE, None)


def test_an_end_before_the_latest_start_is_not_the_one_that_is_waited_for(seen):
    """The platform learns of a start a little later; the table still holds the run before."""
    restarted = processor(Status.STARTING, updated=NOW + timedelta(seconds=60))
    anew = replace(LIVE, id="door@2", since=NOW + timedelta(seconds=60))
    ended = noted(anew, "DRAINING", "nothing for 7 s", reason=Reason.ENDED)
    seen((restarted, DONE), (restarted, anew), (restarted, ended))
    assert waited()[0].run == "door@2"


def test_one_that_was_created_anew_and_not_started_has_not_ended(seen):
    """Its end is not that of its namesake before it. The hint says what is missing."""
    seen((processor(Status.STOPPED, created=NOW + timedelta(seconds=1)), DONE))
    error = gave_up()
    assert (
        str(error)
        == "processor door has not ended after 0.02s: STOPPED, and no run of it is known yet"
    )
    assert (error.hint, error.last_seen) == ("streamctl processor start door", "STOPPED")


def test_giving_up_says_how_it_stands(seen):
    """And where more is told."""
    seen((processor(), BACK))
    error = gave_up()
    assert "LIVE, video is back" in str(error)
    assert (error.hint, error.last_seen) == ("streamctl processor history door", "LIVE")


@pytest.mark.parametrize(
    "run", [LIVE, None, noted(LIVE, "LIVE", "FAILED: x", reason=Reason.FAILED)]
)
def test_one_that_failed_ends_the_wait_with_its_cure(seen, run):
    """Whether or not the platform has noted it."""
    seen((processor(), run), (processor(Status.FAILED, "Access denied to Role"), run))
    with pytest.raises(ProcessorFailed) as failed:
        waited()
    assert str(failed.value) == "processor door FAILED: Access denied to Role"
    assert "does not trust rekognition.amazonaws.com" in failed.value.hint


def test_one_that_failed_and_was_removed_since_is_told_from_its_log(seen):
    """There is nothing left to describe."""
    failed = noted(LIVE, "LIVE", "FAILED: Access denied to Role", reason=Reason.FAILED)
    seen((None, noted(failed, "DONE", "deleted")))
    with pytest.raises(ProcessorFailed) as error:
        waited()
    assert str(error.value) == "processor door is gone: FAILED: Access denied to Role"
    assert error.value.hint == "streamctl processor history door"


def test_one_that_was_deleted_by_others_is_waited_for_until_that_is_noted(seen):
    """By the sweep, within a minute."""
    gone = noted(LIVE, "DONE", "deleted by other hands", reason=Reason.DELETED)
    seen((processor(), LIVE), (None, LIVE), (None, gone))
    over, _ = waited()
    assert (over.reason, over.why) == (Reason.DELETED, "deleted by other hands")


@pytest.mark.parametrize("look", [(None, None)])
def test_one_that_nobody_knows_is_not_found(seen, look):
    """Neither now nor ever."""
    seen(look)
    with pytest.raises(NotFound, match="platform main knows no processor door"):
        waited()


def test_one_that_vanishes_before_any_run_was_known_is_not_found(seen):
    """Nothing will ever be told of it."""
    seen((processor(Status.STARTING), None), (None, None))
    with pytest.raises(NotFound):
        waited()


@pytest.mark.parametrize(
    ("owned", "hint"),
    [("night", "streamctl --platform night processor wait door --for ended"), ("", "")],
)
def test_the_end_of_others_is_not_waited_for(seen, owned, hint):
    """This platform will never see it; which one does, is said."""
    seen((processor(owned=owned), None))
    with pytest.raises(Unsuitable) as error:
        waited()
    assert error.value.hint == hint
