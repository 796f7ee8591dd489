"""The schemas of events (JSON Schema 2020-12): the contract with those who listen on the bus.

One for the detail of each kind, and one for a whole message as it arrives in a queue. They are data
files of the package, named by the kind, and each is enough by itself: no reference leads out of it.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, Final

from streamctl.core import events

Schema = dict[str, Any]

ENVELOPE: Final = "envelope"
NAMES: Final = (*map(events.slug, events.KINDS), ENVELOPE)


def load(name: str) -> Schema:
    """One of NAMES."""
    return _whole(_read(ENVELOPE)) if name == ENVELOPE else _read(name)


def _read(name: str) -> Schema:
    text = (resources.files("streamctl") / "schemas" / f"{name}.json").read_text(encoding="utf-8")
    schema: Schema = json.loads(text)
    return schema


def _whole(envelope: Schema) -> Schema:
    """The envelope's schema with those of all details in it, told apart by the detail type.

    They become definitions among their own, which are the same in every file that has them.
    """
    definitions, choices = dict[str, Any](), list[Schema]()
    for kind in events.KINDS:
        name = events.slug(kind)
        detail = _read(name)
        definitions |= detail.pop("$defs")
        definitions[name] = {key: detail[key] for key in detail if key not in ("$schema", "$id")}
        of_this_kind = {"properties": {"detail-type": {"const": kind}}}
        choices.append(
            {"if": of_this_kind, "then": {"properties": {"detail": {"$ref": f"#/$defs/{name}"}}}}
        )
    return {**envelope, "allOf": choices, "$defs": definitions}
