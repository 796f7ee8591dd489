"""The sample app of the docs, run as it says, on what a subscriber's queue holds."""

import runpy
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from streamctl.core.sightings import UNKNOWN
from streamctl.core.watch import Attention, Rule, Watch
from tests.core.frames_shown import arrival
from tests.core.scene import ZERO
from tests.core.told_events import sighting
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
    since = (datetime.now(UTC) - ZERO).total_seconds()
    frames = [arrival(since + second, "ada", "bob", unknown=2) for second in (0, 1)]
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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "usage: security_app.py QUEUE_URL\n"),
        (("http://127.0.0.1:4566/000000000000/no-such-queue",), "does not exist"),
    ],
)
def test_what_it_cannot_listen_to_is_one_line(aws, arguments, said):
    command = [sys.executable, str(APP), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, len(ran.stderr.splitlines())) == (1, 1), ran.stderr
    assert said in ran.stderr


def done(capsys, event, after=timedelta(seconds=2)):
    """What it prints of an event that comes so long after what it tells of."""
    runpy.run_path(str(APP))["handle"](event, event.time + after)
    return capsys.readouterr().out


@pytest.mark.parametrize("after_s", [20, 3600, 14 * 24 * 3600, -3600])
def test_it_opens_for_nobody_who_was_there_some_time_ago(capsys, after_s):
    """The queue keeps events for days. Help is called for all the same."""
    after = timedelta(seconds=after_s)
    allowed = sighting("started", "a", 0, 0, attention="allow")
    assert done(capsys, allowed, after) == ""
    assert done(capsys, allowed, timedelta(seconds=10)) == "door: open for ada\n"
    assert done(capsys, sighting("started", "b", 0, 0), after) == "door: ALARM: ada\n"


def test_it_calls_for_help_where_the_rules_say_so_alone(capsys):
    """Nor does it open for strangers, whom a rule may allow too."""
    strangers = {"person": None, "at_once": 2}
    allowed = sighting("started", "a", 0, 0, attention="allow", **strangers)
    assert done(capsys, allowed) == ""
    alert = sighting("started", "a", 0, 0, **strangers)
    assert done(capsys, alert) == "door: ALARM: 2 whom nobody knows\n"


def test_what_is_only_known_now_is_said_of_strangers_too(capsys):
    strangers = sighting("ended", "a", 0, 5, person=None, at_once=1, late=True)
    said = "operator: 1 whom nobody knows was at door, which is only known now\n"
    assert done(capsys, strangers) == said


def test_it_is_short():
    """It is there to be read."""
    assert len(APP.read_text(encoding="utf-8").splitlines()) < 60
