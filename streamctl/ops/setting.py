"""What a function is told by its environment, all of it set by platform.yaml."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from streamctl.errors import AskedWrongly

STOP_TURNS_KEY: Final = "turns#stop"
"""The table's key under which turns at Stop are taken."""

WATCH_KEY: Final = "watch#"
"""The table's key of what the platform watches for."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One platform, as its functions see it."""

    platform: str
    table: str
    bus: str
    clock_queue: str
    """The clock queue's URL."""
    failure_queue: str
    """The URL of the queue for records that cannot be decoded."""
    min_idle_after: timedelta
    pictures: str
    """The bucket of pictures."""

    @classmethod
    def from_environment(cls) -> Setting:
        """Read it. Raises AskedWrongly if platform.yaml and this code do not fit."""
        try:
            return cls(
                platform=os.environ["STREAMCTL_PLATFORM"],
                table=os.environ["STREAMCTL_TABLE"],
                bus=os.environ["STREAMCTL_BUS"],
                clock_queue=os.environ["STREAMCTL_CLOCK_QUEUE"],
                failure_queue=os.environ["STREAMCTL_FAILURE_QUEUE"],
                min_idle_after=timedelta(seconds=float(os.environ["STREAMCTL_MIN_IDLE_AFTER_S"])),
                pictures=os.environ["STREAMCTL_PICTURES"],
            )
        except KeyError as error:
            raise _lacking(error) from error


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where what was told is kept, as the function sees it that keeps it."""

    kept: str
    """The table of events."""
    pictures: str
    """The bucket of pictures."""
    queue: str
    """The URL of the queue that it is woken by."""
    days: timedelta
    """How long an event is kept."""

    @classmethod
    def from_environment(cls) -> Keeping:
        """Read it. Raises AskedWrongly if platform.yaml and this code do not fit."""
        try:
            return cls(
                kept=os.environ["STREAMCTL_KEPT"],
                pictures=os.environ["STREAMCTL_PICTURES"],
                queue=os.environ["STREAMCTL_EVENT_QUEUE"],
                days=timedelta(days=int(os.environ["STREAMCTL_KEEP_DAYS"])),
            )
        except KeyError as error:
            raise _lacking(error) from error


def _lacking(error: KeyError) -> AskedWrongly:
    return AskedWrongly(
        f"the function's environment lacks {error.args[0]}",
        hint="deploy the platform again: streamctl stack deploy",
    )


def run_key(camera: str) -> str:
    return f"run#{camera}"


def story_key(camera: str) -> str:
    return f"story#{camera}"


def camera_of(key: str) -> str:
    """The camera's ARN in either key."""
    return key.partition("#")[2]
