"""The main job, from nothing to nothing: every step is what an operator would do, against any cloud."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from streamctl.aws import bus, census, kinesis, kinesisvideo, queues
from streamctl.aws.queues import Queue
from streamctl.aws.session import Aws
from streamctl.core import events, names, records, summary, video
from streamctl.core.folding import Arrival
from streamctl.core.policy import Policy, format_duration
from streamctl.core.summary import Told
from streamctl.errors import GaveUpWaiting, Unsuitable
from streamctl.media import camera as player
from streamctl.ops import (
    cameras,
    collections,
    faces,
    observe,
    platform,
    probe,
    processors,
    push,
    waiting,
)
from streamctl.ops.faces import Still
from streamctl.ops.inventory import Camera, Platform
from streamctl.ops.push import Pushed
from streamctl.ops.waiting import Goal

PLATFORM: Final = "demo"
NAME: Final = "demo"
"""What camera, collection and processor are all called."""

_RUNNING_WITHIN: Final = timedelta(minutes=2)
_GONE_WITHIN: Final = timedelta(minutes=5)
"""From the end of the video, beyond the idle time that was asked for."""

_LAST_WORDS_S: Final = 15.0
_LOOK_S: Final = 0.1  # Describe is limited to 20 a second, and the functions need some of them

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play, whom to enrol (person, image), and after how long without video it has ended."""

    video: Path
    stills: Sequence[tuple[str, Path]]
    idle_after: timedelta
    keep: bool = False
    """Leave everything as it is at the end."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened, by figures; times in ISO 8601, UTC, lengths in what their names say."""

    video: str
    frames_sent: int
    fragments_sent: int
    fragments_acked: int
    frames_analysed: int
    records: int
    sightings: list[summary.Seen]
    unknown_frames: int
    stream_ended_at: str
    processor_deleted_at: str
    idle_after_s: float
    teardown_s: float
    latency_ms: dict[str, summary.Latency]
    left_over: list[str]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class _Stage:
    """What was built for the demo, and what its subscriber has received."""

    base: Platform
    camera: Camera
    queue: Queue
    told: list[Told] = field(default_factory=list)


def check(plan: Plan) -> None:
    """Refuse, before anything is built, a video or a still that cannot be used.

    Raises Unsuitable with the cure, or what reading them raises.
    """
    player.survey(plan.video)
    wrong = video.refusals(probe.file(plan.video))
    if wrong:
        raise Unsuitable(wrong[0].what, hint=wrong[0].cure)
    for person, path in plan.stills:
        names.person(person)
        faces.read(path)


def run(aws: Aws, plan: Plan, tell: Tell) -> Outcome:
    """Build, play, watch the teardown, take everything down, and count what is left.

    Raises GaveUpWaiting where the processor is not gone in time, and whatever the steps raise.
    """
    before = census.census(aws)
    stage = _set_the_stage(aws, plan, tell)
    pushed = _play(aws, stage, plan, tell)
    gone = _watch_it_go(aws, stage, plan.idle_after + _GONE_WITHIN, tell)
    ended = _video_ended(aws, stage.camera)
    arrivals = _arrivals(aws, stage.camera)
    left: list[str] = []
    if not plan.keep:
        _take_down(aws, stage, tell)
        left = sorted(f"{kind} {name}" for kind, name in census.census(aws) - before)
    return _outcome(plan, pushed, stage.told, arrivals, ended, gone, left)


def _set_the_stage(aws: Aws, plan: Plan, tell: Tell) -> _Stage:
    tell("deploying the platform")
    base, _ = platform.deploy(aws, PLATFORM, _quietly, plan.idle_after)
    tell("creating a collection and a camera")
    collections.create(aws, NAME)
    camera, _ = cameras.create(aws, PLATFORM, cameras.Order(NAME), _quietly)
    for person, path in plan.stills:
        faces.enrol(aws, NAME, Still(path, person))
        tell(f"enrolled {person}")
    queue = queues.create(aws, f"{NAME}-security-app", base.outputs["BusArn"])
    bus.subscribe(aws, base.outputs["BusName"], f"{NAME}-security-app", queue.arn)
    order = processors.Order(NAME, NAME, NAME, policy=Policy(plan.idle_after))
    processors.create(aws, PLATFORM, order, _quietly)
    processors.start(aws, PLATFORM, NAME)
    tell("started the processor")
    waiting.wait(aws, NAME, Goal.RUNNING, _RUNNING_WITHIN, _quietly)
    tell("the processor is RUNNING")
    return _Stage(base, camera, queue)


def _play(aws: Aws, stage: _Stage, plan: Plan, tell: Tell) -> Pushed:
    """Play the video in real time, and show sightings as the subscriber receives them."""
    tell(f"playing {plan.video.name} into the camera, in real time")
    playing = _Player(aws, stage.camera.arn, plan.video)
    playing.start()
    while playing.is_alive():
        _receive(aws, stage, tell)
    pushed = playing.result()
    tell(
        f"the video is over: {pushed.frames_sent} frames in {pushed.fragments_sent} fragments,"
        f" {pushed.fragments_acked} acknowledged"
    )
    return pushed


