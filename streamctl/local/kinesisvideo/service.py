"""Kinesis Video, joined: its operations by name, and the calls whose bodies are video.

PutMedia, GetMedia, GetMediaForFragmentList and GetClip are ASGI handlers. The front door leaves
the caller's account and region in `scope[SCOPE_KEY]` for them, once the signature was judged.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from streamctl.local.cloud import Cloud
from streamctl.local.http import (
    Answer,
    Gone,
    Receive,
    Scope,
    Send,
    TooLarge,
    read_body,
    request_of,
    send_answer,
)
from streamctl.local.kinesisvideo import refusals
from streamctl.local.kinesisvideo.archive import Archive, media_of
from streamctl.local.kinesisvideo.bodies import (
    Dropped,
    drop,
    end,
    end_early,
    owner,
    send_early,
    send_file,
    send_video,
)
from streamctl.local.kinesisvideo.cameras import AwsScope, Camera, Cameras
from streamctl.local.kinesisvideo.clips import Clips
from streamctl.local.kinesisvideo.control import ControlPlane
from streamctl.local.kinesisvideo.extractor import Extractor
from streamctl.local.kinesisvideo.getmedia import Patience, Start, Viewer
from streamctl.local.kinesisvideo.images import Images
from streamctl.local.kinesisvideo.putmedia import PutMedia, PutMediaRequest
from streamctl.local.service import Operation, ServiceFault
from streamctl.local.wire import wire_of

MEDIA: Final = "kinesis-video-media"
ARCHIVE: Final = "kinesis-video-archived-media"

_TRIM_EVERY_S: Final = 5.0
_MAX_REQUEST: Final = 256 * 1024  # a thousand fragment numbers fit


class KinesisVideoService:
    """Cameras and their video. Everything runs on the server's event loop."""

    name = "kinesisvideo"

    def __init__(self, cloud: Cloud, now: Callable[[], float] = time.time) -> None:
        """Take up what an earlier server has kept in `cloud.data`. `now` gives Unix seconds."""
        self._cloud = cloud
        self._now = now
        self._cameras = Cameras(cloud.data / "kinesisvideo", now)
        control = ControlPlane(self._cameras, cloud.media_endpoint_url)
        archive = Archive(self._cameras, cloud.switches.list_fragments_late_s, now)
        self._extractor = Extractor(cloud.data)
        images = Images(self._cameras, archive, self._extractor)
        self._clips = Clips(archive, self._extractor, now)
        self.operations: Mapping[str, Operation] = {
            **control.operations,
            **archive.operations,
            **images.operations,
        }
        self._trimming: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._trimming = asyncio.create_task(self._trim_for_ever())

    async def stop(self) -> None:
        for camera in self._cameras.everywhere():
            camera.end()
        await self._extractor.stop()
        if self._trimming is not None:
            self._trimming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._trimming

    def find(self, scope: AwsScope, arn_or_name: str) -> Camera | None:
        """The camera, by name or by ARN; None if this account and region has none such."""
        return self._cameras.find(scope, arn_or_name)

    async def follow(self, scope: AwsScope, arn: str) -> AsyncIterator[bytes]:
        """What GetMedia from NOW sends, until the camera is deleted, however long it is silent.

        An injected fault may end it before.

        It is one of the camera's three viewers until it is closed: hold it in
        `contextlib.aclosing`. Raises ServiceFault for an unknown camera or a fourth viewer.
        """
        camera = self._cameras.named(scope, None, arn)
        with camera.viewing():
            faults = self._cloud.faults
            viewer = Viewer(camera, Start(after=None), Patience(), self._now, faults)
            with contextlib.suppress(Dropped):
                async for chunk in viewer.chunks():
                    yield chunk

    async def put_media(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = PutMediaRequest.of(request_of(scope).headers)
            camera = self._cameras.named(owner(scope), request.name, request.arn)
            with camera.producing():
                over = await PutMedia(camera, request, self._cloud, send).run(receive)
        except ServiceFault as fault:
            await send_early(receive, send, _refusal(MEDIA, fault))
        except Dropped:
            await drop(receive)
        else:
            await (end(send) if over else end_early(receive, send))

    async def get_media(self, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.ExitStack() as connection:
            try:
                params = await _params(MEDIA, "GetMedia", receive)
                camera = self._named(scope, params)
                start = Start.of(params["StartSelector"])
                connection.enter_context(camera.viewing())
            except ServiceFault as fault:
                await send_answer(send, _refusal(MEDIA, fault))
                return
            timings = self._cloud.timings
            patience = Patience(timings.get_media_idle_s, timings.media_connection_s)
            viewer = Viewer(camera, start, patience, self._now, self._cloud.faults)
            try:
                await send_video(viewer.chunks(), receive, send)
            except Dropped:
                await drop(receive)

    async def get_media_for_fragment_list(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            params = await _params(ARCHIVE, "GetMediaForFragmentList", receive)
            camera = self._named(scope, params)
        except ServiceFault as fault:
            await send_answer(send, _refusal(ARCHIVE, fault))
            return
        await send_video(media_of(camera, params["Fragments"]), receive, send)

    async def get_clip(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            params = await _params(ARCHIVE, "GetClip", receive)
            camera = self._named(scope, params)
            async with self._clips.clip(camera, params) as file:
                await send_file("video/mp4", file, receive, send)
        except ServiceFault as fault:
            await send_answer(send, _refusal(ARCHIVE, fault))

    def _named(self, scope: Scope, params: Mapping[str, Any]) -> Camera:
        name, arn = params.get("StreamName"), params.get("StreamARN")
        return self._cameras.named(owner(scope), name, arn)

    async def _trim_for_ever(self) -> None:
        while True:
            for camera in self._cameras.everywhere():
                camera.trim()
            await asyncio.sleep(_TRIM_EVERY_S)


async def _params(service: str, operation: str, receive: Receive) -> dict[str, Any]:
    """Raises ServiceFault where they are not what the model says."""
    try:
        body = await read_body(receive, _MAX_REQUEST)
    except (TooLarge, Gone) as error:
        raise refusals.invalid("the request is too large, or was cut off") from error
    return wire_of(service).params(operation, body)


def _refusal(service: str, fault: ServiceFault) -> Answer:
    request_id = str(uuid.uuid4())
    answer = wire_of(service).fault(fault, request_id)
    # The media APIs' guide tells of these two headers beside the usual ones.
    extra = {"x-amz-ErrorType": fault.code, "x-amz-RequestId": request_id}
    return replace(answer, headers={**answer.headers, **extra})
