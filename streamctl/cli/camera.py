"""streamctl camera: where video comes in."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from streamctl.cli.command import Noun
from streamctl.cli.output import done, one, rows, say
from streamctl.cli.params import DURATION, FILE
from streamctl.cli.progress import StatusLine
from streamctl.cli.settings import Settings
from streamctl.core import video
from streamctl.core.video import Finding, Probe
from streamctl.errors import AnswerIsNo, AskedWrongly, MediaError
from streamctl.ops import cameras, inventory
from streamctl.ops import probe as probing
from streamctl.ops import push as pushing
from streamctl.ops.inventory import Camera
from streamctl.ops.push import Outage


@click.group(cls=Noun)
def camera() -> None:
    """Create cameras, look into their video, play a file into one.

    A camera is a Kinesis video stream with live h.264. With it stand its results, to which one
    processor writes, and that processor's role.
    """


@camera.command(
    examples=(
        "streamctl camera create door --retention 48h",
        "streamctl camera create door --existing my-video-stream",
    )
)
@click.argument("name")
@click.option(
    "--retention",
    type=DURATION,
    help="How long its video is kept, in whole hours.  [default: as it is, at first 24h]",
)
@click.option("--existing", metavar="NAME_OR_ARN", help="Use this Kinesis video stream.")
@click.pass_obj
def create(
    settings: Settings, name: str, retention: timedelta | None, existing: str | None
) -> None:
    """Create a camera with its results, or bring it up to date."""
    order = cameras.Order(name, retention, existing)
    with StatusLine() as progress:
        found, outcome = cameras.create(settings.aws, settings.platform, order, progress)
    done(settings, f"camera {name} is {outcome}", _view(found))


@camera.command("list", examples=("streamctl camera list",))
@click.pass_obj
def list_(settings: Settings) -> None:
    """List the platform's cameras."""
    found = map(_view, inventory.cameras(settings.aws, settings.platform))
    nothing = f"platform {settings.platform} has no camera"
    rows(settings, found, ("name", "status", "results"), nothing)


@camera.command(examples=("streamctl camera describe door",))
@click.argument("name")
@click.pass_obj
def describe(settings: Settings, name: str) -> None:
    """Show one camera, how long it keeps video, and which processor uses it."""
    found = cameras.describe(settings.aws, settings.platform, name)
    video = found.video
    details = {
        "media_type": video.media_type if video else None,
        "retention_s": video.retention.total_seconds() if video else None,
        "created_at": video.created if video else None,
        "processors": found.processors,
    }
    one(settings, {**_view(found.camera), **details})


@camera.command(examples=("streamctl camera delete door",))
@click.argument("name")
@click.pass_obj
def delete(settings: Settings, name: str) -> None:
    """Delete a camera with its video and results, unless a processor uses it.

    A video stream that was there before the camera stays.
    """
    with StatusLine() as progress:
        existed = cameras.delete(settings.aws, settings.platform, name, progress)
    sentence = f"camera {name} is gone" if existed else f"there was no camera {name}"
    done(settings, sentence, {"name": name, "existed": existed})


@camera.command(
    examples=("streamctl camera probe clip.mkv", "streamctl camera probe --camera door -o json")
)
@click.argument("file", type=FILE, required=False)
@click.option("--camera", "name", help="Look at what this camera is sending.")
@click.pass_obj
def probe(settings: Settings, file: Path | None, name: str | None) -> None:
    """Show what a video is, of a file or of a live camera, and what face search thinks of it."""
    if (file is None) == (name is None):
        raise AskedWrongly("probe looks at a file or at a camera", hint="FILE, or --camera NAME")
    seen = probing.file(file) if file else _live(settings, str(name))
    findings = video.findings(seen)
    shown = {
        field: getattr(seen, field)
        for field in ("codec", "codec_id", "packaging", "width", "height", "fps", "frames")
    }
    one(
        settings,
        {
            **shown,
            "duration_s": seen.duration_s,
            "keyframe_interval_s": seen.keyframe_interval_s,
            "fragments_s": seen.fragments,
            "damage": seen.damage or None,
            **({} if settings.format == "table" else {"findings": [_finding(f) for f in findings]}),
        },
    )
    for finding in findings:
        say(f"{finding.weight}: {finding.what}")
        say(f"hint: {finding.cure}")


