"""Run: python -m tests.e2e.torture [RECORDS]. Tortures the pipeline, and prints what came of it."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks.report import milliseconds
from tests.e2e.faults.stage import note
from tests.e2e.torture.runner import Order, Outcome, torture


def main(records: int = Order.records) -> int:
    """First with a dead and a slow subscriber beside the healthy one, then without."""
    order = Order(records)
    alone = dataclasses.replace(order, records=records // 4, others=False)
    outcomes: dict[str, Outcome] = {}
    for name, each in (("dead and slow beside", order), ("healthy alone", alone)):
        note(f"{each.records:,} records, {name}: some minutes")
        outcomes[name] = _run(each)
        note("")
        print("\n".join(table(outcomes)), flush=True)
    return 0 if all(each.survived for each in outcomes.values()) else 1


def _run(order: Order) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="streamctl-torture-") as folder:
        return torture(order, Path(folder))


def table(outcomes: dict[str, Outcome]) -> Iterable[str]:
    """A column for each run, a line for each measure, and below what was wrong."""
    yield f"{'':34}" + "".join(f"{name:>22}" for name in outcomes)
    lines = {name: _lines(each) for name, each in outcomes.items()}
    for label in next(iter(lines.values())):
        yield f"{label:34}" + "".join(f"{each[label]:>22}" for each in lines.values())
    for name, each in outcomes.items():
        yield from (f"{name}: {what}"[:300] for what in each.wrong[:10])


def _lines(found: Outcome) -> dict[str, str]:
    median, p95 = milliseconds(found.delays, 0)
    return {
        "records": f"{found.records:,}",
        "records a second": f"{found.records / found.took_s:.0f}",
        "function killed": f"{found.kills}",
        "matches (frame, person)": f"{found.matches:,}",
        "sightings that ended": f"{found.sightings:,}",
        "matches that no sighting tells of": f"{found.lost:,}",
        "else wrong": f"{len(found.wrong)}",
        "poison": f"{found.poison:,}",
        "poison without bytes or reason": f"{found.unreported:,}",
        "events the slow one had": f"{found.slow_had:,}",
        "events the healthy one had": f"{found.heard:,}",
        "healthy one's delay, median ms": median,
        "healthy one's delay, p95 ms": p95,
    }


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
