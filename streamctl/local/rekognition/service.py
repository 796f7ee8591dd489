"""Rekognition, joined: its operations by name, each counted against its quota."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any

from streamctl.local.cloud import Cloud
from streamctl.local.rekognition.causes import Causes
from streamctl.local.rekognition.collection_calls import CollectionCalls
from streamctl.local.rekognition.collection_store import CollectionStore
from streamctl.local.rekognition.engine_client import EngineClient
from streamctl.local.rekognition.image_calls import ImageCalls
from streamctl.local.rekognition.lives import Lives
from streamctl.local.rekognition.neighbours import Cameras, Loopback, Roles
from streamctl.local.rekognition.output import OnTheWay, Output
from streamctl.local.rekognition.processor import Processor
from streamctl.local.rekognition.processor_calls import ProcessorCalls
from streamctl.local.rekognition.quotas import Quotas
from streamctl.local.rekognition.register import Register
from streamctl.local.rekognition.running import Run
from streamctl.local.rekognition.tag_calls import TagCalls
from streamctl.local.service import Call, Operation


class RekognitionService:
    """Stream processors, collections, faces. Runs on the server's event loop; dlib never does."""

    name = "rekognition"

    def __init__(
        self,
        cloud: Cloud,
        cameras: Cameras,
        roles: Roles,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take up what an earlier server has kept in `cloud.data`. `clock` gives Unix seconds."""
        folder = cloud.data / "rekognition"
        self._loopback = Loopback(cloud)
        self._engine = EngineClient()
        self._on_the_way = OnTheWay()
        collections = CollectionStore(folder / "collections")
        register = Register(
            folder / "processors",
            clock,
            stale_s=cloud.switches.stale_describe_s,
            held_s=cloud.timings.name_held_s,
        )
        collections.load()
        register.load()

        def run_of(processor: Processor) -> Run:
            empty = cloud.switches.empty_records
            output = Output(processor, self._loopback, cloud.faults, self._on_the_way)
            return Run(processor, cameras, collections, output, cloud.faults, empty_records=empty)

        causes = Causes(cameras, roles, collections, self._loopback)
        self._lives = Lives(cloud, register, causes, run_of, clock)
        self._quotas = Quotas(cloud.timings.stop_interval_s)
        self.operations: Mapping[str, Operation] = {
            name: functools.partial(self._counted, operation)
            for calls in (
                ProcessorCalls(cloud, register, self._lives, clock),
                CollectionCalls(collections),
                ImageCalls(self._loopback, collections, self._engine),
                TagCalls(register, collections),
            )
            for name, operation in calls.operations.items()
        }

    async def start(self) -> None:
        """Nothing runs until somebody asks: processors are at rest after a restart."""

    async def stop(self) -> None:
        await self._lives.end_all()
        await self._on_the_way.end()
        await self._engine.stop()
        self._loopback.close()

    async def _counted(self, operation: Operation, call: Call) -> Mapping[str, Any]:
        self._quotas.take(call.scope, call.operation, time.monotonic())
        return await operation(call)
