"""What must hold: for each deed, for what is told, and at the end, against the world as it was."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.simulated_aws import seconds
from streamctl.core import acting, asking, events
from streamctl.core.liveness import Processor, Status
from streamctl.core.policy import OnEnd
from streamctl.core.runs import Phase, Reason, Run
from tests.model.world import World

SLOWEST_S = 5.0
"""How long a request may take."""


@dataclass
class LastSeen:
    """As of when a driver last saw processor and video."""

    processor: float = -1e9
    video: float = -1e9


class Judge:
    """What was wrong, and how many deeds were judged.

    `unavoidable` are deeds that hit what another hand had just changed: how long before, in seconds.
    """

    def __init__(self, world: World) -> None:
        self.world, self.aws, self.timeline = world, world.aws, world.timeline
        self.wrong: list[str] = []
        self.deeds = 0
        self.unavoidable: list[float] = []
        self._said: dict[str, object] = {}
        self._known: set[str] = set()
        """Runs that were saved when they had run."""

    # -- what is done -------------------------------------------------------------------------------

    def check_deed(self, last_seen: LastSeen, request: asking.Stop | asking.Delete) -> None:
        """What is done is done to the right one, for a reason that held when it was looked at."""
        run, now, aws = request.run, self.timeline.now, self.aws
        self.deeds += 1
        seen, real = aws.as_of(run.processor, last_seen.processor), aws.as_of(run.processor, now)
        if seen and not _is_of(seen, run):
            self._is_wrong(f"{brief(request)} of another run, when last described: {seen}")
        elif real and not _is_of(real, run):
            self.unavoidable.append(now - seconds(real.updated))
        if seen and not self.world.is_ours(seen):
            self._is_wrong(f"{brief(request)} of a processor that is not ours")
        if isinstance(request, asking.Delete):
            owned = self.world.policies.get((run.processor, run.created))
            if owned and (owned.by_stack or owned.policy.on_end is not OnEnd.DELETE):
                self._is_wrong("Delete of one that is to be kept")
        if run.reason is Reason.ENDED:
            self._check_ended(last_seen, request)

    def _check_ended(self, last_seen: LastSeen, request: asking.Stop | asking.Delete) -> None:
        run, now, aws = request.run, self.timeline.now, self.aws
        camera = aws.cameras[run.camera]
        listed = aws.listed_until(run.camera, last_seen.video)
        idle = run.policy.idle_after.total_seconds()
        if listed is not None and listed > seconds(run.since):
            idle = max(idle, 2 * camera.fragment_s)
        signs = [seconds(run.since), listed]
        if not camera.flows:
            arrived = aws.arrived(run.camera)
            signs.append(None if arrived is None else min(arrived, last_seen.video))
        life = max(sign for sign in signs if sign is not None)
        if last_seen.video < life + idle - 0.01:
            self._is_wrong(f"{brief(request)} as ended, {last_seen.video - life:.1f} s after life")
        limit = acting.ACT_WITHIN.total_seconds() + SLOWEST_S
        if now - last_seen.video > limit + 0.01:
            self._is_wrong(f"acted on what was seen {now - last_seen.video:.1f} s ago")

    # -- what is told -------------------------------------------------------------------------------

    def note(self, last_seen: LastSeen, request: asking.Request) -> None:
        """What a request that was answered has shown its driver, or has told."""
        now = self.timeline.now
        match request:
            case asking.Describe():
                last_seen.processor = now - self.world.stale_s
            case asking.RecentVideo():
                last_seen.video = now
            case asking.Save(run) if run.running:
                self._known.add(run.id)
            case asking.Publish(told):
                for each in told:
                    self._check_said(each)

    def _check_said(self, said: events.Event) -> None:
        before = self._said.setdefault(said.id, dict(said.detail))
        if before != dict(said.detail):
            self._is_wrong(f"{said.id} was told as {before} and as {dict(said.detail)}")
        if said.type != events.PROCESSOR_ENDED:
            return
        name, run = said.detail["processor"], said.detail["run"]
        real = self.aws.as_of(name, self.timeline.now)
        if real and real.epoch == run and real.status is Status.RUNNING:
            self._is_wrong(f"the end of {run} was told, and it runs")

    # -- the end --------------------------------------------------------------------------------------

    def is_over(self) -> bool:
        """Nothing is left to be done."""
        return not self._unfinished() and not self._leaked()

    def check_the_end(self) -> None:
        for state in self._leaked():
            self._is_wrong(f"left over: {state}")
        for run in self._unfinished():
            self._is_wrong(f"the run of {run.camera} is stuck in {run.phase} ({run.reason})")
        still = {run.id for run, _, _ in self.aws.runs.values() if run.is_open}
        for run in self._known - still:
            if f"{events.identity(run)}/processor-ended" not in self._said:
                self._is_wrong(f"the end of {run} was never told")

    def _unfinished(self) -> list[Run]:
        """Runs that are open and should not be."""
        return [run for run, _, _ in self.aws.runs.values() if run.is_open and not _is_kept(run)]

    def _leaked(self) -> list[Processor]:
        """Processors of ours that should not be as they are."""
        leaked = []
        for name, found in self.aws.processors.items():
            owned = self.world.policies[name, found.state.created]
            if not self.world.is_ours(found.state) or owned.policy.on_end is OnEnd.KEEP:
                continue
            bad = {Status.RUNNING, Status.STARTING, Status.STOPPING}
            if owned.policy.on_end is OnEnd.DELETE and not owned.by_stack:
                bad.add(Status.FAILED)
            if found.state.status in bad:
                leaked.append(found.state)
        return leaked

    def _is_wrong(self, what: str) -> None:
        self.wrong.append(f"at {self.timeline.now:.1f} s: {what}")


def brief(thing: object) -> str:
    text = str(thing)
    return text if len(text) < 160 else f"{text[:157]}..."


def _is_of(real: Processor, run: Run) -> bool:
    if real.created != run.created:
        return False
    return not (real.status in (Status.RUNNING, Status.STARTING) and real.updated > run.since)


def _is_kept(run: Run) -> bool:
    return run.policy.on_end is OnEnd.KEEP and run.phase is Phase.LIVE
