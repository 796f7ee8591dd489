"""A local cloud's server as a child process: begun, and heard out on how that went."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from streamctl.errors import AskedWrongly, StreamctlError

_START_S: Final = 60.0
STOP_S: Final = 15.0
"""How long a server may take to end in order."""


def spawn(command: list[str], log: Path | None, *, detached: bool) -> subprocess.Popen[bytes]:
    """Start the server; it ends with us unless `detached`. Raises StreamctlError for its log."""
    with contextlib.ExitStack() as stack:
        errors = stack.enter_context(_opened(log)) if log else subprocess.DEVNULL
        return subprocess.Popen(
            command if detached else [*command, "--owned"],
            stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # an interrupt at the terminal is for us; we stop it in order
        )


def _opened(log: Path) -> BinaryIO:
    try:
        return log.open("ab")
    except OSError as error:
        raise StreamctlError(
            f"cannot write the log {log}: {error.strerror}", hint="name another file with --log"
        ) from error


def first_line(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """What the server says when it is ready, or that it is not and why."""
    assert process.stdout is not None
    with process.stdout as stdout:
        ready, _, _ = select.select([stdout], [], [], _START_S)
        line = stdout.readline() if ready else b""
    try:
        return dict(json.loads(line))
    except ValueError:
        _end(process)
        return {"error": "the local cloud did not start", "hint": "its log says why (--log FILE)"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """In order, so that it can take its folder away; in the end without."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()


def failure(process: subprocess.Popen[bytes], said: Mapping[str, Any]) -> StreamctlError:
    """What a server that is not ready ends with, once it has ended."""
    if process.stdin is not None:
        process.stdin.close()
    asked_wrongly = process.wait() == AskedWrongly.exit_code
    kind = AskedWrongly if asked_wrongly else StreamctlError
    return kind(str(said["error"]), hint=str(said.get("hint", "")))
