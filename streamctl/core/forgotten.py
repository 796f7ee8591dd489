"""The trail of forgetting: who asked for it, when, and what was removed; not whose it was.

Of a name a digest stands there, by which it is known again and cannot be read. A name can be
guessed, and whoever holds the trail can try each guess: salt and a slow function make that dear,
and nothing makes it impossible.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from streamctl.core.forgetting import Counts

SALT_BYTES: Final = 16

# A twentieth of a second and 16 MB for each name that is tried (RFC 7914: memory is 128 * n * r).
_N: Final = 2**14
_R: Final = 8
_MEMORY: Final = 2 * 128 * _N * _R


@dataclass(frozen=True, slots=True)
class Request:
    """That a person was to be forgotten. `by` is the ARN of whoever asked."""

    asked: datetime
    by: str
    salt: str
    """Of this request alone: random bytes, in hexadecimal digits."""
    digests: tuple[str, ...]
    """One for each of the person's names."""
    done: datetime | None = None
    """None: it was cut off, or goes on."""
    removed: Counts | None = None
    """Of one that was cut off it is told by whoever finishes it."""
    found: Counts | None = None
    """What there was before anything went."""
    collections: tuple[str, ...] = ()
    """Where alone their faces were looked for; none: everywhere."""


def request(
    names: Iterable[str],
    by: str,
    now: datetime,
    salt: str,
    found: Counts,
    collections: Iterable[str] = (),
) -> Request:
    """What is written down before anything is removed."""
    digests = tuple(sorted(digest(name, salt) for name in names))
    return Request(now, by, salt, digests, found=found, collections=tuple(sorted(collections)))


def digest(name: str, salt: str) -> str:
    """What stands for a name: scrypt of it, in hexadecimal digits."""
    made = hashlib.scrypt(
        name.encode(), salt=bytes.fromhex(salt), n=_N, r=_R, p=1, maxmem=_MEMORY, dklen=16
    )
    return made.hex()


def is_about(asked: Request, name: str) -> bool:
    """Whether this name was one of the person's."""
    return digest(name, asked.salt) in asked.digests


def cut_off(trail: Iterable[Request], entry: Request, names: Collection[str]) -> list[Request]:
    """The requests that `entry`, which is about these names, goes on with, in order of time: all
    that they asked for it looked for as well.
    """
    return sorted(
        (
            each
            for each in trail
            if each.done is None and each.removed is None and each.found is not None
            if _within(each, entry) and _all_about(each, names)
        ),
        key=lambda each: each.asked,
    )


def told(open_: Sequence[Request], entry: Request) -> list[Request]:
    """The same with what they removed: what the next one did not find any more."""
    return [replace(each, removed=_gone(each, later)) for each, later in pairwise([*open_, entry])]


def _gone(asked: Request, later: Request) -> Counts:
    return (asked.found or Counts()).minus(later.found or Counts())


def _within(asked: Request, later: Request) -> bool:
    """Whether the later one looked in every collection of the earlier one."""
    if not later.collections:
        return True
    return bool(asked.collections) and set(asked.collections) <= set(later.collections)


def _all_about(asked: Request, names: Collection[str]) -> bool:
    return set(asked.digests) <= {digest(name, asked.salt) for name in names}


def identity(asked: Request) -> str:
    """What tells a request from all others, in order of time."""
    return f"{asked.asked.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}-{asked.salt[:8]}"
