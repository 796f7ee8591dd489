"""The interpreter that functions run in: the standard library, boto3, and nothing else of ours.

Lambda's Python has boto3 with its own dependencies beside the function's zip. ministack starts
each function's process with its own interpreter and environment; here the same interpreter is
started without site-packages, with a folder of links to boto3 at the end of its path, and with the
environment that Lambda gives.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import re
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_RUNTIME_MODULES: Final = (
    "boto3",
    "botocore",
    "dateutil",
    "jmespath",
    "s3transfer",
    "six",
    "urllib3",
)
# What a function's environment holds; the function's own variables reach it another way.
_PASSED: Final = ("AWS_", "LAMBDA_", "_LAMBDA", "_X_AMZN", "_MINISTACK", "PATH", "LANG", "TMPDIR")
_START: Final = (
    "import runpy, sys; sys.path.append(sys.argv.pop(1)); del sys.argv[0];"
    " runpy.run_path(sys.argv[0], run_name='__main__')"
)
_APP_ID: Final = "AWS_SDK_UA_APP_ID"
"""What AWS's SDKs put into the User-Agent as app/ID: by it a call is known to be a function's."""
_MARK: Final = re.compile(r"\bapp/(fn\d+)\b")
_BEGINNING_S: Final = 10.0  # the longest wait for zips that are being unpacked when the server ends


@dataclass(frozen=True, slots=True)
class Caller:
    """A function's process that makes a call."""

    name: str
    process: subprocess.Popen[str]

    def kill(self) -> None:
        """By SIGKILL: nothing that it has not done yet will be done."""
        self.process.kill()


class FunctionProcesses:
    """Stands in for the subprocess module where ministack starts functions. Used from any thread.

    Only Python functions are started differently; `folder` will hold the links to boto3.
    """

    PIPE = subprocess.PIPE
    STDOUT = subprocess.STDOUT
    DEVNULL = subprocess.DEVNULL

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begun: weakref.WeakSet[subprocess.Popen[str]] = weakref.WeakSet()
        self._callers: dict[str, Caller] = {}
        self._numbers = itertools.count(1)
        self._beginning = 0
        self._over = False
        self._changed = threading.Condition()
        _link(folder)

    @contextlib.contextmanager
    def beginning(self) -> Iterator[None]:
        """Around all that is done to start a function. Raises RuntimeError after `end`."""
        with self._changed:
            self._demand_open()
            self._beginning += 1
        try:
            yield
        finally:
            with self._changed:
                self._beginning -= 1
                self._changed.notify_all()

    def end(self) -> None:
        """Kill every function. None begins from now on, and none is on its way to."""
        with self._changed:
            self._over = True
            for process in self._begun:
                process.kill()
            self._changed.wait_for(lambda: not self._beginning, _BEGINNING_S)

    def Popen(  # noqa: N802 - subprocess's name
        self, arguments: Sequence[str], *, env: Mapping[str, str], **options: Any
    ) -> subprocess.Popen[str]:
        if arguments[0] == sys.executable:
            # -I and -S: no variable, no site-packages, no working directory on the path
            isolated = [sys.executable, "-I", "-S", "-c", _START, str(self._folder)]
            arguments = [*isolated, *arguments[1:]]
        name = env.get("AWS_LAMBDA_FUNCTION_NAME", "")
        with self._changed:
            self._demand_open()
            mark = f"fn{next(self._numbers)}"
            marked = {**_scrubbed(env), _APP_ID: mark}
            process = subprocess.Popen(arguments, env=marked, **options)
            self._begun.add(process)
            self._callers = {
                known: caller
                for known, caller in self._callers.items()
                if caller.process.returncode is None
            }
            self._callers[mark] = Caller(name, process)
        return process

    def caller(self, user_agent: str) -> Caller | None:
        """The function that sent a request with this User-Agent; None where it was none."""
        found = _MARK.search(user_agent)
        return self._callers.get(found[1]) if found else None

    def _demand_open(self) -> None:
        if self._over:
            raise RuntimeError("the local cloud is stopping")


def _link(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in _RUNTIME_MODULES:
        place = _place(name)
        link = folder / place.name
        link.unlink(missing_ok=True)  # a kept folder may come from another installation
        link.symlink_to(place)


def _place(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None  # boto3 itself depends on all of them
    origin = Path(spec.origin)
    return origin.parent if origin.name == "__init__.py" else origin


def _scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    passed = {name: value for name, value in environment.items() if name.startswith(_PASSED)}
    return {**passed, "TZ": ":UTC"}
