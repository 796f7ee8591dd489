"""One signed HTTP/1.1 request whose answer can be read while its body is still being written.

boto3 cannot do that, and both ends of a camera's video need it: PutMedia acknowledges fragments
while the next ones are sent, GetMedia answers without an end. One thread does both, so that no
lock is needed and Ctrl-C works at any moment.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Self
from urllib.parse import urlsplit

import h11
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from streamctl import errors
from streamctl.aws.refusals import translate
from streamctl.aws.session import Aws

SIGNING_NAME: Final = "kinesisvideo"
"""What every Kinesis Video API is signed as (botocore's models)."""

_CONNECT_S: Final = 5.0
_STALLED_S: Final = 30.0
"""The service closes what idles for 30 s (PutMedia): a peer that takes nothing for so long is gone."""
_REASON_S: Final = 2.0
"""How long the body of a refusal, which says why, is waited for."""
_RECEIVED: Final = 64 * 1024
_UNREAD: Final = 1024 * 1024
"""Bytes received and not yet read, above which no more is taken from the network: whoever sends
faster than we read must wait, or memory would grow without end."""
_UNSENT: Final = 256 * 1024
"""Bytes handed over and not yet taken by the network, above which `write` waits."""
_OK: Final = 200


class Exchange:
    """A request on its way, and its answer. Close it, or use it in a `with` block.

    `operation` is the API's name for what is asked ("PutMedia"), `doing` ours ("sending video to
    camera door"), with which messages begin. Every method raises Unreachable where the connection
    fails, and the error that the service answered where it refused.
    """

    def __init__(self, connected: socket.socket, operation: str, doing: str) -> None:
        self._socket = connected
        self._operation = operation
        self._doing = doing
        self._http = h11.Connection(h11.CLIENT)
        self._unsent = bytearray()
        self._received = bytearray()
        self._status = 0
        self._headers: dict[str, str] = {}
        self._broken: errors.Unreachable | None = None
        self.continued = False
        """The service said `100 Continue`, or answered at once."""
        self.over = False
        """Nothing more will be received."""
        connected.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(connected, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, request: h11.Request) -> None:
        """Send the request's head."""
        self._queue(request)
        self._drain()

    def write(self, data: bytes) -> None:
        """Send a piece of the body; waits while the network takes no more."""
        self._queue(h11.Data(data=data))
        self._drain(_UNSENT)

    def end(self) -> None:
        """The body is complete."""
        self._queue(h11.EndOfMessage())
        self._drain()

    def read(self, wait: float) -> bytes:
        """What has been received of the answer's body; waits up to `wait` seconds for some.

        What arrived before the connection broke is still given; the next call raises.
        """
        self._pump_until(wait, lambda: bool(self._received))
        if self._status != _OK or not self._received:
            self._check()
        taken = bytes(self._received)
        self._received.clear()
        return taken

    def await_continue(self, wait: float) -> None:
        """Wait for `100 Continue`, or an answer; up to `wait` seconds, as some servers send none."""
        self._pump_until(wait, lambda: self.continued)
        self._check()

    def close(self) -> None:
        """Close the connection, whatever its state."""
        self._selector.close()
        with suppress(OSError):
            self._socket.close()

    def _queue(self, event: h11.Event) -> None:
        try:
            self._unsent += self._http.send(event) or b""
        except h11.LocalProtocolError as error:
            self._check()
            raise self._unreachable("the connection was closed") from error

    def _drain(self, allowed: int = 0) -> None:
        """Wait until no more than `allowed` bytes are unsent."""
        self._pump(0)
        while (before := len(self._unsent)) > allowed and not self.over:
            if not self._pump_until(_STALLED_S, self._has_sent_since(before)):
                raise self._unreachable(f"nothing was taken for {_STALLED_S:.0f} s")
        self._check()
        if len(self._unsent) > allowed:
            raise self._unreachable("the connection was closed")

    def _has_sent_since(self, before: int) -> Callable[[], bool]:
        return lambda: len(self._unsent) < before

    def _pump_until(self, wait: float, done: Callable[[], bool]) -> bool:
        """Move bytes until `done`, or for `wait` seconds; whether there was an end to it."""
        deadline = time.monotonic() + wait
        self._pump(0)
        while not (done() or self.over) and (left := deadline - time.monotonic()) > 0:
            self._pump(left)
        return done() or self.over

    def _pump(self, wait: float) -> None:
        """Move bytes both ways as far as they go, after waiting up to `wait` s for the socket."""
        if self.over or not self._is_ready(wait):
            return
        try:
            self._receive()
            self._transmit()
        except (OSError, h11.RemoteProtocolError) as error:
            why = error.strerror if isinstance(error, OSError) else None
            self._broken = self._unreachable(why or str(error))
            self.over = True

    def _is_ready(self, wait: float) -> bool:
        """Whether there are bytes to move now, or within `wait` seconds."""
        # What TLS has decrypted waits where select() does not see it.
        if self._has_room() and isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        interest = selectors.EVENT_READ if self._has_room() else 0
        interest |= selectors.EVENT_WRITE if self._unsent else 0
        if not interest:
            return False
        self._selector.modify(self._socket, interest)
        return bool(self._selector.select(wait))

    def _has_room(self) -> bool:
        return len(self._received) < _UNREAD

    def _transmit(self) -> None:
        with suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]

    def _receive(self) -> None:
        with suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            while not self.over and self._has_room():
                data = self._socket.recv(_RECEIVED)
                self._http.receive_data(data)
                self._events()
                self.over = self.over or not data

    def _events(self) -> None:
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.InformationalResponse):
                self.continued = True
            elif isinstance(event, h11.Response):
                self.continued = True
                self._status = event.status_code
                self._headers = {
                    name.decode("latin-1").lower(): value.decode("latin-1")
                    for name, value in event.headers
                }
            elif isinstance(event, h11.Data):
                self._received += event.data
            else:
                self.over = self.over or isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed))
                return

    def _check(self) -> None:
        """Raise what the service answered, if that was an error, or what broke the connection."""
        if self._status not in (0, _OK):
            self._pump_until(_REASON_S, lambda: not self._has_room())
            said = _said(self._status, self._headers, bytes(self._received))
            raise translate(ClientError(said, self._operation), self._doing)
        if self._broken is not None:
            raise self._broken

    def _unreachable(self, why: str) -> errors.Unreachable:
        return errors.Unreachable(f"{self._doing}: {why}")


