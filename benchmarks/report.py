"""How figures are printed: a table on stdout for each promise, talk on stderr."""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """What one benchmark found. The first column is what was measured on, the others figures."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        cells = [self.columns, *self.rows] if self.rows else []
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["", self.title, *(_line(row, widths) for row in cells)]
        return "\n".join((*lines, *(f"  ({note})" for note in self.notes)))


def say(text: str) -> None:
    """Progress: one line on stderr."""
    print(text, file=sys.stderr, flush=True)


def milliseconds(seconds: Sequence[float], digits: int = 2) -> tuple[str, str]:
    """Median and 95th percentile of lengths in seconds, as text in milliseconds."""
    return f"{statistics.median(seconds) * 1e3:.{digits}f}", f"{p95(seconds) * 1e3:.{digits}f}"


def p95(values: Sequence[float]) -> float:
    """The smallest value that 95 % do not exceed: of fewer than twenty, the largest."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        f"{cell:<{width}}" if index == 0 else f"{cell:>{width}}"
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  " + "  ".join((first, *others)).rstrip()
