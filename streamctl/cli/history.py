"""How a processor's history is shown: what it comes to, a line a change, a line a former run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from streamctl.cli.output import one, printable, rows
from streamctl.cli.settings import Settings
from streamctl.core import names
from streamctl.core.history import History
from streamctl.core.runs import Change, Former, Run
from streamctl.ops.inventory import OwnedProcessor


def show(settings: Settings, history: History, found: OwnedProcessor | None) -> None:
    """Print it: as JSON one object; else tables, and below them what comes next."""
    view = _view(history, found)
    if settings.format != "table":
        one(settings, view)
        return
    apart = ("camera_arn", "changes", "former", "next", "next_look")
    head = {key: value for key, value in view.items() if key not in apart}
    one(settings, {**head, "status": view["status"] or "gone"})
    if history.run:
        click.echo()
        rows(settings, _lines(history), ("at", "phase", "trigger", "why"), "nothing was noted")
    if history.former:
        click.echo()
        rows(settings, view["former"], ("since", "over", "processor", "reason"), "")
    click.echo(f"\n{printable(history.next)}.")


def _lines(history: History) -> Iterator[dict[str, Any]]:
    """One for each change, and one that says so where some are missing."""
    for number, change in enumerate(history.run.changes if history.run else ()):
        if number == history.gap:
            yield {"why": "(the history is long: here it may lack lines)"}
        yield _change(change)


def _view(history: History, found: OwnedProcessor | None) -> dict[str, Any]:
    return {
        "processor": history.processor,
        "status": found.described.processor.status.value if found else None,
        "camera": names.of_camera(history.camera),
        "camera_arn": history.camera,
        **_run(history.run),
        "changes": [_change(each) for each in history.run.changes] if history.run else [],
        "former": [_former(each) for each in history.former],
        "next": history.next,
        "next_look": history.next_look,
    }


def _run(run: Run | None) -> dict[str, Any]:
    """Every key is there, whether or not the run is known."""
    max_run = run.policy.max_run if run else None
    return {
        "run": run.id if run else None,
        "phase": run.phase.value if run else None,
        "verdict": run.state.value if run else None,
        "reason": run.reason.value if run and run.reason else None,
        "since": run.since if run else None,
        "last_sign": run.last_sign if run else None,
        "idle_after_s": run.policy.idle_after.total_seconds() if run else None,
        "on_end": run.policy.on_end.value if run else None,
        "max_run_s": max_run.total_seconds() if max_run else None,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "at": change.at,
        "phase": change.phase.value,
        "trigger": change.trigger,
        "why": change.why,
    }


def _former(former: Former) -> dict[str, Any]:
    return {
        "run": former.id,
        "processor": former.processor,
        "since": former.since,
        "over": former.over,
        "reason": former.reason.value,
        "last_sign": former.last_sign,
    }
