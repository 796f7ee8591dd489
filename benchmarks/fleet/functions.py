"""The platform's functions: as many clocks at once as platform.yaml allows, and a sweep a minute.

What they do is streamctl.core, request by request. A function that takes longer than its timeout
is killed where it stands, and its message comes again; one that came five times is buried.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from benchmarks.fleet.calls import Call, Calls
from benchmarks.fleet.troubles import DOWN, KILLED, STALLED, Troubles
from benchmarks.simulated_aws import Message, SimulatedAws, moment
from streamctl.core import asking, door, sweeping
from streamctl.core.asking import Asking, Given, Rules
from streamctl.errors import StreamctlError

CLOCKS: Final = 20
"""At once, clock timeout, sweep timeout, visibility timeout and receives: as in platform.yaml."""
CLOCK_TIMEOUT_S: Final = 30.0
SWEEP_TIMEOUT_S: Final = 60.0
VISIBILITY_S: Final = 180.0
RECEIVES: Final = 5

OVERHEAD_S: Final = 0.005
"""Of each invocation: from the queue's mapping into the handler, and back."""

PLATFORM: Final = "main"
RULES: Final = Rules(PLATFORM, timedelta(seconds=30))


@dataclass(slots=True, eq=False)
class Invocation:
    """One function at work. When, and as of when, it last looked at its camera's video."""

    steps: Asking[Any]
    began: float
    over_at: float
    message: Message | None = None
    video_as_of: float = -math.inf


class Functions:
    """`check` is shown each request right before it is granted."""

    def __init__(
        self,
        aws: SimulatedAws,
        calls: Calls,
        troubles: Troubles,
        dice: random.Random,
        check: Callable[[Invocation, asking.Request[Any]], None],
    ) -> None:
        self._aws, self._calls, self._troubles, self._dice = aws, calls, troubles, dice
        self._check = check
        self.busy = 0
        self.seconds = 0.0
        self.counts: Counter[str] = Counter()
        ids = iter(range(10**12))
        timeline = aws.timeline
        self._given = Given(
            now=lambda: moment(timeline.now),
            new_id=lambda: f"c{next(ids)}",
            between=dice.uniform,
        )
        aws.on_message = troubles.on_over = self.take_messages

    def take_messages(self) -> None:
        """As many as there are, and as can be handled at once."""
        ready, troubles = self._aws.ready, self._troubles
        while ready and self.busy < CLOCKS:
            if troubles.share(DOWN) or troubles.share(STALLED):
                return
            message = ready.popleft()
            message.receives += 1
            self.counts["receives"] += 1
            self.busy += 1
            self.counts["clocks"] += 1
            steps = door.answer(message.body, RULES, self._given)
            self._begin(steps, CLOCK_TIMEOUT_S, message)

    def sweep_each_minute(self) -> None:
        self._aws.timeline.after(60, self.sweep_each_minute)
        if not self._troubles.share(DOWN):
            self.counts["sweeps"] += 1
            self._begin(sweeping.sweep(RULES, self._given), SWEEP_TIMEOUT_S)

    def _begin(self, steps: Asking[Any], timeout_s: float, message: Message | None = None) -> None:
        now = self._aws.timeline.now
        invocation = Invocation(steps, now, now + timeout_s, message)
        self._aws.timeline.after(OVERHEAD_S, lambda: self._go_on(invocation, steps.send, None))

    def _go_on(self, invocation: Invocation, resume: Callable[[Any], Any], answer: Any) -> None:
        """Up to the next request, and to the first of its calls."""
        try:
            request = resume(answer)
        except StopIteration:
            self._finish(invocation, handled=True)
        except StreamctlError:
            self._finish(invocation, handled=False)
        else:
            self._call(invocation, request, self._calls.of(request), 0)

    def _call(
        self,
        invocation: Invocation,
        request: asking.Request[Any],
        calls: tuple[Call, ...],
        attempt: int,
        pause: float = 0.0,
    ) -> None:
        takes = pause + self._calls.seconds(calls[0])
        self._aws.timeline.after(takes, lambda: self._called(invocation, request, calls, attempt))

    def _called(
        self,
        invocation: Invocation,
        request: asking.Request[Any],
        calls: tuple[Call, ...],
        attempt: int,
    ) -> None:
        if self._is_killed(invocation):
            self._finish(invocation, handled=False)
            return
        refusal = self._calls.refusal(calls[0])
        if refusal is None and len(calls) > 1:
            self._call(invocation, request, calls[1:], 0)
        elif refusal is None:
            self._grant(invocation, request)
        elif attempt + 1 < calls[0].attempts:
            self._call(invocation, request, calls, attempt + 1, self._calls.pause(attempt))
        else:
            self._go_on(invocation, invocation.steps.throw, refusal)

    def _grant(self, invocation: Invocation, request: asking.Request[Any]) -> None:
        if isinstance(request, asking.Wait):
            self._go_on(invocation, invocation.steps.send, None)
            return
        self._check(invocation, request)
        try:
            answer = self._aws.answer(request)
        except StreamctlError as error:
            self._go_on(invocation, invocation.steps.throw, error)
        else:
            self._go_on(invocation, invocation.steps.send, answer)

    def _is_killed(self, invocation: Invocation) -> bool:
        if self._aws.timeline.now > invocation.over_at:
            self.counts["timeouts"] += 1
            return True
        share = self._troubles.share(KILLED)
        return bool(share) and self._dice.random() < share

    def _finish(self, invocation: Invocation, *, handled: bool) -> None:
        self.seconds += self._aws.timeline.now - invocation.began
        if (message := invocation.message) is None:
            return
        if handled:
            self.counts["deletes"] += 1
        elif message.receives < RECEIVES:
            self._aws.deliver(message, VISIBILITY_S)
        else:
            self.counts["buried"] += 1
        self.busy -= 1
        self.take_messages()
