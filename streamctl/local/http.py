"""HTTP as the front door sees it: a request read whole, within a limit, and an answer."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class TooLarge(Exception):
    """The body is above the limit; the rest of it was not read."""


class Gone(Exception):
    """The client went away before its request was whole."""


@dataclass(frozen=True)
class Request:
    """One request. `path` and `query` are as sent, still percent-encoded."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """By lower-case name; a repeated header's values are joined by commas."""
    body: bytes = b""

    @functools.cached_property
    def parameters(self) -> dict[str, list[str]]:
        """The query string's values by name."""
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.query, keep_blank_values=True):
            found.setdefault(name, []).append(value)
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes = b""


def is_from_here(request: Request) -> bool:
    """Whether a program of this machine asks, and no web page that a browser shows here.

    A page that asks across origins says its own; one that had its name resolved to this machine
    (DNS rebinding) says its own host.
    """
    origin = request.headers.get("origin", "")
    try:
        named = [request.headers.get("host", ""), *([urlsplit(origin).netloc] if origin else [])]
    except ValueError:  # no URL at all
        return False
    return all(_is_here(place) for place in named)


def _is_here(place: str) -> bool:
    name = place.rpartition(":")[0] if place.rpartition(":")[2].isdigit() else place
    return name in {"127.0.0.1", "localhost"} or name.endswith((".localhost", ".127.0.0.1"))


def request_of(scope: Scope, body: bytes = b"") -> Request:
    """The request that an ASGI scope describes."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    raw_path = scope.get("raw_path") or scope["path"].encode()
    return Request(
        method=scope["method"],
        path=raw_path.decode("latin-1").partition("?")[0],
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=headers,
        body=body,
    )


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body. Raises TooLarge above `limit` bytes, Gone if the client leaves."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise TooLarge
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body again, and then what the client does next."""
    waiting = [body]

    async def again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return again


async def send_answer(send: Send, answer: Answer) -> None:
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    raw = [(name.lower().encode("latin-1"), str(v).encode("utf-8")) for name, v in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body})
