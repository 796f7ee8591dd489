"""stdout is data, stderr is talk.

Data goes out as a table, as one JSON document, or as one JSON object a line. JSON keys are the
same in both, and stay the same within a major version. A table is cut to the terminal's width;
in a pipe it is as wide as it needs to be, so that no value is broken over two lines.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

from streamctl.cli.settings import Settings
from streamctl.core.policy import format_duration

Row = Mapping[str, Any]
_AS_WIDE_AS_NEEDED: Final = 10_000
_NOT_ASCII: Final = re.compile(r"[^ -~\n]")


def say(text: str) -> None:
    """Talk: one line on stderr."""
    click.echo(printable(text), err=True)


def rows(
    settings: Settings,
    found: Iterable[Row],
    columns: Sequence[str],
    nothing: str,
    unbroken: Sequence[str] = (),
) -> None:
    """Print what was found. JSON has every key; a table only `columns`.

    `nothing` is said, on stderr, where a table would be empty. Values of `unbroken` columns stay on
    one line, to be copied, unless the terminal is too narrow even so.
    """
    if settings.format == "ndjson":
        for row in found:
            line(row)
        return
    every = list(found)
    if settings.format == "json":
        click.echo(_json(every, indent=2))
    elif every:
        cells = [[_cell(row.get(column)) for column in columns] for row in every]
        _table(cells, columns, unbroken)
    else:
        say(nothing)


def one(settings: Settings, found: Row) -> None:
    """Print one thing: a JSON object, or a table of its keys and values."""
    if settings.format == "table":
        _table([_labelled(key, value) for key, value in found.items()])
    elif settings.format == "json":
        click.echo(_json(found, indent=2))
    else:
        line(found)


def done(settings: Settings, sentence: str, thing: Row) -> None:
    """Say what was done; whoever reads JSON also gets the thing that it was done to."""
    say(sentence)
    if settings.format != "table":
        one(settings, thing)


def line(row: Row) -> None:
    """One JSON object on a line of its own, out at once: somebody may be following."""
    click.echo(_json(row))


def follows_as_json(settings: Settings) -> bool:
    """Whether what is followed is a line of JSON each: in a pipe, and with -o."""
    return settings.format != "table" or (settings.output is None and not sys.stdout.isatty())


def printable(text: str) -> str:
    """Names and messages come from elsewhere: none of them may steer the terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _json(value: Any, indent: int | None = None) -> str:
    """JSON as people write it, é as é; what cannot be printed is escaped, so nothing is lost."""
    text = json.dumps(value, default=_plain, indent=indent, ensure_ascii=False)
    return _NOT_ASCII.sub(_escaped_unless_printable, text)


def _escaped_unless_printable(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1]


def _plain(value: Any) -> Any:
    """JSON for what json does not know: times in UTC, to the millisecond."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    raise TypeError(f"no JSON for {type(value).__name__}")


def _labelled(key: str, value: Any) -> tuple[str, str]:
    """A key as words; seconds, which JSON counts in `..._s`, as a person writes them."""
    if key.endswith("_s"):
        key = key.removesuffix("_s")
        lengths = value if isinstance(value, tuple) else (value,)
        value = [format_duration(timedelta(seconds=each)) for each in lengths if each is not None]
    return key.replace("_", " "), _cell(value)


def _cell(value: Any) -> str:
    if value is None or value in ("", [], ()):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_cell(each) for each in value)
    return printable(str(value))


def _table(
    cells: Sequence[Sequence[str]], titles: Sequence[str] = (), unbroken: Sequence[str] = ()
) -> None:
    # rich takes 50 ms to load, so it is loaded only where a table is drawn.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, show_header=bool(titles), header_style="bold")
    width = len(titles or cells[0])
    for index in range(width):
        title = titles[index].replace("_", " ").upper() if titles else ""
        whole = titles[index] in unbroken if titles else index == 0
        table.add_column(title, overflow="fold", no_wrap=whole)
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(file=sys.stdout, width=_width(), soft_wrap=False, highlight=False)
    with console.capture() as drawn:
        console.print(table)
    for text in drawn.get().splitlines():
        click.echo(text.rstrip())


def _width() -> int:
    if not sys.stdout.isatty():
        return _AS_WIDE_AS_NEEDED
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:
        return 80
