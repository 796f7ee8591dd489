"""One run of the torture, and what came of it.

The real functions, from the zip that would be deployed, behind the mapping that the camera's
template makes, on results of four shards. Only the records are made up: no video is analysed.
"""

from __future__ import annotations

import base64
import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streamctl.local.launch import LocalCloud
from tests.e2e.faults.accounts import Account, account
from tests.e2e.faults.stage import ON_CLOCK, ON_RECORDS, ON_SWEEP
from tests.e2e.pipeline import Pipeline
from tests.e2e.torture import subscribers
from tests.e2e.torture.feed import Feed
from tests.e2e.torture.scenario import LATECOMER, Measures, Scenario
from tests.e2e.torture.subscribers import Healthy

SHARDS = 4
RESULTS = "AmazonRekognition-main-door"
ON_EVENTS = "streamctl-main-on-events"
SAVING = "dynamodb.PutItem"
KILLED_AT = (
    (SAVING, "before"),
    (SAVING, "after"),
    ("events.PutEvents", "before"),
    ("events.PutEvents", "after"),
    ("sqs.SendMessage", "after"),
)
_ENDED_S = 60.0  # beyond the time after which a clock ends what came late


@dataclass(frozen=True)
class Order:
    """What is to be done: how many records, how often the function is killed, and to whom it tells
    beside the healthy subscriber. Without `clocks` nothing but frames ends a sighting until all are
    folded: a busy machine may be silent for longer than short measures allow.
    """

    records: int = 200_000
    cameras: int = 8
    kills: int = 10
    others: bool = True
    clocks: bool = True
    measures: Measures = field(default_factory=Measures)


@dataclass(frozen=True)
class Outcome:
    """What came of it. `lost` are matches that no sighting tells of; `wrong` is in words."""

    records: int
    matches: int
    sightings: int
    lost: int
    wrong: tuple[str, ...]
    poison: int
    unreported: int
    """Poison records that are not in the failure queue with their bytes and a reason."""
    kills: int
    delays: tuple[float, ...]
    """From when a person could be told of to the healthy subscriber, in seconds, in order."""
    slow_had: int
    heard: int
    took_s: float

    @property
    def survived(self) -> bool:
        return not (self.lost or self.wrong or self.unreported)


@dataclass
class Rack(Pipeline):
    """A platform with results of four shards; of cameras there are only the records."""

    def stretch(self, measures: Measures) -> None:
        self.run("stack", "deploy", "--min-idle-after", "1s")
        self.run("camera", "create", "door")
        self.client("kinesis").update_shard_count(
            StreamName=RESULTS, TargetShardCount=SHARDS, ScalingType="UNIFORM_SCALING"
        )
        rules = self.folder / "watch.toml"
        said = f'[sighting]\ngap = "{measures.gap_s}s"\nlateness = "{measures.lateness_s}s"\n'
        rules.write_text(said)
        self.run("watch", "apply", rules)
        # There is no video: each picture would be asked for again and again.
        self.switch_mapping(ON_EVENTS, on=False)

    def switch_mapping(self, function: str, *, on: bool) -> None:
        functions = self.client("lambda")
        found = functions.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
        for mapping in found:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)

    @contextlib.contextmanager
    def without_clocks(self) -> Iterator[None]:
        """Clocks wait, and what a sweep would save is refused."""
        self.switch_mapping(ON_CLOCK, on=False)
        throttled = "ThrottlingException"
        self.cloud.fault(SAVING, caller=ON_SWEEP, code=throttled, times=None)
        try:
            yield
        finally:
            self.cloud.faults_clear(operation=SAVING)
            self.switch_mapping(ON_CLOCK, on=True)

    def output(self, name: str) -> str:
        stacks = self.client("cloudformation")
        (found,) = stacks.describe_stacks(StackName="streamctl-main")["Stacks"]
        return str({e["OutputKey"]: e["OutputValue"] for e in found["Outputs"]}[name])


Harm = Callable[[Rack, int], None]
"""What else is done to a platform once so many records were put."""


def torture(order: Order, folder: Path, harm: Harm | None = None) -> Outcome:
    """Do it in a local cloud of its own."""
    with LocalCloud.start(port=0, timings={"mapping_poll_s": 0.05}) as cloud:
        rack = Rack(cloud, folder)
        rack.stretch(order.measures)
        listener = subscribers.healthy(rack)
        with contextlib.ExitStack() as others, listener.listening():
            had: list[float] = []
            if order.others:
                subscribers.dead(rack)
                had = others.enter_context(subscribers.slow(rack))
            return _run(order, rack, listener, had, harm)


