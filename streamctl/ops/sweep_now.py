"""Asking a platform to sweep at once. Its function does it, so the caller needs no more than that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from streamctl.aws import functions
from streamctl.aws.session import Aws
from streamctl.core import names
from streamctl.errors import StreamctlError
from streamctl.ops import inventory


@dataclass(frozen=True, slots=True)
class Swept:
    """One thing that a sweep found, and what it does about it, or did. `result` is what came of
    that, well or not: None where nothing was done.
    """

    camera_arn: str | None
    processor: str | None
    would: str
    why: str
    result: str | None
    failed: bool = False

    @property
    def camera(self) -> str | None:
        return names.of_camera(self.camera_arn) if self.camera_arn else None


def ask(aws: Aws, platform: str, *, dry_run: bool) -> list[Swept]:
    """Sweep a platform; what was done. With `dry_run`: everything, and what would be done.

    Raises StreamctlError, with what the function said, if it failed.
    """
    base = inventory.usable_platform(aws, platform)
    answer = functions.invoke(aws, base.outputs["OnSweepArn"], {"dry_run": dry_run})
    try:
        return [_swept(each) for each in answer["findings"]]
    except (TypeError, KeyError, AttributeError) as error:
        raise StreamctlError(
            f"platform {platform} answers a sweep with something unknown",
            hint=f"{inventory.command(platform)} stack deploy brings it up to date",
        ) from error


def _swept(plain: dict[str, Any]) -> Swept:
    return Swept(
        camera_arn=plain["camera"] or None,
        processor=plain["processor"] or None,
        would=plain["would"],
        why=plain["why"],
        result=plain.get("result"),
        failed=plain.get("failed", False),
    )
