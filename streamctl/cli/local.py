"""streamctl local: a cloud on this machine, for any AWS client."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from streamctl.cli.command import Noun
from streamctl.cli.output import done, one, say
from streamctl.cli.settings import Settings
from streamctl.errors import AskedWrongly, NotFound
from streamctl.local.identity import DEFAULT_PORT
from streamctl.local.launch import LocalCloud, Options

_port = click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Its port on 127.0.0.1.",
)


@click.group(cls=Noun)
def local() -> None:
    """Run a local cloud on this machine: no AWS account, any AWS client.

    It needs the [local] extra: pip install 'streamctl[local]'.
    """


@local.command(
    examples=(
        "streamctl local start",
        "streamctl local start --port 5000 --data ./cloud --switch stale_describe_s=2",
    )
)
@_port
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder that keeps everything.  [default: forget it at the end]",
)
@click.option(
    "--switch",
    "switches",
    multiple=True,
    metavar="NAME=VALUE",
    help="How to behave where AWS's behaviour is not documented.",
)
@click.option("--auth", is_flag=True, help="Enforce IAM policies.")
@click.option(
    "--log", type=click.Path(dir_okay=False, path_type=Path), help="A file for its own messages."
)
@click.pass_obj
def start(
    settings: Settings,
    *,
    port: int,
    data: Path | None,
    switches: tuple[str, ...],
    auth: bool,
    log: Path | None,
) -> None:
    """Start a local cloud, which goes on until it is stopped."""
    options = Options(
        port=port, data=data, switches=_switches(switches), auth=auth, log=log, detached=True
    )
    cloud = LocalCloud.start(**options)
    done(settings, f"the local cloud answers on {cloud.endpoint_url}", _view(cloud))
    on_port = "" if port == DEFAULT_PORT else f" --port {port}"
    say(f'to turn any AWS client to it: eval "$(streamctl local env{on_port})"')


@local.command(examples=("streamctl local stop",))
@_port
@click.pass_obj
def stop(settings: Settings, port: int) -> None:
    """Stop the local cloud and everything that it started."""
    existed = True
    try:
        LocalCloud.noted(port).stop()
    except NotFound:
        existed = False
    sentence = "the local cloud has stopped" if existed else f"there was none on port {port}"
    done(settings, sentence, {"port": port, "existed": existed})


@local.command(examples=("streamctl local status",))
@_port
@click.pass_obj
def status(settings: Settings, port: int) -> None:
    """Show the local cloud; exit code 4 if there is none."""
    one(settings, _view(LocalCloud.attach(port)))


@local.command(examples=('eval "$(streamctl local env)"',))
@_port
@click.pass_obj
def env(settings: Settings, port: int) -> None:
    """Print the shell commands that turn AWS clients to the local cloud."""
    variables = LocalCloud.attach(port).env()
    if settings.format != "table":
        one(settings, variables)
        return
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")


def _switches(given: tuple[str, ...]) -> dict[str, str]:
    switches = {}
    for each in given:
        name, separator, value = each.partition("=")
        if not separator:
            raise AskedWrongly(f"'{each}' is not NAME=VALUE", hint="--switch stale_describe_s=2")
        switches[name] = value
    return switches


def _view(cloud: LocalCloud) -> dict[str, Any]:
    return {
        "endpoint_url": cloud.endpoint_url,
        "port": cloud.port,
        "media_port": cloud.media_port,
        "pid": cloud.pid,
        "data": cloud.data,
    }
