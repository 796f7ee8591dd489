"""Run: python -m tests.e2e.faults [NAME ...]. Plays the fault matrix, and prints it as a table."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.e2e.faults.matrix import ROWS
from tests.e2e.faults.runner import Verdict, judge
from tests.e2e.faults.stage import note

AT_ONCE = 2 * (os.cpu_count() or 1)  # they mostly wait
_ONE = "--one"


def main(names: Sequence[str]) -> int:
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        print(f"no fault is called {unknown[0]!r}; there are: {', '.join(ROWS)}", file=sys.stderr)
        return 2
    wanted = list(names) or list(ROWS)
    verdicts = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for played in as_completed([pool.submit(_play, name) for name in wanted]):
            verdicts.append(played.result())
            note(f"{len(verdicts)} of {len(wanted)}: {verdicts[-1].fault}")
    verdicts.sort(key=lambda each: list(ROWS).index(each.fault))
    note("")
    print("\n".join(table(verdicts)))
    return 0 if all(each.survived for each in verdicts) else 1


def table(verdicts: Iterable[Verdict]) -> list[str]:
    """Lines of at most 80 columns, and below them what went wrong."""
    verdicts = list(verdicts)
    lines = [f"{'fault':43} {'survived':8} {'lost':>9} {'leak':>4} {'kill':>4} {'beyond':>7}"]
    for each in verdicts:
        beyond = "-" if each.beyond_s is None else f"{each.beyond_s:.1f} s"
        lost = f"{each.lost} of {each.matches}"
        survived = "yes" if each.survived else "NO"
        lines.append(
            f"{each.fault:43} {survived:8} {lost:>9} {each.leaked:>4} {each.killed:>4} {beyond:>7}"
        )
    lines += ["", "lost: matches that no sighting tells of; beyond: from the last video to gone,"]
    lines += ["less the idle time of 5 s (results must be quiet for 15 s, so 10 s is the least)"]
    return lines + [f"{each.fault}: {each.why}" for each in verdicts if each.why]


def _play(name: str) -> Verdict:
    """One row in a process of its own, so that none can disturb another."""
    command = [sys.executable, "-m", "tests.e2e.faults", _ONE, name]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    try:
        return Verdict(**json.loads(ran.stdout))
    except ValueError:
        return Verdict(name, f"it ended with {ran.returncode}", 0, 0, 0, 0, None, 0.0)


def _one(name: str) -> int:
    with tempfile.TemporaryDirectory(prefix="streamctl-faults-") as folder:
        verdict = judge(ROWS[name], Path(folder))
    print(json.dumps(dataclasses.asdict(verdict)))
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == [_ONE]:
        sys.exit(_one(sys.argv[2]))
    sys.exit(main(sys.argv[1:]))
