"""Every state with every request, as AWS documents or shows them."""

from __future__ import annotations

import itertools

import pytest

from streamctl.local.rekognition.states import (
    GONE,
    SETTLES_AS,
    Request,
    Status,
    after,
    after_restart,
)
from streamctl.local.service import ServiceFault

IN_USE = "in use"

TABLE = {
    Status.STOPPED: (Status.STARTING, IN_USE, GONE, Status.UPDATING),
    Status.STARTING: (IN_USE, IN_USE, GONE, IN_USE),
    Status.RUNNING: (IN_USE, Status.STOPPING, IN_USE, IN_USE),
    Status.STOPPING: (IN_USE, IN_USE, IN_USE, IN_USE),
    Status.FAILED: (Status.STARTING, IN_USE, GONE, IN_USE),
    Status.UPDATING: (IN_USE, IN_USE, IN_USE, IN_USE),
}
REQUESTS = (Request.START, Request.STOP, Request.DELETE, Request.UPDATE)


def answer(status: Status, request: Request, *, strict: bool) -> Status | str | None:
    try:
        return after(status, request, stop_of_stopped_is_error=strict)
    except ServiceFault as fault:
        return {("ResourceInUseException", 400): IN_USE}.get((fault.code, fault.status), fault.code)


@pytest.mark.parametrize(
    ("status", "request_"), [pytest.param(s, r, id=f"{s}-{r}") for s in Status for r in REQUESTS]
)
def test_each_request_in_each_state(status: Status, request_: Request) -> None:
    """The whole table, with the strict answer to a stop of what does not run."""
    expected = TABLE[status][REQUESTS.index(request_)]
    assert answer(status, request_, strict=True) == expected


@pytest.mark.parametrize("status", list(Status))
def test_the_lenient_stop_changes_nothing_that_does_not_run(status: Status) -> None:
    """With the switch off, a stop of STOPPED, STOPPING or FAILED is quietly fine."""
    expected = {Status.RUNNING: Status.STOPPING}.get(
        status, IN_USE if status in {Status.STARTING, Status.UPDATING} else status
    )
    assert answer(status, Request.STOP, strict=False) == expected


def test_the_switch_touches_no_other_request() -> None:
    """Start, Delete and Update answer the same under both answers."""
    for status, request in itertools.product(Status, set(REQUESTS) - {Request.STOP}):
        assert answer(status, request, strict=True) == answer(status, request, strict=False)


def test_only_passing_states_settle() -> None:
    """STOPPED, RUNNING and FAILED stay until somebody acts or something breaks."""
    assert set(SETTLES_AS) == {Status.STARTING, Status.STOPPING, Status.UPDATING}
    assert not set(SETTLES_AS) & set(SETTLES_AS.values())


def test_nothing_runs_after_a_restart() -> None:
    """What ran is STOPPED; what had failed still says so."""
    assert {s: after_restart(s) for s in Status} == {
        s: Status.FAILED if s is Status.FAILED else Status.STOPPED for s in Status
    }
