"""What options and arguments may be: read once, here, into what ops takes."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from streamctl.core.policy import parse_duration
from streamctl.errors import AskedWrongly

_T = TypeVar("_T")
_F = TypeVar("_F", bound=Callable[..., Any])


class Parsed(click.ParamType[_T]):
    """A value that is written as text. What cannot be one is refused with the hint of how to write it."""

    def __init__(self, name: str, kind: type[_T], parse: Callable[[str], _T]) -> None:
        self.name = name
        self._kind, self._parse = kind, parse

    def convert(
        self,
        value: str | _T,
        param: click.Parameter | None,  # noqa: ARG002 - click's signature
        ctx: click.Context | None,  # noqa: ARG002 - click's signature
    ) -> _T:
        return value if isinstance(value, self._kind) else self._parse(str(value))


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


class Number(click.FloatRange):
    """A number of a range. Click finds nan in every one, since it compares with nothing."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"'{value}' is no number.", param, ctx)
        return number


def _moment(text: str) -> datetime:
    """A point in time: as ISO 8601 with its zone, without which nobody knows whose clock is meant;
    or how long ago it was.
    """
    length, _, ago = text.strip().rpartition(" ")
    if ago == "ago":
        return datetime.now(UTC) - parse_duration(length)
    with contextlib.suppress(ValueError):
        moment = datetime.fromisoformat(text)
        # In other zones the first and the last year may reach beyond what a datetime can be.
        if moment.tzinfo is not None and MINYEAR < moment.year < MAXYEAR:
            return moment
    raise AskedWrongly(
        f"'{text}' is no time",
        hint="write it like 2026-01-01T23:00:00Z, with its zone, or like '2h ago'",
    )


DURATION: Final = Parsed("duration", timedelta, parse_duration)
MOMENT: Final = Parsed("time", datetime, _moment)
FILE: Final = Existing(exists=True, dir_okay=False, readable=True, path_type=Path)
FILE_OR_FOLDER: Final = Existing(exists=True, readable=True, path_type=Path)


def collection_option(command: _F) -> _F:
    return click.option("--collection", required=True, help="The collection's name.")(command)


def camera_option(command: _F) -> _F:
    return click.option("--camera", required=True, help="The camera's name.")(command)


def text_of(file: Path) -> str:
    """What is written in a file. Raises AskedWrongly for one that is no text."""
    try:
        # Some editors begin UTF-8 with a mark, which is no part of the text.
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise AskedWrongly(f"{file} is no text in UTF-8", hint="save it as UTF-8") from error
