"""A platform in moto: table, bus, queues, and a subscriber that hears everything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
import pytest

from streamctl.aws import bus, queues
from streamctl.aws.queues import Queue
from streamctl.aws.session import Aws
from streamctl.ops.setting import Setting


@dataclass(frozen=True)
class Platform:
    """What the functions are told, and what came out of them since it was last asked."""

    setting: Setting
    heard: Queue
    clock: Queue
    failure: Queue

    def told(self) -> list[dict[str, Any]]:
        return self._drained(self.heard)

    def clocks(self) -> list[dict[str, Any]]:
        return self._drained(self.clock)

    def failures(self) -> list[dict[str, Any]]:
        return self._drained(self.failure)

    def _drained(self, queue: Queue) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while more := list(queues.receive(Aws(region="us-east-1"), queue, 0)):
            found += more
        return found


@pytest.fixture
def platform(platform_table: str) -> Platform:
    aws = Aws(region="us-east-1")
    events = boto3.client("events", "us-east-1")
    bus_arn = events.create_event_bus(Name="bus")["EventBusArn"]
    heard, clock, failure = (
        queues.create(aws, name, bus_arn) for name in ("heard", "clock", "failure")
    )
    bus.subscribe(aws, "bus", "everything", heard.arn)
    setting = Setting(
        "main", platform_table, "bus", clock.url, failure.url, timedelta(seconds=5), "pictures"
    )
    return Platform(setting, heard, clock, failure)
