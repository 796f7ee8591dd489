"""Attack the door: several drivers at once, over a simulated AWS in which everything goes wrong.

An episode is one world, a time of chaos and a time of peace after it. Its seed decides everything,
so a failing one can be run again. What must hold is checked where it can break: at each Stop and
Delete against what was true when its driver last looked, at each event that is told, and at the
end. The drivers run streamctl.core itself, request by request, interleaved as the seed says.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import timedelta

from benchmarks.simulated_aws import Message, moment
from streamctl.core import asking, door, sweeping
from streamctl.core.asking import Given, Rules
from streamctl.errors import StreamctlError, Throttled, Unreachable
from tests.model.hands import Hands
from tests.model.judge import SLOWEST_S, Judge, LastSeen, brief
from tests.model.world import EVERYTHING, PLATFORM, Chaos, World

RULES = Rules(PLATFORM, timedelta(seconds=1))
VISIBILITY_S = 180.0
CHAOS_S = 1500.0
PEACE_S = 4 * 3600.0
PEACE_STEPS = 12000
"""Bounded: what takes more than this many steps once faults have ceased counts as stuck."""

Steps = Generator
Flaw = Callable[[Steps], Steps]


@dataclass(frozen=True)
class Outcome:
    """What came of an episode; `wrong`, `deeds` and `unavoidable` as its judge has them."""

    seed: int
    steps: int
    wrong: list[str]
    deeds: int
    unavoidable: list[float]
    trace: list[str]


@dataclass
class Driver:
    """One function at work."""

    name: str
    message: Message | None = None
    steps: Steps | None = None
    last_seen: LastSeen = field(default_factory=LastSeen)

    @property
    def idle(self) -> bool:
        return self.steps is None


class Episode:
    def __init__(
        self,
        seed: int,
        chaos: Chaos = EVERYTHING,
        flaw: Flaw | None = None,
        *,
        tracing: bool = False,
    ) -> None:
        self.seed, self.chaos, self.flaw = seed, chaos, flaw or (lambda steps: steps)
        self.dice = random.Random(seed)
        self.world = World(self.dice, chaos)
        self.hands, self.judge = Hands(self.world), Judge(self.world)
        self.aws, self.timeline = self.world.aws, self.world.timeline
        self.steps, self.tracing = 0, tracing
        self.trace: list[str] = []
        ids = iter(range(10**9))
        self.given = Given(
            now=lambda: moment(self.timeline.now),
            new_id=lambda: f"c{next(ids)}",
            between=self.dice.uniform,
        )

    def run(self) -> Outcome:
        for name in ("clock-1", "clock-2", "clock-3"):
            self._poll(Driver(name))
        if self.chaos.sweeps:
            self.timeline.after(self.dice.uniform(0, 60), self._sweep)
        self.timeline.after(5, self.hands.disturb)
        self.timeline.run(CHAOS_S)
        self.world.make_peace()
        limit = self.steps + PEACE_STEPS
        while self.timeline.now < CHAOS_S + PEACE_S and not self.judge.is_over():
            if self.steps > limit:
                break
            self.timeline.run(self.timeline.now + 60)
        self.judge.check_the_end()
        found = self.judge
        return Outcome(
            self.seed, self.steps, found.wrong, found.deeds, found.unavoidable, self.trace
        )

    def _poll(self, driver: Driver) -> None:
        if driver.idle and self.aws.ready:
            driver.message = self.aws.ready.popleft()
            driver.message.receives += 1
            self._begin(driver, door.answer(driver.message.body, RULES, self.given))
        self.timeline.after(self.dice.uniform(0.1, 1.0), lambda: self._poll(driver))

    def _sweep(self) -> None:
        self._begin(Driver("sweep"), sweeping.sweep(RULES, self.given))
        self.timeline.after(60, self._sweep)

    def _begin(self, driver: Driver, steps: Steps) -> None:
        driver.steps = self.flaw(steps)
        self._advance(driver, lambda: next(driver.steps))

    def _advance(self, driver: Driver, resume: Callable[[], asking.Request]) -> None:
        """Let a driver go on to its next request, which is answered after some time."""
        try:
            request = resume()
        except StopIteration:
            self._finish(driver, handled=True)
        except StreamctlError:
            self._finish(driver, handled=False)
        else:
            if isinstance(request, asking.Wait):
                pause = request.seconds
            elif self.world.happens(self.chaos.slow):
                pause = self.dice.uniform(1, SLOWEST_S)
            else:
                pause = self.dice.uniform(0.005, 0.15)
            self.timeline.after(pause, lambda: self._answer(driver, request))

    def _answer(self, driver: Driver, request: asking.Request) -> None:
        self.steps += 1
        if self.world.happens(self.chaos.crash):
            self._log(driver, f"crashes before {request}")
            self._finish(driver, handled=False)
            return
        try:
            answer = self._perform(driver, request)
        except StreamctlError as error:
            self._log(driver, f"{brief(request)} -> {type(error).__name__}")
            # A name of its own: Python unbinds the one of an except clause.
            thrown = error
            self._advance(driver, lambda: driver.steps.throw(thrown))
        else:
            self._log(driver, f"{brief(request)} -> {brief(answer)}")
            self._advance(driver, lambda: driver.steps.send(answer))

    def _perform(self, driver: Driver, request: asking.Request):
        if isinstance(request, asking.Wait):
            return None
        if self.world.happens(self.chaos.error):
            raise self.dice.choice([Throttled, Unreachable])("before it was done")
        if isinstance(request, asking.Stop | asking.Delete):
            self.judge.check_deed(driver.last_seen, request)
        answer = self.aws.answer(request)
        self.judge.note(driver.last_seen, request)
        if self.world.happens(self.chaos.done_but_error):
            raise Unreachable("after it was done")
        return answer

    def _finish(self, driver: Driver, *, handled: bool) -> None:
        message, driver.message, driver.steps = driver.message, None, None
        if message is not None and not handled:
            self.aws.deliver(message, VISIBILITY_S)

    def _log(self, driver: Driver, what: str) -> None:
        if self.tracing:
            self.trace.append(f"{self.timeline.now:9.2f} {driver.name:8} {what}")


def explore(seeds, chaos: Chaos = EVERYTHING, flaw: Flaw | None = None, steps: int = 10**12):
    """Outcomes of episodes, until so many steps were taken or something was wrong."""
    taken = 0
    for seed in seeds:
        outcome = Episode(seed, chaos, flaw).run()
        taken += outcome.steps
        yield outcome
        if outcome.wrong or taken >= steps:
            return


def traced(seed: int, chaos: Chaos = EVERYTHING, flaw: Flaw | None = None) -> Outcome:
    return Episode(seed, chaos, flaw, tracing=True).run()
