"""The folder that a local cloud keeps its state in: its own, while it lives."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from streamctl.errors import StreamctlError

_ANOTHER = "name another folder with --data"


@contextlib.contextmanager
def data_folder(kept: Path | None, port: int) -> Iterator[Path]:
    """Where everything on disk is: a folder that is kept, or one that goes with the server.

    A kept one is ours alone until the block ends, or the process does. Raises StreamctlError where
    another local cloud has it, or nothing can be written there.
    """
    if kept is None:
        with tempfile.TemporaryDirectory(
            prefix="streamctl-local-", ignore_cleanup_errors=True
        ) as name:
            yield Path(name)
        return
    with said_plainly(kept):
        kept.mkdir(parents=True, exist_ok=True)
        lock = os.open(kept / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with said_plainly(kept):
            _take(lock, kept)
            os.ftruncate(lock, 0)
            os.write(lock, str(port).encode())
        yield kept
    finally:
        os.close(lock)


@contextlib.contextmanager
def said_plainly(folder: Path) -> Iterator[None]:
    """Raises StreamctlError, which names the folder, for what the system refuses in it."""
    try:
        yield
    except OSError as error:
        raise StreamctlError(
            f"cannot keep state in {folder}: {error.strerror}", hint=_ANOTHER
        ) from error


def _take(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, however that ends
    except BlockingIOError as error:
        port = os.pread(lock, 5, 0).decode(errors="replace")
        raise StreamctlError(
            f"{folder} is in use by the local cloud on port {port}",
            hint=f"stop that one (streamctl local stop --port {port}), or {_ANOTHER}",
        ) from error
