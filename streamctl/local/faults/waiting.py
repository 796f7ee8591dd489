"""The faults that wait for what they hit, and those that hold something just now."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from streamctl.errors import AskedWrongly
from streamctl.local.faults.fault import Fault

MOST_WAITING: Final = 1000


@dataclass(slots=True)
class _Waiting:
    """A fault and what remains of it; `until` by the clock of Faults."""

    fault: Fault
    until: float | None

    def remaining(self, now: float) -> Fault:
        left = None if self.until is None else round(self.until - now, 3)
        return dataclasses.replace(self.fault, for_s=left)

    def is_over(self, now: float) -> bool:
        spent = self.fault.times == 0
        return spent or (self.until is not None and now >= self.until)

    def passes(self) -> bool:
        """Whether it lets this one go by; counts one down, of either kind."""
        fault = self.fault
        if fault.skip:
            self.fault = dataclasses.replace(fault, skip=fault.skip - 1)
        elif fault.times is not None:
            self.fault = dataclasses.replace(fault, times=fault.times - 1)
        return bool(fault.skip)


class Faults:
    """Everything injected so far. `clock` gives seconds.

    `hold` and `clear` belong to the server's event loop, all else to any thread.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._all: list[_Waiting] = []
        self._held: list[tuple[Fault, asyncio.Event]] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Raises AskedWrongly where too many wait already."""
        until = None if fault.for_s is None else self._clock() + fault.for_s
        with self._lock:
            self._forget()
            if len(self._all) >= MOST_WAITING:
                raise AskedWrongly(
                    f"{MOST_WAITING} faults wait already", hint="take them back (DELETE)"
                )
            self._all.append(_Waiting(fault, until))

    def clear(self, **which: str) -> None:
        """Take back those with just these members, all without any; what they hold goes on."""
        with self._lock:
            self._all = [each for each in self._all if not _has(each.fault, which)]
        for fault, let_go in self._held:
            if _has(fault, which):
                let_go.set()

    def listed(self) -> list[Fault]:
        """What still waits, oldest first, with what remains of `skip`, `times` and `for_s`."""
        with self._lock:
            self._forget()
            now = self._clock()
            return [each.remaining(now) for each in self._all]

    def expects(self, operation: str) -> bool:
        """Whether a fault waits for this operation, whatever it is aimed at."""
        with self._lock:
            return any(each.fault.operation.lower() == operation.lower() for each in self._all)

    def take(self, operation: str, names: Iterable[str] = (), caller: str = "") -> Fault | None:
        """The oldest fault that hits this, if any; whatever it concerns counts down.

        `names`: what is acted on, as names, ARNs, URLs or keys. `caller`: the calling function.
        """
        names = tuple(names)
        with self._lock:
            self._forget()
            for each in self._all:
                if each.fault.concerns(operation, names, caller) and not each.passes():
                    return each.fault
            return None

    async def hold(self, fault: Fault, seconds: float) -> None:
        """Wait so long for a fault, or until it is cleared."""
        held = fault, asyncio.Event()
        self._held.append(held)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await held[1].wait()
        finally:
            self._held.remove(held)

    def _forget(self) -> None:
        now = self._clock()
        self._all = [each for each in self._all if not each.is_over(now)]


def _has(fault: Fault, members: Mapping[str, str]) -> bool:
    return all(getattr(fault, name).lower() == value.lower() for name, value in members.items())