def connect(url: str, operation: str, doing: str) -> Exchange:
    """Open a connection to an endpoint's host, for one Exchange.

    Raises Unreachable, and AskedWrongly for an AWS_CA_BUNDLE that cannot be read.
    """
    parts = urlsplit(url)
    context = _authorities() if parts.scheme == "https" else None
    host, port = parts.hostname or "", parts.port or (443 if context else 80)
    try:
        connected = socket.create_connection((host, port), timeout=_CONNECT_S)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            connected = context.wrap_socket(connected, server_hostname=host)
    except OSError as error:
        raise errors.Unreachable(
            f"{doing}: no connection to {host}:{port}: {error.strerror or error}",
            hint="check the network; is the local cloud running? (streamctl local status)",
        ) from error
    return Exchange(connected, operation, doing)


def _authorities() -> ssl.SSLContext:
    """Whom to believe: as boto3, AWS_CA_BUNDLE's where a network has an authority of its own."""
    bundle = os.environ.get("AWS_CA_BUNDLE") or None
    try:
        return ssl.create_default_context(cafile=bundle)
    except OSError as error:
        raise errors.AskedWrongly(
            f"AWS_CA_BUNDLE names no certificates: {bundle}: {error.strerror or error}",
            hint="give the path of a PEM file, or unset it",
        ) from error


def signed(
    aws: Aws, url: str, headers: Mapping[str, str], body: bytes | None = None
) -> h11.Request:
    """A POST's head, signed. Without a `body` the signature covers the hash of nothing, which is
    how PutMedia is signed (AWS's C producer, AwsV4Signer.c): its body has no end to wait for.

    Credentials are asked for each time, so that a later connection is signed with fresh ones.
    Raises NotAllowed where there are none.
    """
    request = AWSRequest(method="POST", url=url, headers=dict(headers), data=body)
    SigV4Auth(aws.credentials(), SIGNING_NAME, aws.region_name).add_auth(request)
    parts = urlsplit(url)
    sent = [
        ("Host", parts.netloc),
        *((name, str(value)) for name, value in request.headers.items()),
    ]
    return h11.Request(method="POST", target=parts.path or "/", headers=sent)


def _said(status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """An error answer as botocore would give it (its rest-json parser: type in a header)."""
    document: Any = {}
    with suppress(ValueError, RecursionError):
        document = json.loads(body)
    fields = document if isinstance(document, dict) else {}
    kind = headers.get("x-amzn-errortype") or headers.get("x-amz-errortype") or fields.get("__type")
    code = str(kind or status).split(":")[0].rsplit("#", 1)[-1]
    message = fields.get("message") or fields.get("Message") or f"HTTP status {status}"
    return {
        "Error": {"Code": code, "Message": str(message)},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
