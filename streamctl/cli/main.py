"""The root of the command line, and what it ends with.

Exit codes: 0 done, or already so; 1 failed, or nobody reads our output any more; 2 asked wrongly;
3 the answer is no; 4 not found; 5 gave up waiting; 6 not allowed; 130 interrupted (SIGINT); 143
terminated (SIGTERM). The codes of errors are theirs (streamctl.errors).
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

import click

from streamctl import __version__
from streamctl.cli.command import LateGroup
from streamctl.cli.output import printable
from streamctl.cli.settings import Settings
from streamctl.errors import StreamctlError

INTERRUPTED: Final = 128 + signal.SIGINT
TERMINATED: Final = 128 + signal.SIGTERM

COMMANDS: Final = {
    "demo": "Play a video through the whole pipeline on this machine.",
    "stack": "Deploy, look at and destroy a platform.",
    "camera": "Create cameras, look into their video, play a file into one.",
    "collection": "Create and delete collections of faces.",
    "face": "Enrol people's faces, list, search and remove them.",
    "processor": "Create, start, watch, stop and delete processors.",
    "watch": "Say whom a platform tells of.",
    "sweep": "Sweep the platform now, as it does each minute, or say what a sweep would do.",
    "record": "Follow and decode what processors report.",
    "event": "Follow what a platform tells, look back at it, and read the schemas of it.",
    "local": "Run a local cloud on this machine.",
}


class Terminated(KeyboardInterrupt):
    """SIGTERM: whatever cleans up after an interrupt cleans up after this too."""


@click.command(
    cls=LateGroup,
    late=COMMANDS,
    examples=("streamctl demo", "streamctl processor create --camera door --collection staff"),
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context, /, **given: Any) -> None:
    """Run face search on live video, and trust it to stop.

    Every option can be given as an environment variable: --platform is STREAMCTL_PLATFORM, and
    --camera of `record tail` is STREAMCTL_RECORD_TAIL_CAMERA.

    Exit codes: 0 done, or already so; 1 failed; 2 asked wrongly; 3 the answer is no; 4 not found;
    5 gave up waiting; 6 not allowed; 130 interrupted; 143 terminated.
    """
    context.obj = Settings(**{name: value for name, value in given.items() if value is not None})


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and end the process with its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    _open_what_is_closed()
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; whatever goes wrong is said on stderr, one line each. The exit code."""
    try:
        ended = cli.main(
            arguments, prog_name="streamctl", standalone_mode=False, auto_envvar_prefix="STREAMCTL"
        )
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
        return 1
    except (click.Abort, KeyboardInterrupt) as error:
        return TERMINATED if isinstance(error.__cause__ or error, Terminated) else INTERRUPTED
    except click.ClickException as error:
        return _asked_wrongly(error)
    except StreamctlError as error:
        _complain(str(error), error.hint)
        return error.exit_code
    except OSError as error:
        return _refused(error)
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a user
        return _bug(error)
    return ended if isinstance(ended, int) else 0


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated


def _asked_wrongly(error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
    else:
        help_at = f"see {context.command_path} --help" if context else ""
        _complain(error.format_message(), help_at)
    return error.exit_code


def _refused(error: OSError) -> int:
    """The operating system would not: a full disk, say. That is no bug of ours."""
    _show_where(error)
    where = f": {error.filename}" if error.filename else ""
    _complain(f"{error.strerror or error}{where}", "STREAMCTL_DEBUG=1 shows where it happened")
    return 1


def _bug(error: Exception) -> int:
    _show_where(error)
    _complain(
        f"this is a bug in streamctl {__version__} (Python {sys.version.split()[0]}):"
        f" {type(error).__name__}: {error}",
        "please report it with the command you ran, without secrets, at the project's issue"
        " tracker; STREAMCTL_DEBUG=1 shows where it happened",
    )
    return 1


def _show_where(error: Exception) -> None:
    if os.environ.get("STREAMCTL_DEBUG"):
        traceback.print_exception(error)


def _complain(message: str, hint: str) -> None:
    for word, colour, text in (("error", "red", message), ("hint", "cyan", hint)):
        if text:
            plain = not sys.stderr.isatty() or "NO_COLOR" in os.environ
            label = f"{word}:" if plain else click.style(f"{word}:", fg=colour, bold=True)
            click.echo(f"{label} {printable(' '.join(text.split()))}", err=True)


def _open_what_is_closed() -> None:
    """Python has no sys.stdout, stdin or stderr where the caller closed it, as in `>&-`."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - stays open
            setattr(sys, name, nowhere)


def _forget_stdout() -> None:
    """Let the interpreter's last flush succeed: nobody reads it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
