"""Local clouds for tests, ours and our users'. Loaded by every pytest run, so it imports little.

- `local_cloud`: a cloud of its own for each test.
- `start_local_cloud(**options)`: makes clouds with options (LocalCloud.start), stopped at the end.
- `shared_local_cloud`: one for the whole run, for tests that mind their names.

A cloud's `fault(...)` makes something go wrong: `cloud.fault("dynamodb.PutItem", target="orders",
caller="book", kills="after")` kills the function `book` once its item is written. Every fault, with
an example each, stands in docs/local-cloud.md.

Without the [local] extra such tests are skipped; with STREAMCTL_REQUIRE_LOCAL=1 they fail.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from streamctl.errors import Missing
from streamctl.local.launch import LocalCloud


@pytest.fixture
def start_local_cloud() -> Iterator[Callable[..., LocalCloud]]:
    """Start local clouds with options; each takes free ports and ends with the test."""
    with contextlib.ExitStack() as started:

        def start(**options: Any) -> LocalCloud:
            return started.enter_context(_start(**options))

        yield start


@pytest.fixture
def local_cloud(start_local_cloud: Callable[..., LocalCloud]) -> LocalCloud:
    """A local cloud that nobody else uses: its faults are this test's, and end with it."""
    return start_local_cloud()


@pytest.fixture(scope="session")
def shared_local_cloud() -> Iterator[LocalCloud]:
    """One local cloud for the whole run.

    Other tests use it too: give what you make a name of its own, aim faults at that name
    (`target`), and take back what has not hit (`faults_clear(target=name)`).
    """
    with _start() as cloud:
        yield cloud


def _start(**options: Any) -> LocalCloud:
    try:
        return LocalCloud.start(**{"port": 0, **options})
    except Missing as missing:
        reason = f"{missing} ({missing.hint})"
        if os.environ.get("STREAMCTL_REQUIRE_LOCAL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
