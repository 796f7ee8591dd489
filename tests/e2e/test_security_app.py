"""The sample app of the docs, run as it says, on what a subscriber's queue holds."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import boto3

from streamctl.core.sightings import UNKNOWN
from streamctl.core.watch import Attention, Rule, Watch
from tests.core.frames_shown import arrival
from tests.ops.test_consuming import envelope, told

APP = Path(__file__).parents[2] / "docs" / "security_app.py"

WATCH = Watch(
    (Rule(Attention.ALLOW, person="ada"), Rule(Attention.ALERT, person=UNKNOWN), Rule("alert"))
)


def test_it_opens_or_calls_for_help_once_for_each(shared_local_cloud):
    """And ends when it is told to."""
    where = {**os.environ, **shared_local_cloud.env()}
    sqs = boto3.client(
        "sqs",
        region_name=where["AWS_REGION"],
        endpoint_url=where["AWS_ENDPOINT_URL"],
        aws_access_key_id=where["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=where["AWS_SECRET_ACCESS_KEY"],
    )
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
    app = subprocess.Popen(
        [sys.executable, str(APP), queue], env=where, stdout=subprocess.PIPE, text=True
    )
    try:
        said = {app.stdout.readline().strip() for _ in range(4)}
    finally:
        app.send_signal(signal.SIGTERM)
        rest, _ = app.communicate(timeout=30)
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


def test_its_events_are_as_they_are_told():
    """The ones above come from the code that tells; this is what they are."""
    kinds = [json.loads(body)["detail-type"] for body in told(arrival(0, "ada"), arrival(1, "ada"))]
    assert kinds == ["Sighting Started", "Sighting Ended"]
