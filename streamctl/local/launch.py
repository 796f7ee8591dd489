"""Starts, finds and stops local clouds. Needs none of the [local] extra itself: the server does."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypedDict, Unpack

from streamctl.errors import Missing, NotFound, StreamctlError, Unreachable
from streamctl.local.admin_client import ask
from streamctl.local.identity import ACCESS_KEY, DEFAULT_PORT, HOST, REGION, SECRET_KEY
from streamctl.local.notes import Note, born, forget, note_of
from streamctl.local.server_process import STOP_S, failure, first_line, spawn

_NEEDED: Final = ("ministack", "hypercorn")


class Options(TypedDict, total=False):
    """How a local cloud can be started."""

    port: int
    """Default 4566; 0 takes a free one."""
    data: Path | None
    """A folder that keeps everything over a restart. Without, it is forgotten at the end."""
    switches: Mapping[str, Any]
    """See streamctl.local.switches."""
    timings: Mapping[str, float]
    """See streamctl.local.cloud.Timings."""
    processors_at_once: int
    """How many processors may run at once; default 10, as in an account that asked for no more."""
    auth: bool
    """Enforce IAM policies, and the signatures of every credential."""
    log: Path | None
    """Where its own messages go; without, nowhere."""
    detached: bool
    """It goes on when this process ends, and is found again with `attach`."""


@dataclass(slots=True)
class LocalCloud:
    """A running local cloud: where it is, and how to stop it.

    As a context manager it stops at the end of the block.
    """

    port: int
    media_port: int
    pid: int
    data: str | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _born: str = field(default="", repr=False)

    @classmethod
    def start(cls, **options: Unpack[Options]) -> LocalCloud:
        """Start a local cloud and wait until it answers.

        Raises Missing without the [local] extra, AskedWrongly for a port, switch or timing that
        there is not, and StreamctlError where the port is taken, a file cannot be written, or the
        server does not come up.
        """
        demand_extra()
        detached = options.get("detached", False)
        process = spawn(_command(options), options.get("log"), detached=detached)
        try:
            said = first_line(process)
        except BaseException:  # interrupted while it starts: nobody would know of it
            process.terminate()
            raise
        if "error" in said:
            raise failure(process, said)
        cloud = cls(
            port=said["port"],
            media_port=said["media_port"],
            pid=process.pid,
            data=said["data"],
            _process=process,
        )
        if detached:
            cloud._let_go()
        return cloud

    @classmethod
    def attach(cls, port: int = DEFAULT_PORT) -> LocalCloud:
        """The local cloud that was started detached on this port, and answers.

        Raises NotFound; and Unreachable where it lives, but does not answer.
        """
        cloud = cls.noted(port)
        if not cloud.is_alive():
            raise Unreachable(
                f"the local cloud on port {port} (process {cloud.pid}) lives, but does not answer",
                hint=f"try again, or end it: streamctl local stop{_on(port)}",
            )
        return cloud

    @classmethod
    def noted(cls, port: int = DEFAULT_PORT) -> LocalCloud:
        """The local cloud that was started detached on this port and lives, whether it answers.

        Raises NotFound.
        """
        note = note_of(port)
        if note is None:
            raise _no_cloud(port)
        cloud = cls(port, note.media_port, note.pid, note.data, _born=note.born)
        lives = born(note.pid) == note.born if note.born else cloud.is_alive()
        if not lives:
            with contextlib.suppress(OSError):  # one that stays is not believed
                forget(port)
            raise _no_cloud(port)
        return cloud

    @property
    def endpoint_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def env(self) -> dict[str, str]:
        """Environment variables that turn any AWS client to this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def status(self) -> dict[str, Any]:
        """What the server says of itself. Raises Unreachable where no local cloud answers."""
        return ask(self.port, "GET", "status")

    def is_alive(self) -> bool:
        """Whether the process that we know answers on the port that we know."""
        try:
            return bool(self.status().get("pid") == self.pid)
        except StreamctlError:  # nobody answers there, or somebody else
            return False

    def fault(self, operation: str, **members: Any) -> None:
        """Inject a fault, for example `fault("sqs.SendMessage", code="AccessDenied", times=3)`.

        `members` are those of streamctl.local.faults.Fault; docs/local-cloud.md has an example of
        each. Raises AskedWrongly for what cannot be meant, Unreachable.
        """
        ask(self.port, "POST", "faults", {**members, "operation": operation})

    def faults(self) -> list[dict[str, Any]]:
        """The faults that still wait, oldest first, with what remains of them.

        None waits any more: all have hit as often as they should. Raises Unreachable.
        """
        return list(ask(self.port, "GET", "faults")["faults"])

    def faults_clear(self, **which: str) -> None:
        """Take back the faults that wait; what they hold just now goes on at once.

        `which` is operation, target or caller, to leave those of other tests. Raises
        AskedWrongly for anything else, Unreachable.
        """
        ask(self.port, "DELETE", "faults", which=which)

    def stop(self) -> None:
        """End it and everything that it started. Doing it twice is doing it once.

        Raises StreamctlError where it has ended, but could not save what it keeps; and for a
        process that the system does not end.
        """
        unsaved = {} if self._is_gone() else self._end()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(OSError):  # one that stays is not believed
            forget(self.port)
        if unsaved:
            raise _lossy(unsaved, self.data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _end(self) -> Mapping[str, str]:
        """What it could not save."""
        unsaved: Mapping[str, str] = {}
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)  # one that was halted would not hear of it
            try:
                asked = {"pid": self.pid}
                unsaved = ask(self.port, "POST", "stop", asked, patience_s=STOP_S)["unsaved"]
            except (StreamctlError, LookupError):  # it does not answer
                os.kill(self.pid, signal.SIGTERM)
        if not self._ends_within(STOP_S):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)  # it leads a session of its own
            if not self._ends_within(STOP_S):
                raise StreamctlError(
                    f"the local cloud on port {self.port} does not end, though it was killed",
                    hint=f"see what holds process {self.pid}, and stop it again",
                )
        return unsaved

    def _ends_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._is_gone():
                return True
            time.sleep(0.02)
        return False

    def _is_gone(self) -> bool:
        if self._process is not None:
            return self._process.poll() is not None
        now = born(self.pid)
        return not now or self._born not in {"", now}

    def _let_go(self) -> None:
        """Leave it to whoever attaches to it; if nobody could, end it and raise StreamctlError."""
        self._born = born(self.pid)
        try:
            Note(self.port, self.media_port, self.pid, self.data, self._born).write()
        except StreamctlError:
            self.stop()
            raise
        assert self._process is not None
        self._process.returncode = 0  # not ours to wait for: it may outlive us
        self._process = None


