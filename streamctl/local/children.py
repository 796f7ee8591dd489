"""Child processes of the server: one way to start them, one way to end them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Coroutine
from typing import IO, Any, Final, TypeVar

_LONGEST_LINE: Final = 16 * 1024 * 1024  # a face takes 4 kB of JSON, and a picture may hold many
_T = TypeVar("_T")


async def spawn(module: str, stdout: IO[bytes] | int = PIPE) -> Process:
    """Run a module of ours, with stdin as a pipe, and stdout too unless it is a file.

    It ends itself when stdin is closed.
    """
    starting = asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=PIPE, stdout=stdout, limit=_LONGEST_LINE
    )
    process, was_cancelled = await _uncut(starting)
    if was_cancelled:
        await end(process)  # what nobody waits for any more must not be left behind
        raise asyncio.CancelledError
    return process


async def end(process: Process) -> None:
    """Kill it, whatever it does, and wait until it is gone. Our children keep nothing."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    _, was_cancelled = await _uncut(process.wait())
    if was_cancelled:
        raise asyncio.CancelledError


async def _uncut(work: Coroutine[Any, Any, _T]) -> tuple[_T, bool]:
    """Do work that takes a moment and must not be left half done; and whether we were cancelled."""
    task = asyncio.create_task(work)
    was_cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            was_cancelled = True
    return task.result(), was_cancelled
