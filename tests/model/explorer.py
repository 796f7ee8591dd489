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

from benchmarks.simulated_aws import (
    Camera,
    Message,
    SimulatedAws,
    Timeline,
    moment,
    seconds,
)
from streamctl.core import asking, door, events, policy, sweeping
from streamctl.core.asking import Given, Rules
from streamctl.core.liveness import Processor, Status
from streamctl.core.policy import OnEnd, Ownership, Policy
from streamctl.core.runs import Phase, Reason
from streamctl.errors import StreamctlError, Throttled, Unreachable

PLATFORM = "main"
RULES = Rules(PLATFORM, timedelta(seconds=1))
VISIBILITY_S = 180.0
SLOWEST_S = 5.0
CHAOS_S = 1500.0
PEACE_S = 4 * 3600.0
PEACE_STEPS = 12000
"""Bounded: what takes more than this many steps once faults have ceased counts as stuck."""

Steps = Generator
Flaw = Callable[[Steps], Steps]


@dataclass(frozen=True)
class Chaos:
    """How likely what is. Probabilities are per request, per message, or per attempt."""

    crash: float = 0.02
    error: float = 0.06
    done_but_error: float = 0.03
    slow: float = 0.05
    lose: float = 0.05
    repeat: float = 0.08
    hands: float = 1.0
    """How busy other hands are: 0 for none."""
    sweeps: bool = True


EVERYTHING = Chaos()
CLOCKS_ONLY = Chaos(lose=0.0, sweeps=False)
"""Nothing sweeps, and no message is lost: then clocks alone must do."""


@dataclass
class Outcome:
    seed: int
    steps: int = 0
    wrong: list[str] = field(default_factory=list)
    deeds: int = 0
    unavoidable: list[float] = field(default_factory=list)
    """For each deed that hit what another hand had just changed: how long before, in seconds."""
    trace: list[str] = field(default_factory=list)


@dataclass
class Driver:
    """One function at work. When, and as of when, it last saw processor and video."""

    name: str
    message: Message | None = None
    steps: Steps | None = None
    described_as_of: float = -1e9
    video_as_of: float = -1e9

    @property
    def idle(self) -> bool:
        return self.steps is None


