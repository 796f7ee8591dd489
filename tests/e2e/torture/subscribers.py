"""Subscribers as their templates make them: one that is well, one that is dead, one that is slow."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.e2e.pipeline import Pipeline

SLOW_S = 1.0
_TEMPLATES = Path(__file__).parents[3] / "cloudformation"
_SECRET = "a secret of the torture"  # a header's value, compared by nobody


@dataclass
class Healthy:
    """Hears everything, all the time, and when. Of an event that comes again the first counts."""

    sqs: Any
    queue: str
    heard: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)
    messages: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        thread = threading.Thread(target=self._listen, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def told(self, kind: str) -> list[tuple[float, dict[str, Any]]]:
        """The details of all events of a kind, each with when it came."""
        return [
            (at, event["detail"])
            for at, event in list(self.heard.values())
            if event["detail-type"] == kind
        ]

    def _listen(self) -> None:
        while not self._ended.is_set():
            how = {"QueueUrl": self.queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}
            messages = self.sqs.receive_message(**how).get("Messages", [])
            now = time.time()
            for message in messages:
                event = json.loads(message["Body"])
                self.heard.setdefault(event["detail"]["id"], (now, event))
                self.messages += 1
            if messages:
                self.sqs.delete_message_batch(
                    QueueUrl=self.queue,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": each["ReceiptHandle"]}
                        for number, each in enumerate(messages)
                    ],
                )


def healthy(on: Pipeline) -> Healthy:
    outputs = _deploy(on, "sqs", "healthy")
    return Healthy(on.client("sqs"), outputs["QueueUrl"])


def dead(on: Pipeline) -> None:
    """A webhook where nobody answers: each event is tried again and again, for a minute."""
    where = {"Url": "http://127.0.0.1:9/", "Secret": _SECRET, "RetryForSeconds": "60"}
    _deploy(on, "webhook", "dead", **where)


@contextlib.contextmanager
def slow(on: Pipeline) -> Iterator[list[float]]:
    """A webhook that takes its time for each event; when it had each."""
    had: list[float] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(SLOW_S)
            had.append(time.time())
            with contextlib.suppress(ConnectionError):  # the cloud ends first
                self.send_response(200)
                self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/"
        _deploy(on, "webhook", "slow", Url=url, Secret=_SECRET)
        yield had
    finally:
        server.shutdown()
        server.server_close()


def _deploy(on: Pipeline, kind: str, name: str, **parameters: str) -> dict[str, str]:
    stacks = on.client("cloudformation")
    given = {"Name": name, **parameters}
    stacks.create_stack(
        StackName=name,
        TemplateBody=(_TEMPLATES / f"subscriber-{kind}.yaml").read_text(encoding="utf-8"),
        Parameters=[{"ParameterKey": key, "ParameterValue": each} for key, each in given.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    stacks.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    (stack,) = stacks.describe_stacks(StackName=name)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
