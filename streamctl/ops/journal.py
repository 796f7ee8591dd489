"""What the functions write to their log: one JSON object a line.

Everything about one run carries its id as `run`, the same as in its events. Figures are written in
CloudWatch's embedded metric format, which costs no call (CloudWatch guide, "Embedded metric
format specification"): CloudWatch reads them out of the log.
"""

from __future__ import annotations

import json
import time
from enum import StrEnum
from typing import Any, Final

NAMESPACE: Final = "streamctl"


class Unit(StrEnum):
    COUNT = "Count"
    SECONDS = "Seconds"


def note(what: str, **facts: Any) -> None:
    """One line; CloudWatch Logs finds its members by name."""
    _write({"what": what, **facts})


def measure(platform: str, name: str, value: float, unit: Unit = Unit.COUNT, **facts: Any) -> None:
    """One figure of a platform, under namespace `streamctl` and dimension `Platform`.

    What else is known of it stands beside it in the log, and makes no dimension: each value of one
    would be a metric of its own, billed as such.
    """
    about = {
        "Namespace": NAMESPACE,
        "Dimensions": [["Platform"]],
        "Metrics": [{"Name": name, "Unit": unit}],
    }
    stamp = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [about]}
    _write({"what": "measured", **facts, "_aws": stamp, "Platform": platform, name: value})


def _write(line: dict[str, Any]) -> None:
    print(json.dumps(line, default=str), flush=True)  # noqa: T201 - Lambda's log is its standard output
