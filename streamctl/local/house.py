"""The local cloud put together: which parts there are, and the order they start and stop in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from streamctl.errors import StreamctlError
from streamctl.local.cloud import Cloud
from streamctl.local.deliveries.bus import Deliveries
from streamctl.local.emulated import Emulated
from streamctl.local.engine_room import EngineRoom
from streamctl.local.front import FrontDoor, Lifespan
from streamctl.local.keeper import Keeper
from streamctl.local.kinesisvideo.service import KinesisVideoService
from streamctl.local.lost_messages import lose_messages
from streamctl.local.mappings import Mappings
from streamctl.local.permissions import Permissions
from streamctl.local.rekognition.service import RekognitionService
from streamctl.local.repairs import repair
from streamctl.local.resources import CameraResources
from streamctl.local.roles import Roles
from streamctl.local.service import Service
from streamctl.local.shards import Shards

_log = logging.getLogger(__name__)


class House:
    """Everything that one server process runs. `door` is its ASGI app.

    It sets `ended` where it is asked to end, or could not begin (`failed` says why).
    """

    def __init__(
        self,
        cloud: Cloud,
        ended: asyncio.Event,
        *,
        persistent: bool,
        when_ready: Callable[[Cloud], None],
    ) -> None:
        self._cloud = cloud
        self._ended = ended
        self._when_ready = when_ready
        self._engine = EngineRoom(cloud, persistent=persistent)
        self._keeper = Keeper(self._engine) if persistent else None
        roles, shards = Roles(self._engine), Shards(self._engine)
        repair(self._engine, roles, shards)
        self._deliveries = Deliveries(cloud, self._engine, roles)  # what it sends is not lost below
        lose_messages(self._engine, cloud.faults)
        self._mappings = Mappings(cloud, shards)
        cameras = KinesisVideoService(cloud)
        rekognition = RekognitionService(cloud, cameras=cameras, roles=roles)
        # In the order they start: later ones lean on earlier ones.
        self._services: tuple[Service, ...] = (cameras, rekognition)
        self._camera_resources = CameraResources(self._engine, cameras)
        emulated = Emulated(
            {service.name: service for service in self._services},
            Permissions(cloud, self._engine, cameras),
        )
        video_calls = {
            "/putMedia": cameras.put_media,
            "/getMedia": cameras.get_media,
            "/getMediaForFragmentList": cameras.get_media_for_fragment_list,
            "/getClip": cameras.get_clip,
        }
        lifespan = Lifespan(self._start, self.stop, self._end)
        self.door = FrontDoor(cloud, self._engine, emulated, video_calls, lifespan)
        self._stopped = False
        self._over = asyncio.Event()
        self._unsaved: dict[str, str] = {}
        self.failed: StreamctlError | None = None

    async def _start(self) -> None:
        if self._keeper is not None:
            self.failed = self._keeper.unrestored
            if self.failed is not None:
                self._ended.set()
                return
            self._keeper.start()
        self._mappings.start()
        self._camera_resources.start()
        for service in self._services:
            await service.start()
        self._when_ready(self._cloud)

    async def stop(self) -> None:
        """End everything that lives beside the requests. Twice is once."""
        if self._stopped:
            return
        self._stopped = True
        if self.failed is None:
            await self._stop_beginnings()
        await asyncio.to_thread(self._engine.stop)
        if self._keeper is not None:
            self._unsaved = await self._keeper.end()
        self._over.set()

    async def _end(self) -> dict[str, str]:
        """End the server. What could not be saved, by service, with the reason."""
        self._ended.set()
        await self._over.wait()
        return self._unsaved

    async def _stop_beginnings(self) -> None:
        """End what `_start` has begun, in reverse."""
        self._cloud.faults.clear()  # nothing is held up any longer
        self._deliveries.stop()
        await asyncio.to_thread(self._mappings.stop)
        for service in reversed(self._services):
            try:
                await service.stop()
            except Exception:  # noqa: BLE001 - the others must still be stopped
                _log.exception("%s did not stop in order", service.name)
