"""streamctl processor: what analyses a camera's video, from creation to deletion."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

from streamctl.cli import history
from streamctl.cli.command import Noun
from streamctl.cli.output import done, one, rows, say
from streamctl.cli.params import DURATION, camera_option, collection_option
from streamctl.cli.progress import StatusLine
from streamctl.cli.settings import Settings
from streamctl.core.history import Ending
from streamctl.core.liveness import Status
from streamctl.core.policy import OnEnd, Policy
from streamctl.errors import AnswerIsNo, AskedWrongly
from streamctl.ops import ending, inventory, processors, waiting
from streamctl.ops import history as op_history
from streamctl.ops.inventory import OwnedProcessor
from streamctl.ops.waiting import Goal

ENDED: Final = "ended"

_yes = click.option("--yes", is_flag=True, help="Do not ask about a processor that is not ours.")


@click.group(cls=Noun)
def processor() -> None:
    """Create, start, watch, stop and delete processors.

    A processor analyses one camera's video for the faces of one collection, and is billed while it
    runs. The platform stops and deletes it once the video has ended.
    """


@processor.command(
    examples=(
        "streamctl processor create --camera door --collection staff",
        "streamctl processor create --camera door --collection staff --on-end stop",
    )
)
@click.option("--name", help="The processor's name.  [default: the camera's]")
@camera_option
@collection_option
@click.option(
    "--threshold",
    type=float,
    default=80.0,
    show_default=True,
    help="The lowest similarity that is a match, 80 to 100.",
)
@click.option(
    "--idle-after",
    type=DURATION,
    default="90s",
    show_default=True,
    help="How long without video counts as its end.",
)
@click.option(
    "--on-end",
    type=click.Choice([each.value for each in OnEnd]),
    default=OnEnd.DELETE.value,
    show_default=True,
    help="What happens to the processor at the end of the video.",
)
@click.option("--max-run", type=DURATION, help="The longest run allowed.  [default: no limit]")
@click.pass_obj
def create(  # noqa: PLR0913 - one argument for each option
    settings: Settings,
    *,
    name: str | None,
    camera: str,
    collection: str,
    threshold: float,
    idle_after: timedelta,
    on_end: str,
    max_run: timedelta | None,
) -> None:
    """Create a processor for a camera and a collection; it does not run yet."""
    policy = Policy(idle_after, OnEnd(on_end), max_run)
    order = processors.Order(name or camera, camera, collection, threshold, policy)
    with StatusLine() as progress:
        found, is_new = processors.create(settings.aws, settings.platform, order, progress)
    state = "created" if is_new else "there already, just so"
    done(settings, f"processor {found.name} is {state}", _view(found))


@processor.command(
    examples=("streamctl processor start door", "streamctl processor start door --no-check")
)
@click.argument("name")
@click.option("--no-check", is_flag=True, help="Start on whatever the video is.")
@_yes
@click.pass_obj
def start(settings: Settings, name: str, *, no_check: bool, yes: bool) -> None:
    """Start a processor, if its camera's video is h.264 at 5 to 30 FPS."""
    _mind(settings, name, yes=yes)
    started = processors.start(settings.aws, settings.platform, name, check=not no_check)
    for warning in started.warnings:
        say(f"warning: {warning}")
    state = "is starting" if started.is_new else "was started already"
    done(settings, f"processor {name} {state}", _view_now(settings, name))


@processor.command(examples=("streamctl processor stop door",))
@click.argument("name")
@_yes
@click.pass_obj
def stop(settings: Settings, name: str, *, yes: bool) -> None:
    """Stop a processor.

    If no more video comes, its platform then deletes it, as at any end (see --on-end of create).
    """
    _mind(settings, name, yes=yes)
    with StatusLine() as progress:
        was_running = processors.stop(settings.aws, name, progress)
    now = _view_now(settings, name)
    already = "is stopping already" if now["status"] == Status.STOPPING else "was not running"
    done(settings, f"processor {name} {'is stopping' if was_running else already}", now)


@processor.command(examples=("streamctl processor delete door",))
@click.argument("name")
@_yes
@click.pass_obj
def delete(settings: Settings, name: str, *, yes: bool) -> None:
    """Delete a processor that is not running."""
    _mind(settings, name, yes=yes)
    existed = processors.delete(settings.aws, name)
    sentence = f"processor {name} is gone" if existed else f"there was no processor {name}"
    done(settings, sentence, {"name": name, "existed": existed})


@processor.command(
    "list", examples=("streamctl processor list", "streamctl processor list -o json")
)
@click.pass_obj
def list_(settings: Settings) -> None:
    """List every processor of the account and region, also those that are not ours."""
    found = map(_view, inventory.processors(settings.aws))
    columns = ("name", "status", "platform", "camera", "collection", "on_end")
    rows(settings, found, columns, "there is no processor")


