"""The server's end of a worker process: video in, analysed frames out."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

from streamctl.local import children
from streamctl.local.rekognition.seen import AnalysedFrame


class AnalystDied(Exception):
    """The worker ended while there was video for it."""


class Analyst:
    """One worker process. It reads one camera, once; start another for the next time."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._may_feed = asyncio.Event()
        self._may_feed.set()

    @classmethod
    async def start(cls) -> Analyst:
        """Begin to load what the worker needs, before there is video."""
        return cls(await children.spawn("streamctl.local.rekognition.worker"))

    async def frames(self, video: AsyncIterator[bytes]) -> AsyncGenerator[AnalysedFrame]:
        """Every analysed frame of `video`, until it ends.

        Raises AnalystDied where the worker ends first, and whatever `video` raises.
        """
        feeding = asyncio.create_task(self._feed(video))
        try:
            while line := await self._stdout.readline():
                yield AnalysedFrame.of(line)
            if not feeding.done() or await self._process.wait() != 0:
                raise AnalystDied
            await feeding
        finally:
            feeding.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await feeding

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """The worker gets nothing to do, and waits; so does the video.

        It is not stopped by a signal: killed meanwhile, the server would leave it so for ever.
        """
        self._may_feed.clear()
        try:
            yield
        finally:
            self._may_feed.set()

    async def stop(self) -> None:
        """End the worker, whatever it does."""
        await children.end(self._process)

    async def _feed(self, video: AsyncIterator[bytes]) -> None:
        """A worker that lags behind makes the video wait, not the memory grow."""
        try:
            async for piece in video:
                await self._may_feed.wait()
                self._stdin.write(piece)
                await self._stdin.drain()
        except ConnectionError as error:
            raise AnalystDied from error
        finally:
            self._stdin.close()
            if isinstance(video, AsyncGenerator):
                await video.aclose()
