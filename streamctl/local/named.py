"""What a request names, so that a fault can be aimed at one of the things that requests are about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl, unquote

from streamctl.local.http import Request

_DEEPEST: Final = 8
_BY_KEY: Final = "RequestItems"  # DynamoDB's batches name their tables in the keys of this member
_CAMERA: Final = ("x-amzn-stream-name", "x-amzn-stream-arn")  # PutMedia's body is video


def names_in(request: Request) -> list[str]:
    """Whatever may name something: parts of its path, its parameters, the texts in its body.

    Texts that are JSON themselves (a message's body, an event's detail) are looked through too.
    """
    path = unquote(request.path)
    found = [path, *(text for _, text in parse_qsl(request.query))]
    found += [request.headers[name] for name in _CAMERA if name in request.headers]
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return found + [text for _, text in parse_qsl(request.body.decode("latin-1"))]
    return found + list(_inside(request.body, _DEEPEST))


def _inside(text: str | bytes, depth: int) -> Iterator[str]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict | list):
        yield from _texts(value, depth)


def _texts(value: object, depth: int) -> Iterator[str]:
    if not depth:
        return
    if isinstance(value, str):
        yield value
        if value.startswith("{"):
            yield from _inside(value, depth - 1)
    elif isinstance(value, dict):
        batch = value.get(_BY_KEY)
        yield from batch if isinstance(batch, dict) else ()
        for each in value.values():
            yield from _texts(each, depth - 1)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, depth - 1)
