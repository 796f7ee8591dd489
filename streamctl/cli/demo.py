"""streamctl demo: the whole pipeline on this machine."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamctl.cli.command import Verb
from streamctl.cli.output import one, say
from streamctl.cli.params import DURATION
from streamctl.cli.settings import Settings
from streamctl.errors import AskedWrongly
from streamctl.local.launch import LocalCloud, demand_extra

if TYPE_CHECKING:
    from streamctl.core.summary import Latency
    from streamctl.ops.demo import Outcome, Plan


@click.command(
    cls=Verb,
    examples=(
        "streamctl demo",
        "streamctl demo --video door.mkv --face ada=ada.jpg --idle-after 20s -o json",
    ),
)
@click.option(
    "--video",
    type=click.Path(path_type=Path),
    help="A video to play; without, a clip of two portraits is rendered.",
)
@click.option(
    "--face",
    "stills",
    multiple=True,
    metavar="NAME=IMAGE",
    help="Enrol a person; may be given more than once.",
)
@click.option(
    "--idle-after",
    type=DURATION,
    default="5s",
    show_default=True,
    help="How long without video counts as the end.",
)
@click.option("--keep", is_flag=True, help="Leave the local cloud running, with everything in it.")
@click.pass_obj
def demo(
    settings: Settings,
    *,
    video: Path | None,
    stills: tuple[str, ...],
    idle_after: timedelta,
    keep: bool,
) -> None:
    """Play a video through the whole pipeline on this machine.

    Starts a local cloud, deploys, enrols, starts a processor, plays the video in real time, shows
    the sightings that a subscriber receives, and waits until the processor is torn down. No AWS
    account is used. It needs the [local] extra: pip install 'streamctl[local]'.
    """
    enrolled = [_still(each) for each in stills]
    with tempfile.TemporaryDirectory(prefix="streamctl-demo-") as folder:
        plan = _plan(Path(folder), video, enrolled, idle_after, keep=keep)
        with _cloud(keep=keep):
            outcome = _run(plan)
        if settings.format == "table":
            _show(settings, outcome)
        else:
            one(settings, outcome.as_json())


def _still(text: str) -> tuple[str, Path]:
    person, separator, path = text.partition("=")
    if not (person and separator and path):
        raise AskedWrongly(f"'{text}' is not NAME=IMAGE", hint="for example --face ada=ada.jpg")
    return person, Path(path)


@contextlib.contextmanager
def _cloud(*, keep: bool) -> Iterator[None]:
    """A local cloud of the demo's own, to which this process' AWS settings are turned."""
    say("starting a local cloud")
    cloud = LocalCloud.start(port=0, detached=keep)
    try:
        _turn_to(cloud)
        yield
    except BaseException:
        cloud.stop()
        raise
    if not keep:
        cloud.stop()
        return
    say(f'kept: eval "$(streamctl local env --port {cloud.port})"')
    say(f"at the end: streamctl local stop --port {cloud.port}")


def _turn_to(cloud: LocalCloud) -> None:
    """Nothing of the user's own AWS settings may lead a call of the demo elsewhere."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(cloud.env())


def _plan(
    folder: Path,
    video: Path | None,
    stills: list[tuple[str, Path]],
    idle_after: timedelta,
    *,
    keep: bool,
) -> Plan:
    demand_extra()  # what renders a clip is of that extra too
    from streamctl.media import clip  # noqa: PLC0415 - FFmpeg is not loaded before it is needed
    from streamctl.ops.demo import Plan, check  # noqa: PLC0415 - nor is boto3, for a mere --help

    if video is None:
        say("rendering a clip: two people, one after the other")
        video = folder / "two-people.mkv"
        clip.render(video)
        if not stills:
            portrait = folder / f"{clip.KNOWN}.jpg"
            portrait.write_bytes(clip.portrait(clip.KNOWN))
            stills = [(clip.KNOWN, portrait)]
    plan = Plan(video=video, stills=stills, idle_after=idle_after, keep=keep)
    check(plan)
    return plan


def _run(plan: Plan) -> Outcome:
    from streamctl.aws.session import Aws  # noqa: PLC0415
    from streamctl.ops import demo as op  # noqa: PLC0415

    began = time.monotonic()
    return op.run(Aws(), plan, lambda text: say(f"{time.monotonic() - began:6.1f} s  {text}"))


def _show(settings: Settings, outcome: Outcome) -> None:
    for seen in outcome.sightings:
        say(
            f"{seen.person} was seen from {seen.started_s:.1f} s to {seen.ended_s:.1f} s of the"
            f" video, in {seen.frames} frames"
        )
    latency = outcome.latency_ms
    one(
        settings,
        {
            "frames sent": outcome.frames_sent,
            "fragments acknowledged": f"{outcome.fragments_acked} of {outcome.fragments_sent}",
            "frames analysed": outcome.frames_analysed,
            "frames with a stranger": outcome.unknown_frames,
            "end of video to processor gone": f"{outcome.teardown_s:.1f} s",
            "of that, the idle time": f"{outcome.idle_after_s:.1f} s",
            "frame to record": _median(latency["frame_to_record"]),
            "frame to subscriber": _median(latency["frame_to_event"]),
            "left over": outcome.left_over,
        },
    )


def _median(measured: Latency) -> str | None:
    return None if measured.median is None else f"{measured.median} ms (median)"
