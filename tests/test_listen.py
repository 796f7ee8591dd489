"""The sample that shows what a platform tells: run as it stands, in a local cloud."""

import json
import os
import select
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

SAMPLE = Path(__file__).parents[1] / "docs" / "listen.py"
STARTED = {
    "id": "x/processor-started",
    "camera": "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1",
    "processor": "door",
    "run": "door@1",
    "time": "2026-01-01T00:00:00.000Z",
}


@pytest.fixture
def client(shared_local_cloud, made_up_credentials, monkeypatch):
    for name, value in shared_local_cloud.env().items():
        monkeypatch.setenv(name, value)
    return boto3.client


def tell(events):
    entry = {
        "EventBusName": "streamctl-heard",
        "Source": "streamctl",
        "DetailType": "Processor Started",
        "Detail": json.dumps(STARTED),
    }
    events.put_events(Entries=[entry])


def test_what_a_platform_tells_is_shown_and_nothing_is_left(client):
    """A line an event; queue and rule go with it, so that the platform can be destroyed."""
    events = client("events")
    events.create_event_bus(Name="streamctl-heard")
    command = [sys.executable, str(SAMPLE), "heard"]
    with subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE, text=True) as sample:
        try:
            assert sample.stdout.readline() == "listening to platform heard\n"
            tell(events)
            heard, _, _ = select.select([sample.stdout], [], [], 30)
            assert heard, "nothing was heard"
            line = sample.stdout.readline()
        finally:
            sample.terminate()
            assert sample.wait(timeout=30) == 0
    assert line == "2026-01-01 00:00:00+00:00 door Processor Started \n"
    assert events.list_rules(EventBusName="streamctl-heard")["Rules"] == []
    assert not client("sqs").list_queues(QueueNamePrefix="listen-").get("QueueUrls")
    events.delete_event_bus(Name="streamctl-heard")