@camera.command(
    examples=("streamctl camera push door clip.mkv", "streamctl camera push door clip.mkv --fast")
)
@click.argument("name")
@click.argument("file", type=FILE)
@click.option("--fast", is_flag=True, help="As fast as it goes, not in real time.")
@click.pass_obj
def push(settings: Settings, name: str, file: Path, *, fast: bool) -> None:
    """Play a video file into a camera, and wait until all of it is stored.

    A connection that breaks is opened again, for up to a minute without success. Of a file that
    breaks off, the whole fragments are sent, and the exit code is 1.
    """
    sent = _push(settings, name, file, fast=fast)
    sentence = (
        f"sent {sent.frames_sent} frame{_s(sent.frames_sent)} in {sent.fragments_sent}"
        f" fragment{_s(sent.fragments_sent)}, {sent.fragments_acked} acknowledged"
    )
    counted = {
        "frames_sent": sent.frames_sent,
        "fragments_sent": sent.fragments_sent,
        "fragments_acked": sent.fragments_acked,
        "bytes_sent": sent.bytes_sent,
        "reconnects": sent.reconnects,
        "started_at": sent.started,
        "damage": sent.damage or None,
    }
    done(settings, sentence, counted)
    if sent.damage:
        raise MediaError(
            f"{file} breaks off, and was sent up to there: {sent.damage}",
            hint="copy or record the file again",
        )


def _live(settings: Settings, name: str) -> Probe:
    arn = inventory.video(settings.aws, settings.platform, name)
    seen = probing.live(settings.aws, arn)
    if seen is None:
        raise AnswerIsNo(
            f"no video flows into camera {name}", hint="start its producer, or camera push"
        )
    return seen


def _push(settings: Settings, name: str, file: Path, *, fast: bool) -> pushing.Pushed:
    """Play a file. Where that ends early, it is told how far it came."""
    arn = inventory.video(settings.aws, settings.platform, name)
    latest: pushing.Progress | None = None

    def show(now: pushing.Progress) -> None:
        nonlocal latest
        if not sys.stderr.isatty():  # where the status line is silent
            _tell_of_outage(name, latest.outage if latest else None, now.outage)
        latest = now
        progress(_lost(name, now.outage) if now.outage else _so_far(now))

    try:
        with StatusLine() as progress:
            return pushing.push(settings.aws, arn, file, fast=fast, progress=show)
    except BaseException:
        if latest:
            say(_so_far(latest))
        raise


def _tell_of_outage(name: str, before: Outage | None, now: Outage | None) -> None:
    """A line when one begins, and one when it is over."""
    if now and not before:
        say(_lost(name, now))
    if before and not now:
        say(f"camera {name} takes video again")


def _lost(name: str, outage: Outage) -> str:
    return (
        f"no connection to camera {name}, trying again until"
        f" {outage.until:%Y-%m-%d %H:%M:%S}Z: {outage.why}"
    )


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _so_far(now: pushing.Progress) -> str:
    again = f", connected {now.reconnects + 1} times" if now.reconnects else ""
    return (
        f"sent {now.frames_sent} of {now.frames} frames,"
        f" {now.fragments_acked} of {now.fragments} fragments acknowledged{again}"
    )


def _finding(found: Finding) -> dict[str, str]:
    return {"weight": found.weight.value, "what": found.what, "cure": found.cure}


def _view(found: Camera) -> dict[str, Any]:
    return {
        "name": found.name,
        "platform": found.platform,
        "status": found.status,
        "arn": found.arn or None,
        "results": found.results or None,
        "role_arn": found.role_arn or None,
        "stack": found.stack,
    }
