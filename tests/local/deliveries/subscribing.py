"""A bus with subscribers, and a receiver of webhooks that answers as it is told."""

from __future__ import annotations

import http.server
import json
import threading
from pathlib import Path
from types import SimpleNamespace

SOURCE = "streamctl"
FOLDER = Path(__file__).parents[3] / "cloudformation"


def reasons(world, stack):
    events = world.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    return [event.get("ResourceStatusReason") for event in events]


def lets(arn, action, rule_arn):
    """A policy by which EventBridge may act for one rule."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": action,
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Bus:
    """An event bus of a test's own, and its rules: each with one target and a failure queue."""

    def __init__(self, world, name=""):
        self.world = world
        self.name = name or world.unique("bus")
        self.events = world.client("events")
        self.events.create_event_bus(Name=self.name)

    def rule(self, arn, *, retries=0, keeps_failures=True, **target):
        """A rule for everything that is said, with `arn` as its target."""
        name, failures = self.world.unique("rule"), self.world.queue()
        pattern = json.dumps({"source": [SOURCE]})
        made = self.events.put_rule(Name=name, EventBusName=self.name, EventPattern=pattern)
        if keeps_failures:
            self.let_into(failures, made["RuleArn"])
        target = {
            "Id": "subscriber",
            "Arn": arn,
            "RetryPolicy": {"MaximumRetryAttempts": retries, "MaximumEventAgeInSeconds": 3600},
            "DeadLetterConfig": {"Arn": failures.arn},
            **target,
        }
        self.events.put_targets(Rule=name, EventBusName=self.name, Targets=[target])
        return SimpleNamespace(arn=made["RuleArn"], failures=failures)

    def let_into(self, queue, rule_arn):
        policy = lets(queue.arn, "sqs:SendMessage", rule_arn)
        sqs = self.world.client("sqs")
        sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": policy})

    def queue(self, **options):
        """A queue that a rule of its own may send to."""
        queue = self.world.queue()
        rule = self.rule(queue.arn, **options)
        self.let_into(queue, rule.arn)
        return SimpleNamespace(url=queue.url, arn=queue.arn, rule=rule, failures=rule.failures)

    def say(self, number=1, kind="Sighting Started", camera="door"):
        """Put one event on the bus; what its `detail` is."""
        detail = {"id": self.world.unique("event"), "number": number}
        arn = f"arn:aws:kinesisvideo:us-east-1:000000000000:stream/{camera}/1600000000000"
        entry = {"Source": SOURCE, "DetailType": kind, "Detail": json.dumps(detail)}
        answer = self.events.put_events(
            Entries=[{**entry, "Resources": [arn], "EventBusName": self.name}]
        )
        assert not answer["FailedEntryCount"]
        return detail

    def failed(self, queue, deadline_s=20):
        """The first message in a failure queue: the event's detail, and what is said of it."""
        sqs = self.world.client("sqs")

        def first():
            found = sqs.receive_message(QueueUrl=queue.url, MessageAttributeNames=["All"])
            return found.get("Messages")

        (message,) = self.world.until(first, deadline_s, lambda: "nothing failed")
        said = message.get("MessageAttributes", {})
        told = {name: value["StringValue"] for name, value in said.items()}
        return SimpleNamespace(detail=json.loads(message["Body"])["detail"], told=told)

    def count(self, queue):
        """How many messages are in a queue now."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        asked = self.world.client("sqs").get_queue_attributes(
            QueueUrl=queue.url, AttributeNames=names
        )
        return sum(int(asked["Attributes"][name]) for name in names)


class Receiver:
    """An HTTP server that keeps what it gets. `answers` are given in turn, then 200s."""

    def __init__(self):
        self.answers = []
        self.got = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/events"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self):
        self.may_answer.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(receiver):  # noqa: N805 - the handler's own self is another
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.answers.pop(0) if receiver.answers else 200
                got = SimpleNamespace(headers=self.headers, body=json.loads(body), status=status)
                receiver.got.append(got)
                receiver.may_answer.wait(30)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                pass

        return Handler
