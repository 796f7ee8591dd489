"""Batches through the function's own work, and whether each record in them had its one fate.

A record that holds a frame is folded; one that does not lies in the failure queue, once, with its
bytes and a reason. Nothing else may happen: no crash, no hang, no record that comes again.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks import offline
from benchmarks.offline import InMemory
from streamctl.core import documents, folding, records
from streamctl.core.folding import Story
from streamctl.errors import RecordError
from streamctl.ops import intake
from tests.fuzz import mutations, oracle
from tests.fuzz.limited import Limited

BATCHES_OF_A_WORLD: Final = 50
SINGLY_AT_MOST: Final = 100
"""Of more bad records in one aggregate, the aggregate as a whole is reported."""

BATCH_S: Final = 5.0
"""Of computing, for a batch; a record of 1 MB takes some milliseconds."""

_BLOCKS: Final = 0.01
_RESIDENT: Final = 32 * 2**20
"""Growth that may be chance: objects for a record, and bytes in all (what was freed, and is kept by
the allocator for what comes next)."""

Batch = Sequence[Mapping[str, Any]]
Take = Callable[[InMemory, Batch], list[str]]


class Hung(BaseException):
    """So much computing for one batch. No Exception, since those may be caught on the way."""


@dataclass
class Tally:
    """What was fed, what came of it, and what was wrong, in words."""

    records: int = 0
    folded: int = 0
    reported: int = 0
    slowest_s: float = 0.0
    largest_item: int = 0
    wrong: list[str] = field(default_factory=list)


def take(aws: InMemory, batch: Batch) -> list[str]:
    """Exactly what on_records does with a batch."""
    return intake.take(aws, offline.SETTING, batch)


def play(seed: int, numbers: Iterable[int], tally: Tally, taking: Take = take) -> None:
    """Feed the batches with these numbers, and judge each. A world lasts for some of them."""
    world = None
    with open(os.devnull, "w") as log, contextlib.redirect_stdout(log):  # noqa: PTH123
        for count, number in enumerate(numbers):
            if world is None or count % BATCHES_OF_A_WORLD == 0:
                world = new_world()
            wrong = _judged(world, mutations.batch(seed, number), tally, taking)
            tally.wrong += [f"batch {number} of seed {seed}: {each}" for each in wrong]


def new_world() -> InMemory:
    world = InMemory(network=Limited())
    offline.remember_run(world)
    return world


def _judged(world: InMemory, batch: Batch, tally: Tally, taking: Take) -> list[str]:
    """Take one batch; what is wrong with what came of it."""
    network = world.network
    assert isinstance(network, Limited)
    network.failures.clear()
    before = _stories(network)
    began = time.process_time()
    try:
        with _limited(BATCH_S):
            again = taking(world, batch)
    except (Exception, Hung) as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        return [f"{type(error).__name__}: {error}"[:300]]
    tally.slowest_s = max(tally.slowest_s, time.process_time() - began)
    good, bad = _expected(batch)
    folded = _folded(before, _stories(network))
    reported = Counter((each["sequence_number"], each["data"]) for each in network.failures)
    tally.records += len(batch)
    tally.folded += len(good)
    tally.reported += bad.total()
    tally.largest_item = max(tally.largest_item, network.largest_item)
    wrong = [f"comes again from {each}" for each in again]
    wrong += [f"not reported: {each!r:.300}" for each in bad - reported]
    wrong += [f"reported, or once too often: {each!r:.300}" for each in reported - bad]
    wrong += ["a failure without a reason" for each in network.failures if not each["reason"]]
    fresh = _fresh(before, good)
    return wrong + ([] if folded == fresh else [f"{folded} frames folded and not {fresh}"])


def _expected(batch: Batch) -> tuple[list[bytes], Counter[tuple[str, bytes]]]:
    """Frames, and what the failure queue is to hold, by the second opinion."""
    good: list[bytes] = []
    bad: Counter[tuple[str, bytes]] = Counter()
    for record in batch:
        kinesis = record["kinesis"]
        data, arrived = base64.b64decode(kinesis["data"]), kinesis["approximateArrivalTimestamp"]
        inside = oracle.inside(data)
        spoilt = []
        for each in inside or ():
            (good if oracle.is_frame(each, arrived) else spoilt).append(each)
        if inside is None or len(spoilt) > SINGLY_AT_MOST:
            spoilt = [data]
        bad.update((kinesis["sequenceNumber"], each[: intake.POISON_BYTES]) for each in spoilt)
    return good, bad


def _stories(network: Limited) -> dict[str, Story]:
    stories = [
        documents.loads(Story, item["doc"]["S"])
        for key, item in network.items.items()
        if key.startswith("story#")
    ]
    return {each.camera: each for each in stories}


def _folded(before: Mapping[str, Story], after: Mapping[str, Story]) -> int:
    """How many frames the stories hold more than before."""
    return sum(each.frames for each in after.values()) - sum(
        each.frames for each in before.values()
    )


def _fresh(before: Mapping[str, Story], good: Iterable[bytes]) -> int:
    """How many of these frames were not known before."""
    frames = set()
    for each in good:
        try:
            frame = records.parse(each)
        except RecordError:
            continue  # which was reported, and is wrong already
        story = before.get(frame.camera)
        if story is None or folding._token(frame) not in story.seen:
            frames.add((frame.camera, folding._token(frame)))
    return len(frames)


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raises Hung after so many seconds of computing: of the processor's, not of the clock's.

    Garbage is not collected meanwhile: what is raised in a callback of the collector is lost.
    """

    def hung(*_: object) -> None:
        raise Hung(f"{seconds:g} s of computing")

    before = signal.signal(signal.SIGPROF, hung)
    gc.disable()
    signal.setitimer(signal.ITIMER_PROF, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        gc.enable()
        signal.signal(signal.SIGPROF, before)


@dataclass(frozen=True)
class Memory:
    """What this process holds: objects, and bytes of it that are in memory."""

    blocks: int
    resident: int

    @classmethod
    def now(cls) -> Memory:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return cls(sys.getallocatedblocks(), pages * os.sysconf("SC_PAGE_SIZE"))

    def __sub__(self, other: Memory) -> Memory:
        return Memory(self.blocks - other.blocks, self.resident - other.resident)

    def is_growth(self, records: int) -> bool:
        """Whether this is more than chance, for what so many records left behind."""
        return self.blocks > 1000 + records * _BLOCKS or self.resident > _RESIDENT
