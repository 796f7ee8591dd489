"""Frozen dataclasses to JSON and back, for what outlives an invocation.

A field that an older version did not write takes its default; one that a newer version added is
passed over. So two versions of the functions can share a table during a deployment.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from enum import Enum
from typing import Any, TypeVar

from streamctl.errors import StreamctlError

_D = TypeVar("_D")
_Reader = Callable[[Any], Any]


def dumps(thing: Any) -> str:
    """A dataclass as one line of JSON: times as ISO 8601, lengths of time in seconds."""
    return json.dumps(thing, default=_plain, separators=(",", ":"), ensure_ascii=False)


def loads(kind: type[_D], text: str) -> _D:
    """The dataclass `kind` that `dumps` wrote. Raises StreamctlError if the text is none."""
    try:
        thing: _D = _reader(kind)(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise StreamctlError(
            f"a stored {kind.__name__} cannot be read: {error}",
            hint="it was written by an incompatible version, or by hand",
        ) from error
    return thing


def _plain(thing: Any) -> Any:
    """What json cannot write itself, in terms of what it can, or asks about next."""
    if isinstance(thing, datetime | time):
        return thing.isoformat()
    if isinstance(thing, timedelta):
        return thing.total_seconds()
    if isinstance(thing, Enum):
        return thing.value
    if dataclasses.is_dataclass(thing):
        return {f.name: getattr(thing, f.name) for f in dataclasses.fields(thing)}
    if isinstance(thing, Mapping):
        return dict(thing)
    raise TypeError(f"no JSON for {type(thing).__name__}")


def _reader(kind: Any) -> _Reader:
    """What makes a value of this type from what JSON holds."""
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return _optional_reader(_reader(_not_none(kind)))
    if origin is tuple:
        return _tuple_reader(_reader(typing.get_args(kind)[0]))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _dataclass_reader(kind)
    if kind is datetime or kind is time:
        return kind.fromisoformat
    if kind is timedelta:
        return _seconds
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _as_it_is


def _optional_reader(read: _Reader) -> _Reader:
    return lambda plain: None if plain is None else read(plain)


def _tuple_reader(read: _Reader) -> _Reader:
    return lambda plain: tuple(map(read, plain))


@functools.cache
def _dataclass_reader(kind: type) -> _Reader:
    """Its fields' types are looked up once, not for each value: a story has hundreds."""
    readers = {name: _reader(hint) for name, hint in typing.get_type_hints(kind).items()}
    return lambda plain: kind(
        **{name: readers[name](value) for name, value in plain.items() if name in readers}
    )


def _seconds(plain: float) -> timedelta:
    return timedelta(seconds=plain)


def _as_it_is(plain: Any) -> Any:
    return plain


def _not_none(kind: Any) -> Any:
    return next(each for each in typing.get_args(kind) if each is not types.NoneType)
