"""Keeps what ministack knows: read when it starts, saved as it goes, saved when it ends.

By itself ministack saves at its end alone, and goes on without what it cannot read or write.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from streamctl.errors import StreamctlError
from streamctl.local.engine_room import EngineRoom
from streamctl.local.http import Receive, Scope, Send

_ROUND_S: Final = 1.0
# Saving stands in the way of requests: so it takes a fiftieth of the time, however much there is.
_PAUSE: Final = 50
# What a request begins (a stack, an asynchronous invocation) goes on behind its answer.
_ECHO_S: Final = 60.0
_TRIES: Final = 3

_log = logging.getLogger(__name__)


class Keeper:
    """One file for each of ministack's services, in the data folder's `ministack`.

    Building one raises StreamctlError for a file that cannot be read.
    """

    def __init__(self, engine: EngineRoom) -> None:
        self._engine = engine
        self._folder = engine.cloud.data / "ministack"
        self._states = engine.part("app", "_build_persistence_save_dict")
        self._version = engine.part("core.persistence", "_state_format_version")
        self._as_json = engine.part("core.persistence", "_json_default")
        self._written: dict[str, bytes] = {}
        self._not_before: dict[str, float] = {}
        self._busy_until = 0.0
        self._task: asyncio.Task[None] | None = None
        self.unrestored: StreamctlError | None = None
        """Why a file, though readable, could not be made use of; nothing is saved then."""
        for path in sorted(self._folder.glob("*.json")):
            self._demand_readable(path)
        self._watch_requests()
        engine.replace("app", "_load_persisted_state", self._restore)
        engine.replace("app", "save_all", lambda _: None)  # `end` has been before it

    def start(self) -> None:
        """Save as it goes, from now on."""
        self._task = asyncio.create_task(self._run())

    async def end(self) -> dict[str, str]:
        """Save all for the last time. What could not be saved, by service, with the reason."""
        if self._task is None:
            return {}
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        states: Mapping[str, Callable[[], Any]] = self._states()
        reasons = {name: self._save(name, state, _TRIES) for name, state in states.items()}
        return {name: reason for name, reason in reasons.items() if reason}

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_ROUND_S)
            if time.monotonic() > self._busy_until:
                continue
            for name, state in self._states().items():
                begun = time.monotonic()
                if begun < self._not_before.get(name, 0.0):
                    continue
                self._save(name, state)
                self._not_before[name] = begun + _PAUSE * (time.monotonic() - begun)
                await asyncio.sleep(0)

    def _save(self, name: str, state: Callable[[], Any], tries: int = 1) -> str:
        """Write one service's file anew, or not at all. Why it could not, or ""."""
        path = self._folder / f"{name}.json"
        part = path.with_suffix(".part")
        try:
            text = self._text(name, state)
            if text is None:  # a service that could not be loaded has nothing to say
                return ""
            digest = hashlib.sha256(text.encode()).digest()
            if digest == self._written.get(name):
                return ""
            path.parent.mkdir(exist_ok=True)
            part.write_text(text)
            part.replace(path)
            self._written[name] = digest
        except RuntimeError as error:  # changed by a thread while it was read
            return self._save(name, state, tries - 1) if tries > 1 else str(error)
        except Exception as error:  # noqa: BLE001 - one service's trouble is not the others'
            with contextlib.suppress(OSError):
                part.unlink()
            reason = getattr(error, "strerror", None) or str(error)
            _log.error("cannot save %s: %s", path, reason)
            return reason
        return ""

    def _text(self, name: str, state: Callable[[], Any]) -> str | None:
        payload = state()
        if payload is None:
            return None
        kept = {"__ministack_format__": self._version(name), "payload": payload}
        return json.dumps(kept, default=self._as_json)

    def _restore(self) -> None:
        module_of = self._engine.part("app", "_get_module")
        load = self._engine.part("core.persistence", "load_state")
        for name, module in self._engine.part("app", "_state_map").items():
            try:
                state = load(name)
                if state:
                    module_of(module).load_persisted_state(state)
            except Exception as error:  # noqa: BLE001 - whatever a wrong file leads to
                reason = f"{type(error).__name__}: {error}"
                self.unrestored = _unreadable(self._folder / f"{name}.json", reason)
                return

    def _demand_readable(self, path: Path) -> None:
        try:
            kept = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise _unreadable(path, getattr(error, "strerror", None) or str(error)) from error
        if not isinstance(kept, dict):
            raise _unreadable(path, "it is no JSON object")
        found, known = kept.get("__ministack_format__", 1), self._version(path.stem)
        if not isinstance(found, int) or found > known:
            raise _unreadable(path, f"its format is {found!r}, and {known} is the newest known")

    def _watch_requests(self) -> None:
        app = self._engine.app

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await app(scope, receive, send)
            finally:
                self._busy_until = time.monotonic() + _ECHO_S

        self._engine.app = watched


def _unreadable(path: Path, reason: str) -> StreamctlError:
    return StreamctlError(
        f"the local cloud cannot read {path}: {reason}",
        hint="remove that file, and with it what it keeps, or choose another data folder",
    )
