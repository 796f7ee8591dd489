"""What a platform watches for, as a file that people write: TOML in, TOML out.

The file is somebody's text: it is read with limits, and whatever is wrong with it becomes one
AskedWrongly that says where.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import time, timedelta
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from streamctl.core import names
from streamctl.core.policy import format_duration, parse_duration
from streamctl.core.sightings import MEASURES, UNKNOWN, Measures
from streamctl.core.watch import WATCH, Attention, Hours, Rule, Watch
from streamctl.errors import AskedWrongly

MAX_BYTES: Final = 64 * 1024
MAX_RULES: Final = 500
MAX_NAMES: Final = 1000

LIMITS: Final = {
    "gap": (timedelta(seconds=2), timedelta(minutes=10)),
    "lateness": (timedelta(seconds=1), timedelta(minutes=10)),
    "within": (timedelta(seconds=1), timedelta(minutes=1)),
    "update_every": (timedelta(seconds=1), timedelta(hours=1)),
    "cooldown": (timedelta(0), timedelta(days=1)),
}
"""At least, and at most. What is open is kept in one item of the table, so it must end some time."""

MOST_FRAMES: Final = 20

_FRAME_EVERY: Final = timedelta(seconds=1)
"""About so often a frame is analysed: more of them never come within a time."""

_TOP: Final = "at its top"

_HOURS: Final = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d) (\S{1,64})")
_V = TypeVar("_V")


def parse(text: str, file: str = "the file") -> Watch:
    """Read the text of a file of that name. Raises AskedWrongly, which names it."""
    return _checked(_watch, text, file)


def _watch(text: str) -> Watch:
    given = _document(text)
    _only(given, _TOP, ("cooldown", "same", "sighting", "rule"))
    same = _same(_table(given, "same"))
    rules = tuple(
        _rule(each, f"rule {number}", same or {})
        for number, each in enumerate(_tables(given, "rule"), 1)
    )
    return Watch(
        rules=rules,
        same=same,
        cooldown=_length(given, "cooldown", WATCH.cooldown, _TOP),
        measures=_measures(_table(given, "sighting")),
    )


def _document(text: str) -> Mapping[str, Any]:
    """The TOML. A file without a word is one that was not written to its end, or a variable that
    was not set: it must not take all rules away.
    """
    if not text.strip():
        raise AskedWrongly(
            "it is empty",
            hint="to have no rules on purpose, write a comment into it, or one setting",
        )
    if len(text.encode()) > MAX_BYTES:
        raise AskedWrongly(f"it has more than {MAX_BYTES} bytes")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AskedWrongly(f"it is no TOML: {error}") from error
    except RecursionError as error:
        raise AskedWrongly("it is no TOML that can be read: it is nested too deeply") from error
    except ValueError as error:
        raise AskedWrongly("a number in it has too many digits") from error


def render(watch: Watch) -> str:
    """The text that `parse` reads back as the same."""
    measures = watch.measures
    blocks = [[f'cooldown = "{format_duration(watch.cooldown)}"']]
    if watch.same:
        blocks.append(["[same]", *(f'"{a}" = "{b}"' for a, b in watch.same.items())])
    blocks.append(
        [
            "[sighting]",
            f'gap = "{format_duration(measures.gap)}"',
            f'lateness = "{format_duration(measures.lateness)}"',
            f"min_frames = {measures.min_frames}",
            f'within = "{format_duration(measures.within)}"',
            f'update_every = "{format_duration(measures.update_every)}"',
        ]
    )
    blocks += [["[[rule]]", *_rule_lines(each)] for each in watch.rules]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _rule_lines(rule: Rule) -> Iterator[str]:
    yield f'attention = "{rule.attention}"'
    if rule.camera:
        yield f'camera = "{rule.camera}"'
    if rule.person:
        yield f'person = "{rule.person}"'
    if rule.hours:
        yield f'hours = "{written(rule.hours)}"'


def written(hours: Hours) -> str:
    """As in the file: `22:00-06:00 Europe/Berlin`."""
    return f"{hours.begin:%H:%M}-{hours.end:%H:%M} {hours.zone}"


def _rule(given: Mapping[str, Any], where: str, same: Mapping[str, str]) -> Rule:
    _only(given, where, ("attention", "camera", "person", "hours"))
    said = _text(given, "attention", where)
    if said not in set(Attention):
        raise AskedWrongly(f"{where}: attention is one of {', '.join(Attention)}, and not '{said}'")
    camera, person = _text(given, "camera", where), _text(given, "person", where)
    if camera:
        _checked(names.camera, camera, where)
    if person and person != UNKNOWN:
        _checked(names.person, person, where)
    if person in same:
        raise AskedWrongly(
            f"{where}: nobody is told of as '{person}', which [same] says is '{same[person]}'",
            hint=f"name '{same[person]}' in the rule",
        )
    hours = _text(given, "hours", where)
    return Rule(Attention(said), camera, person, _hours(hours, where) if hours else None)


def _hours(text: str, where: str) -> Hours:
    found = _HOURS.fullmatch(text)
    hours = _possible(*found.groups()) if found else None
    if hours is None:
        raise AskedWrongly(
            f"{where}: '{text}' are no hours",
            hint="write them like 22:00-06:00 Europe/Berlin, with the zone's IANA name",
        )
    if hours.begin == hours.end:
        raise AskedWrongly(f"{where}: hours that begin when they end are none: leave them out")
    return hours


def _possible(begin: str, end: str, zone: str) -> Hours | None:
    try:
        ZoneInfo(zone)
        return Hours(time.fromisoformat(begin), time.fromisoformat(end), zone)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return None


def _same(given: Mapping[str, Any]) -> Mapping[str, str] | None:
    if len(given) > MAX_NAMES:
        raise AskedWrongly(f"[same] has more than {MAX_NAMES} names")
    for other in given:
        name = _text(given, other, "[same]")
        _checked(names.person, other, "[same]")
        _checked(names.person, name, "[same]")
        if name in given:
            raise AskedWrongly(
                f"[same]: '{other}' is '{name}', which is another name itself",
                hint="give every other name the one name under which the person is told of",
            )
    return dict(given) or None


def _measures(given: Mapping[str, Any]) -> Measures:
    where = "[sighting]"
    _only(given, where, ("gap", "lateness", "min_frames", "within", "update_every"))
    frames = given.get("min_frames", MEASURES.min_frames)
    if type(frames) is not int or not 1 <= frames <= MOST_FRAMES:
        raise AskedWrongly(f"{where}: min_frames is a number from 1 to {MOST_FRAMES}")
    within = _length(given, "within", MEASURES.within, where)
    at_most = within // _FRAME_EVERY + 1
    if frames > at_most:
        raise AskedWrongly(
            f"{where}: {frames} frames never come within {format_duration(within)}:"
            " about one a second is analysed",
            hint=f"min_frames is at most {at_most} there; or give within more time",
        )
    return Measures(
        gap=_length(given, "gap", MEASURES.gap, where),
        lateness=_length(given, "lateness", MEASURES.lateness, where),
        min_frames=frames,
        within=within,
        update_every=_length(given, "update_every", MEASURES.update_every, where),
    )


def _length(given: Mapping[str, Any], key: str, default: timedelta, where: str) -> timedelta:
    if key not in given:
        return default
    text, (least, most) = _text(given, key, where), LIMITS[key]
    length = timedelta(0) if text == "0s" else _checked(parse_duration, text, where)
    if not least <= length <= most:
        bounds = f"{format_duration(least)} to {format_duration(most)}"
        raise AskedWrongly(f"{where}: {key} is {text}; it may be {bounds}")
    return length


def _table(given: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = given.get(key, {})
    if not isinstance(found, dict):
        raise AskedWrongly(f"{key} is no table: write [{key}]")
    return found


def _tables(given: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = given.get(key, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise AskedWrongly(f"{key} is no list of tables: write [[{key}]]")
    if len(found) > MAX_RULES:
        raise AskedWrongly(f"there are more than {MAX_RULES} rules")
    return found


def _only(given: Mapping[str, Any], where: str, known: tuple[str, ...]) -> None:
    unknown = [key for key in given if key not in known]
    if unknown:
        raise AskedWrongly(f"{where}: no '{unknown[0]}' is known here: {', '.join(known)}")


def _text(given: Mapping[str, Any], key: str, where: str) -> str:
    value = given.get(key, "")
    if not isinstance(value, str):
        raise AskedWrongly(f"{where}: {key} is no text: write it in quotes")
    if key in given and not value:
        # What a template makes of an unset variable; as not given, it would let everybody in.
        raise AskedWrongly(f"{where}: {key}: it is empty: give a value, or leave it out")
    return value


def _checked(read: Callable[[str], _V], text: str, where: str) -> _V:
    """What is wrong with it, and where."""
    try:
        return read(text)
    except AskedWrongly as error:
        raise AskedWrongly(f"{where}: {error}", hint=error.hint) from error
