"""Notes of the local clouds that go on by themselves: by port, which process each of them is."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from streamctl.errors import StreamctlError


@dataclass(frozen=True, slots=True)
class Note:
    """Where a local cloud is, and what tells its process from a later one of the same number."""

    port: int
    media_port: int
    pid: int
    data: str | None
    born: str = ""
    """See `born`; "" where it is not known."""

    def write(self) -> None:
        """Keep it until `forget`. Raises StreamctlError where it cannot be kept."""
        path = _path(self.port)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(asdict(self)))
        except OSError as error:
            raise StreamctlError(
                f"cannot note where the local cloud is, in {path}: {error.strerror}",
                hint="name another folder in XDG_STATE_HOME",
            ) from error


def note_of(port: int) -> Note | None:
    """The note about the cloud on a port; None where there is none that can be read."""
    try:
        said = json.loads(_path(port).read_text())
        pid, media_port = int(said["pid"]), int(said["media_port"])
        return Note(port, media_port, pid, said["data"], str(said.get("born", "")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def forget(port: int) -> None:
    """Raises OSError for a note that stays."""
    _path(port).unlink(missing_ok=True)


def born(pid: int) -> str:
    """When a living process began, in words of this system; "" where none such lives.

    A number of a process is given again, but not with the same beginning.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _born_by_ps(pid)
    state, since_boot = fields[0], fields[19]  # proc(5): fields 3 and 22
    return "" if state == "Z" else since_boot  # where nobody reaps orphans, a dead one stays listed


def _born_by_ps(pid: int) -> str:
    command = ["ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)]
    try:
        said = subprocess.run(command, capture_output=True, check=False, text=True).stdout
    except OSError:
        return ""
    state, _, began = said.strip().partition(" ")
    return "" if state.startswith("Z") else began.strip()


def _path(port: int) -> Path:
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "streamctl" / f"local-{port}.json"
