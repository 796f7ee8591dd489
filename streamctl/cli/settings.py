"""What every command is told: where AWS is, which platform, how to print."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from streamctl.core import names

if TYPE_CHECKING:
    from streamctl.aws.session import Aws

FORMATS: Final = ("table", "json", "ndjson")


@dataclass(frozen=True)
class Settings:
    """`None` means: not said, so boto3's own settings, or a table.

    Raises AskedWrongly for a platform that cannot be called so.
    """

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    platform: str = "main"
    output: str | None = None

    def __post_init__(self) -> None:
        names.platform(self.platform)

    @property
    def format(self) -> str:
        return self.output or "table"

    @cached_property
    def aws(self) -> Aws:
        from streamctl.aws.session import Aws  # noqa: PLC0415 - boto3 is slow; --help needs none

        return Aws(self.profile, self.region, self.endpoint_url)
