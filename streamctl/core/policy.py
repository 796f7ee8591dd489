"""When a run is over and what then happens to its processor, and how that is written down as tags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeVar

from streamctl.errors import AskedWrongly

MANAGED: Final = "streamctl:managed"
PLATFORM: Final = "streamctl:platform"
CAMERA: Final = "streamctl:camera"
IDLE_AFTER: Final = "streamctl:idle-after"
ON_END: Final = "streamctl:on-end"
MAX_RUN: Final = "streamctl:max-run"
OWNER: Final = "streamctl:owner"

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_LONGEST: Final = timedelta(days=365)
_D = TypeVar("_D", timedelta, None)


class OnEnd(StrEnum):
    """What happens to the processor once its camera's video has ended."""

    DELETE = "delete"
    STOP = "stop"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Policy:
    """`idle_after`: how long without video counts as the end. `max_run`: the longest run allowed."""

    idle_after: timedelta = timedelta(seconds=90)
    on_end: OnEnd = OnEnd.DELETE
    max_run: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Ownership:
    """What a processor's tags say: whose it is and what may be done to it."""

    platform: str
    camera: str
    policy: Policy
    by_stack: bool
    """A CloudFormation stack owns it: automation may stop it, never delete it."""


def parse_duration(text: str) -> timedelta:
    """Read `90s`, `5m`, `2h`, `1h30m`. Raises AskedWrongly for anything else, zero, or over a year."""
    parts = _PART.findall(text.strip())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        raise AskedWrongly(
            f"'{text}' is not a length of time", hint="write it like 90s, 5m, 2h or 1h30m"
        )
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not 0 < seconds <= _LONGEST.total_seconds():
        raise AskedWrongly(f"'{text}' must be more than nothing and at most a year")
    return timedelta(seconds=seconds)


def format_duration(length: timedelta) -> str:
    """The shortest exact way that parse_duration reads back: 90s is `1m30s`, an hour is `1h`."""
    rest = length.total_seconds()
    text = ""
    for unit in ("d", "h", "m"):
        whole, rest = divmod(rest, _UNITS[unit])
        text += f"{int(whole)}{unit}" if whole else ""
    if rest or not text:
        text += f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    return text


def to_tags(owned: Ownership) -> dict[str, str]:
    """The tags that a processor of ours carries."""
    policy = owned.policy
    tags = {
        MANAGED: "true",
        PLATFORM: owned.platform,
        CAMERA: owned.camera,
        IDLE_AFTER: format_duration(policy.idle_after),
        ON_END: policy.on_end.value,
    }
    if policy.max_run is not None:
        tags[MAX_RUN] = format_duration(policy.max_run)
    if owned.by_stack:
        tags[OWNER] = "cloudformation"
    return tags


def from_tags(tags: Mapping[str, str], platform: str) -> Ownership | None:
    """What the tags say, or None where the processor is not `platform`'s to touch.

    A tag that cannot be read means its default: a typing error in a tag must not make a processor
    immortal. The one exception is `on-end`: unreadable, it means `keep`, since what is deleted
    does not come back.
    """
    if tags.get(MANAGED) != "true" or tags.get(PLATFORM) != platform:
        return None
    default = Policy()
    policy = Policy(
        idle_after=_duration_or(tags.get(IDLE_AFTER), default.idle_after),
        on_end=_on_end(tags.get(ON_END)),
        max_run=_duration_or(tags.get(MAX_RUN), None),
    )
    return Ownership(platform, tags.get(CAMERA, ""), policy, tags.get(OWNER) == "cloudformation")


def at_least(owned: Ownership, idle_after: timedelta) -> Ownership:
    """With an idle time of at least this, whatever the tags ask for."""
    longer = max(owned.policy.idle_after, idle_after)
    return replace(owned, policy=replace(owned.policy, idle_after=longer))


def _duration_or(text: str | None, default: _D) -> timedelta | _D:
    try:
        return parse_duration(text) if text else default
    except AskedWrongly:
        return default


def _on_end(text: str | None) -> OnEnd:
    try:
        return OnEnd(text) if text else OnEnd.DELETE
    except ValueError:
        return OnEnd.KEEP
