"""ASGI as the media handlers need it: long bodies, long answers, and clients that leave."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Coroutine
from enum import Enum, auto
from typing import IO, Any, Final

from streamctl.local.http import Answer, Message, Receive, Scope, Send
from streamctl.local.kinesisvideo.cameras import AwsScope

SCOPE_KEY: Final = "streamctl.scope"
_CHUNK: Final = 65_536
_LINGER_S: Final = 1.0
_DROP_S: Final = 0.1


class Dropped(Exception):
    """The connection is to break without a word."""


class Ending(Enum):
    """Why no more of a body will come."""

    BODY = auto()
    DISCONNECT = auto()
    READER = auto()
    """Who reads has lost interest."""


def owner(scope: Scope) -> AwsScope:
    """Account and region of the caller, which the front door found by the signature."""
    account, region = scope[SCOPE_KEY]
    return account, region


async def send_early(receive: Receive, send: Send, answer: Answer) -> None:
    """Answer while the body may still be arriving, so that the client can read it."""
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    await end_early(receive, send)


async def end(send: Send) -> None:
    await send({"type": "http.response.body", "body": b""})


async def end_early(receive: Receive, send: Send) -> None:
    """End an answer while its request still arrives, in a way that lets the client read it.

    Closing a socket with unread bytes resets it, and the reset can overtake our last words. So
    what arrives is taken in for a moment; and it must be while the server closes, since the
    server would wait for ever to hand over bytes that nobody takes.
    """
    draining = asyncio.ensure_future(_drain(receive))
    await asyncio.wait({draining}, timeout=_LINGER_S)
    await end(send)
    await _cancel(draining)


async def drop(receive: Receive) -> None:
    """Take in what waits, before an answer that is left without its end.

    The server closes the connection then, unless it still has to hand over bytes.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DROP_S):
            await _drain(receive)


async def _drain(receive: Receive) -> None:
    while not _is_last(await receive()):
        pass


def _is_last(message: Message) -> bool:
    return message["type"] == "http.disconnect" or not message.get("more_body", False)


class Inlet:
    """A body that may pause for ever, or whose reader may lose interest meanwhile."""

    def __init__(self, receive: Receive, ended: asyncio.Event) -> None:
        self._receive = receive
        self._ended: asyncio.Task[Any] = asyncio.ensure_future(ended.wait())
        self._arriving: asyncio.Task[Message] | None = None
        self.over = False
        """Nothing more will come."""

    async def next(self, patience_s: float) -> bytes | Ending | None:
        """The next bytes, or why there are none; None where none came in time."""
        if self.over:
            return Ending.BODY
        if self._arriving is None:
            self._arriving = asyncio.ensure_future(self._receive())
        waiting = {self._arriving, self._ended}
        await asyncio.wait(waiting, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        if self._ended.done():
            return Ending.READER
        if not self._arriving.done():
            return None
        message, self._arriving = self._arriving.result(), None
        self.over = _is_last(message)
        if message["type"] == "http.disconnect":
            return Ending.DISCONNECT
        return bytes(message.get("body", b""))

    async def close(self) -> None:
        await _cancel(*filter(None, (self._ended, self._arriving)))


async def send_video(chunks: AsyncGenerator[bytes], receive: Receive, send: Send) -> None:
    """An answer that may never end: until it does, or until the client leaves."""
    # As GetMedia says of all that it sends.
    await _send_all([(b"content-type", b"video/webm")], chunks, receive, send)


async def send_file(kind: str, file: IO[bytes], receive: Receive, send: Send) -> None:
    """A file, from its beginning, a piece in memory at a time; until the client leaves."""
    size = file.seek(0, os.SEEK_END)
    headers = [(b"content-type", kind.encode()), (b"content-length", str(size).encode())]
    await _send_all(headers, _chunks(file), receive, send)


async def _chunks(file: IO[bytes]) -> AsyncGenerator[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk


async def _send_all(
    headers: list[tuple[bytes, bytes]], chunks: AsyncGenerator[bytes], receive: Receive, send: Send
) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await _first_of(_send(chunks, send), _left(receive))


async def _send(chunks: AsyncGenerator[bytes], send: Send) -> None:
    async with contextlib.aclosing(chunks):  # a viewer that left keeps no file open
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await end(send)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _first_of(*work: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.ensure_future(part) for part in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await _cancel(*tasks)


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
