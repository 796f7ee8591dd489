"""Whether a run's camera still lives: from evidence to a verdict, in words that say why.

Evidence is by server clocks only (producers' clocks are seen days off): the end of the newest
fragment that the camera stored, and the arrival of the newest record in results. Idle counts from
the later of the two and of the moment since when the processor is RUNNING.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from streamctl.core.policy import Policy, format_duration

NEVER_STARTED_AFTER: Final = timedelta(minutes=10)
STUCK_STARTING_AFTER: Final = timedelta(minutes=2)
"""Developer guide, "Troubleshooting streaming video": then delete the processor."""

LAGGING_FROM: Final = timedelta(seconds=10)
"""A record this much later than its frame is late: the managed service was measured at 3.8 s."""

STALLED_AFTER: Final = timedelta(seconds=60)
"""No record for this long, while video flows, where each frame gave one before."""

LONGEST_FRAGMENT: Final = timedelta(seconds=20)
"""What a fragment may last (Kinesis Video quotas); taken where a length is not known."""


class Status(StrEnum):
    """A processor's status, as DescribeStreamProcessor gives it."""

    STOPPED = "STOPPED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    FAILED = "FAILED"
    STOPPING = "STOPPING"
    UPDATING = "UPDATING"


class State(StrEnum):
    """What is to be thought of a run."""

    LIVE = "LIVE"
    LAGGING = "LAGGING"
    """Video flows; its records come late."""
    STALLED = "STALLED"
    """Video flows; records came for every frame, and come no more."""
    DRAINING = "DRAINING"
    """The video has ended; its last records still come."""
    ENDED = "ENDED"
    NEVER_STARTED = "NEVER_STARTED"
    STUCK = "STUCK"
    FAILED = "FAILED"
    OVER_TIME = "OVER_TIME"
    GONE = "GONE"
    """Stopped, deleted or replaced by other hands, or its camera is."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A stored fragment: when the server received its start, and its length (zero if not given)."""

    received: datetime
    length: timedelta


@dataclass(frozen=True, slots=True)
class Video:
    """What ListFragments shows of a camera's recent video."""

    end: datetime | None = None
    """When the newest fragment ended, by the server's clock; None where none is stored."""
    longest: timedelta = timedelta(0)
    """The longest recent fragment: one is listed only when whole, so silence shorter than it
    says nothing."""


@dataclass(frozen=True, slots=True)
class Processor:
    """A processor as it was described."""

    name: str
    camera: str
    status: Status
    created: datetime
    updated: datetime
    status_message: str = ""
    results: str = ""
    """The name of the data stream that it writes to."""
    collection: str = ""

    @property
    def epoch(self) -> str:
        """Tells this stretch of this processor from every other, also under the same name."""
        return f"{self.name}@{self.created.isoformat()}@{self.updated.isoformat()}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Signs of life, and what is known of the way that records take."""

    since: datetime
    """RUNNING (or STARTING, or FAILED) since."""
    video: Video
    last_arrival: datetime | None
    """When the newest record arrived in results."""
    last_sign: datetime | None = None
    """The latest sign of life that was seen before: fragments are listed for the last minutes only."""
    lag: timedelta = timedelta(0)
    """From the newest record's frame to its arrival."""
    tells_empty: bool = False
    """This run has written a record for a frame without faces: silence is no empty room, then."""

    @property
    def latest(self) -> datetime:
        signs = (self.since, self.video.end, self.last_arrival, self.last_sign)
        return max(moment for moment in signs if moment is not None)

    @property
    def any_video(self) -> bool:
        """Whether anything was seen since the run began."""
        return self.latest > self.since


@dataclass(frozen=True, slots=True)
class Verdict:
    """`why` says it in figures; `due` is when to look again, if nothing happens before."""

    state: State
    why: str
    due: datetime


