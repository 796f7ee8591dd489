"""The front door: one ASGI app on two ports, ours first, ministack behind it.

Main port: our own paths, Rekognition and Kinesis Video's control plane are answered here, all else
by ministack. Media port: Kinesis Video's media. Signatures made with our key are judged before
anything else, and injected faults are applied, whoever answers.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from streamctl.local import admin
from streamctl.local.cloud import Cloud
from streamctl.local.emulated import Emulated, empty_call
from streamctl.local.engine_room import EngineRoom
from streamctl.local.http import (
    Answer,
    App,
    Gone,
    Message,
    Receive,
    Request,
    Scope,
    Send,
    TooLarge,
    is_from_here,
    read_body,
    replay,
    request_of,
    send_answer,
)
from streamctl.local.identity import REGION
from streamctl.local.kinesisvideo.bodies import send_early
from streamctl.local.operations import operation_of
from streamctl.local.service import Call, ServiceFault
from streamctl.local.sigv4 import Claim, claim_of, verify
from streamctl.local.trouble import Trouble, Unanswered, hang_up, meet
from streamctl.local.wire import Wire

_BODY_LIMIT: Final = 256 * 1024 * 1024  # above the largest zip that a function may be made of
_MEDIA_BODY_LIMIT: Final = 1024 * 1024  # media calls but PutMedia carry a little JSON

_PUT_MEDIA: Final = "/putMedia"  # botocore has no such operation

Hook = Callable[[], Awaitable[None]]
End = Callable[[], Awaitable[Mapping[str, str]]]
Reply = Callable[[Send, Answer], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Lifespan:
    """What happens once ministack has started, and before it stops."""

    start: Hook
    stop: Hook
    end: End
    """Ends the server; what it could not save, by service, with the reason."""


class FrontDoor:
    """Takes every request to whoever answers it.

    `video_calls` are the media calls whose bodies are video ("/putMedia", "/getMedia"), as ASGI apps;
    they find the caller's account and region in the ASGI scope, as "streamctl.scope".
    """

    def __init__(
        self,
        cloud: Cloud,
        engine: EngineRoom,
        emulated: Emulated,
        video_calls: Mapping[str, App],
        lifespan: Lifespan,
    ) -> None:
        self._cloud = cloud
        self._engine = engine
        self._emulated = emulated
        self._video_calls = video_calls
        self._lifespan = lifespan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif scope["type"] != "http":
            await self._engine.app(scope, receive, send)
        elif not is_from_here(request_of(scope)):
            # Emulators invite every web page (CORS "*"); faces are nobody's to read.
            await send_answer(send, Answer(403, {}, b"only for programs of this machine\n"))
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_media = scope["server"][1] == self._cloud.media_port
        try:
            await (self._media if is_media else self._main)(scope, receive, send)
        except Unanswered:
            await hang_up(send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receiving() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._lifespan.stop()
            return message

        async def sending(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                await self._lifespan.start()
            await send(message)

        await self._engine.app(scope, receiving, sending)

    async def _main(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == _PUT_MEDIA:
            await self._misdirected(request_of(scope), receive, send)
            return
        request = await _whole(scope, receive, send, _BODY_LIMIT)
        if request is None:
            return
        if request.path.startswith(admin.PREFIX):
            if admin.is_stop(request):
                said = admin.stopped(await self._lifespan.end())
            else:
                said = admin.answer(self._cloud, request)
            await send_answer(send, said)
            return
        claim = claim_of(request)
        wire = self._emulated.wire_on_main_port(request, claim)
        if wire is not None:
            await self._ours(wire, request, claim, send)
            return
        try:
            trouble = await self._admit(
                request, claim, lambda: operation_of(request, claim.service)
            )
        except ServiceFault as fault:
            error = self._engine.error(request, claim.service, fault, str(uuid.uuid4()))
            await send_answer(send, error)
            return
        await self._engine.app(scope, replay(request.body, receive), trouble.telling(send))

    async def _misdirected(self, request: Request, receive: Receive, send: Send) -> None:
        """PutMedia to the wrong endpoint is refused at once: its body has no end to wait for."""
        wire = self._emulated.wire_on_media_port(request)
        reply = functools.partial(send_early, receive)
        await self._ours(wire, request, claim_of(request), send, reply)

    async def _media(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == _PUT_MEDIA:  # its body is the stream: nobody may wait for its end
            await self._video(request_of(scope), scope, receive, send)
            return
        request = await _whole(scope, receive, send, _MEDIA_BODY_LIMIT)
        if request is None:
            return
        if request.path in self._video_calls:
            await self._video(request, scope, replay(request.body, receive), send)
            return
        wire = self._emulated.wire_on_media_port(request)
        await self._ours(wire, request, claim_of(request), send)

    async def _video(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        claim, wire = claim_of(request), self._emulated.wire_on_media_port(request)
        call = self._call(wire, request, claim, "PutMedia" if request.path == _PUT_MEDIA else "")
        try:
            trouble = await self._admit(request, claim, lambda: f"{call.service}.{call.operation}")
            self._emulated.permit(wire, request, call)
        except ServiceFault as fault:
            await send_answer(send, wire.fault(fault, call.request_id))
            return
        scope["streamctl.scope"] = call.scope
        await self._video_calls[request.path](scope, receive, trouble.telling(send))

    async def _ours(
        self, wire: Wire, request: Request, claim: Claim, send: Send, reply: Reply = send_answer
    ) -> None:
        call = self._call(wire, request, claim)
        try:
            trouble = await self._admit(request, claim, lambda: f"{call.service}.{call.operation}")
        except ServiceFault as fault:
            await reply(send, wire.fault(fault, call.request_id))
            return
        call = replace(call, stale_s=trouble.stale_s)
        answer = await self._emulated.answer(wire, request, call)
        await reply(trouble.telling(send), answer)

    def _call(self, wire: Wire, request: Request, claim: Claim, unmodelled: str = "") -> Call:
        return empty_call(
            service=wire.name,
            operation=wire.operation(request) or unmodelled,
            account=self._engine.account_of(claim.access_key),
            region=claim.region or REGION,
            access_key=claim.access_key,
            request_id=str(uuid.uuid4()),
        )

    async def _admit(self, request: Request, claim: Claim, operation: Callable[[], str]) -> Trouble:
        """Raises ServiceFault for a wrong signature of ours; meets an injected fault (`meet`)."""
        if claim.access_key == self._cloud.access_key:
            verify(request, self._cloud.secret_key)
        return await meet(self._cloud.faults, self._engine.functions, request, operation)


async def _whole(scope: Scope, receive: Receive, send: Send, limit: int) -> Request | None:
    """The request with its body; None where there will be none, and that was answered."""
    try:
        return request_of(scope, await read_body(receive, limit))
    except TooLarge:
        too_large = b'{"__type": "RequestEntityTooLargeException", "message": "body too large"}'
        await send_answer(send, Answer(413, {"connection": "close"}, too_large))
    except Gone:
        pass
    return None
