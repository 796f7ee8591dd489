"""What the functions' log is told of a run: what changed, once that is saved, and what it came to.

A save that was lost to another is told by whoever won it. Killed right after a save, a function
tells nothing of it: the run's history, in the table, is complete, and its log nearly so.
"""

from __future__ import annotations

from collections.abc import Iterator

from streamctl.core import events
from streamctl.core.runs import Change, Phase, Reason, Run
from streamctl.ops import journal
from streamctl.ops.journal import Unit


def saved(platform: str, before: Run | None, run: Run) -> None:
    """Tell what a save changed, `before` being what was stored until then."""
    for change in _new_changes(before, run):
        _tell(run, change, _former_id(before, run))
        if change.phase is Phase.DONE and run.reason is Reason.ENDED and run.last_sign:
            taken = (change.at - run.last_sign).total_seconds()
            journal.measure(platform, "TeardownSeconds", taken, Unit.SECONDS, **about(run))
    failures = len(_failures(run) - _failures(before))
    if failures:
        journal.measure(platform, "Failures", failures, Unit.COUNT, **about(run))


def _tell(run: Run, change: Change, formerly: str) -> None:
    journal.note(
        "run",
        **about(run),
        **({"formerly": formerly} if formerly else {}),
        phase=change.phase,
        verdict=run.state,
        why=change.why,
        trigger=change.trigger,
    )


def about(run: Run) -> dict[str, str]:
    """What every line about a run carries."""
    return {"run": run.id, "camera": run.camera, "processor": run.processor}


def _new_changes(before: Run | None, run: Run) -> Iterator[Change]:
    told = before.changes if before else ()
    return (change for change in run.changes if change not in told)


def _former_id(before: Run | None, run: Run) -> str:
    """The id under which lines about this run stand until now: it has its own once it is RUNNING."""
    same = before is not None and before.phase is not Phase.DONE and before.created == run.created
    return before.id if before is not None and same and before.id != run.id else ""


def _failures(run: Run | None) -> set[str]:
    """The failures that are still to be told, by their ids: each was saved with its first change."""
    said = run.outbox if run else ()
    return {each.id for each in said if each.type == events.PROCESSOR_FAILED}
