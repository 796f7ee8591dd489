"""Run: python -m tests.fuzz [RECORDS [SEED]]. Feeds spoilt records to on_records, and judges it."""

from __future__ import annotations

import itertools
import sys
import time

from tests.fuzz import trial
from tests.fuzz.limited import ITEM_BYTES
from tests.fuzz.trial import Memory, Tally

RECORDS = 1_000_000
SEED = 1
_STEP = trial.BATCHES_OF_A_WORLD


def main(records: int = RECORDS, seed: int = SEED) -> int:
    """Print the figures, and what was wrong; the exit code."""
    began, tally, marks = time.monotonic(), Tally(), []
    for number in itertools.count(0, _STEP):
        trial.play(seed, range(number, number + _STEP), tally)
        if tally.records >= records * (len(marks) + 1) / 2:
            marks.append(Memory.now())
        if sys.stderr.isatty():
            print(f"\r\x1b[K{tally.records:,}", end="", file=sys.stderr, flush=True)
        if tally.records >= records:
            break
    grown = marks[-1] - marks[0]
    print(f"""
{tally.records:>11,} records, {time.monotonic() - began:.0f} s, seed {seed}
{tally.folded:>11,} frames folded, also of aggregates
{tally.reported:>11,} failures reported, each once, with bytes and reason
{tally.slowest_s * 1e3:>11.0f} ms of computing for the slowest batch, of at most 100
{tally.largest_item:>11,} bytes in the largest item, of {ITEM_BYTES:,}
{grown.blocks:>11,} objects more after the second half than after the first
{grown.resident / 2**20:>11.1f} MiB more, the same
{len(tally.wrong):>11,} wrong""")
    print("\n".join(tally.wrong[:20]))
    return 1 if tally.wrong or grown.is_growth(records // 2) else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
