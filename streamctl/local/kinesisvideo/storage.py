"""The fragments of one camera: a file each, written as they arrive, read while they grow.

A fragment that is whole and kept has a file name that says all there is to know of it, given by
one rename: what has such a name survives a restart, anything else is thrown away. Memory holds
what the names say, never media.
"""

from __future__ import annotations

import asyncio
import bisect
import errno
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from io import FileIO
from pathlib import Path
from typing import Final

# Without retention, video stays in the service's host buffer (CreateStream, DataRetentionInHours).
HOST_BUFFER_S: Final = 300.0
HOST_BUFFER_BYTES: Final = 200_000_000

_PREFIX: Final = "91343852333"  # what the numbers of real fragments begin with
_KEPT: Final = re.compile(r"(\d{47})_(\d+)_(\d+)_(\d+)_(\d+)\.mkv")


class State(Enum):
    ARRIVING = auto()
    WHOLE = auto()
    BROKEN = auto()


@dataclass(slots=True, eq=False)
class Fragment:
    """One fragment. Times are Unix milliseconds; `server_ms` is when its first byte came.

    The file holds the producer's header (`head_size` bytes), the cluster, and the producer's tags.
    """

    number: str
    server_ms: int
    producer_ms: int
    head_size: int
    path: Path
    size: int = 0
    length_ms: int = 0
    state: State = State.ARRIVING
    kept: bool = False
    """Stored for the camera's retention; else it is only in the host buffer."""
    whole_at: float = 0.0
    _file: FileIO | None = field(default=None, repr=False)

    def begins_ms(self, *, by_producer: bool) -> int:
        """On the producer's clock, or on the server's."""
        return self.producer_ms if by_producer else self.server_ms

    @property
    def end_ms(self) -> int:
        """When its last frame came, by the server's clock."""
        return self.server_ms + self.length_ms

    def append(self, data: bytes, length_ms: int) -> None:
        assert self._file is not None, "only what arrives grows"
        if self._file.write(data) != len(data):  # unbuffered, so that readers follow at once
            raise OSError(errno.ENOSPC, "no room for a fragment")
        self.size += len(data)
        self.length_ms = length_ms

    def close(self, state: State) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self.state = None, state


class Bell:
    """Wakes everybody who waits for a camera's next bytes, or for its end."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    async def wait(self) -> None:
        await self._rung.wait()


class Storage:
    """The fragments of one camera, in the order of their numbers."""

    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        """Take up what an earlier server has kept in `folder`. `now` gives Unix seconds."""
        self._folder = folder
        self._now = now
        self.bell = Bell()
        folder.mkdir(parents=True, exist_ok=True)
        self._fragments = sorted(
            filter(None, map(_recovered, folder.iterdir())), key=lambda found: found.number
        )
        self._stamp = int(self._fragments[-1].number[11:29]) if self._fragments else 0

    def begin(self, head: bytes, producer_ms: int) -> Fragment:
        """A fragment starts to arrive. Raises OSError if the disk is full."""
        number = self._next_number()
        path = self._folder / f"{number}.part"
        file = path.open("wb", buffering=0)
        server_ms = int(self._now() * 1000)
        fragment = Fragment(number, server_ms, producer_ms, len(head), path, _file=file)
        self._fragments.append(fragment)
        self.append(fragment, head, 0)
        return fragment

    def append(self, fragment: Fragment, data: bytes, length_ms: int) -> None:
        """More of a fragment that arrives. Raises OSError, and discards it, if the disk is full."""
        try:
            fragment.append(data, length_ms)
        except OSError:
            self.discard(fragment)
            raise
        self.bell.ring()

    def finish(self, fragment: Fragment, *, kept: bool) -> None:
        """The fragment is whole."""
        fragment.close(State.WHOLE)
        fragment.kept = kept
        fragment.whole_at = self._now()
        if kept:
            fragment.path = fragment.path.rename(self._folder / _kept_name(fragment))
        self.bell.ring()

    def discard(self, fragment: Fragment) -> None:
        """The fragment will never be whole."""
        fragment.close(State.BROKEN)
        self._remove([fragment])
        self.bell.ring()

    def get(self, number: str) -> Fragment | None:
        found = self.after(number, at=True)
        return found if found is not None and found.number == number else None

    def after(self, number: str, *, at: bool = False) -> Fragment | None:
        """The first fragment above `number` (or `at` it), arriving ones included."""
        find = bisect.bisect_left if at else bisect.bisect_right
        index = find(self._fragments, number, key=lambda fragment: fragment.number)
        return self._fragments[index] if index < len(self._fragments) else None

    def settled(self) -> str:
        """The newest number that is no longer arriving; empty where there is none."""
        done = (f.number for f in reversed(self._fragments) if f.state is not State.ARRIVING)
        return next(done, "")

    def kept(self) -> list[Fragment]:
        return [fragment for fragment in self._fragments if fragment.kept]

    def trim(self, retention_s: float) -> None:
        """Remove what is older than it may be."""
        now_ms = self._now() * 1000
        expired = [f for f in self.kept() if f.end_ms < now_ms - retention_s * 1000]
        room = HOST_BUFFER_BYTES
        for fragment in reversed(self._fragments):
            if fragment.state is State.WHOLE and not fragment.kept:
                room -= fragment.size
                if room < 0 or fragment.end_ms < now_ms - HOST_BUFFER_S * 1000:
                    expired.append(fragment)
        self._remove(expired)

    def _remove(self, gone: list[Fragment]) -> None:
        for fragment in gone:
            fragment.path.unlink(missing_ok=True)  # who reads it has it open
        if gone:
            numbers = {fragment.number for fragment in gone}
            self._fragments = [f for f in self._fragments if f.number not in numbers]

    def _next_number(self) -> str:
        """47 digits, above every earlier number even if the clock was set back."""
        self._stamp = max(self._stamp + 1, int(self._now() * 1_000_000))
        return f"{_PREFIX}{self._stamp:018d}{secrets.randbelow(10**18):018d}"


def _kept_name(fragment: Fragment) -> str:
    facts = (fragment.server_ms, fragment.producer_ms, fragment.length_ms, fragment.head_size)
    return "_".join((fragment.number, *map(str, facts))) + ".mkv"


def _recovered(path: Path) -> Fragment | None:
    """The fragment that a file holds; a file that was never whole is removed."""
    match = _KEPT.fullmatch(path.name)
    if match is None:
        path.unlink(missing_ok=True)
        return None
    number, *facts = match.groups()
    server_ms, producer_ms, length_ms, head_size = map(int, facts)
    return Fragment(
        number,
        server_ms,
        producer_ms,
        head_size,
        path,
        size=path.stat().st_size,
        length_ms=length_ms,
        state=State.WHOLE,
        kept=True,
    )
