"""What a Kinesis event source mapping does next: pure decisions, by AWS's rules.

One shard's records go to the function in batches, in order. After each try it is decided what was
handled, what is tried again, and what is given up (Lambda developer guide,
with-kinesis).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

PAYLOAD_LIMIT: Final = 6 * 1024 * 1024  # an invocation's event
_ENVELOPE: Final = 700  # what an event says of each record beside its data, at most
_DELAY_LIMIT_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a shard. `data` is base64, as in the event; `arrived` is Unix seconds."""

    sequence: str
    partition_key: str
    data: str
    arrived: float


@dataclass(frozen=True, slots=True)
class Policy:
    """How a mapping reads and retries. None stands for "without limit"."""

    batch_size: int = 100
    window_s: float = 0.0
    retries: int | None = None
    max_age_s: float | None = None
    bisects: bool = False
    reports_failures: bool = False

    @classmethod
    def of(cls, mapping: Mapping[str, Any]) -> Policy:
        """From the members of CreateEventSourceMapping; -1 stands for no limit there."""
        retries = int(mapping.get("MaximumRetryAttempts", -1))
        age = int(mapping.get("MaximumRecordAgeInSeconds", -1))
        return cls(
            batch_size=int(mapping.get("BatchSize", 100)),
            window_s=float(mapping.get("MaximumBatchingWindowInSeconds", 0)),
            retries=None if retries < 0 else retries,
            max_age_s=None if age < 0 else float(age),
            bisects=str(mapping.get("BisectBatchOnFunctionError", False)).lower() == "true",
            reports_failures="ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", ()),
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Records on their way to the function; never empty. `tries` counts its invocations so far."""

    records: tuple[Record, ...]
    tries: int = 0


class Condition(StrEnum):
    """Why records are given up, as OnFailure's destination reads it."""

    RETRIES = "RetryAttemptsExhausted"
    AGE = "RecordAgeExceeded"


@dataclass(frozen=True, slots=True)
class GivenUp:
    batch: Batch
    condition: Condition


@dataclass(frozen=True, slots=True)
class Next:
    """What follows from one try: batches to try in order, and what is given up for good."""

    pending: tuple[Batch, ...] = ()
    given_up: GivenUp | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The function did not handle the batch; from `at` on, where it reported an item."""

    at: int = 0


def first_batch(records: Sequence[Record], policy: Policy) -> Batch | None:
    """As many records as one invocation may carry; None if there are none."""
    size = 0
    for count, record in enumerate(records[: policy.batch_size]):
        size += len(record.data) + len(record.partition_key) + _ENVELOPE
        if size > PAYLOAD_LIMIT and count:
            return Batch(tuple(records[:count]))
    return Batch(tuple(records[: policy.batch_size])) if records else None


def is_due(batch: Batch, policy: Policy, waited_s: float) -> bool:
    """Whether a batch goes now, or waits for more records until its window is over."""
    return len(batch.records) >= policy.batch_size or waited_s >= policy.window_s


def failure_in(response: Any, batch: Batch) -> Failed | None:
    """What a function that reports batch item failures says; None if it handled all.

    Null and empty answers are success; an answer that cannot be read, or names no record of the
    batch, fails the whole batch.
    """
    if response is None or response == {}:
        return None
    if not isinstance(response, dict):
        return Failed()
    items = response.get("batchItemFailures")
    if items is None or items == []:
        return None
    if not isinstance(items, list):
        return Failed()
    position = {record.sequence: at for at, record in enumerate(batch.records)}
    named = [item.get("itemIdentifier") if isinstance(item, dict) else None for item in items]
    known = [position[name] for name in named if isinstance(name, str) and name in position]
    return Failed(min(known) if len(known) == len(named) else 0)


def after_failure(batch: Batch, failed: Failed, policy: Policy) -> Next:
    """What to do with a batch that the function has failed on.

    What it handled before the failure is not tried again. Splitting a batch does not use up its
    retries; a batch that reported an item is split there, and so not once more.
    """
    rest = batch.records[failed.at :]
    if policy.bisects and not failed.at and len(rest) > 1:
        middle = len(rest) // 2
        halves = (rest[:middle], rest[middle:])
        return Next(tuple(Batch(half, batch.tries) for half in halves))
    tried = Batch(rest, batch.tries + 1)
    if policy.retries is not None and tried.tries > policy.retries:
        return Next(given_up=GivenUp(tried, Condition.RETRIES))
    return Next((tried,))


def without_expired(batch: Batch, policy: Policy, now: float) -> Next:
    """The batch without records that have become too old to be tried."""
    if policy.max_age_s is None:
        return Next((batch,))
    limit = now - policy.max_age_s
    young = next((at for at, r in enumerate(batch.records) if r.arrived >= limit), None)
    if young == 0:
        return Next((batch,))
    old = batch.records[:young]
    rest = batch.records[len(old) :]
    return Next(
        (Batch(rest, batch.tries),) if rest else (),
        GivenUp(Batch(old, batch.tries), Condition.AGE),
    )


def delay_s(failures: int, first_s: float) -> float:
    """How long to wait after so many failures in a row: doubling, up to 15 s."""
    return float(min(first_s * 2 ** min(failures - 1, 16), _DELAY_LIMIT_S)) if failures else 0.0
