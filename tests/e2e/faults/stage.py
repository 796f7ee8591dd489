"""Where a fault is played: a pipeline of its own, and a watch on every processor there is."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from botocore.exceptions import ClientError

from streamctl.local.launch import LocalCloud
from tests.e2e.pipeline import COMMAND, NAME, Pipeline

IDLE_S = 5.0
ON_RECORDS = "streamctl-main-on-records"
ON_CLOCK, ON_SWEEP = "streamctl-main-on-clock", "streamctl-main-on-sweep"
_LOOK_S = 0.4  # ListStreamProcessors is limited to 5 a second, and the sweep needs some


@dataclass
class Watch:
    """What ListStreamProcessors showed, and when. Names that had to live, and did not."""

    client: Any
    gone_at: dict[str, float] = field(default_factory=dict)
    killed: dict[str, str] = field(default_factory=dict)
    now: dict[str, str] = field(default_factory=dict)
    _living: set[str] = field(default_factory=set)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    @contextlib.contextmanager
    def must_live(self, *names: str) -> Iterator[None]:
        """While this lasts, these must be RUNNING whenever they are looked at."""
        self._living |= set(names)
        try:
            yield
            self._look()
        finally:
            self._living -= set(names)

    def _run(self) -> None:
        while not self._ended.wait(_LOOK_S):
            with contextlib.suppress(ClientError):  # throttled, or a fault that is for others
                self._look()

    def _look(self) -> None:
        living = set(self._living)
        found = self.client.list_stream_processors()["StreamProcessors"]
        seen = {each["Name"]: each["Status"] for each in found}
        for name in self.now.keys() - seen.keys():
            self.gone_at[name] = time.time()
        for name in living & self._living:
            if seen.get(name) != "RUNNING":
                self.killed.setdefault(name, seen.get(name, "gone"))
        self.now = seen


@dataclass
class Stage(Pipeline):
    """A pipeline with the tools to disturb it. `watch` sees every processor of the cloud."""

    watch: Watch = field(default=None)  # type: ignore[assignment]  # set once the cloud answers
    spared: set[str] = field(default_factory=set)
    """Processors that are right to be there at the end."""
    played: list[Any] = field(default_factory=list)
    """Records that were put by the row itself, and count as matches."""

    def play(self, *, fast: bool = False, alive: bool = True) -> None:
        """Play the clip; meanwhile the processor must live, unless something else is to be seen."""
        order = ("camera", "push", NAME, self.video(), *(("--fast",) if fast else ()))
        with self.watch.must_live(NAME) if alive else contextlib.nullcontext():
            self.run(*order)

    def play_behind(self, camera: str = NAME) -> subprocess.Popen[bytes]:
        """Begin to play the clip, and go on."""
        return subprocess.Popen(
            [*COMMAND, "camera", "push", camera, str(self.video())],
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def fault(self, operation: str, **more: Any) -> None:
        self.cloud.fault(operation, **more)

    def switch_mapping(self, function: str, *, on: bool) -> None:
        """Whether a function is given what comes for it."""
        functions = self.client("lambda")
        found = functions.list_event_source_mappings(FunctionName=function)
        (mapping,) = found["EventSourceMappings"]
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)

    def switch_off_clocks(self) -> None:
        self.switch_mapping(ON_CLOCK, on=False)
        self.client("sqs").purge_queue(QueueUrl=self.output("ClockQueueUrl"))

    def gone(self, name: str = NAME, within_s: float = 120) -> None:
        self.wait_for(lambda: name in self.watch.gone_at, within_s, f"{name} gone")

    def phase(self, camera: str = NAME) -> str:
        """The phase of the camera's run, as its item in the table says; empty without one."""
        run = self.saved_run(camera)
        return str(run["phase"]) if run else ""

    def saved_run(self, camera: str = NAME) -> dict[str, Any] | None:
        dynamodb = self.client("dynamodb")
        key = {"key": {"S": f"run#{self.camera_arn(camera)}"}}
        item = dynamodb.get_item(TableName=self.table(), Key=key, ConsistentRead=True).get("Item")
        return json.loads(item["doc"]["S"]) if item else None

    def wait_phase(self, phase: str, within_s: float = 60) -> None:
        self.wait_for(lambda: self.phase() == phase, within_s, f"phase {phase}")

    def table(self) -> str:
        return str(self.output("TableName"))

    def output(self, name: str, stack: str = "streamctl-main") -> str:
        (found,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}
        return str(outputs[name])

    def camera_arn(self, camera: str = NAME) -> str:
        found = self.client("kinesisvideo").describe_stream(StreamName=camera)["StreamInfo"]
        return str(found["StreamARN"])

    def results(self, camera: str = NAME) -> str:
        return f"AmazonRekognition-main-{camera}"

    def add(self, name: str) -> None:
        """One more camera with a processor of ours, running."""
        self.run("camera", "create", name)
        order = ("--camera", name, "--collection", "staff", "--idle-after", f"{IDLE_S:.0f}s")
        self.run("processor", "create", *order)
        self.run("processor", "start", name)
        self.run("processor", "wait", name, "--for", "running", "--timeout", "60s")

    def video_ended(self, camera: str = NAME) -> float | None:
        """The end of its newest fragment (Unix); None where the camera is gone."""
        videos = self.client("kinesisvideo")
        try:
            where = videos.get_data_endpoint(StreamName=camera, APIName="LIST_FRAGMENTS")
        except ClientError:
            return None
        archive = self.client("kinesis-video-archived-media", endpoint_url=where["DataEndpoint"])
        found: list[dict[str, Any]] = []
        always = {"StartTimestamp": 0, "EndTimestamp": time.time()}
        selector = {"FragmentSelectorType": "SERVER_TIMESTAMP", "TimestampRange": always}
        pages = archive.get_paginator("list_fragments")
        for page in pages.paginate(StreamName=camera, FragmentSelector=selector):
            found += page["Fragments"]
        ends = [
            each["ServerTimestamp"].timestamp() + each["FragmentLengthInMilliseconds"] / 1000
            for each in found
        ]
        return max(ends, default=None)


@contextlib.contextmanager
def stage(folder: Path, **options: Any) -> Iterator[Stage]:
    """A stage in a local cloud of its own, built and watched; both end with the row."""
    cloud = LocalCloud.start(port=0, **options)
    try:
        made = Stage(cloud, folder)
        made.build(f"{IDLE_S:.0f}s")
        made.watch = Watch(made.client("rekognition"))
        with made.watch:
            yield made
    finally:
        cloud.stop()


def note(text: str) -> None:
    """Progress, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
