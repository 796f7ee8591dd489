"""One stretch of a processor being RUNNING: from the camera's video to records in its results."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Final, Self

from streamctl.local.faults import FRAME, Faults
from streamctl.local.rekognition.analyst import Analyst, AnalystDied
from streamctl.local.rekognition.causes import COLLECTION_NOT_FOUND, INTERNAL, Failure
from streamctl.local.rekognition.collection import Collection
from streamctl.local.rekognition.collection_store import CollectionStore
from streamctl.local.rekognition.neighbours import Cameras
from streamctl.local.rekognition.output import Output
from streamctl.local.rekognition.processor import Processor
from streamctl.local.rekognition.records import MOST_MATCHES, FaceInFrame, record
from streamctl.local.rekognition.seen import AnalysedFrame, SeenFace
from streamctl.local.service import ServiceFault

_MOST_DEATHS: Final = 3
_PAUSE_S: Final = 1.0  # before another worker


class Run:
    """Follows the camera, and puts a record for each analysed frame. Use it as `async with`.

    A worker that dies is replaced, twice in a row; if the third dies too before it has analysed
    a frame, the processor fails with "Internal error". AWS documents nothing of the kind.
    """

    def __init__(
        self,
        processor: Processor,
        cameras: Cameras,
        collections: CollectionStore,
        output: Output,
        faults: Faults,
        *,
        empty_records: bool,
    ) -> None:
        self._processor = processor
        self._cameras = cameras
        self._collections = collections
        self._output = output
        self._faults = faults
        self._empty_records = empty_records
        self._analyst: Analyst | None = None
        self._deaths = 0

    async def __aenter__(self) -> Self:
        self._analyst = await Analyst.start()  # it loads while the processor is STARTING
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._analyst:
            await self._analyst.stop()

    async def analyse(self) -> None:
        """Until cancelled. Raises Failure where the processor cannot go on."""
        while True:
            try:
                await self._follow()
            except AnalystDied as error:
                self._deaths += 1
                if self._deaths == _MOST_DEATHS:
                    raise Failure(INTERNAL) from error
            await asyncio.sleep(_PAUSE_S)
            await self._replace_analyst()

    async def _follow(self) -> None:
        """Analyse one GetMedia connection, until it ends."""
        assert self._analyst is not None
        scope, camera = self._processor.scope, self._processor.camera_arn
        # A fault: three others watch already, or the camera is gone, which Causes will find.
        with contextlib.suppress(ServiceFault):
            video = self._analyst.frames(self._cameras.follow(scope, camera))
            async with contextlib.aclosing(video):
                async for frame in video:
                    await self._stand_still()
                    await self._deliver(frame)
                    self._deaths = 0

    async def _stand_still(self) -> None:
        """As long as a fault says; what comes meanwhile is looked at afterwards, late."""
        fault = self._faults.take(FRAME, self._processor.names)
        if fault is not None and self._analyst is not None:
            with self._analyst.frozen():
                await self._faults.hold(fault, fault.delay_s)

    async def _replace_analyst(self) -> None:
        if self._analyst:
            await self._analyst.stop()
        self._analyst = await Analyst.start()

    async def _deliver(self, frame: AnalysedFrame) -> None:
        if frame.faces or self._empty_records:
            collection = self._collection()
            faces = [self._matched(collection, face) for face in frame.faces]
            await self._output.put(record(self._processor.camera_arn, frame.at, faces))

    def _collection(self) -> Collection:
        scope, name = self._processor.scope, self._processor.collection_id
        collection = self._collections.find(scope, name)
        if collection is None:
            raise Failure(COLLECTION_NOT_FOUND)
        return collection

    def _matched(self, collection: Collection, face: SeenFace) -> FaceInFrame:
        found = collection.search(face.vector, self._processor.threshold, MOST_MATCHES)
        matches = [
            {"Similarity": match.similarity, "Face": match.face.in_record()} for match in found
        ]
        return FaceInFrame(face.detail, matches)