class Episode:
    def __init__(self, seed: int, chaos: Chaos = EVERYTHING, flaw: Flaw | None = None):
        self.dice = random.Random(seed)
        self.chaos, self.flaw = chaos, flaw or (lambda steps: steps)
        self.timeline = Timeline()
        self.aws = SimulatedAws(self.timeline)
        self.outcome = Outcome(seed)
        self.peace = False
        self.stale_s = 0.0
        self.ours: set[tuple[str, object]] = set()
        self.policies: dict[tuple[str, object], Ownership] = {}
        self.said: dict[str, object] = {}
        self.known: dict[str, tuple[str, str]] = {}
        self.by_hand: set[str] = set()
        self._set_the_scene()
        ids = iter(range(10**9))
        self.given = Given(
            now=lambda: moment(self.timeline.now),
            new_id=lambda: f"c{next(ids)}",
            between=self.dice.uniform,
        )

    # -- the world ------------------------------------------------------------------------------

    def _set_the_scene(self) -> None:
        dice, aws = self.dice, self.aws
        aws.list_late_s = dice.choice([0.0, 0.0, 1.0])
        aws.lag_s = dice.choice([0.5, 0.5, 4.0, 40.0])
        aws.writes_records = dice.random() < 0.8
        aws.writes_empty = dice.random() < 0.7
        aws.mapping_works = dice.random() < 0.8
        self.stalest = dice.choice([0.0, 0.0, 2.0])
        aws.stale = self._stale
        aws.loses = lambda: not self.peace and dice.random() < self.chaos.lose
        aws.repeats = lambda: not self.peace and dice.random() < self.chaos.repeat
        for number in range(dice.choice([1, 2, 3])):
            name = f"door{number}"
            arn = f"arn:aws:kinesisvideo:us-east-1:123456789012:stream/{name}/1"
            aws.cameras[arn] = Camera(arn, fragment_s=dice.choice([1.0, 2.0, 10.0]))
            self.timeline.at(dice.uniform(0, 30), lambda a=arn: aws.flow(a, on=True))
            self.timeline.at(dice.uniform(0, 60), lambda a=arn: self._create(a, ours=True))

    def _stale(self) -> float:
        self.stale_s = self.dice.choice([0.0, 0.0, self.dice.uniform(0, self.stalest)])
        return self.stale_s

    def _create(self, arn: str, *, ours: bool) -> None:
        """Somebody creates a processor, starts it, and tells the clock queue as `start` does."""
        dice, name = self.dice, door.names.of_camera(arn)
        chosen = Policy(
            timedelta(seconds=dice.choice([5, 20, 60])),
            dice.choices([OnEnd.DELETE, OnEnd.STOP, OnEnd.KEEP], [8, 1, 1])[0],
            dice.choices([None, timedelta(minutes=8)], [6, 1])[0],
        )
        owned = Ownership(PLATFORM, name, chosen, by_stack=dice.random() < 0.1)
        tags = policy.to_tags(owned) if ours else {"team": "elsewhere"}
        if not self.aws.create(name, arn, tags):
            return
        made = self.aws.processors[name]
        made.starts_in_s = dice.choice([0.5, 2.0, 2.0, 20.0] if self.peace else [0.5, 2.0, 400.0])
        self.policies[name, made.state.created] = owned
        if ours:
            self.ours.add((name, made.state.created))
        self._start(arn)

    def _start(self, arn: str) -> None:
        name = door.names.of_camera(arn)
        if not self.aws.start(name):
            return
        self.by_hand.discard(name)
        found = self.aws.processors[name]
        if (name, found.state.created) in self.ours and (
            not self.chaos.sweeps or self.dice.random() < 0.7
        ):
            self.aws.deliver(Message({"camera": arn, "processor": name}), 0)

    def _other_hands(self) -> None:
        """One thing that somebody else does, and when the next one comes."""
        if self.peace or not self.chaos.hands:
            return
        dice, aws = self.dice, self.aws
        arn = dice.choice(list(aws.cameras))
        name = door.names.of_camera(arn)
        deeds = [
            (20, lambda: aws.flow(arn, on=not aws.cameras[arn].flows)),
            (6, lambda: self._pause(arn)),
            (3, lambda: self._stop(name)),
            (3, lambda: self._stop_and_start(arn)),
            (2, lambda: self._recreate(arn, ours=True)),
            (1, lambda: self._recreate(arn, ours=False)),
            (1, lambda: aws.fail(name)),
            (2, lambda: self._create(arn, ours=True)),
            (2, lambda: self._start(arn)),
            (0.2, lambda: aws.delete_camera(arn)),
        ]
        dice.choices([deed for _, deed in deeds], [weight for weight, _ in deeds])[0]()
        self.timeline.after(dice.expovariate(self.chaos.hands / 20), self._other_hands)

    def _pause(self, arn: str) -> None:
        if self.aws.cameras[arn].flows:
            self.aws.flow(arn, on=False)
            back = self.dice.uniform(1, 12)
            self.timeline.after(back, lambda: self.peace or self.aws.flow(arn, on=True))

    def _stop(self, name: str) -> None:
        try:
            self.aws.stop(name)
        except StreamctlError:
            return
        self.by_hand.add(name)

    def _stop_and_start(self, arn: str) -> None:
        self._stop(door.names.of_camera(arn))
        self.timeline.after(self.dice.uniform(1.6, 6), lambda: self.peace or self._start(arn))

    def _recreate(self, arn: str, *, ours: bool) -> None:
        name = door.names.of_camera(arn)
        self._stop(name)

        def again() -> None:
            try:
                self.aws.delete(name)
            except StreamctlError:
                return
            self.timeline.after(
                self.dice.uniform(0, 3), lambda: self.peace or self._create(arn, ours=ours)
            )

        self.timeline.after(self.dice.uniform(1.6, 4), lambda: self.peace or again())

    # -- drivers ----------------------------------------------------------------------------------

    def run(self) -> Outcome:
        self.drivers = [Driver("clock-1"), Driver("clock-2"), Driver("clock-3")]
        for driver in self.drivers:
            self._poll(driver)
        if self.chaos.sweeps:
            self.timeline.after(self.dice.uniform(0, 60), self._sweep)
        self.timeline.after(5, self._other_hands)
        self.timeline.run(CHAOS_S)
        self._make_peace()
        limit = self.outcome.steps + PEACE_STEPS
        while self.timeline.now < CHAOS_S + PEACE_S and not self._is_over():
            if self.outcome.steps > limit:
                break
            self.timeline.run(self.timeline.now + 60)
        self._check_the_end()
        return self.outcome

    def _make_peace(self) -> None:
        self.peace = True
        for arn in self.aws.cameras:
            self.aws.flow(arn, on=False)

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
            elif not self.peace and self.dice.random() < self.chaos.slow:
                pause = self.dice.uniform(1, SLOWEST_S)
            else:
                pause = self.dice.uniform(0.005, 0.15)
            self.timeline.after(pause, lambda: self._answer(driver, request))

    def _answer(self, driver: Driver, request: asking.Request) -> None:
        self.outcome.steps += 1
        if self._happens(self.chaos.crash):
            self._log(driver, f"crashes before {request}")
            self._finish(driver, handled=False)
            return
        try:
            answer = self._perform(driver, request)
        except StreamctlError as error:
            self._log(driver, f"{_short(request)} -> {type(error).__name__}")
            # A name of its own: Python unbinds the one of an except clause.
            thrown = error
            self._advance(driver, lambda: driver.steps.throw(thrown))
        else:
            self._log(driver, f"{_short(request)} -> {_short(answer)}")
            self._advance(driver, lambda: driver.steps.send(answer))

    def _perform(self, driver: Driver, request: asking.Request):
        if isinstance(request, asking.Wait):
            return None
        if self._happens(self.chaos.error):
            raise self.dice.choice([Throttled, Unreachable])("before it was done")
        if isinstance(request, asking.Stop | asking.Delete):
            self._check_deed(driver, request)
        answer = self.aws.answer(request)
        self._watch(driver, request)
        if self._happens(self.chaos.done_but_error):
            raise Unreachable("after it was done")
        return answer

    def _happens(self, probability: float) -> bool:
        return not self.peace and self.dice.random() < probability

    def _finish(self, driver: Driver, *, handled: bool) -> None:
        message, driver.message, driver.steps = driver.message, None, None
        if message is not None and not handled:
            self.aws.deliver(message, VISIBILITY_S)

    # -- what must hold -----------------------------------------------------------------------------

    def _watch(self, driver: Driver, request: asking.Request) -> None:
        now = self.timeline.now
        match request:
            case asking.Describe():
                driver.described_as_of = now - self.stale_s
            case asking.RecentVideo():
                driver.video_as_of = now
            case asking.Save(run) if run.running:
                self.known[run.id] = (run.processor, run.camera)
            case asking.Publish(said):
                for each in said:
                    self._check_said(each)

    def _check_deed(self, driver: Driver, request: asking.Stop | asking.Delete) -> None:
        """What is done is done to the right one, for a reason that held when it was looked at."""
        run, now, aws = request.run, self.timeline.now, self.aws
        self.outcome.deeds += 1
        seen, real = (
            aws.as_of(run.processor, driver.described_as_of),
            aws.as_of(run.processor, now),
        )
        for one, what in ((seen, "when last described"), (real, "now")):
            if one is None or _is_of(one, run):
                continue
            if one is seen:
                self._wrong(f"{_short(request)} of another run, {what}: {one}")
            else:
                self.outcome.unavoidable.append(now - seconds(real.updated))
        if seen and (run.processor, seen.created) not in self.ours:
            self._wrong(f"{_short(request)} of a processor that is not ours")
        if isinstance(request, asking.Delete):
            owned = self.policies.get((run.processor, run.created))
            if owned and (owned.by_stack or owned.policy.on_end is not OnEnd.DELETE):
                self._wrong("Delete of one that is to be kept")
        if run.reason is Reason.ENDED:
            self._check_ended(driver, request)

    def _check_ended(self, driver: Driver, request: asking.Stop | asking.Delete) -> None:
        run, now, aws = request.run, self.timeline.now, self.aws
        camera = aws.cameras[run.camera]
        listed = aws.listed_until(run.camera, driver.video_as_of)
        idle = run.policy.idle_after.total_seconds()
        if listed is not None and listed > seconds(run.since):
            idle = max(idle, 2 * camera.fragment_s)
        signs = [seconds(run.since), listed]
        if not camera.flows:
            arrived = aws.arrived(run.camera)
            signs.append(None if arrived is None else min(arrived, driver.video_as_of))
        life = max(sign for sign in signs if sign is not None)
        if driver.video_as_of < life + idle - 0.01:
            self._wrong(f"{_short(request)} as ended, {driver.video_as_of - life:.1f} s after life")
        limit = door.ACT_WITHIN.total_seconds() + SLOWEST_S
        if now - driver.video_as_of > limit + 0.01:
            self._wrong(f"acted on what was seen {now - driver.video_as_of:.1f} s ago")

    def _check_said(self, said: events.Event) -> None:
        before = self.said.setdefault(said.id, dict(said.detail))
        if before != dict(said.detail):
            self._wrong(f"{said.id} was told as {before} and as {dict(said.detail)}")
        if said.type != events.PROCESSOR_ENDED:
            return
        name, run = said.detail["processor"], said.detail["run"]
        real = self.aws.as_of(name, self.timeline.now)
        if real and real.epoch == run and real.status is Status.RUNNING:
            self._wrong(f"the end of {run} was told, and it runs")

    def _is_over(self) -> bool:
        return not any(run.is_open and not _kept(run) for run, _, _ in self.aws.runs.values()) and (
            not self._leaked()
        )

    def _leaked(self) -> list[Processor]:
        leaked = []
        for name, found in self.aws.processors.items():
            owned = self.policies[name, found.state.created]
            if (name, found.state.created) not in self.ours:
                continue
            bad = {Status.RUNNING, Status.STARTING, Status.STOPPING}
            if owned.policy.on_end is OnEnd.KEEP:
                continue
            if owned.policy.on_end is OnEnd.DELETE and not owned.by_stack:
                bad.add(Status.FAILED)
            if found.state.status in bad:
                leaked.append(found.state)
        return leaked

    def _check_the_end(self) -> None:
        for state in self._leaked():
            self._wrong(f"left over: {state}")
        for camera, (run, _, _) in self.aws.runs.items():
            if run.is_open and not _kept(run):
                self._wrong(f"the run of {camera} is stuck in {run.phase} ({run.reason})")
        still = {run.id for run, _, _ in self.aws.runs.values() if run.is_open}
        for run in self.known.keys() - still:
            told = f"{events.identity(run)}/processor-ended"
            if told not in self.said:
                self._wrong(f"the end of {run} was never told")

    def _wrong(self, what: str) -> None:
        self.outcome.wrong.append(f"at {self.timeline.now:.1f} s: {what}")

    def _log(self, driver: Driver, what: str) -> None:
        if self.tracing:
            self.outcome.trace.append(f"{self.timeline.now:9.2f} {driver.name:8} {what}")

    tracing = False


def _is_of(real: Processor, run) -> bool:
    if real.created != run.created:
        return False
    return not (real.status in (Status.RUNNING, Status.STARTING) and real.updated > run.since)


def _kept(run) -> bool:
    return run.policy.on_end is OnEnd.KEEP and run.phase is Phase.LIVE


def _short(thing) -> str:
    text = str(thing)
    return text if len(text) < 160 else f"{text[:157]}..."


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
    episode = Episode(seed, chaos, flaw)
    episode.tracing = True
    return episode.run()
