"""The server's end of the engine process: started by the first image, asked one at a time."""

from __future__ import annotations

import asyncio
import base64
import json
from asyncio.subprocess import Process
from typing import Any

from streamctl.local import children
from streamctl.local.rekognition.seen import SeenFace
from streamctl.local.service import ServiceFault


class EngineClient:
    """Asks the engine process about images. A process that dies is started anew by the next one."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def see(self, image: bytes, *, embed: bool = True) -> list[SeenFace]:
        """Every face in a JPEG or PNG, largest first, at most 100.

        Raises the fault that AWS has for an image it refuses, and InternalServerError where the
        engine dies over it.
        """
        request = {"image": base64.b64encode(image).decode(), "embed": embed}
        async with self._turn:
            answer = await self._ask(json.dumps(request).encode() + b"\n")
        if "fault" in answer:
            raise ServiceFault(answer["fault"], answer["message"])
        return [SeenFace.of(face) for face in answer["faces"]]

    async def stop(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process:
            await children.end(process)

    async def _ask(self, line: bytes) -> dict[str, Any]:
        process = await self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(line)
            await process.stdin.drain()
            read: dict[str, Any] = json.loads(await process.stdout.readline())
        except (OSError, ValueError) as error:
            await self.stop()
            raise ServiceFault("InternalServerError", "the face engine ended", 500) from error
        except asyncio.CancelledError:
            await self.stop()  # its answer to this question must not be taken for the next one's
            raise
        return read

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await children.spawn("streamctl.local.rekognition.engine")
        return self._process
