"""What happens to processors between calls: states that pass, runs, failures."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from streamctl.local.cloud import Cloud
from streamctl.local.faults import TRANSITION
from streamctl.local.rekognition.causes import INTERNAL, Causes, Failure
from streamctl.local.rekognition.processor import Processor
from streamctl.local.rekognition.register import Key, Register
from streamctl.local.rekognition.running import Run
from streamctl.local.rekognition.states import SETTLES_AS, Status

_LEAST_RECHECK_S: Final = 0.1

_log = logging.getLogger(__name__)

Life = Callable[[], Awaitable[None]]


class Lives:
    """One task for each processor that is not at rest. `run_of` makes its run; `clock` is Unix."""

    def __init__(
        self,
        cloud: Cloud,
        register: Register,
        causes: Causes,
        run_of: Callable[[Processor], Run],
        clock: Callable[[], float],
    ) -> None:
        self._timings = cloud.timings
        self._faults = cloud.faults
        self._stops_after_s = cloud.switches.stops_by_itself_after_s
        self._register = register
        self._causes = causes
        self._run_of = run_of
        self._clock = clock
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._unended: set[asyncio.Task[None]] = set()
        """Also those that were cancelled and still see their worker off."""

    def start(self, processor: Processor) -> None:
        """STARTING, and from there to RUNNING or FAILED."""
        starting = self._move(processor, Status.STARTING)
        self._begin(starting, functools.partial(self._live, starting))

    def start_in_vain(self, processor: Processor, cause: str) -> None:
        """STARTING, and from there to FAILED."""
        starting = self._move(processor, Status.STARTING)
        self._begin(starting, functools.partial(self._fail_later, starting, cause))

    def stop(self, processor: Processor) -> None:
        """STOPPING at once: no record arrives from now on."""
        stopping = self._move(processor, Status.STOPPING)
        self._begin(stopping, functools.partial(self._settle, stopping))

    def update(self, processor: Processor) -> None:
        updating = self._move(processor, Status.UPDATING)
        self._begin(updating, functools.partial(self._settle, updating))

    def delete(self, processor: Processor) -> None:
        self._register.remove(processor)
        task = self._tasks.pop((processor.scope, processor.name), None)
        if task:
            task.cancel()

    async def end_all(self) -> None:
        """The server ends: every worker too.

        A life is cancelled once: again would cut short the end that it is bringing to its worker.
        """
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        await asyncio.gather(*self._unended, return_exceptions=True)

    def _move(self, processor: Processor, status: Status, message: str = "") -> Processor:
        """The processor in another state, unless a call has overtaken this life meanwhile."""
        present = self._register.find(processor.scope, processor.name)
        if present is None or not present.stands_where(processor):
            raise asyncio.CancelledError
        moved = present.moved(status, self._clock(), message)  # with the tags it has now
        self._register.save(moved)
        return moved

    def _begin(self, processor: Processor, life: Life) -> None:
        key = (processor.scope, processor.name)
        before = self._tasks.get(key)
        if before:
            before.cancel()
        task = asyncio.create_task(self._guarded(processor, before, life))
        self._tasks[key] = task
        self._unended.add(task)
        task.add_done_callback(self._unended.discard)

    async def _guarded(
        self, processor: Processor, before: asyncio.Task[None] | None, life: Life
    ) -> None:
        """Live, once the life before has ended. A bug shows as FAILED, not as silence."""
        if before:
            await asyncio.wait([before])
        try:
            await life()
        except Exception:  # noqa: BLE001 - whatever it is, an operator must see it
            _log.exception("processor %s failed", processor.name)
            self._fail(processor)

    def _fail(self, processor: Processor) -> None:
        """Unless a call has begun another life for it, or ended it, meanwhile."""
        present = self._register.find(processor.scope, processor.name)
        mine = self._tasks.get((processor.scope, processor.name)) is asyncio.current_task()
        if present is not None and mine:
            self._move(present, Status.FAILED, INTERNAL)

    async def _live(self, processor: Processor) -> None:
        async with self._run_of(processor) as run:
            try:
                await self._pass(processor, self._timings.starting_s)
                await self._causes.check(processor)
            except Failure as failure:
                late_s = self._timings.failing_s - self._timings.starting_s
                await asyncio.sleep(max(0.0, late_s))
                self._move(processor, Status.FAILED, str(failure))
                return
            running = self._move(processor, Status.RUNNING)
            await self._run(running, run)

    async def _run(self, processor: Processor, run: Run) -> None:
        cause = ""
        try:
            async with asyncio.timeout(self._stops_after_s), asyncio.TaskGroup() as both:
                both.create_task(self._recheck(processor))
                both.create_task(run.analyse())
        except* Failure as failures:
            cause = str(failures.exceptions[0])
        except* TimeoutError:  # the switch stops_by_itself_after_s
            pass
        # Out here, where a call that has overtaken this life may cancel it: not inside an except*.
        if cause:
            self._move(processor, Status.FAILED, cause)
        else:
            await self._settle(self._move(processor, Status.STOPPING))

    async def _recheck(self, processor: Processor) -> None:
        """AWS notices after a while what was taken away from a running processor."""
        while True:
            await asyncio.sleep(max(_LEAST_RECHECK_S, self._timings.failing_s))
            await self._causes.check(processor)

    async def _fail_later(self, processor: Processor, cause: str) -> None:
        await self._pass(processor, self._timings.failing_s)
        self._move(processor, Status.FAILED, cause)

    async def _pass(self, processor: Processor, length_s: float) -> None:
        """Let a state that passes last as long as it does, or longer where a fault says so."""
        await asyncio.sleep(length_s)
        fault = self._faults.take(TRANSITION, processor.names)
        if fault is not None:
            await self._faults.hold(fault, fault.delay_s)

    async def _settle(self, processor: Processor) -> None:
        await self._pass(processor, self._timings.stopping_s)
        self._move(processor, SETTLES_AS[processor.status])
