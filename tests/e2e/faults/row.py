"""What a row of the fault matrix is, and how a script becomes one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.faults.stage import Stage

Script = Callable[[Stage], None]


@dataclass(frozen=True)
class Row:
    """One fault. `options` are the local cloud's. `cut`: it is played in every test run."""

    name: str
    script: Script
    options: dict[str, Any] = field(default_factory=dict)
    cut: bool = False


class Rows(dict[str, Row]):
    """Rows by their names, in the order in which they are written."""

    def row(self, name: str, *, cut: bool = False, **options: Any) -> Callable[[Script], Script]:
        def keep(script: Script) -> Script:
            self[name] = Row(name, script, options, cut)
            return script

        return keep
