"""The tables in docs/events.md, made from the schemas of events.

`python -m streamctl.cli.event_tables docs/events.md` writes each between its two marker lines,
`<!-- table: NAME -->` and `<!-- /table -->`; a test compares them with what stands there.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from streamctl.core import events
from streamctl.ops import schemas

_MARKED: Final = re.compile(r"(<!-- table: ([^\n]+) -->\n).*?(<!-- /table -->)", re.DOTALL)
_SCHEMAS: Final = {kind: schemas.load(events.slug(kind)) for kind in events.KINDS}
_ENVELOPE: Final = schemas.load(schemas.ENVELOPE)

Row = tuple[str, str, str]
"""A member, its type, and its meaning."""


def written_into(text: str) -> str:
    """A document with every table between its markers.

    Raises ValueError if it has no markers, or one of a table that there is not.
    """
    if not _MARKED.search(text):
        raise ValueError("no lines <!-- table: NAME --> and <!-- /table -->")
    return _MARKED.sub(lambda found: f"{found[1]}{table(found[2])}\n{found[3]}", text)


def table(name: str) -> str:
    """One Markdown table. Raises ValueError if there is none of that name."""
    match name:
        case "kinds":
            told = ((f"`{kind}`", each["description"]) for kind, each in _SCHEMAS.items())
            return _markdown(("detail type", "when"), told)
        case "every event":
            return _markdown(("member", "type", "meaning"), _common())
        case "sightings":
            return _markdown(("member", "in", "type", "meaning"), _own("Sighting"))
        case "processors":
            return _markdown(("member", "in", "type", "meaning"), _own("Processor"))
        case "envelope":
            return _markdown(("member", "type", "meaning"), _members(_ENVELOPE))
        case _:
            return _definition(name)


def _definition(name: str) -> str:
    """The table of what several members are: of its members, or of the words that it may be."""
    found = _ENVELOPE["$defs"].get(name, {})
    if "oneOf" in found:
        words = ((f"`{each['const']}`", each["description"]) for each in found["oneOf"])
        return _markdown((f"`{name}`", "meaning"), words)
    if "properties" in found:
        return _markdown(("member", "type", "meaning"), _members(found))
    raise ValueError(f"no table {name}")


def _common() -> list[Row]:
    """What every kind has, with one meaning."""
    first, *others = (list(_members(each)) for each in _SCHEMAS.values())
    return [row for row in first if all(row in rows for rows in others)]


def _own(thing: str) -> Iterator[tuple[str, ...]]:
    """What the kinds of a thing have besides, and which of them."""
    found, common = dict[Row, list[str]](), _common()
    kinds = [kind for kind in events.KINDS if kind.startswith(thing)]
    for kind in kinds:
        for row in _members(_SCHEMAS[kind]):
            found.setdefault(row, []).append(kind.removeprefix(thing).strip())
    for row, having in found.items():
        if row not in common:
            member, *rest = row
            yield member, "all" if len(having) == len(kinds) else ", ".join(having), *rest


def _members(schema: Mapping[str, Any]) -> Iterator[Row]:
    for name, member in schema["properties"].items():
        optional = "" if name in schema["required"] else ", or absent"
        yield f"`{name}`", _type(member) + optional, member["description"]


def _type(schema: Mapping[str, Any]) -> str:
    """What a value is, in few words; of what has a table of its own, its name."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(each)}`" for each in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}s"
    named = schema["type"]
    return named if isinstance(named, str) else " or ".join(named)


def _markdown(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (titles, *rows)]
    return "\n".join([lines[0], "|---" * len(titles) + "|", *lines[1:]])


if __name__ == "__main__":
    document = Path(sys.argv[1])
    text = written_into(document.read_text(encoding="utf-8"))
    document.write_text(text, encoding="utf-8")