@processor.command(examples=("streamctl processor describe door",))
@click.argument("name")
@click.pass_obj
def describe(settings: Settings, name: str) -> None:
    """Show one processor, and if it FAILED, why and what to do."""
    found = inventory.processor(settings.aws, name)
    one(settings, _view(found))
    if found.described.processor.status is Status.FAILED:
        why, cure = processors.explain(found)
        say(why)
        say(f"hint: {cure}")


@processor.command(
    "history",
    examples=("streamctl processor history door", "streamctl processor history door -o json"),
)
@click.argument("name")
@click.pass_obj
def history_(settings: Settings, name: str) -> None:
    """Show what happened to a processor, also to one that is gone: when, why, and what comes next.

    It is the log of its camera's latest run, as the platform keeps it: each change, with what
    brought it about (a clock, the sweep, or a message: somebody's start, or records of a run that
    is not known). Runs before that are a line each.
    """
    told, found = op_history.read(settings.aws, settings.platform, name, datetime.now(UTC))
    history.show(settings, told, found)


@processor.command(
    examples=(
        "streamctl processor wait door --for running",
        "streamctl processor wait door --for ended --timeout 2h",
        "streamctl processor wait door --for gone --timeout 10m",
    )
)
@click.argument("name")
@click.option(
    "--for",
    "goal",
    type=click.Choice([Goal.RUNNING.value, ENDED, Goal.STOPPED.value, Goal.GONE.value]),
    required=True,
    help="What to wait for.",
)
@click.option(
    "--timeout", type=DURATION, default="3m", show_default=True, help="When to give up (exit 5)."
)
@click.pass_obj
def wait(settings: Settings, name: str, goal: str, timeout: timedelta) -> None:
    """Wait until a processor runs, its run has ended, it has stopped, or is gone; explain why not.

    A run has ended once the platform has seen the end of its video, and only its last records are
    waited for, or once it is over for another reason. That it FAILED ends the wait (exit 1).
    """
    with StatusLine() as progress:
        if goal == ENDED:
            over = ending.wait(settings.aws, settings.platform, name, timeout, progress)
        else:
            found = waiting.wait(settings.aws, name, Goal(goal), timeout, progress)
    if goal == ENDED:
        _say_ended(settings, name, *over)
    else:
        done(settings, f"processor {name} is {goal}", _view(found) if found else _gone(name))


def _say_ended(settings: Settings, name: str, over: Ending, found: OwnedProcessor | None) -> None:
    why = {
        "run": over.run,
        "phase": over.phase.value,
        "reason": over.reason.value if over.reason else None,
        "why": over.why,
        "last_sign": over.last_sign,
    }
    thing = _view(found) if found else _gone(name)
    done(settings, f"the run of processor {name} has ended: {over.why}", {**thing, **why})


def _mind(settings: Settings, name: str, *, yes: bool) -> None:
    """Ask before a processor is touched that does not carry this platform's tags."""
    if yes or not processors.is_foreign(settings.aws, settings.platform, name):
        return
    what = f"processor {name} is not one of platform {settings.platform}"
    if not sys.stdin.isatty():
        raise AskedWrongly(what, hint="if you mean it: --yes")
    if not click.confirm(f"{what}. Go on?", err=True):
        raise AnswerIsNo(f"processor {name} was left alone")


def _view_now(settings: Settings, name: str) -> dict[str, Any]:
    """Described once more; a platform may have deleted what was just stopped."""
    found = processors.find(settings.aws, name)
    return _view(found) if found else _gone(name)


def _gone(name: str) -> dict[str, Any]:
    return {"name": name, "status": None}


def _view(found: OwnedProcessor) -> dict[str, Any]:
    described, owned = found.described, found.owned
    processor_ = described.processor
    policy = owned.policy if owned else None
    max_run = policy.max_run if policy else None
    return {
        "name": processor_.name,
        "status": processor_.status.value,
        "status_message": processor_.status_message or None,
        "platform": owned.platform if owned else None,
        "camera": owned.camera if owned else None,
        "camera_arn": processor_.camera or None,
        "collection": described.collection or None,
        "threshold": described.threshold,
        "results": processor_.results or None,
        "role_arn": described.role_arn,
        "idle_after_s": policy.idle_after.total_seconds() if policy else None,
        "on_end": policy.on_end.value if policy else None,
        "max_run_s": max_run.total_seconds() if max_run else None,
        "owner": "cloudformation" if owned and owned.by_stack else None,
        "created_at": processor_.created,
        "updated_at": processor_.updated,
        "arn": described.arn,
    }
