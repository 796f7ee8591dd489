"""Starts, finds and stops local clouds. Needs none of the [local] extra itself: the server does."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self, TypedDict, Unpack

from streamctl.errors import AskedWrongly, Missing, NotFound, StreamctlError
from streamctl.local.admin_client import ask
from streamctl.local.identity import ACCESS_KEY, DEFAULT_PORT, HOST, REGION, SECRET_KEY

_NEEDED: Final = ("ministack", "hypercorn")
_START_S: Final = 60.0
_STOP_S: Final = 15.0


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

    @classmethod
    def start(cls, **options: Unpack[Options]) -> LocalCloud:
        """Start a local cloud and wait until it answers.

        Raises Missing without the [local] extra, AskedWrongly for a port, switch or timing that
        there is not, and StreamctlError where the port is taken, a file cannot be written, or the
        server does not come up.
        """
        demand_extra()
        detached = options.get("detached", False)
        process = _spawn(_command(options), options.get("log"), detached=detached)
        try:
            said = _first_line(process)
        except BaseException:  # interrupted while it starts: nobody would know of it
            process.terminate()
            raise
        if "error" in said:
            raise _failure(process, said)
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
        """The local cloud that was started detached on this port. Raises NotFound."""
        path = _state_file(port)
        try:
            state = json.loads(path.read_text())
            cloud = cls(port, int(state["media_port"]), int(state["pid"]), state["data"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _no_cloud(port) from error
        if not cloud.is_alive():
            path.unlink(missing_ok=True)
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
        """End it and everything that it started. Doing it twice is doing it once."""
        with contextlib.suppress(ProcessLookupError):
            if self._process is None or self._process.poll() is None:
                os.kill(self.pid, signal.SIGTERM)
        if not self._ends_within(_STOP_S):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)  # it leads a session of its own
            self._ends_within(_STOP_S)
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(OSError):  # one that stays is not believed
            _state_file(self.port).unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

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
        try:
            os.kill(self.pid, 0)
            # Where nobody reaps orphans, a dead one stays listed.
            return ") Z " in Path(f"/proc/{self.pid}/stat").read_text()
        except ProcessLookupError:
            return True
        except OSError:  # no /proc here
            return False

    def _let_go(self) -> None:
        """Leave it to whoever attaches to it; if nobody could, end it and raise StreamctlError."""
        path = _state_file(self.port)
        state = {"pid": self.pid, "media_port": self.media_port, "data": self.data}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(state))
        except OSError as error:
            self.stop()
            raise StreamctlError(
                f"cannot note where the local cloud is, in {path}: {error.strerror}",
                hint="name another folder in XDG_STATE_HOME",
            ) from error
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


def _spawn(command: list[str], log: Path | None, *, detached: bool) -> subprocess.Popen[bytes]:
    with contextlib.ExitStack() as stack:
        errors = stack.enter_context(_opened(log)) if log else subprocess.DEVNULL
        return subprocess.Popen(
            command if detached else [*command, "--owned"],
            stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # an interrupt at the terminal is for us; we stop it in order
        )


def _opened(log: Path) -> BinaryIO:
    try:
        return log.open("ab")
    except OSError as error:
        raise StreamctlError(
            f"cannot write the log {log}: {error.strerror}", hint="name another file with --log"
        ) from error


def _first_line(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """What the server says when it is ready, or that it is not and why."""
    assert process.stdout is not None
    with process.stdout as stdout:
        ready, _, _ = select.select([stdout], [], [], _START_S)
        line = stdout.readline() if ready else b""
    try:
        return dict(json.loads(line))
    except ValueError:
        _end(process)
        return {"error": "the local cloud did not start", "hint": "its log says why (--log FILE)"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """In order, so that it can take its folder away; in the end without."""
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _failure(process: subprocess.Popen[bytes], said: Mapping[str, Any]) -> StreamctlError:
    if process.stdin is not None:
        process.stdin.close()
    asked_wrongly = process.wait() == AskedWrongly.exit_code
    kind = AskedWrongly if asked_wrongly else StreamctlError
    return kind(str(said["error"]), hint=str(said.get("hint", "")))


def _state_file(port: int) -> Path:
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "streamctl" / f"local-{port}.json"


def _no_cloud(port: int) -> NotFound:
    return NotFound(
        f"no local cloud was started on port {port}", hint=f"streamctl local start --port {port}"
    )
