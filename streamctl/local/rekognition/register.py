"""Every stream processor there is, as callers may see it, and how it outlives the server.

A file per processor, written whole on each change. After a restart nothing runs: what was
RUNNING, or on its way to or from it, is STOPPED, and says in its StatusMessage that the local cloud
was restarted. (AWS's own never restarts; but a processor that went on by itself here would
analyse, for whoever has gone home.)
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from streamctl.local.rekognition.arns import Scope
from streamctl.local.rekognition.processor import Processor
from streamctl.local.service import ServiceFault

_log = logging.getLogger(__name__)

Key = tuple[Scope, str]
"""Account and region, and the processor's name."""


@dataclass(slots=True)
class _Entry:
    """A processor's past, oldest first, each with when it began; None is "deleted"."""

    past: deque[tuple[float, Processor | None]] = field(default_factory=lambda: deque(maxlen=64))

    @property
    def now(self) -> Processor | None:
        return self.past[-1][1]

    def is_gone_since(self, then: float) -> bool:
        return self.now is None and self.past[-1][0] <= then

    def as_of(self, then: float) -> Processor | None:
        """What was true at `then`; before the beginning, what was true first."""
        known = [processor for since, processor in self.past if since <= then]
        return known[-1] if known else self.past[0][1]


class Register:
    """Processors by account, region and name. `clock` gives Unix seconds.

    With `stale_s`, `seen` and `all_seen` answer what was true that long ago (switch
    stale_describe_s, or an injected fault where that is more); `get` and `all` always know the
    present. A name is held for `held_s` after its processor was deleted.
    """

    def __init__(
        self, folder: Path, clock: Callable[[], float], *, stale_s: float, held_s: float
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._stale_s = stale_s
        self._held_s = held_s
        self._entries: dict[Key, _Entry] = {}

    def load(self) -> None:
        """Read what an earlier server left."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                self.save(Processor.restarted(json.loads(path.read_bytes()), self._clock()))
            except (ValueError, KeyError, TypeError):
                _log.warning("%s is no processor and is left out", path)

    def save(self, processor: Processor) -> None:
        """Take up a new processor, or a known one in another state."""
        entry = self._entries.setdefault((processor.scope, processor.name), _Entry())
        entry.past.append((self._clock(), processor))
        path = self._path(processor)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(processor.to_json()))
        part.replace(path)

    def remove(self, processor: Processor) -> None:
        self._entries[processor.scope, processor.name].past.append((self._clock(), None))
        self._path(processor).unlink(missing_ok=True)
        self._forget()

    def _forget(self) -> None:
        """Deleted processors that are neither seen any more nor hold their names."""
        then = self._clock() - max(self._stale_s, self._held_s)
        for key in [key for key, entry in self._entries.items() if entry.is_gone_since(then)]:
            del self._entries[key]

    def find(self, scope: Scope, name: str) -> Processor | None:
        entry = self._entries.get((scope, name))
        return entry.now if entry else None

    def get(self, scope: Scope, name: str) -> Processor:
        """Raises the fault ResourceNotFoundException where there is none."""
        return _demanded(self.find(scope, name), name)

    def seen(self, scope: Scope, name: str, stale_s: float = 0.0) -> Processor:
        """As Describe shows it. Raises the fault ResourceNotFoundException."""
        entry = self._entries.get((scope, name))
        return _demanded(entry.as_of(self._then(stale_s)) if entry else None, name)

    def all(self, scope: Scope) -> dict[str, Processor]:
        """Every processor of an account and region, by name."""
        return {
            name: entry.now
            for (owner, name), entry in self._entries.items()
            if owner == scope and entry.now
        }

    def all_seen(self, scope: Scope, stale_s: float = 0.0) -> dict[str, Processor]:
        """As List shows them."""
        then = self._then(stale_s)
        seen = {
            name: entry.as_of(then)
            for (owner, name), entry in self._entries.items()
            if owner == scope
        }
        return {name: processor for name, processor in seen.items() if processor}

    def _then(self, stale_s: float) -> float:
        return self._clock() - max(self._stale_s, stale_s)

    def holds(self, scope: Scope, name: str) -> bool:
        """Whether no new processor can have this name: one has it, or had it a moment ago."""
        entry = self._entries.get((scope, name))
        return entry is not None and not entry.is_gone_since(self._clock() - self._held_s)

    def _path(self, processor: Processor) -> Path:
        # Two names may differ in case only, and some disks do not see that.
        digest = hashlib.sha256(processor.arn.encode()).hexdigest()[:32]
        return self._folder / f"{digest}.json"


def _demanded(processor: Processor | None, name: str) -> Processor:
    if processor is None:
        raise ServiceFault(
            "ResourceNotFoundException", f"The stream processor {name} does not exist"
        )
    return processor
