"""AWS as the door sees it, under a simulated clock: one heap of events, and no real waiting.

It answers the same requests that the functions answer with AWS, and behaves as docs/assumptions.md
says: transitions take time, what is read may be stale, an answer may be an error whether or not
the deed was done, a message may be lost or come twice. Times are seconds since the beginning.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from streamctl.core import asking, names
from streamctl.core.asking import Known, OpenRun, Request, Tagged
from streamctl.core.folding import Story
from streamctl.core.liveness import Processor, Status, Video
from streamctl.core.runs import Run
from streamctl.errors import Busy, Lost, NotFound, Throttled

BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)


def moment(seconds: float) -> datetime:
    return BEGINNING + timedelta(seconds=seconds)


def seconds(time: datetime) -> float:
    return (time - BEGINNING).total_seconds()


class Timeline:
    """What happens when. Events of one moment happen in the order in which they were put."""

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def at(self, time: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (max(time, self.now), next(self._order), what))

    def after(self, delay_s: float, what: Callable[[], None]) -> None:
        self.at(self.now + delay_s, what)

    def run(self, until: float, at_most: int | None = None) -> int:
        """Let things happen until then, or so many of them; how many did."""
        happened = 0
        while self._heap and self._heap[0][0] <= until and happened != at_most:
            self.now, _, what = heapq.heappop(self._heap)
            what()
            happened += 1
        if at_most is None or happened < at_most:
            self.now = max(self.now, until)
        return happened


@dataclass(slots=True)
class Camera:
    """`video` holds the stretches [begin, end] of its video, the end None while it flows."""

    arn: str
    fragment_s: float = 2.0
    exists: bool = True
    video: list[list[float | None]] = field(default_factory=list)

    @property
    def flows(self) -> bool:
        return self.exists and bool(self.video) and self.video[-1][1] is None

    def stored_until(self, time: float) -> float | None:
        """The end of the newest whole fragment; the last one of a stretch ends with it."""
        for begin, end in reversed(self.video):
            assert begin is not None
            if end is not None and end <= time and end > begin:
                return end
            whole = (min(time, end or time) - begin) // self.fragment_s
            if whole >= 1:
                return begin + whole * self.fragment_s
        return None


@dataclass(slots=True)
class Simulated:
    """A processor as it really is. `state` is what a Describe shows that is not stale."""

    state: Processor
    tags: Mapping[str, str]
    starts_in_s: float = 2.0
    stops_in_s: float = 1.5


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests a second and account (quotas, General Reference)."""

    stop: float = 1.0
    describe: float = 20.0
    delete: float = 20.0
    tags: float = 10.0
    list: float = 5.0

    def buckets(self) -> dict[str, Bucket]:
        """A full one for each, by its name here."""
        return {name: Bucket(per_s) for name, per_s in asdict(self).items()}


