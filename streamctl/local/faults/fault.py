"""A fault as a value: what it hits, when, and what it does. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from streamctl.errors import AskedWrongly
from streamctl.local.faults.happenings import EFFECTS, canonical
from streamctl.local.faults.sense import demand_sense

_PARTS: Final = re.compile(r"[/:#]")


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to some calls of one operation, or to some of what happens between calls.

    `target` and `caller` narrow it to some of them; of those, `skip` pass, then `times` are hit
    (None: any number), all within `for_s` seconds from its injection (None: for ever).
    """

    operation: str
    """botocore's service, a dot, and the operation; or one of our own happenings."""
    target: str = ""
    """Only what names this resource: a processor, camera, function, queue, table, results."""
    caller: str = ""
    """Only calls that the function of this name makes."""
    skip: int = 0
    times: int | None = 1
    for_s: float | None = None
    code: str = ""
    """The error that is answered; "Dropped" is no answer, "Lost" is a lie."""
    status: int | None = None
    """The error's HTTP status; without, what the service's model gives it, or 400."""
    message: str = ""
    delay_s: float = 0.0
    """Held for so long, and then as it would have been, or as the other members say."""
    kills: str = ""
    """The function that calls is killed, "before" or "after" its call takes effect."""
    stale_s: float = 0.0
    """Answered with what was true so long ago."""
    shuffle_s: float = 0.0
    """Each is held for another part of this time, so that their order changes."""
    copies: int = 1

    @classmethod
    def of(cls, given: Any) -> Fault:
        """A fault from parsed JSON. Raises AskedWrongly where it cannot be meant."""
        if not isinstance(given, dict):
            raise AskedWrongly("a fault is a JSON object")
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = [str(name) for name in given if name not in known]
        if unknown:
            raise AskedWrongly(
                f"a fault has no {', '.join(unknown)}", hint=f"it has {', '.join(sorted(known))}"
            )
        name = canonical(str(given.get("operation", "")))
        times = None if given.get("for_s") is not None else 1
        return demand_sense(cls(**{"times": times, **given, "operation": name}))

    @property
    def effects(self) -> tuple[str, ...]:
        """The members by which it does something."""
        idle = {field.name: field.default for field in dataclasses.fields(self)}
        return tuple(name for name in EFFECTS if getattr(self, name) != idle[name])

    def concerns(self, operation: str, names: Iterable[str], caller: str) -> bool:
        """Whether it is about this: what is acted on, by any of its names, and who calls."""
        if self.operation.lower() != operation.lower():
            return False
        if self.caller and self.caller != caller:
            return False
        return not self.target or any(_is_named(self.target, name) for name in names)


def _is_named(target: str, name: str) -> bool:
    """Whether a name, ARN, URL or key is the target, or has it between its separators."""
    return target == name or target in _PARTS.split(name)
