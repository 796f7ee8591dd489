"""What is found of a day: how late each processor went, and whether one went that should not have.

A Stop or Delete is judged when it is granted, by what was true when its function last looked: as
tests/model does.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from benchmarks.fleet.functions import Invocation
from benchmarks.fleet.troubles import Troubles
from benchmarks.simulated_aws import SimulatedAws, seconds
from streamctl.core import acting, asking, names, policy
from streamctl.core.liveness import NEVER_STARTED_AFTER, Status
from streamctl.core.runs import Reason

ORDINARY: Final = "in quiet times"
_LONGEST_CALL_S: Final = 30.0
_ROUNDING_S: Final = 0.01


class Watch:
    def __init__(self, aws: SimulatedAws, troubles: Troubles) -> None:
        self._aws, self._troubles = aws, troubles
        self._due: dict[str, tuple[float, str]] = {}
        self._running: dict[str, float] = {}
        self.delays: defaultdict[str, list[float]] = defaultdict(list)
        """Seconds from the end of the idle time until the processor is gone, by circumstance."""
        self.gone: list[tuple[float, float]] = []
        """When each could have been stopped at the earliest, and when it was gone."""
        self.running_s = 0.0
        self.came_back = 0
        """Processors that were stopped after their video came back, before it could be seen."""
        self.wrong: list[str] = []
        aws.on_change = self._changed

    def ended(self, arn: str, circumstance: str = "") -> None:
        """A camera's video is over, for good as far as anybody knows."""
        name, end = (
            names.of_camera(arn),
            self._aws.cameras[arn].stored_until(self._aws.timeline.now),
        )
        found = self._aws.processors.get(name)
        if found is None or found.state.status is not Status.RUNNING:
            return
        since = seconds(found.state.updated)
        over = _over(self._aws, arn, since, end)
        title = circumstance or self._troubles.at(over, 60) or ORDINARY
        self._due[name] = over, title

    def returned(self, arn: str) -> None:
        self._due.pop(names.of_camera(arn), None)

    def waiting(self) -> list[str]:
        """The processors that are still there though their idle time is over."""
        now = self._aws.timeline.now
        return [name for name, (over, _) in self._due.items() if over < now]

    def leaked(self) -> list[str]:
        """Those of ours that are there though their video is not, once all should be gone."""
        return [
            name
            for name, each in self._aws.processors.items()
            if each.tags.get(policy.MANAGED) and not self._aws.cameras[each.state.camera].flows
        ]

    def check(self, invocation: Invocation, request: asking.Request[Any]) -> None:
        """Judge what is about to be done."""
        if isinstance(request, asking.RecentVideo):
            invocation.video_as_of = self._aws.timeline.now
        elif isinstance(request, asking.Stop | asking.Delete):
            self._check_deed(invocation, request)

    def _check_deed(self, invocation: Invocation, request: asking.Stop | asking.Delete) -> None:
        run, now = request.run, self._aws.timeline.now
        found = self._aws.processors.get(run.processor)
        if found is None:
            return
        if not found.tags.get(policy.MANAGED):
            self._wrong(request, "is not ours")
        if found.state.created != run.created:
            self._wrong(request, "was created anew")
        if run.reason not in (Reason.ENDED, Reason.NEVER_STARTED):
            return
        self.came_back += isinstance(request, asking.Stop) and self._aws.cameras[run.camera].flows
        seen_at = invocation.video_as_of
        over = self._over_by_signs(run.camera, seconds(run.since), seen_at)
        if run.reason is Reason.NEVER_STARTED:
            over = max(over, seconds(run.since) + NEVER_STARTED_AFTER.total_seconds())
        if seen_at < over - _ROUNDING_S:
            self._wrong(request, f"had {over - seen_at:.1f} s to go when it was looked at")
        if now - seen_at > acting.ACT_WITHIN.total_seconds() + _LONGEST_CALL_S:
            self._wrong(request, f"was looked at {now - seen_at:.1f} s ago")

    def _over_by_signs(self, arn: str, since: float, seen_at: float) -> float:
        """The end of the idle time, by the signs of life that there were when it was looked."""
        over = _over(self._aws, arn, since, self._aws.listed_until(arn, seen_at))
        if not self._aws.cameras[arn].flows and (arrived := self._aws.arrived(arn)) is not None:
            over = max(over, _over(self._aws, arn, since, min(arrived, seen_at)))
        return over

    def _wrong(self, request: asking.Stop | asking.Delete, why: str) -> None:
        what = f"{type(request).__name__} of {request.run.processor}, which {why}"
        self.wrong.append(f"at {self._aws.timeline.now:.1f} s: {what}")

    def _changed(self, name: str) -> None:
        now, found = self._aws.timeline.now, self._aws.processors.get(name)
        runs = found is not None and found.state.status is Status.RUNNING
        if runs:
            self._running[name] = now
        elif name in self._running:
            self.running_s += now - self._running.pop(name)
        if found is None and name in self._due:
            over, title = self._due.pop(name)
            self.delays[title].append(now - over)
            self.gone.append((over, now))


def _over(aws: SimulatedAws, arn: str, since: float, sign: float | None) -> float:
    """When the idle time is over that counts from a sign of life, or from the start."""
    idle = policy.Policy().idle_after.total_seconds()
    if sign is None or sign <= since:
        return since + idle
    return sign + max(idle, 2 * aws.cameras[arn].fragment_s)
