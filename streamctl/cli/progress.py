"""One line on a terminal that says what is being waited for. In a pipe or a log: silence."""

from __future__ import annotations

import shutil
import sys
from types import TracebackType
from typing import Final, Self

from streamctl.cli.output import printable

_ERASE: Final = "\r\x1b[K"


class StatusLine:
    """Call it with the text to show; leaving the `with` wipes it, also when an error passes."""

    def __enter__(self) -> Self:
        self._shown = ""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._shown:
            self._write("")

    def __call__(self, text: str) -> None:
        if text != self._shown and sys.stderr.isatty():
            self._write(text)

    def _write(self, text: str) -> None:
        self._shown = text
        columns = shutil.get_terminal_size().columns - 1
        sys.stderr.write(_ERASE + printable(text[:columns]))
        sys.stderr.flush()
