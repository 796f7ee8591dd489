"""Where AWS's behaviour is not documented: which of two answers the local cloud gives.

Each switch belongs to one inferred fact of docs/assumptions.md. Our own code must do its work
under both answers; the defaults are the likelier ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from streamctl.errors import AskedWrongly


@dataclass(frozen=True, slots=True)
class Switches:
    """One answer to every open question. Lengths of time are in seconds."""

    empty_records: bool = True
    """A record is written for an analysed frame without faces."""
    stop_of_stopped_is_error: bool = True
    """StopStreamProcessor of a stopped processor answers ResourceInUseException."""
    stale_describe_s: float = 0.0
    """DescribeStreamProcessor answers what was true this long ago."""
    eleventh_start: Literal["refused", "fails"] = "refused"
    """A start beyond the quota of ten is refused at once, or becomes FAILED later."""
    list_fragments_late_s: float = 0.0
    """ListFragments shows a fragment this long after it was stored."""
    stops_by_itself_after_s: float | None = None
    """A running processor stops without being asked, this long after its start."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Switches:
        """Switches from names and values; text values are read as on the command line.

        Raises AskedWrongly for a name or a value that is not one of a switch.
        """
        known = {field.name: field.default for field in dataclasses.fields(cls)}
        for name in given:
            if name not in known:
                raise AskedWrongly(
                    f"no switch is called {name!r}", hint=f"switches: {', '.join(known)}"
                )
        return cls(**{name: _value(name, value) for name, value in given.items()})


def _value(name: str, value: Any) -> Any:
    text = str(value).strip().lower()
    if name in {"empty_records", "stop_of_stopped_is_error"}:
        return _boolean(name, text)
    if name == "eleventh_start":
        return _one_of(name, text, ("refused", "fails"))
    if name == "stops_by_itself_after_s" and text in {"none", ""}:
        return None
    return _seconds(name, text)


def _boolean(name: str, text: str) -> bool:
    return _one_of(name, text, ("true", "false", "1", "0")) in {"true", "1"}


def _one_of(name: str, text: str, answers: tuple[str, ...]) -> str:
    if text not in answers:
        raise AskedWrongly(f"switch {name} cannot be {text!r}", hint=f"one of {', '.join(answers)}")
    return text


def _seconds(name: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise AskedWrongly(f"switch {name} is a number of seconds, not {text!r}")
    return seconds
