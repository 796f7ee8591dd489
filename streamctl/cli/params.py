"""What options and arguments may be: read once, here, into what ops takes."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from streamctl.core.policy import parse_duration
from streamctl.errors import AskedWrongly

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


class Moment(click.ParamType[datetime]):
    """A point in time, as ISO 8601 with its zone: without one, nobody knows whose clock is meant."""

    name = "time"

    def convert(
        self,
        value: str | datetime,
        param: click.Parameter | None,  # noqa: ARG002 - click's signature
        ctx: click.Context | None,  # noqa: ARG002 - click's signature
    ) -> datetime:
        moment = value if isinstance(value, datetime) else _parsed(value)
        if moment is None or moment.tzinfo is None:
            raise AskedWrongly(
                f"'{value}' is no time", hint="write it like 2026-01-01T23:00:00Z, with its zone"
            )
        return moment


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


DURATION: Final = Duration()
MOMENT: Final = Moment()
FILE: Final = Existing(exists=True, dir_okay=False, readable=True, path_type=Path)
FILE_OR_FOLDER: Final = Existing(exists=True, readable=True, path_type=Path)


def collection_option(command: _F) -> _F:
    return click.option("--collection", required=True, help="The collection's name.")(command)


def camera_option(command: _F) -> _F:
    return click.option("--camera", required=True, help="The camera's name.")(command)


def text_of(file: Path) -> str:
    """What is written in a file. Raises AskedWrongly for one that is no text."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise AskedWrongly(f"{file} is no text in UTF-8", hint="save it as UTF-8") from error
