"""A bus of a test's own, webhooks, and who receives them."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest

from tests.local.deliveries.subscribing import FOLDER, Bus, Receiver, reasons


@pytest.fixture
def bus(world):
    return Bus(world)


@pytest.fixture
def bus_of():
    """Makes a bus in a world."""
    return Bus


@pytest.fixture
def receiver():
    found = Receiver()
    yield found
    found.close()


@pytest.fixture
def closed_port():
    """A URL where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}/events"


@pytest.fixture
def webhook():
    """Makes an API destination with a secret header; what a target says of it."""

    def make(world, url, secret="a secret of 24 letters.."):
        events, name = world.client("events"), world.unique("webhook")
        made = events.create_connection(
            Name=name,
            AuthorizationType="API_KEY",
            AuthParameters={
                "ApiKeyAuthParameters": {"ApiKeyName": "X-Secret", "ApiKeyValue": secret}
            },
        )
        destination = events.create_api_destination(
            Name=name,
            ConnectionArn=made["ConnectionArn"],
            HttpMethod="POST",
            InvocationEndpoint=url,
        )
        arn = destination["ApiDestinationArn"]
        may = {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": arn}
        role = world.role(may, service="events.amazonaws.com")
        return SimpleNamespace(name=name, arn=arn, role=role)

    return make


@pytest.fixture
def platform(world, bus_of):
    """What stands in for a platform: its bus, and its name."""
    name = f"p{world.unique('x')[-8:]}"
    bus = bus_of(world, f"streamctl-{name}")
    bus.platform = name
    return bus


@pytest.fixture
def subscribe(world, platform):
    """Deploys a subscriber's template beside the platform; its outputs."""

    def deploy(kind, name="app", **parameters):
        made = world.unique("subscriber")
        given = {"Platform": platform.platform, "Name": name, **parameters}
        world.client("cloudformation").create_stack(
            StackName=made,
            TemplateBody=(FOLDER / f"subscriber-{kind}.yaml").read_text(encoding="utf-8"),
            Parameters=[
                {"ParameterKey": key, "ParameterValue": str(value)} for key, value in given.items()
            ],
            Capabilities=["CAPABILITY_IAM"] if kind == "webhook" else [],
        )
        stack = world.settled(made)
        assert stack["StackStatus"] == "CREATE_COMPLETE", reasons(world, made)
        outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
        failures = SimpleNamespace(url=outputs["FailureQueueUrl"])
        return SimpleNamespace(stack=made, outputs=outputs, failures=failures)

    return deploy
