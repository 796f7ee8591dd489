"""What options and arguments may be: read once, here, into what ops takes."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from streamctl.core.policy import parse_duration

_F = TypeVar("_F", bound=Callable[..., Any])


class Duration(click.ParamType[timedelta]):
    """A length of time, as `90s` or `1h30m`; AskedWrongly says how to write one."""

    name = "duration"

    def convert(
        self,
        value: str | timedelta,
        param: click.Parameter | None,  # noqa: ARG002 - click's signature
        ctx: click.Context | None,  # noqa: ARG002 - click's signature
    ) -> timedelta:
        return value if isinstance(value, timedelta) else parse_duration(value)


class Existing(click.Path):
    """A file, or a folder where those are allowed; no pipe or device, on which reading may wait."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Path:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not (path.is_file() or path.is_dir()):
            self.fail(f"'{path}' is not a regular file.", param, ctx)
        return path


DURATION: Final = Duration()
FILE: Final = Existing(exists=True, dir_okay=False, readable=True, path_type=Path)
FILE_OR_FOLDER: Final = Existing(exists=True, readable=True, path_type=Path)


def collection_option(command: _F) -> _F:
    return click.option("--collection", required=True, help="The collection's name.")(command)


def camera_option(command: _F) -> _F:
    return click.option("--camera", required=True, help="The camera's name.")(command)
