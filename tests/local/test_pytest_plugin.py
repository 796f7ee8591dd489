"""The fixtures that we hand to others' tests."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.config import Config

from streamctl.errors import AskedWrongly, Missing
from streamctl.local.launch import LocalCloud


def test_two_tests_have_clouds_of_their_own(start_local_cloud):
    """Each takes free ports."""
    one, other = start_local_cloud(), start_local_cloud()
    assert one.port != other.port
    assert one.is_alive()
    assert other.is_alive()


def test_without_the_extra_tests_are_skipped_with_the_cure(monkeypatch, request):
    """And fail where STREAMCTL_REQUIRE_LOCAL says that it must be there."""

    def start(**options):
        raise Missing("no ministack", hint="pip install 'streamctl[local]'")

    # The extra cannot be taken away from a running interpreter, so its absence is pretended.
    monkeypatch.setattr(LocalCloud, "start", start)
    factory = request.getfixturevalue("start_local_cloud")
    with pytest.raises(pytest.skip.Exception, match="pip install"):
        factory()
    monkeypatch.setenv("STREAMCTL_REQUIRE_LOCAL", "1")
    with pytest.raises(pytest.fail.Exception, match="pip install"):
        factory()


def test_faults_from_a_test(local_cloud):
    """Injected, listed while they wait, hit, and taken back; the cloud next door has none of them.

    A whole example, with a function that is killed, is in docs/local-cloud.md, and is run from there.
    """
    sqs = boto3.client("sqs", **at(local_cloud), config=Config(retries={"total_max_attempts": 1}))
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    local_cloud.fault("sqs.SendMessage", target="orders", code="OverLimit", skip=1)
    local_cloud.fault("sqs.Message", target="orders", code="Lost", for_s=600)
    sqs.send_message(QueueUrl=queue, MessageBody="lost")
    with pytest.raises(sqs.exceptions.OverLimit):
        sqs.send_message(QueueUrl=queue, MessageBody="refused")
    assert [fault["operation"] for fault in local_cloud.faults()] == ["sqs.Message"]
    local_cloud.faults_clear()
    assert local_cloud.faults() == []
    sqs.send_message(QueueUrl=queue, MessageBody="well")
    (message,) = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert message["Body"] == "well"


def test_a_fault_that_cannot_be_meant_says_why(shared_local_cloud):
    """In one line, with what could be meant."""
    with pytest.raises(AskedWrongly, match=r"^nobody calls sqs\.Message$") as refused:
        shared_local_cloud.fault("sqs.Message", caller="book", code="Lost")
    assert "target" in refused.value.hint


def test_a_held_call_does_not_hold_up_the_end(local_cloud):
    """The fault lets go of it first; nobody needs to kill the server."""
    local_cloud.fault("sqs.ListQueues", delay_s=3600)
    client = boto3.client("sqs", **at(local_cloud))
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(client.list_queues)
        deadline = time.monotonic() + 20
        while local_cloud.faults():
            assert time.monotonic() < deadline, "it never hit"
        local_cloud.stop()
        held.exception()  # answered, or cut off: it has ended
    assert local_cloud._process.returncode != -signal.SIGKILL


def at(cloud):
    """Where a client finds a cloud."""
    return {
        "endpoint_url": cloud.endpoint_url,
        "region_name": cloud.env()["AWS_REGION"],
        "aws_access_key_id": cloud.env()["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": cloud.env()["AWS_SECRET_ACCESS_KEY"],
    }


def test_the_plugin_costs_other_test_runs_little():
    """Every pytest run loads it: no AWS client, no video, no faces are imported by it."""
    program = (
        "import sys, streamctl.local.pytest_plugin\n"
        "heavy = {'botocore', 'boto3', 'ministack', 'hypercorn', 'av', 'numpy', 'dlib'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
