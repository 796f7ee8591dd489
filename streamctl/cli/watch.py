"""streamctl watch: whom a platform tells of, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from streamctl.cli.command import Noun
from streamctl.cli.output import done, one
from streamctl.cli.params import FILE, MOMENT, camera_option, text_of
from streamctl.cli.settings import Settings
from streamctl.core import watchfile
from streamctl.core.watch import Rule, Watch
from streamctl.ops import watching


@click.group(cls=Noun)
def watch() -> None:
    """Say whom a platform tells of: at which camera, at what hours, and as what.

    It is one file, in TOML. Rules are asked in their order, and the first that covers a sighting
    says what it means: allow, alert, or ignore, of which nothing is told. Without a rule a person
    means alert, and faces that match nobody ("?") are ignored.
    """


@watch.command(examples=("streamctl watch show > watch.toml", "streamctl watch show -o json"))
@click.pass_obj
def show(settings: Settings) -> None:
    """Print what the platform watches for, as the file that `apply` takes."""
    found = watching.read(settings.aws, settings.platform)
    if settings.format == "table":
        click.echo(watchfile.render(found), nl=False)
    else:
        one(settings, _view(found))


@watch.command(examples=("streamctl watch apply watch.toml",))
@click.argument("file", type=FILE)
@click.pass_obj
def apply(settings: Settings, file: Path) -> None:
    """Let the platform watch for what a file says, from the next frame on."""
    found, changed = watching.apply(settings.aws, settings.platform, text_of(file), str(file))
    so = "watches for that now" if changed else "watches for that already"
    sentence = f"platform {settings.platform} {so}: rules: {len(found.rules)}"
    done(settings, sentence, {**_view(found), "changed": changed})


@watch.command(
    examples=(
        "streamctl watch ask --camera door --person ada",
        "streamctl watch ask --camera door --person '?' --at 2026-01-01T23:00:00+01:00",
    )
)
@camera_option
@click.option("--person", required=True, help="Whose name; '?' for faces that match nobody.")
@click.option("--at", type=MOMENT, help="ISO 8601 with its zone.  [default: now]")
@click.pass_obj
def ask(settings: Settings, camera: str, person: str, at: datetime | None) -> None:
    """Say what somebody would mean who is first seen at a camera, and by which rule."""
    moment = at or datetime.now(UTC)
    found = watching.ask(settings.aws, settings.platform, camera, person, moment)
    view = {"camera": camera, "person": person, "at": moment, "attention": found.attention}
    one(settings, {**view, "rule": found.rule})


def _view(found: Watch) -> dict[str, Any]:
    measures = found.measures
    return {
        "cooldown_s": found.cooldown.total_seconds(),
        "same": dict(found.same or {}),
        "gap_s": measures.gap.total_seconds(),
        "lateness_s": measures.lateness.total_seconds(),
        "min_frames": measures.min_frames,
        "within_s": measures.within.total_seconds(),
        "update_every_s": measures.update_every.total_seconds(),
        "rules": [_rule(each) for each in found.rules],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "attention": rule.attention,
        "camera": rule.camera or None,
        "person": rule.person or None,
        "hours": watchfile.written(rule.hours) if rule.hours else None,
    }
