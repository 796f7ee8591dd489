"""Following what a platform tells: everybody who listens hears it, and leaves nothing behind."""

import json
import signal
import subprocess
import sys
import time

import pytest

from tests.core.frames_shown import arrival
from tests.ops.messages_told import told
from tests.signals import HEEDING

SAID = [json.loads(body) for body in told(arrival(0, "ada", "bob"), arrival(1, "ada", "bob"))]
AT_GATE = json.loads(json.dumps(SAID[0]).replace(":stream/door/", ":stream/gate/"))
AT_GATE["detail"]["id"] = "at-gate"


@pytest.fixture
def listener(platform, client):
    """Starts `event tail`; it listens once its rule has a target."""
    running = []

    def start(*options):
        before = len(listening(client))
        command = [*HEEDING, sys.executable, "-m", "streamctl", "event", "tail", *options]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        running.append(process)
        until(lambda: len(listening(client)) > before)
        return process

    yield start
    for process in running:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def listening(client):
    events = client("events")
    rules = events.list_rules(EventBusName="streamctl-main", NamePrefix="streamctl-main-tail-")
    return [
        each["Name"]
        for each in rules["Rules"]
        if events.list_targets_by_rule(Rule=each["Name"], EventBusName="streamctl-main")["Targets"]
    ]


def queues(client):
    found = client("sqs").list_queues(QueueNamePrefix="streamctl-main-tail-")
    return found.get("QueueUrls", [])


def until(condition, deadline_s=30):
    deadline = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def tell(client, *said):
    entries = [
        {
            "EventBusName": "streamctl-main",
            "Source": "streamctl",
            "DetailType": each["detail-type"],
            "Detail": json.dumps(each["detail"]),
        }
        for each in said
    ]
    client("events").put_events(Entries=entries)


def lines(process, count):
    """So many lines; one that never comes runs into the test's own time limit."""
    return [json.loads(process.stdout.readline()) for _ in range(count)]


def test_all_who_listen_hear_it_as_they_asked(listener, client, streamctl_):
    """In a pipe each event is a line of JSON."""
    assert streamctl_("camera create gate").code == 0
    everybody, ada = listener(), listener("--person", "ada", "--camera", "door")
    gate = listener("--camera", "gate")
    tell(client, *SAID)
    assert sorted((each["what"], each["person"]) for each in lines(everybody, 4)) == [
        ("ended", "ada"),
        ("ended", "bob"),
        ("started", "ada"),
        ("started", "bob"),
    ]
    assert {each["person"] for each in lines(ada, 2)} == {"ada"}
    tell(client, AT_GATE)
    assert [each["id"] for each in lines(gate, 1)] == ["at-gate"]
    assert streamctl_("camera delete gate").code == 0


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_stops_listening_leaves_nothing_behind(listener, client, sent, code):
    process = listener()
    (name,) = listening(client)
    process.send_signal(sent)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, "Traceback" in said) == (code, False)
    assert name not in listening(client)
    assert not any(url.endswith(name) for url in queues(client))


@pytest.mark.parametrize("left", [True, False])
def test_what_ended_it_is_told_and_not_what_could_not_be_removed_then(
    streamctl_, platform, client, left
):
    """As where the cloud is gone: nothing can be removed there either. Of that there is a hint."""
    platform.fault("sqs.ReceiveMessage", code="AccessDenied", times=20)
    if left:
        platform.fault("sqs.DeleteQueue", code="AccessDenied", times=20)
    said = streamctl_("event tail")
    platform.faults_clear()
    names = [url.rpartition("/")[2] for url in queues(client)]
    for url in queues(client):
        client("sqs").delete_queue(QueueUrl=url)
    assert said.code == 6
    assert said.err.startswith("error: receiving from queue")
    assert len(names) == left
    assert ("may be left" in said.err) == left
    assert all(f"rule and queue {name} may be left" in said.err for name in names)


def test_without_a_platform_there_is_nothing_to_hear(streamctl_, platform):
    assert streamctl_("--platform night event tail").code == 4


def test_of_a_camera_that_is_not_there_nothing_is_waited_for(streamctl_, platform, client):
    said = streamctl_("event tail --camera nosuch")
    assert said.code == 4
    assert "platform main has no camera nosuch" in said.err
    assert queues(client) == []


@pytest.mark.parametrize("options", ["--camera é", "--person é"])
def test_names_that_cannot_be_are_refused(streamctl_, platform, options):
    assert streamctl_(f"event tail {options}").code == 2
