"""Where a processor's records go: into its results, at once, or as an injected fault has it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import uuid
from collections.abc import Coroutine
from typing import Any, Final

from streamctl.local.faults import RECORD, Fault, Faults
from streamctl.local.faults.happenings import LOST
from streamctl.local.rekognition.causes import Failure, results_not_found
from streamctl.local.rekognition.neighbours import CallFailed, Loopback
from streamctl.local.rekognition.processor import Processor

_GOLDEN: Final = (math.sqrt(5) - 1) / 2
_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 1.0


def shuffled_s(number: int, within_s: float) -> float:
    """For how long the nth of many is held, so that they come in another order.

    Multiples of the golden ratio fill any stretch evenly, and never in order.
    """
    return number * _GOLDEN % 1.0 * within_s


class OnTheWay:
    """Records that a fault holds up. They arrive, whatever becomes of their processor meanwhile."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def end(self) -> None:
        """The server ends: what has not arrived never will."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Output:
    """Puts records, in the order in which they are given, but for those that a fault holds up."""

    def __init__(
        self, processor: Processor, loopback: Loopback, faults: Faults, on_the_way: OnTheWay
    ) -> None:
        self._processor = processor
        self._loopback = loopback
        self._faults = faults
        self._on_the_way = on_the_way
        self._shuffled = 0
        self._last: asyncio.Task[None] | None = None

    async def put(self, data: bytes) -> None:
        """Put one record. Raises Failure where there are no results any more."""
        fault = self._faults.take(RECORD, self._processor.names)
        if fault is None:
            await self._put(data)
        elif fault.delay_s or fault.shuffle_s:
            self._last = self._on_the_way.send(self._put_late(data, fault, self._last))
        elif fault.code != LOST:
            await self._put(data, fault.copies)

    async def _put_late(self, data: bytes, fault: Fault, before: asyncio.Task[None] | None) -> None:
        self._shuffled += 1
        late_s = fault.delay_s + shuffled_s(self._shuffled, fault.shuffle_s)
        await self._faults.hold(fault, late_s)
        if before and not fault.shuffle_s:
            await asyncio.wait([before])  # none overtakes another on the way
        with contextlib.suppress(Failure):  # no results any more: its processor will find out
            if fault.code != LOST:
                await self._put(data, fault.copies)

    async def _put(self, data: bytes, copies: int = 1) -> None:
        key = str(uuid.uuid4())
        for _ in range(copies):  # under one key: what producers write again lies in the same shard
            await self._put_surely(data, key)

    async def _put_surely(self, data: bytes, key: str) -> None:
        """Whatever passes (throttling, a hiccup) is waited for."""
        pause_s = _PAUSE_S
        while True:
            try:
                await self._put_once(data, key)
            except CallFailed as error:
                if error.code == "ResourceNotFoundException":
                    raise Failure(results_not_found(self._processor)) from error
                await asyncio.sleep(pause_s)
                pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)
            else:
                return

    async def _put_once(self, data: bytes, key: str) -> None:
        await self._loopback.call(
            "kinesis",
            self._processor.scope,
            "put_record",
            StreamName=self._processor.results_arn.rpartition("/")[2],
            Data=data,
            PartitionKey=key,
        )
