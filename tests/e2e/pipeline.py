"""The whole pipeline, driven by commands in processes of their own and watched with boto3 and json."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from streamctl.local.launch import LocalCloud
from streamctl.media import clip

COMMAND = (sys.executable, "-m", "streamctl")
SUBSCRIBER = Path(__file__).with_name("subscriber.py")
KNOWN = clip.KNOWN
NAME = "door"


@functools.cache
def _rendered() -> bytes:
    """The demo's clip."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clip.mkv")
        clip.render(path)
        return path.read_bytes()


@dataclass
class Pipeline:
    """A platform with a camera, a collection with one person, and the queues of two security apps."""

    cloud: LocalCloud
    folder: Path
    queue: str = ""
    other_queue: str = ""
    _heard: dict[str, dict[str, Any]] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict)

    def run(self, *arguments: str | Path, within_s: float = 90) -> str:
        """One command that must succeed; its standard output."""
        ran = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )
        assert ran.returncode == 0, f"{arguments}: {ran.stderr}"
        return ran.stdout

    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**own, **self.cloud.env()}

    def client(self, service: str, **more: Any) -> Any:
        """A client, the same one each time unless it is another kind: tests ask several times a
        second.
        """
        if more:
            return self._client(service, **more)
        if service not in self._clients:
            self._clients[service] = self._client(service)
        return self._clients[service]

    def _client(self, service: str, **more: Any) -> Any:
        where = self.cloud.env()
        return boto3.client(
            service,
            region_name=where["AWS_REGION"],
            aws_access_key_id=where["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=where["AWS_SECRET_ACCESS_KEY"],
            endpoint_url=more.pop("endpoint_url", self.cloud.endpoint_url),
        )

    def build(self, idle_after: str) -> None:
        self.run("stack", "deploy", "--min-idle-after", "1s")
        self.run("collection", "create", "staff")
        self.run("camera", "create", NAME)
        still = self.folder / f"{KNOWN}.jpg"
        still.write_bytes(clip.portrait(KNOWN))
        self.run("face", "enrol", "--collection", "staff", still)
        order = ("--camera", NAME, "--collection", "staff", "--idle-after", idle_after)
        self.run("processor", "create", *order)
        self._subscribe()

    def start(self) -> None:
        self.run("processor", "start", NAME)
        self.run("processor", "wait", NAME, "--for", "running", "--timeout", "60s")

    def video(self) -> Path:
        path = self.folder / "clip.mkv"
        if not path.exists():
            path.write_bytes(_rendered())
        return path

    def heard(self) -> list[dict[str, Any]]:
        """Every event that the security app has received so far, once by its id, in order."""
        sqs = self.client("sqs")
        while messages := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                event = json.loads(message["Body"])
                self._heard.setdefault(event["detail"]["id"], event)
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return list(self._heard.values())

    def wait_for(self, what: Callable[[], Any], within_s: float, about: str) -> Any:
        """The first true answer of `what`; fails after `within_s` seconds."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if answer := what():
                return answer
            time.sleep(0.2)
        raise AssertionError(f"{about}: not within {within_s:.0f} s; heard {self.heard()}")

    def wait_told(self, kind: str, within_s: float = 20) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = self.wait_for(lambda: self.told(kind), within_s, kind)
        return told

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [event["detail"] for event in self.heard() if event["detail-type"] == kind]

    def status(self) -> str:
        """The processor's status; empty once there is none."""
        rekognition = self.client("rekognition")
        try:
            return str(rekognition.describe_stream_processor(Name=NAME)["Status"])
        except rekognition.exceptions.ResourceNotFoundException:
            return ""

    def records(self) -> list[dict[str, Any]]:
        """Every record in results."""
        kinesis = self.client("kinesis")
        (name,) = kinesis.list_streams()["StreamNames"]
        found = []
        for shard in kinesis.list_shards(StreamName=name)["Shards"]:
            where = kinesis.get_shard_iterator(
                StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            answer = kinesis.get_records(ShardIterator=where)
            found += [json.loads(record["Data"]) for record in answer["Records"]]
        return found

    def log(self, function: str) -> list[str]:
        """What a function logged."""
        group = f"/aws/lambda/streamctl-main-{function}"
        events = self.client("logs").filter_log_events(logGroupName=group)["events"]
        return [event["message"] for event in events]

    def verdicts(self) -> list[dict[str, Any]]:
        """What somebody else's app says of each event that it received since it was last asked."""
        published = self.run("event", "schema", "-o", "json")
        return verdicts(self.other_queue, published, self.environment())

    def misfits(self) -> list[dict[str, Any]]:
        """Of these the ones that do not fit the published schemas."""
        return [verdict for verdict in self.verdicts() if verdict["problems"]]

    def _subscribe(self) -> None:
        """Both queues to one rule."""
        events, sqs = self.client("events"), self.client("sqs")
        urls = [
            sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("security-app", "other-app")
        ]
        self.queue, self.other_queue = urls
        targets = []
        for number, url in enumerate(urls):
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
            targets.append({"Id": str(number), "Arn": found["Attributes"]["QueueArn"]})
            policy = {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": targets[-1]["Arn"],
                    }
                ],
            }
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        bus, pattern = "streamctl-main", json.dumps({"source": ["streamctl"]})
        events.put_rule(Name="app", EventBusName=bus, EventPattern=pattern)
        events.put_targets(Rule="app", EventBusName=bus, Targets=targets)


def verdicts(queue: str, published: str, environment: dict[str, str]) -> list[dict[str, Any]]:
    """What tests/e2e/subscriber.py, in a process of its own, says of each message in a queue.

    `published` is what `streamctl event schema -o json` printed.
    """
    ran = subprocess.run(
        [sys.executable, SUBSCRIBER, queue],
        input=published,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]
