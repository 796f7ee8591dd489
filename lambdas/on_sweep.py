"""The schedule came round, or somebody asks: find what events lost."""

from typing import Any

from streamctl.aws.session import Aws
from streamctl.ops import sweep
from streamctl.ops.setting import Setting

_AWS = Aws()


def handler(event: object, _context: object) -> dict[str, Any]:
    """What was looked at out. Any event in: with `"dry_run": true` in it, nothing is touched."""
    dry_run = isinstance(event, dict) and event.get("dry_run") is True
    return sweep.sweep(_AWS, Setting.from_environment(), dry_run=dry_run)
