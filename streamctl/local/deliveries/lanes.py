"""The way to one target: what waits there waits for nobody else's.

A few deliveries are under way at once, as EventBridge has them. Threads come with work and go
when there has been none for a while, since many rules live shortly.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

_AT_ONCE: Final = 4
_WAITING_AT_MOST: Final = 10_000
_IDLE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one target. `begun` is by time.monotonic()."""

    rule_arn: str
    target: Mapping[str, Any]
    payload: str
    event: str
    account: str
    region: str
    begun: float
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Again:
    """A delivery that is to be tried again, after so many seconds."""

    delivery: Delivery
    pause_s: float


class Lane:
    """Tries deliveries, each as often as `attempt` says; it raises nothing."""

    def __init__(self, name: str, attempt: Callable[[Delivery], Again | None]) -> None:
        self._name = name
        self._attempt = attempt
        self._ready: deque[Delivery] = deque()
        self._later: list[tuple[float, int, Delivery]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._hands = 0
        self._idle = 0
        self._ended = False

    def put(self, delivery: Delivery) -> bool:
        """Take a delivery on; False if too many wait already."""
        with self._changed:
            if len(self._ready) + len(self._later) >= _WAITING_AT_MOST:
                return False
            self._ready.append(delivery)
            if len(self._ready) > self._idle and self._hands < _AT_ONCE:
                self._hands += 1
                threading.Thread(target=self._work, name=self._name, daemon=True).start()
            self._changed.notify()
        return True

    @property
    def is_busy(self) -> bool:
        """Whether anything waits or is under way."""
        with self._changed:
            return self._hands > 0

    def end(self) -> int:
        """No try begins after this. How many deliveries waited for one."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
            return len(self._ready) + len(self._later)

    def _work(self) -> None:
        while (delivery := self._next()) is not None:
            again = self._attempt(delivery)
            if again is not None:
                due = time.monotonic() + again.pause_s
                with self._changed:
                    heapq.heappush(self._later, (due, next(self._numbers), again.delivery))

    def _next(self) -> Delivery | None:
        """The next delivery that is due; None where this thread is needed no more."""
        with self._changed:
            self._idle += 1
            try:
                return self._wait()
            finally:
                self._idle -= 1

    def _wait(self) -> Delivery | None:
        home_at = time.monotonic() + _IDLE_S
        while not self._ended:
            now = time.monotonic()
            while self._later and self._later[0][0] <= now:
                self._ready.append(heapq.heappop(self._later)[2])
            if self._ready:
                return self._ready.popleft()
            if not self._later and now >= home_at:
                break
            self._changed.wait((self._later[0][0] if self._later else home_at) - now)
        self._hands -= 1
        return None
