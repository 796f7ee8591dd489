"""Values on the wire and in Python, by botocore's shapes: JSON in, checked; JSON out.

AWS checks more than botocore's own validator does (upper bounds, patterns, enumerations), and
names every wrong member at once; so it is done here from the model's own constraints.
"""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape


class Malformed(Exception):
    """A value of the wrong JSON type: AWS answers SerializationException."""


class Invalid(Exception):
    """Values outside their constraints; the text is AWS's, with all of them."""


def read(shape: Shape, value: Any) -> Any:
    """A parsed JSON value as Python: blobs as bytes, timestamps as aware datetimes.

    Raises Malformed for a wrong type, Invalid where constraints of the model are not met.
    """
    wrong: list[str] = []
    result = _read(shape, value, "", wrong)
    if wrong:
        plural = "s" if len(wrong) > 1 else ""
        raise Invalid(f"{len(wrong)} validation error{plural} detected: {'; '.join(wrong)}")
    return result


def write(shape: Shape, value: Any) -> Any:
    """A Python value as JSON. Members of structures that are None are left out."""
    if isinstance(shape, StructureShape):
        return {
            name: write(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [write(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {str(key): write(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return value.timestamp() if isinstance(value, dt.datetime) else value
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    return value


def _read(shape: Shape, value: Any, path: str, wrong: list[str]) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(shape, _typed(value, dict, path), path, wrong)
    if isinstance(shape, ListShape):
        items = _typed(value, list, path)
        _check_length(shape, items, path, wrong)
        return [
            _read(shape.member, item, f"{path}.{at}.member", wrong)
            for at, item in enumerate(items, 1)
        ]
    if isinstance(shape, MapShape):
        pairs = _typed(value, dict, path)
        _check_length(shape, pairs, path, wrong)
        return {
            _read(shape.key, key, f"{path}.key", wrong): _read(
                shape.value, item, f"{path}.{key}.member", wrong
            )
            for key, item in pairs.items()
        }
    return _SCALARS[shape.type_name](shape, value, path, wrong)


def _structure(
    shape: StructureShape, value: Mapping[str, Any], path: str, wrong: list[str]
) -> dict[str, Any]:
    given = {name: item for name, item in value.items() if item is not None}
    wrong.extend(
        _said(None, _at(path, name), "Member must not be null")
        for name in shape.required_members
        if name not in given
    )
    return {
        name: _read(member, given[name], _at(path, name), wrong)
        for name, member in shape.members.items()
        if name in given
    }


def _string(shape: Shape, value: Any, path: str, wrong: list[str]) -> str:
    text: str = _typed(value, str, path)
    _check_length(shape, text, path, wrong)
    enum = shape.enum if isinstance(shape, StringShape) else []
    if enum and text not in enum:
        wrong.append(_said(text, path, f"Member must satisfy enum value set: [{', '.join(enum)}]"))
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, text):
        rule = f"Member must satisfy regular expression pattern: {pattern}"
        wrong.append(_said(text, path, rule))
    return text


def _integer(shape: Shape, value: Any, path: str, wrong: list[str]) -> int:
    number: int = _typed(value, int, path)
    _check_range(shape, number, path, wrong)
    return number


def _float(shape: Shape, value: Any, path: str, wrong: list[str]) -> float:
    try:
        number = float(_typed(value, (int, float), path))
    except OverflowError as error:
        raise Malformed(f"{path} is too large a number") from error
    _check_range(shape, number, path, wrong)
    return number


def _boolean(_shape: Shape, value: Any, path: str, _wrong: list[str]) -> bool:
    if not isinstance(value, bool):
        raise Malformed(f"{path or 'the body'} is not a boolean")
    return value


def _blob(shape: Shape, value: Any, path: str, wrong: list[str]) -> bytes:
    try:
        data = base64.b64decode(_typed(value, str, path), validate=True)
    except ValueError as error:
        raise Malformed(f"{path} is not base64") from error
    _check_length(shape, data, path, wrong)
    return data


def _timestamp(_shape: Shape, value: Any, path: str, _wrong: list[str]) -> dt.datetime:
    try:
        if isinstance(value, str):
            return dt.datetime.fromisoformat(value).astimezone(dt.UTC)
        return dt.datetime.fromtimestamp(_typed(value, (int, float), path), dt.UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Malformed(f"{path} is not a time") from error


_SCALARS: Final[dict[str, Callable[[Shape, Any, str, list[str]], Any]]] = {
    "string": _string,
    "character": _string,
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "boolean": _boolean,
    "blob": _blob,
    "timestamp": _timestamp,
}


def _typed(value: Any, kind: type | tuple[type, ...], path: str) -> Any:
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    raise Malformed(f"{path or 'the body'} cannot be a {type(value).__name__}")


def _check_length(shape: Shape, value: Any, path: str, wrong: list[str]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    shown = value if isinstance(value, str) else None
    if low is not None and len(value) < low:
        rule = f"Member must have length greater than or equal to {low}"
        wrong.append(_said(shown, path, rule))
    if high is not None and len(value) > high:
        wrong.append(_said(shown, path, f"Member must have length less than or equal to {high}"))


def _check_range(shape: Shape, value: float, path: str, wrong: list[str]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        wrong.append(_said(value, path, f"Member must have value greater than or equal to {low}"))
    if high is not None and value > high:
        wrong.append(_said(value, path, f"Member must have value less than or equal to {high}"))


def _said(value: object, path: str, rule: str) -> str:
    shown = "null" if value is None else f"'{str(value)[:200]}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {rule}"


def _at(path: str, name: str) -> str:
    name = name[:1].lower() + name[1:]  # AWS names members in lower camel case in these texts
    return f"{path}.{name}" if path else name


def _matches(pattern: str, text: str) -> bool:
    # The models' patterns are Java's: letters, separators and numbers of every script.
    python = pattern.replace(r"\p{L}\p{Z}\p{N}", r"\w\s")
    return re.fullmatch(python, text) is not None