class Bucket:
    """A rate limit with a burst of one second."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._tokens = max(1.0, per_s)
        self._at = 0.0

    def take(self, now: float) -> bool:
        full = max(1.0, self._per_s)
        self._tokens = min(full, self._tokens + (now - self._at) * self._per_s)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


@dataclass(slots=True)
class Message:
    body: Mapping[str, Any]
    receives: int = 0


class SimulatedAws:
    """Cameras, processors, a table, a clock queue and a bus, and who answers for them.

    `lag_s` is from a frame to its record's arrival; `stale` says how old a Describe is, as the
    dice of a test have it; `list_late_s` how late a fragment is listed.
    """

    def __init__(self, timeline: Timeline, limits: Limits | None = None) -> None:
        self.timeline = timeline
        self.cameras: dict[str, Camera] = {}
        self.processors: dict[str, Simulated] = {}
        self.runs: dict[str, tuple[Run, int, float]] = {}
        self.told: list[Any] = []
        self.ready: deque[Message] = deque()
        self.sent = 0
        self.lag_s = 0.5
        self.stale: Callable[[], float] = lambda: 0.0
        self.list_late_s = 0.0
        self.writes_records = True
        self.writes_empty = True
        self.mapping_works = True
        self.checks_versions = True
        self.loses: Callable[[], bool] = lambda: False
        self.repeats: Callable[[], bool] = lambda: False
        self.on_change: Callable[[str], None] = lambda _name: None
        self.on_message: Callable[[], None] = lambda: None
        self._past: dict[str, list[tuple[float, Processor | None]]] = {}
        self._both: dict[str, float] = {}
        self._last_turn = moment(0.0)
        self._buckets = (limits or Limits()).buckets()
        self.calls: dict[str, int] = {}

    # -- what other hands do ------------------------------------------------------------------

    def flow(self, arn: str, *, on: bool) -> None:
        """Video begins, or ends."""
        camera, now = self.cameras[arn], self.timeline.now
        if on == camera.flows or not camera.exists:
            return
        self._settle(arn)
        if on:
            camera.video.append([now, None])
        else:
            camera.video[-1][1] = now
        del camera.video[:-4]

    def delete_camera(self, arn: str) -> None:
        self.flow(arn, on=False)
        self.cameras[arn].exists = False

    def create(self, name: str, camera: str, tags: Mapping[str, str]) -> bool:
        """A processor, stopped; False if the name is taken."""
        if name in self.processors:
            return False
        now = moment(self.timeline.now)
        state = Processor(name, camera, Status.STOPPED, now, now, results=f"results-of-{name}")
        self.processors[name] = Simulated(state, tags)
        self._remember(name)
        return True

    def start(self, name: str) -> bool:
        found = self.processors.get(name)
        if found is None or found.state.status not in (Status.STOPPED, Status.FAILED):
            return False
        self._become(name, Status.STARTING)
        self._later(name, found.starts_in_s, Status.STARTING, Status.RUNNING)
        return True

    def stop(self, name: str) -> None:
        """Raises Busy or NotFound as Stop does."""
        found = self.processors.get(name)
        if found is None:
            raise NotFound(name)
        if found.state.status is not Status.RUNNING:
            raise Busy(name)
        self._become(name, Status.STOPPING)
        self._later(name, found.stops_in_s, Status.STOPPING, Status.STOPPED)

    def fail(self, name: str) -> None:
        found = self.processors.get(name)
        if found and found.state.status in (Status.RUNNING, Status.STARTING):
            self._become(name, Status.FAILED)

    def delete(self, name: str) -> None:
        """Raises Busy or NotFound as Delete does."""
        found = self.processors.get(name)
        if found is None:
            raise NotFound(name)
        if found.state.status in (Status.RUNNING, Status.STOPPING, Status.UPDATING):
            raise Busy(name)
        self._settle(found.state.camera)
        del self.processors[name]
        self._remember(name)

    # -- who answers -----------------------------------------------------------------------------

    def answer(self, request: Request[Any]) -> Any:
        """What AWS answers to one request of the door, now."""
        kind = type(request).__name__
        self.calls[kind] = self.calls.get(kind, 0) + 1
        return getattr(self, f"_answer_{kind}")(request)

    def _answer_Load(self, request: asking.Load) -> Known:  # noqa: N802 - named for its request
        run, version, _ = self.runs.get(request.camera, (None, 0, 0.0))
        return Known(run, version, self._story(request.camera, run))

    def _answer_Save(self, request: asking.Save) -> int:  # noqa: N802
        camera = request.run.camera
        _, version, _ = self.runs.get(camera, (None, 0, 0.0))
        if self.checks_versions and version != request.against:
            raise Lost(camera)
        due = seconds(request.due) if request.due else self.timeline.now
        self.runs[camera] = (request.run, version + 1, due)
        return version + 1

    def _answer_Describe(self, request: asking.Describe) -> Processor | None:  # noqa: N802
        self._limit("describe")
        return self.as_of(request.processor, self.timeline.now - self.stale())

    def _answer_DescribeTagged(self, request: asking.DescribeTagged) -> Tagged | None:  # noqa: N802
        self._limit("describe")
        self._limit("tags")
        found = self.processors.get(request.processor)
        return Tagged(found.state, found.tags) if found else None

    def _answer_RecentVideo(self, request: asking.RecentVideo) -> Video | None:  # noqa: N802
        camera = self.cameras[request.camera]
        if not camera.exists:
            return None
        end = self.listed_until(request.camera, self.timeline.now)
        if end is None or end + camera.fragment_s <= seconds(request.since):
            return Video()
        return Video(moment(end), timedelta(seconds=camera.fragment_s))

    def _answer_NewestArrival(self, request: asking.NewestArrival) -> datetime | None:  # noqa: N802
        name = request.results.removeprefix("results-of-")
        found = self.processors.get(name)
        arrived = self.arrived(found.state.camera) if found else None
        return None if arrived is None else moment(arrived)

    def _answer_TakeTurn(self, request: asking.TakeTurn) -> datetime:  # noqa: N802
        self._last_turn = max(self._last_turn + request.apart, request.now)
        return self._last_turn

    def _answer_CloseSightings(self, request: asking.CloseSightings) -> Story:  # noqa: N802
        return self._story(request.camera, request.run)

    def _answer_Publish(self, request: asking.Publish) -> None:  # noqa: N802
        self.told.extend(request.events)

    def _answer_Send(self, request: asking.Send) -> None:  # noqa: N802
        self.sent += 1
        if self.loses():
            return
        self.deliver(Message(request.message), request.delay_s)
        if self.repeats():
            self.deliver(Message(request.message), request.delay_s + 1)

    def _answer_Stop(self, request: asking.Stop) -> None:  # noqa: N802
        self._limit("stop")
        self.stop(request.run.processor)

    def _answer_Delete(self, request: asking.Delete) -> None:  # noqa: N802
        self._limit("delete")
        self.delete(request.run.processor)

    def _answer_ListOpen(self, _request: asking.ListOpen) -> tuple[OpenRun, ...]:  # noqa: N802
        opened = [
            OpenRun(camera, moment(due), run.processor, run.expects)
            for camera, (run, _, due) in self.runs.items()
            if run.is_open
        ]
        return tuple(sorted(opened, key=lambda each: each.due))

    def _answer_ListProcessors(self, _: asking.ListProcessors) -> tuple[tuple[str, str], ...]:  # noqa: N802
        self._limit("list")
        return tuple((name, each.state.status) for name, each in self.processors.items())

    # -- what is true ----------------------------------------------------------------------------

    def as_of(self, name: str, time: float) -> Processor | None:
        """How a processor really was at a time."""
        shown = None
        for since, state in self._past.get(name, ()):
            if since > time:
                break
            shown = state
        return shown

    def listed_until(self, arn: str, time: float) -> float | None:
        """The end of the newest fragment that is listed at a time."""
        return self.cameras[arn].stored_until(time - self.list_late_s)

    def arrived(self, arn: str) -> float | None:
        """When the newest record arrived, if any did."""
        if not self.writes_records:
            return None
        if self._is_analysed(arn):
            return self.timeline.now
        both = self._both.get(arn)
        return None if both is None else min(self.timeline.now, both + self.lag_s)

    def deliver(self, message: Message, delay_s: float) -> None:
        def arrive() -> None:
            self.ready.append(message)
            self.on_message()

        self.timeline.after(delay_s, arrive)

    def _story(self, camera: str, run: Run | None) -> Story:
        arrived = self.arrived(camera) if self.mapping_works else None
        return Story(
            camera,
            last_arrival=None if arrived is None else moment(arrived),
            lag=timedelta(seconds=self.lag_s),
            empty_in=run.id if run and self.writes_records and self.writes_empty else "",
        )

    def _limit(self, what: str) -> None:
        if not self._buckets[what].take(self.timeline.now):
            raise Throttled(what)

    def _is_analysed(self, arn: str) -> bool:
        return self.cameras[arn].flows and any(
            each.state.camera == arn and each.state.status is Status.RUNNING
            for each in self._of_camera(arn)
        )

    def _of_camera(self, arn: str) -> list[Simulated]:
        name = names.of_camera(arn)
        return [self.processors[name]] if name in self.processors else []

    def _settle(self, arn: str) -> None:
        """Before something changes: until now, its video was analysed, or was not."""
        if self._is_analysed(arn):
            self._both[arn] = self.timeline.now

    def _become(self, name: str, status: Status) -> None:
        found = self.processors[name]
        self._settle(found.state.camera)
        found.state = replace(found.state, status=status, updated=moment(self.timeline.now))
        self._remember(name)

    def _later(self, name: str, delay_s: float, was: Status, becomes: Status) -> None:
        state = self.processors[name].state

        def change() -> None:
            found = self.processors.get(name)
            if found and found.state.updated == state.updated and found.state.status is was:
                self._become(name, becomes)

        self.timeline.after(delay_s, change)

    def _remember(self, name: str) -> None:
        found = self.processors.get(name)
        past = self._past.setdefault(name, [])
        past.append((self.timeline.now, found.state if found else None))
        del past[:-12]
        self.on_change(name)