def demand_extra() -> None:
    """Raises Missing, with the cure, where the [local] extra is not installed."""
    absent = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if absent:
        verb = "is" if len(absent) == 1 else "are"
        raise Missing(
            f"the local cloud needs {' and '.join(absent)}, which {verb} not installed",
            hint="pip install 'streamctl[local]'",
        )


def _command(options: Options) -> list[str]:
    data = options.get("data")
    command = [sys.executable, "-m", "streamctl.local.server"]
    command += ["--port", str(options.get("port", DEFAULT_PORT))]
    command += ["--data", str(data.absolute())] if data else []
    if "processors_at_once" in options:
        command += ["--processors-at-once", str(options["processors_at_once"])]
    command += ["--auth"] if options.get("auth") else []
    command += [f"--switch={name}={value}" for name, value in options.get("switches", {}).items()]
    command += [f"--timing={name}={value}" for name, value in options.get("timings", {}).items()]
    return command


def _no_cloud(port: int) -> NotFound:
    return NotFound(
        f"no local cloud was started on port {port}", hint=f"streamctl local start --port {port}"
    )


def _lossy(unsaved: Mapping[str, str], data: str | None) -> StreamctlError:
    reasons = ", ".join(sorted(set(unsaved.values())))
    return StreamctlError(
        f"the local cloud has stopped, but could not save {', '.join(sorted(unsaved))} in {data}:"
        f" {reasons}",
        hint="what changed there since it was last saved is lost; see to the folder's disk",
    )


def _on(port: int) -> str:
    return "" if port == DEFAULT_PORT else f" --port {port}"
