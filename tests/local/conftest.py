"""A small AWS to act in: clients, roles, functions from real zips, and waiting for conditions."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import subprocess
import sys
import time
import uuid
import zipfile
from dataclasses import dataclass
from types import SimpleNamespace

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

TELLING = """
import base64, boto3, json, os

def handler(event, context):
    found = [base64.b64decode(r["kinesis"]["data"]).decode() for r in event["Records"]]
    told = {"found": found, "event": event}
    boto3.client("sqs").send_message(QueueUrl=os.environ["TOLD"], MessageBody=json.dumps(told))
    print("saw", found)
    return answer(event, found)
"""


@dataclass
class World:
    """One endpoint and what a test does there. Names are the test's own, so clouds are shared."""

    endpoint_url: str
    env: dict[str, str]
    media_url: str = ""

    @staticmethod
    def until(condition, deadline_s=20, why=lambda: "it never came true"):
        return until(condition, deadline_s, why)

    @staticmethod
    def unique(what):
        return unique(what)

    @staticmethod
    def everything():
        return EVERYTHING

    @staticmethod
    def refused(call, *arguments, **named):
        """The error code of a call, or "" if it went through."""
        try:
            call(*arguments, **named)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return ""

    def deploy(self, template, **options):
        name = unique("stack")
        stacks = self.client("cloudformation")
        stacks.create_stack(StackName=name, TemplateBody=json.dumps(template), **options)
        return name

    def settled(self, stack):
        """What DescribeStacks says of a stack once nothing is in progress."""

        def done():
            found = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
            return not found["StackStatus"].endswith("IN_PROGRESS") and found

        return until(done)

    def client(self, service, **options):
        options = {
            "region_name": self.env["AWS_REGION"],
            "endpoint_url": self.endpoint_url,
            "aws_access_key_id": self.env["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": self.env["AWS_SECRET_ACCESS_KEY"],
            "config": Config(retries={"total_max_attempts": 1}),
            **options,
        }
        return boto3.client(service, **options)

    def role(self, *statements, service="lambda.amazonaws.com"):
        name, iam = unique("role"), self.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*statements))
        return made["Role"]["Arn"]

    def function(self, files, *, role=None, variables=None, timeout=20):
        name = unique("function")
        self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler="app.handler",
            Role=role or self.role(EVERYTHING),
            Code={"ZipFile": zip_of(files)},
            Timeout=timeout,
            Environment={"Variables": variables or {}},
        )
        return name

    def queue(self, **attributes):
        sqs, name = self.client("sqs"), unique("queue")
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return SimpleNamespace(url=url, arn=asked["Attributes"]["QueueArn"], name=name)

    def stream(self, shards=1):
        name, kinesis = unique("results"), self.client("kinesis")
        kinesis.create_stream(StreamName=name, ShardCount=shards)
        arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        return SimpleNamespace(name=name, arn=arn["StreamARN"])

    def put(self, stream, *texts):
        kinesis = self.client("kinesis")
        for text in texts:
            kinesis.put_record(StreamName=stream.name, Data=text.encode(), PartitionKey="p")

    def mapped(self, answer, stream, *, timeout=20, **settings):
        """A function that tells a queue what it gets and answers `answer`, mapped to a stream."""
        told = self.queue()
        source = f"{TELLING}\ndef answer(event, found):\n    {answer}\n"
        variables = {"TOLD": told.url}
        name = self.function({"app.py": source}, variables=variables, timeout=timeout)
        made = self.client("lambda").create_event_source_mapping(
            **{
                "FunctionName": name,
                "EventSourceArn": stream.arn,
                "StartingPosition": "TRIM_HORIZON",
                **settings,
            }
        )
        return SimpleNamespace(function=name, uuid=made["UUID"], told=told)

    def received(self, queue):
        """Take what is in a queue now."""
        sqs, bodies = self.client("sqs"), []
        while True:
            found = sqs.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10)
            messages = found.get("Messages", [])
            if not messages:
                return bodies
            for message in messages:
                bodies.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])

    def wait_for(self, queue, count, deadline_s=20):
        """The queue's messages, once so many have come."""
        found = []

        def enough():
            found.extend(self.received(queue))
            return len(found) >= count

        until(enough, deadline_s, lambda: f"only {len(found)} of {count} messages came")
        return found

    def logs(self, function):
        logs, group = self.client("logs"), f"/aws/lambda/{function}"
        try:
            events = logs.filter_log_events(logGroupName=group)["events"]
        except logs.exceptions.ResourceNotFoundException:
            return ""
        return "\n".join(event["message"] for event in events)


EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def unique(what):
    return f"{what}-{uuid.uuid4().hex[:8]}"


def zip_of(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def until(condition, deadline_s=20, why=lambda: "it never came true"):
    """Wait for a condition; never for a length of time."""
    deadline = time.monotonic() + deadline_s
    while not (result := condition()):
        assert time.monotonic() < deadline, why()
        time.sleep(0.05)
    return result


def _world(cloud):
    return World(cloud.endpoint_url, cloud.env(), f"http://127.0.0.1:{cloud.media_port}")


@pytest.fixture(scope="session")
def world_of():
    """Makes the world of a local cloud."""
    return _world


@pytest.fixture(scope="session")
def quick_cloud(request):
    """One local cloud for the run whose mappings and rules poll and retry at once."""
    from streamctl.local.launch import LocalCloud

    request.getfixturevalue("shared_local_cloud")  # skips where the extra is missing
    timings = {"mapping_poll_s": 0.05, "mapping_retry_s": 0.05, "event_retry_s": 0.05}
    with LocalCloud.start(port=0, timings=timings) as cloud:
        yield cloud


@pytest.fixture
def world(quick_cloud):
    """Our local cloud."""
    return _world(quick_cloud)


@pytest.fixture(scope="session")
def bare_ministack(tmp_path_factory):
    """Ministack alone: the control, which gets wrong what we put right."""
    with _ministack(tmp_path_factory.mktemp("bare")) as world:
        yield world


@pytest.fixture
def strict_ministack(tmp_path):
    """Ministack alone, enforcing IAM."""
    with _ministack(tmp_path, AUTH="true") as world:
        yield world


@contextlib.contextmanager
def _ministack(folder, **settings):
    pytest.importorskip("ministack")
    port = _free_port()
    env = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(folder),
        "GATEWAY_PORT": str(port),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": f"unix://{folder}/none",
        "LOG_LEVEL": "ERROR",
        **settings,
    }
    command = [sys.executable, "-m", "hypercorn", "ministack.app:app"]
    command += ["--bind", f"127.0.0.1:{port}", "--log-level", "ERROR"]
    process = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    try:
        until(lambda: _answers(port), 30, lambda: "ministack did not start")
        yield World(f"http://127.0.0.1:{port}", {**credentials, "AWS_REGION": "us-east-1"})
    finally:
        process.terminate()
        process.wait()


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _answers(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
