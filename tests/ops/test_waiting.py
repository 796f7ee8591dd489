"""Waiting for a processor, where it would take minutes to bring the case about."""

from datetime import UTC, datetime, timedelta

import pytest

from streamctl.aws.rekognition import Described
from streamctl.aws.session import Aws
from streamctl.core.liveness import Processor, Status
from streamctl.core.policy import Ownership, Policy
from streamctl.errors import GaveUpWaiting, NotFound, ProcessorFailed
from streamctl.ops import inventory
from streamctl.ops.inventory import OwnedProcessor
from streamctl.ops.waiting import Goal, wait

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
SOON = timedelta(seconds=0.02)


def processor(status, updated=LONG_AGO, message=""):
    found = Processor(
        name="door",
        camera="arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1600000000000",
        status=status,
        created=LONG_AGO,
        updated=updated,
        status_message=message,
    )
    described = Described(found, "arn", "results", "role", "staff", 80.0)
    return OwnedProcessor(described, Ownership("main", "door", Policy(), by_stack=False))


@pytest.fixture
def seen(monkeypatch):
    """What is seen of the processor, look by look; the last one stays.

    Replaced, because two minutes of STARTING cannot be waited for in a test.
    """

    def see(*looks):
        left = list(looks)

        def look(_, name):
            now = left.pop(0) if len(left) > 1 else left[0]
            if now is None:
                raise NotFound(f"no processor {name}")
            return now

        monkeypatch.setattr(inventory, "processor", look)
        monkeypatch.setattr("streamctl.ops.waiting._POLL_S", 0.001)

    return see


def waited(goal, timeout=timedelta(minutes=2), progress=lambda _: None):
    """Wait with patience, unless giving up is what is waited for."""
    return wait(Aws(), "door", goal, timeout, progress)


def test_one_that_is_starting_for_over_two_minutes_is_called_stuck(seen):
    """AWS's own advice is to delete it; that is the hint."""
    seen(processor(Status.STARTING))
    with pytest.raises(GaveUpWaiting) as gave_up:
        waited(Goal.RUNNING, SOON)
    assert "streamctl processor delete door, then create it again" in gave_up.value.hint
    assert gave_up.value.last_seen == "STARTING"


def test_progress_says_that_one_is_stuck_before_it_is_given_up(seen):
    """So whoever watches need not wait to the end."""
    seen(processor(Status.STARTING), processor(Status.RUNNING))
    told = []
    waited(Goal.RUNNING, progress=told.append)
    assert told == [
        "waiting for door to be running: STARTING for over 2 minutes, which is too long"
    ]


def test_one_that_has_just_begun_to_start_is_not(seen):
    """It gives up with the command that shows more."""
    seen(processor(Status.STARTING, datetime.now(UTC)))
    with pytest.raises(GaveUpWaiting) as gave_up:
        waited(Goal.RUNNING, SOON)
    assert gave_up.value.hint == "streamctl processor describe door"


@pytest.mark.parametrize("goal", [Goal.RUNNING, Goal.STOPPED])
def test_one_that_failed_ends_the_wait_with_its_cure(seen, goal):
    """Whatever was waited for, it will not come."""
    seen(processor(Status.STARTING), processor(Status.FAILED, message="Collection not found"))
    with pytest.raises(ProcessorFailed) as failed:
        waited(goal)
    assert str(failed.value) == "processor door FAILED: Collection not found"
    assert "streamctl collection create staff" in failed.value.hint
    assert failed.value.status_message == "Collection not found"


def test_one_that_failed_without_a_word_says_so(seen):
    """AWS may leave StatusMessage out."""
    seen(processor(Status.FAILED))
    with pytest.raises(ProcessorFailed, match="AWS gives no reason"):
        waited(Goal.RUNNING)


def test_one_that_failed_may_still_go(seen):
    """Teardown deletes it after a while: waiting for that goes on."""
    seen(processor(Status.FAILED, message="Access denied to Role"), None)
    assert waited(Goal.GONE) is None


@pytest.mark.parametrize("goal", [Goal.RUNNING, Goal.STOPPED])
def test_one_that_vanishes_gets_nowhere(seen, goal):
    """Deleted while waited for: how it was, and where it is told what happened."""
    seen(processor(Status.STARTING), None)
    with pytest.raises(NotFound) as gone:
        waited(goal)
    assert str(gone.value) == "processor door is gone; it was STARTING when it was last seen"
    assert gone.value.hint == "streamctl processor history door"


@pytest.mark.parametrize("status", [Status.STOPPED, Status.STOPPING])
def test_one_that_stops_instead_of_starting_is_explained(seen, status):
    """AWS gives no reason and will never change its mind: waiting on would be in vain."""
    seen(processor(Status.STARTING), processor(status))
    with pytest.raises(ProcessorFailed) as stopped:
        waited(Goal.RUNNING)
    assert str(stopped.value) == (
        f"processor door was STARTING, and is {status} instead: AWS gives no reason"
    )
    assert "does video flow? streamctl camera probe --camera door" in stopped.value.hint
    assert stopped.value.hint.endswith("; then streamctl processor start door")


def test_if_aws_does_give_a_reason_it_is_passed_on(seen):
    """StatusMessage may be there in any status."""
    seen(processor(Status.STARTING), processor(Status.STOPPED, message="No video"))
    with pytest.raises(ProcessorFailed, match="STOPPED instead: No video") as stopped:
        waited(Goal.RUNNING)
    assert stopped.value.status_message == "No video"


def test_a_description_that_is_older_tells_of_no_stop(seen):
    """Describe may be seconds behind, and not always as far."""
    stale = processor(Status.STOPPED, LONG_AGO - timedelta(seconds=1))
    seen(stale, processor(Status.STARTING), stale, processor(Status.RUNNING))
    assert waited(Goal.RUNNING).described.processor.status is Status.RUNNING


def test_giving_up_on_one_that_should_be_gone_says_where_it_is_explained(seen):
    """Its history says what it is waiting for."""
    seen(processor(Status.RUNNING))
    with pytest.raises(GaveUpWaiting) as gave_up:
        waited(Goal.GONE, SOON)
    assert gave_up.value.hint == "streamctl processor history door"


@pytest.mark.parametrize(
    ("goal", "status"), [(Goal.RUNNING, Status.RUNNING), (Goal.STOPPED, Status.STOPPED)]
)
def test_what_was_waited_for_is_handed_back(seen, goal, status):
    """As it then is."""
    seen(processor(Status.STARTING), processor(status))
    assert waited(goal).described.processor.status is status
