"""Finding what the platform's table tells of a processor, also of one that is long gone.

The table is keyed by cameras, and a processor that is gone names none: so the likely cameras are
looked at first, and the whole table last. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from streamctl.aws import table
from streamctl.aws.session import Aws
from streamctl.core import documents, history, names
from streamctl.core.history import History
from streamctl.core.liveness import Status
from streamctl.core.policy import format_duration
from streamctl.core.runs import Run
from streamctl.core.teardown import FINISHED_EXPIRES
from streamctl.errors import AskedWrongly, NotFound, Unsuitable
from streamctl.ops import inventory, processors
from streamctl.ops.inventory import OwnedProcessor, Platform
from streamctl.ops.setting import run_key


def read(
    aws: Aws, platform: str, name: str, now: datetime
) -> tuple[History, OwnedProcessor | None]:
    """The history of a processor, and the processor itself unless it is gone.

    Raises NotFound, with what to do, if the platform knows nothing of it.
    """
    names.processor(name)
    base = inventory.usable_platform(aws, platform)
    found = processors.find(aws, name)
    run = latest_run(aws, base, name, found)
    if run is None:
        raise unknown(base, name, found)
    return history.of(run, name, now, found.described.processor if found else None), found


def latest_run(aws: Aws, base: Platform, name: str, found: OwnedProcessor | None) -> Run | None:
    """The latest run of the camera that this processor has, or had; None where none tells of it."""
    for camera in _likely_cameras(aws, base, name, found):
        run = run_of(aws, base, camera)
        if run is not None and history.tells_of(run, name):
            return run
    containing = documents.dumps({"processor": name}).strip("{}")
    runs = table.search(aws, base.outputs["TableName"], run_key(""), containing, Run)
    return history.latest(runs, name)


def run_of(aws: Aws, base: Platform, camera: str) -> Run | None:
    """The latest run of the camera of this ARN; None where none is known."""
    return table.load_one(aws, base.outputs["TableName"], run_key(camera), Run).thing


def unknown(base: Platform, name: str, found: OwnedProcessor | None) -> NotFound:
    """The error for a processor that this platform's table does not tell of."""
    if found is None:
        return NotFound(
            f"platform {base.name} knows no processor {name}",
            hint="a run is remembered for"
            f" {format_duration(FINISHED_EXPIRES)} after its end; streamctl processor list",
        )
    if not found.belongs_to(base.name):
        whose = f"platform {found.owned.platform}'s" if found.owned else "not streamctl's"
        hint = f"{found.command} processor history {name}" if found.owned else ""
        return NotFound(f"processor {name} is {whose}: {base.name} keeps no history of it", hint)
    status = found.described.processor.status
    if status in (Status.STOPPED, Status.STOPPING):
        hint = f"{found.command} processor start {name}"
        return NotFound(f"processor {name} is {status}, and has not run yet", hint)
    hint = "it is taken up within 2 minutes; if not: streamctl sweep --dry-run"
    return NotFound(f"processor {name} is {status}, but no run of it is known yet", hint)


def _likely_cameras(
    aws: Aws, base: Platform, name: str, found: OwnedProcessor | None
) -> Iterator[str]:
    """Its own camera's ARN, if it still has one, or else that of the camera of its name."""
    if found is not None:
        yield found.camera_arn
        return
    try:
        yield inventory.usable_camera(aws, base.name, name).arn
    except (NotFound, Unsuitable, AskedWrongly):
        return