def video_of(fragments: Sequence[Fragment]) -> Video:
    """What recent fragments, in any order, say together.

    A fragment whose length is missing or zero is taken to last as long as the gap to the one
    before it, and 20 s where there is none.
    """
    if not fragments:
        return Video()
    ordered = sorted(fragments, key=lambda fragment: fragment.received)
    lengths = [ordered[0].length or LONGEST_FRAGMENT]
    for before, fragment in itertools.pairwise(ordered):
        gap = min(fragment.received - before.received, LONGEST_FRAGMENT)
        lengths.append(fragment.length or gap)
    return Video(end=ordered[-1].received + lengths[-1], longest=max(lengths))


def idle_time(policy: Policy, video: Video) -> timedelta:
    """The idle time that applies: the policy's, but never less than two fragments."""
    return max(policy.idle_after, 2 * video.longest)


def judge(evidence: Evidence, policy: Policy, status: Status, now: datetime) -> Verdict:
    """The verdict on a processor that exists."""
    idle = idle_time(policy, evidence.video)
    match status:
        case Status.STARTING:
            return _judge_starting(evidence.since, now)
        case Status.FAILED:
            return Verdict(State.FAILED, "AWS reports FAILED", evidence.since + idle)
        case Status.STOPPED | Status.STOPPING:
            return Verdict(State.GONE, f"it is {status}, and not by us", now)
    running = now - evidence.since
    if policy.max_run is not None and running >= policy.max_run:
        limit = format_duration(policy.max_run)
        return Verdict(State.OVER_TIME, f"running for {_seconds(running)}; max-run is {limit}", now)
    if not evidence.any_video:
        return _judge_unbegun(evidence, policy, idle, now)
    over = evidence.latest + idle
    if now >= over:
        quiet = _seconds(now - evidence.latest)
        return Verdict(State.ENDED, f"nothing for {quiet}; the limit is {_seconds(idle)}", now)
    state, why = _liveliness(evidence, idle, now)
    return Verdict(state, why, _earlier(over, evidence, policy))


def _judge_starting(since: datetime, now: datetime) -> Verdict:
    stuck = since + STUCK_STARTING_AFTER
    if now < stuck:
        soon = max(timedelta(seconds=1), (now - since) / 4)
        return Verdict(State.LIVE, "starting", min(stuck, now + soon))
    return Verdict(
        State.STUCK, f"STARTING for {_seconds(now - since)}; the limit is 2 minutes", now
    )


def _judge_unbegun(evidence: Evidence, policy: Policy, idle: timedelta, now: datetime) -> Verdict:
    """No sign of life since it runs. Video that is yet to begin may end one idle time from now."""
    waited, over = _seconds(now - evidence.since), evidence.since + max(idle, NEVER_STARTED_AFTER)
    if now >= over:
        return Verdict(State.NEVER_STARTED, f"no video at all in {waited} of running", now)
    due = _earlier(min(over, now + idle), evidence, policy)
    return Verdict(State.LIVE, f"running for {waited}, no video yet", due)


def _liveliness(evidence: Evidence, idle: timedelta, now: datetime) -> tuple[State, str]:
    """Which kind of life it shows: by its video, and by the records that come of it."""
    arrived = max(filter(None, (evidence.last_arrival, evidence.since)))
    silence = now - arrived
    end = evidence.video.end
    if end is None or end <= evidence.since:
        return State.LIVE, f"the last record arrived {_seconds(silence)} ago"
    ended = f"the newest video ended {_seconds(now - end)} ago"
    if now >= end + idle:
        return State.DRAINING, f"{ended}, its newest record arrived {_seconds(silence)} ago"
    if evidence.tells_empty and silence >= max(STALLED_AFTER, 2 * evidence.lag):
        return State.STALLED, f"{ended}, no record has arrived for {_seconds(silence)}"
    if evidence.lag >= LAGGING_FROM:
        return State.LAGGING, f"{ended}, records come {_seconds(evidence.lag)} late"
    return State.LIVE, ended


def _earlier(due: datetime, evidence: Evidence, policy: Policy) -> datetime:
    return due if policy.max_run is None else min(due, evidence.since + policy.max_run)


def _seconds(length: timedelta) -> str:
    return f"{max(0.0, length.total_seconds()):.1f} s"
