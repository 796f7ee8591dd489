"""The table of commands in README, made from the commands' own help.

`python -m streamctl.cli.reference README.md` writes it between the two marker lines; a test
compares it with what stands there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from streamctl.cli.main import cli

BEGIN: Final = "<!-- commands -->"
END: Final = "<!-- /commands -->"


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its full name."""
    yield from _below("streamctl", cli)


def table() -> str:
    """One Markdown line for each command."""
    lines = ["| command | what it does |", "|---|---|"]
    for name, command in commands():
        lines.append(f"| `{name}` | {sentence(command)} |")
    return "\n".join(lines)


def sentence(command: click.Command) -> str:
    """The first sentence of a command's help."""
    return " ".join((command.help or "").partition("\n\n")[0].split())


def written_into(text: str) -> str:
    """A document with the table between its markers. Raises ValueError if it lacks them."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for verb in command.list_commands(context):
        child = command.get_command(context, verb)
        assert child is not None
        yield from _below(f"{name} {verb}", child)


if __name__ == "__main__":
    document = Path(sys.argv[1])
    text = written_into(document.read_text(encoding="utf-8"))
    document.write_text(text, encoding="utf-8")
