"""Run: python -m benchmarks [NAME ...]"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Final

from benchmarks.report import Table, say
from streamctl.errors import StreamctlError
from streamctl.local import identity

NAMES: Final = ("on_records", "aws_calls", "fragment_reader", "startup", "latency", "teardown")
ONLY_IF_NAMED: Final = ("fleet_sim",)
"""A quarter of an hour of pure computing."""


def main(arguments: Sequence[str]) -> int:
    """Print the tables of the benchmarks that are named, or of all the quick; the exit code."""
    known = (*NAMES, *ONLY_IF_NAMED)
    unknown = [name for name in arguments if name not in known]
    if unknown:
        say(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(known)}")
        return 2
    _forget_aws_settings()
    failed = [name for name in arguments or NAMES if not _run(name)]
    return 1 if failed else 0


def _run(name: str) -> bool:
    """Print the tables of one benchmark; whether it could be measured."""
    began = time.perf_counter()
    say(f"{name}: measuring")
    measured: Iterable[Table] = importlib.import_module(f"benchmarks.{name}").measure()
    try:
        for table in measured:
            print(table, flush=True)
    except StreamctlError as error:
        say(f"{name}: failed: {error}")
        return False
    say(f"{name}: took {time.perf_counter() - began:.0f} s")
    return True


def _forget_aws_settings() -> None:
    """Nothing of the user's own may lead a call to a real account, or slow it down."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_ACCESS_KEY_ID"] = identity.ACCESS_KEY
    os.environ["AWS_SECRET_ACCESS_KEY"] = identity.SECRET_KEY
    os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = identity.REGION


if __name__ == "__main__":
    # However it is stopped, the local clouds that it started are stopped with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
