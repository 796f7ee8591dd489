"""Whether a delivery that failed is tried again, and after how long. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

_LONGEST_PAUSE_S: Final = 60.0
_RETRIES: Final = 185
_A_DAY_S: Final = 86_400.0
_DOUBLINGS: Final = 16  # the pause is at its longest long before


class Undelivered(Exception):
    """A try that failed: `code` as EventBridge tells it, and whether it is worth another."""

    def __init__(self, code: str, message: str, *, again: bool) -> None:
        super().__init__(message)
        self.code = code
        self.again = again


class Exhausted(StrEnum):
    """What a target's RetryPolicy has no more of."""

    ATTEMPTS = "MaximumRetryAttempts"
    AGE = "MaximumEventAgeInSeconds"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """A target's own, or what EventBridge does without one (guide, Retrying event delivery)."""

    attempts: int = _RETRIES
    age_s: float = _A_DAY_S

    @classmethod
    def of(cls, target: Mapping[str, Any]) -> RetryPolicy:
        """A template's numbers may be texts; what is no number is not said."""
        given = target.get("RetryPolicy") or {}
        return cls(
            int(_number(given.get(Exhausted.ATTEMPTS), _RETRIES)),
            _number(given.get(Exhausted.AGE), _A_DAY_S),
        )


def next_pause_s(
    policy: RetryPolicy, retries: int, age_s: float, first_pause_s: float
) -> float | Exhausted:
    """How long to wait after a try that failed, or why there is no other.

    `retries` have been made, the one that failed included; the event is `age_s` seconds old.
    """
    if retries >= policy.attempts:
        return Exhausted.ATTEMPTS
    pause = min(first_pause_s * 2 ** min(retries, _DOUBLINGS), _LONGEST_PAUSE_S)
    return Exhausted.AGE if age_s + pause > policy.age_s else pause


def _number(given: Any, default: float) -> float:
    try:
        number = float(given)
    except (TypeError, ValueError):
        return default
    return number if 0 <= number < float("inf") else default
