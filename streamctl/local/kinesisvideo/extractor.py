"""The server's end of extract.py: a process for each request, a few of them at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from streamctl.local import children
from streamctl.local.service import ServiceFault

_AT_ONCE: Final = 2
_MODULE: Final = "streamctl.local.kinesisvideo.extract"
_REFUSED: Final = 3  # extract.REFUSED, without loading what that loads


class Extractor:
    """Results lie in files without names below `folder`, never in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._running: set[Process] = set()

    @contextlib.asynccontextmanager
    async def result(self, request: Mapping[str, Any]) -> AsyncIterator[IO[bytes]]:
        """What comes of a request, from its beginning. Raises ServiceFault where AWS refuses it."""
        with tempfile.TemporaryFile(dir=self._folder) as file:
            async with self._places:
                await self._extract(request, file)
            file.seek(0)
            yield file

    async def stop(self) -> None:
        """End every process; who waits for one is told that it failed."""
        for process in tuple(self._running):
            await children.end(process)

    async def _extract(self, request: Mapping[str, Any], file: IO[bytes]) -> None:
        process = await children.spawn(_MODULE, stdout=file)
        self._running.add(process)
        try:
            assert process.stdin is not None
            with contextlib.suppress(OSError):  # it has ended already: its exit code says so
                process.stdin.write(json.dumps(request).encode() + b"\n")
                await process.stdin.drain()
            code = await process.wait()
        finally:
            self._running.discard(process)
            await children.end(process)
        if code == _REFUSED:
            file.seek(0)
            refused = json.loads(file.read())
            raise ServiceFault(refused["code"], refused["message"])
        if code != 0:
            raise ServiceFault("InternalServerError", "the stored video could not be read", 500)
