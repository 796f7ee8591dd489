"""streamctl sweep: what finds what events lost, now."""

from __future__ import annotations

from typing import Any

import click

from streamctl.cli.command import Verb
from streamctl.cli.output import rows, say
from streamctl.cli.progress import StatusLine
from streamctl.cli.settings import Settings
from streamctl.core.sweeping import Would
from streamctl.errors import StreamctlError
from streamctl.ops import sweep_now
from streamctl.ops.sweep_now import Swept


@click.command(cls=Verb, examples=("streamctl sweep --dry-run", "streamctl sweep -o json"))
@click.option("--dry-run", is_flag=True, help="Touch nothing: say what a sweep would do, and why.")
@click.pass_obj
def sweep(settings: Settings, *, dry_run: bool) -> None:
    """Sweep the platform now, as it does each minute, or say what a sweep would do.

    A sweep looks at every run and every processor. It takes up runs whose clock was lost or whose
    processor is not as it was, and processors with the platform's tags that no run knows; it
    leaves everything else alone. A dry run shows that too, and why.
    """
    with StatusLine() as progress:
        progress(f"sweeping platform {settings.platform}")
        found = sweep_now.ask(settings.aws, settings.platform, dry_run=dry_run)
    columns = ("processor", "camera", "would", "why", *(() if dry_run else ("result",)))
    rows(settings, map(_view, found), columns, _nothing(dry_run=dry_run))
    if dry_run and found:
        touched = sum(each.would != Would.LEAVE for each in found)
        say(f"a sweep would touch {touched} of {len(found)}")
    failed = sum(each.failed for each in found)
    if failed:
        raise StreamctlError(
            f"{failed} of {len(found)} could not be seen to",
            hint="the next sweep, in a minute, tries again",
        )


def _nothing(*, dry_run: bool) -> str:
    return "there is nothing to sweep" if dry_run else "everything was left alone"


def _view(found: Swept) -> dict[str, Any]:
    return {
        "camera": found.camera,
        "camera_arn": found.camera_arn,
        "processor": found.processor,
        "would": found.would,
        "why": found.why,
        "result": found.result,
    }
