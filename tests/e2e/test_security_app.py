"""The sample app of the docs, run as it says, on what a subscriber's queue holds."""

import signal
import subprocess
import sys
from pathlib import Path

import boto3

from streamctl.core.sightings import UNKNOWN
from streamctl.core.watch import Attention, Rule, Watch
from tests.core.frames_shown import arrival
from tests.ops.messages_told import envelope, told

APP = Path(__file__).parents[2] / "docs" / "security_app.py"

WATCH = Watch(
    (
        Rule(Attention.ALLOW, person="ada"),
        Rule(Attention.ALERT, person=UNKNOWN),
        Rule(Attention.ALERT),
    )
)


def test_it_opens_or_calls_for_help_once_for_each(aws):
    """And ends when it is told to."""
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="sample-app")["QueueUrl"]
    frames = [arrival(second, "ada", "bob", unknown=2) for second in (0, 1)]
    bodies = told(*frames, watch=WATCH)
    failed = {
        "id": "x/processor-failed",
        "camera": "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1",
        "processor": "door",
        "run": "door@1",
        "time": "2026-01-01T00:00:00.000Z",
        "cause": "the role is gone",
        "cure": "make it again",
    }
    for body in (*bodies, *bodies, envelope("Processor Failed", failed)):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    app = subprocess.Popen([sys.executable, str(APP), queue], stdout=subprocess.PIPE, text=True)
    try:
        said = {app.stdout.readline().strip() for _ in range(4)}
    finally:
        app.send_signal(signal.SIGTERM)
        rest, _ = app.communicate(timeout=30)
        sqs.delete_queue(QueueUrl=queue)
    assert said == {
        "door: open for ada",
        "door: ALARM: bob",
        "door: ALARM: 2 whom nobody knows",
        "operator: door: the role is gone; make it again",
    }
    assert (rest, app.returncode) == ("", 0)


def test_it_is_short():
    """It is there to be read."""
    assert len(APP.read_text(encoding="utf-8").splitlines()) < 60
