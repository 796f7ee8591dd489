"""The trail of forgetting: who asked for it, when, and what was removed; not whose it was.

Of a name a digest stands there, by which it is known again and cannot be read. A name can be
guessed, and whoever holds the trail can try each guess: salt and a slow function make that dear,
and nothing makes it impossible.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
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


def request(names: Iterable[str], by: str, now: datetime, salt: str) -> Request:
    """What is written down before anything is removed."""
    return Request(now, by, salt, tuple(sorted(digest(name, salt) for name in names)))


def digest(name: str, salt: str) -> str:
    """What stands for a name: scrypt of it, in hexadecimal digits."""
    made = hashlib.scrypt(
        name.encode(), salt=bytes.fromhex(salt), n=_N, r=_R, p=1, maxmem=_MEMORY, dklen=16
    )
    return made.hex()


def is_about(asked: Request, name: str) -> bool:
    """Whether this name was one of the person's."""
    return digest(name, asked.salt) in asked.digests


def identity(asked: Request) -> str:
    """What tells a request from all others, in order of time."""
    return f"{asked.asked.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}-{asked.salt[:8]}"