def _run(
    order: Order, rack: Rack, listener: Healthy, had: list[float], harm: Harm | None
) -> Outcome:
    seconds = order.records // order.cameras
    scenario = Scenario(order.records, order.cameras, time.time() - seconds - 600, order.measures)
    feed = Feed(
        scenario, rack.client("kinesis"), RESULTS, rack.client("dynamodb"), rack.output("TableName")
    )
    began, kills = time.monotonic(), Kills(rack.cloud, order)
    with contextlib.nullcontext() if order.clocks else rack.without_clocks():
        for put in feed.run():
            kills.when(put)
            if harm:
                harm(rack, put)
        took = time.monotonic() - began
        feed.close()
        never = kills.left()
    found = _settled(scenario, listener)
    wrong = [*found.wrong, *_live_latecomers(listener), *never]
    return Outcome(
        records=feed.put,
        matches=found.matches,
        sightings=len(listener.told("Sighting Ended")),
        lost=found.lost,
        wrong=tuple(wrong),
        poison=len(feed.poison),
        unreported=_unreported(feed.poison, _failures(rack)),
        kills=order.kills,
        delays=tuple(sorted(_delays(feed, listener))),
        slow_had=len(had),
        heard=len(listener.heard),
        took_s=took,
    )


@dataclass
class Kills:
    """The function's deaths, spread over the run; at calls that it makes, in turn."""

    cloud: LocalCloud
    order: Order
    done: int = 0

    def when(self, put: int) -> None:
        """Once so many records were put."""
        while self.done < self.order.kills and put >= self._due():
            operation, moment = KILLED_AT[self.done % len(KILLED_AT)]
            self.cloud.fault(operation, kills=moment, caller=ON_RECORDS)
            self.done += 1

    def left(self) -> list[str]:
        """Deaths that nobody died prove nothing."""
        left = [each for each in self.cloud.faults() if each.get("kills")]
        return [f"nobody was killed at {each['operation']}" for each in left]

    def _due(self) -> float:
        return self.order.records * (self.done + 0.5) / (self.order.kills + 1)


def _settled(scenario: Scenario, listener: Healthy) -> Account:
    """The account once every sighting has ended, or as it is when that takes too long."""
    measures = scenario.measures
    deadline = time.monotonic() + measures.gap_s + measures.lateness_s + _ENDED_S
    while True:
        ended = [detail for _, detail in listener.told("Sighting Ended")]
        found = account(scenario.records(), ended)
        if not (found.lost or found.wrong) or time.monotonic() > deadline:
            return found
        time.sleep(2)


def _live_latecomers(listener: Healthy) -> list[str]:
    """What comes beyond the lateness is told as late, never as live."""
    started = [detail["person"] for _, detail in listener.told("Sighting Started")]
    ended = [detail for _, detail in listener.told("Sighting Ended")]
    live = started.count(LATECOMER) + sum(
        not each["late"] for each in ended if each["person"] == LATECOMER
    )
    return [f"{live} visits of the latecomer were told as live"] if live else []


def _failures(rack: Rack) -> list[dict[str, Any]]:
    """Every message of the failure queue, taken out of it."""
    sqs, found = rack.client("sqs"), list[dict[str, Any]]()
    how = {"QueueUrl": rack.output("FailureQueueUrl"), "MaxNumberOfMessages": 10}
    while messages := sqs.receive_message(**how).get("Messages"):
        for each in messages:
            found.append(json.loads(each["Body"]))
            sqs.delete_message(QueueUrl=how["QueueUrl"], ReceiptHandle=each["ReceiptHandle"])
    return found


def _unreported(poison: Iterable[bytes], failures: Iterable[dict[str, Any]]) -> int:
    """How many of these are not there with all of their bytes, and a reason."""
    told = {base64.b64decode(each["data"]) for each in failures if each.get("reason")}
    return len(set(poison) - told)


def _delays(feed: Feed, listener: Healthy) -> Iterator[float]:
    """Of each start: from when its person could be told of to when it was heard."""
    scenario = feed.scenario
    cameras = {scenario.arn(each): each for each in range(scenario.cameras)}
    for at, detail in listener.told("Sighting Started"):
        camera = cameras[detail["camera"]]
        second = int(detail["started"]["fragment"]) - 10**46
        visit = scenario.seen[camera][second][detail["person"]]
        yield at - feed.certain[camera, visit]