def _watch_it_go(aws: Aws, stage: _Stage, within: timedelta, tell: Tell) -> datetime:
    """When Describe first said that the processor is gone; sightings are shown meanwhile."""
    deadline = time.monotonic() + within.total_seconds()
    status = ""
    while (found := observe.described(aws, NAME)) is not None:
        if found.status != status:
            status = found.status
            tell(f"the processor is {status}")
        if time.monotonic() > deadline:
            raise GaveUpWaiting(
                f"processor {NAME} is still {status}, {format_duration(within)} after its video"
                " ended",
                hint=f"look into the log group /aws/lambda/streamctl-{PLATFORM}-on-clock",
                last_seen=status,
            )
        _receive(aws, stage, tell, wait_s=0)
        time.sleep(_LOOK_S)
    gone = datetime.now(UTC)
    tell("the processor is gone")
    _hear_last_words(aws, stage, tell)
    return gone


def _hear_last_words(aws: Aws, stage: _Stage, tell: Tell) -> None:
    deadline = time.monotonic() + _LAST_WORDS_S
    while not _has_last_word(stage.told) and time.monotonic() < deadline:
        _receive(aws, stage, tell)


def _receive(aws: Aws, stage: _Stage, tell: Tell, wait_s: int = 1) -> None:
    for event in queues.receive(aws, stage.queue, wait_s):
        told = Told(event["detail-type"], event["detail"], datetime.now(UTC))
        stage.told.append(told)
        tell(_sentence(told))


def _sentence(told: Told) -> str:
    detail = told.detail
    if told.kind == events.SIGHTING_STARTED:
        return f"*  {detail['person']} is here, similarity {detail['best']['similarity']:.1f}"
    if told.kind == events.SIGHTING_ENDED:
        return f"*  {detail['person']} was here, in {detail['frames']} frames"
    reason = f": {detail['reason']}" if "reason" in detail else ""
    return f"*  {told.kind}{reason}"


def _has_last_word(told: Sequence[Told]) -> bool:
    return any(each.kind == events.PROCESSOR_TORN_DOWN for each in told)


def _video_ended(aws: Aws, camera: Camera) -> datetime:
    """When the last fragment ended, by the server's clock."""
    now = datetime.now(UTC)
    listed = kinesisvideo.fragments(aws, camera.arn, now - timedelta(hours=1), now)
    return max(each.received + each.length for each in listed)


def _arrivals(aws: Aws, camera: Camera) -> list[Arrival]:
    """Every record that the processor wrote."""
    return [
        Arrival(records.parse(record.data), record.arrived)
        for record in kinesis.follow(aws, camera.results, stop_when_idle=True)
        if record is not None
    ]


def _take_down(aws: Aws, stage: _Stage, tell: Tell) -> None:
    tell("taking everything down")
    bus.unsubscribe(aws, stage.base.outputs["BusName"], f"{NAME}-security-app")
    queues.delete(aws, stage.queue)
    cameras.delete(aws, PLATFORM, NAME, _quietly)
    collections.delete(aws, NAME)
    platform.destroy(aws, PLATFORM, _quietly)


def _outcome(
    plan: Plan,
    pushed: Pushed,
    told: Sequence[Told],
    arrivals: Sequence[Arrival],
    ended: datetime,
    gone: datetime,
    left: list[str],
) -> Outcome:
    idle = next((t.detail["idle_s"] for t in told if t.kind == events.PROCESSOR_ENDED), 0.0)
    return Outcome(
        video=str(plan.video),
        frames_sent=pushed.frames_sent,
        fragments_sent=pushed.fragments_sent,
        fragments_acked=pushed.fragments_acked,
        frames_analysed=len({each.frame.key for each in arrivals}),
        records=len(arrivals),
        sightings=summary.sightings(told, pushed.started, pushed.first_s),
        unknown_frames=summary.unknown_frames(arrivals),
        stream_ended_at=_iso(ended),
        processor_deleted_at=_iso(gone),
        idle_after_s=idle,
        teardown_s=round((gone - ended).total_seconds(), 3),
        latency_ms={
            "frame_to_record": summary.frame_to_record(arrivals),
            "frame_to_event": summary.frame_to_event(told),
        },
        left_over=left,
    )


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _quietly(_text: str) -> None:
    """Progress that the demo does not show: its own lines say enough."""


class _Player(threading.Thread):
    """Plays in the background, and dies with the process: an interrupt must not wait for it."""

    def __init__(self, aws: Aws, camera: str, video: Path) -> None:
        super().__init__(daemon=True)
        own = replace(aws)  # boto3's sessions are not to be shared between threads
        self._play = functools.partial(push.push, own, camera, video)
        self._pushed: Pushed | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._pushed = self._play()
        except BaseException as error:  # noqa: BLE001 - handed over to whoever asks for the result
            self._error = error

    def result(self) -> Pushed:
        self.join()
        if self._error is not None:
            raise self._error
        assert self._pushed is not None
        return self._pushed
