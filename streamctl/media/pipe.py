"""Where FFmpeg writes to when it does not write a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Pipe:
    """Gives what is written to `put`. It has no `seek`, and so is written front to back."""

    def __init__(self, put: Callable[[bytes], Any]) -> None:
        self._put = put

    def write(self, data: bytes) -> int:
        self._put(bytes(data))
        return len(data)
