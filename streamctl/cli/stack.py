"""streamctl stack: the platform, once per account and region."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from streamctl.cli.command import Noun
from streamctl.cli.output import done, one
from streamctl.cli.params import DURATION
from streamctl.cli.progress import StatusLine
from streamctl.cli.settings import Settings
from streamctl.ops import inventory, platform
from streamctl.ops.inventory import Platform


@click.group(cls=Noun)
def stack() -> None:
    """Deploy, look at and destroy a platform: what its cameras share.

    A platform is functions, a table, queues and an event bus, once per account and region; with
    --platform several stand side by side by name.
    """


@stack.command(examples=("streamctl stack deploy", "streamctl --platform night stack deploy"))
@click.option(
    "--min-idle-after",
    type=DURATION,
    help="The shortest idle time that a processor may have.  [default: as it is, at first 30s]",
)
@click.option(
    "--keep-days",
    type=click.IntRange(1, 3650),
    help="How long events and pictures of sightings are kept.  [default: as it is, at first 30]",
)
@click.pass_obj
def deploy(settings: Settings, min_idle_after: timedelta | None, keep_days: int | None) -> None:
    """Deploy the platform, or bring it up to date."""
    with StatusLine() as progress:
        found, outcome = platform.deploy(
            settings.aws,
            settings.platform,
            progress,
            min_idle_after=min_idle_after,
            keep_days=keep_days,
        )
    done(settings, f"platform {found.name} is {outcome}", _view(found))


@stack.command(examples=("streamctl stack status",))
@click.pass_obj
def status(settings: Settings) -> None:
    """Show how the platform stands."""
    one(settings, _view(inventory.platform(settings.aws, settings.platform)))


@stack.command(examples=("streamctl stack destroy",))
@click.pass_obj
def destroy(settings: Settings) -> None:
    """Delete the platform and what it kept, once it has no camera and no processor."""
    with StatusLine() as progress:
        existed = platform.destroy(settings.aws, settings.platform, progress)
    name = settings.platform
    sentence = f"platform {name} is gone" if existed else f"there was no platform {name}"
    done(settings, sentence, {"name": name, "existed": existed})


def _view(found: Platform) -> dict[str, Any]:
    outputs = found.outputs
    return {
        "name": found.name,
        "stack": found.stack,
        "status": found.status,
        "min_idle_after_s": float(outputs["MinIdleAfter"]) if "MinIdleAfter" in outputs else None,
        "keep_days": int(outputs["KeepDays"]) if "KeepDays" in outputs else None,
        "table": outputs.get("TableName"),
        "bus": outputs.get("BusName"),
        "clock_queue": outputs.get("ClockQueueUrl"),
        "failure_queue": outputs.get("FailureQueueUrl"),
        "kept": outputs.get("KeptName"),
        "pictures": outputs.get("PicturesName"),
        "on_records": outputs.get("OnRecordsArn"),
        "on_clock": outputs.get("OnClockArn"),
        "on_sweep": outputs.get("OnSweepArn"),
        "on_events": outputs.get("OnEventsArn"),
    }
