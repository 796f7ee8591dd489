"""A camera in a local cloud with small fragments to send to it, and a server that follows a script."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

import h11
import pytest

from streamctl.aws import putmedia, wire
from streamctl.aws.session import Aws
from streamctl.media import camera as player
from streamctl.media import ebml, mkv

DEADLINE_S = 20
HOUR = timedelta(hours=1)


@pytest.fixture
def camera(aws):
    """A camera that keeps its video for a day."""
    name = f"camera-{uuid.uuid4().hex[:8]}"
    aws.client("kinesisvideo").create_stream(
        StreamName=name,
        DataRetentionInHours=24,
        MediaType="video/h264",
        Tags={"streamctl:camera": name},
    )
    return name


class Producer:
    """What a small camera sends: fragments of three frames, 40 ms apart."""

    TRACK = mkv.Track(1, "V_MPEG4/ISO/AVC", b"\x01\x64\x00\x1e\xff\xe1", 1280, 720)

    def opening(self):
        return player.opening(self.TRACK)

    def cluster(self, timecode, frames=3):
        sent = ebml.write_open(ebml.CLUSTER) + ebml.write_uint(ebml.TIMECODE, timecode)
        for index in range(frames):
            sent += ebml.write_simple_block(ebml.Block(1, 40 * index, index == 0, b"picture"))
        return sent

    def send(self, aws, camera, *timecodes):
        """Send a fragment for each timecode, and wait until they are stored."""
        stored, deadline = set(), time.monotonic() + DEADLINE_S
        with putmedia.upload(aws, camera, datetime.now(UTC)) as upload:
            upload.send(self.opening() + b"".join(map(self.cluster, timecodes)))
            upload.finish()
            while len(stored) < len(timecodes):
                acks = upload.acks(1)
                stored |= {ack.timecode_ms for ack in acks if ack.kind is putmedia.Kind.PERSISTED}
                assert time.monotonic() < deadline


@pytest.fixture
def producer():
    return Producer()


@pytest.fixture
def around_now():
    now = datetime.now(UTC)
    return now - HOUR, now + HOUR


class Connection:
    """The server's end of one connection, for a script to use."""

    def __init__(self, connected):
        self.socket = connected
        self.http = h11.Connection(h11.SERVER)

    def next(self):
        while (event := self.http.next_event()) is h11.NEED_DATA:
            self.http.receive_data(self.socket.recv(65536))
        return event

    def send(self, event):
        self.socket.sendall(self.http.send(event))

    def request(self):
        request = self.next()
        return {name.decode(): value.decode() for name, value in request.headers}, request

    def answer(self, status=200, body=b"", **headers):
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.send(h11.Response(status_code=status, headers=named))
        if status != 200:
            self.send(h11.Data(data=body))
            self.send(h11.EndOfMessage())

    def ack(self, kind, **fields):
        said = json.dumps({"EventType": kind, **fields}) + "\r\n"
        self.send(h11.Data(data=said.encode()))

    def rest(self):
        """The request's body to its end."""
        body = b""
        while isinstance(event := self.next(), h11.Data):
            body += event.data
        return body

    def welcome(self):
        """Accept a request as the service does; its headers."""
        headers, _ = self.request()
        self.send(h11.InformationalResponse(status_code=100, headers=[]))
        self.answer()
        return headers


class Scripted:
    """An endpoint that must drop, refuse and dawdle at exact moments: its one connection is handed to
    the script, and closed behind it. What the script returns is in `seen`.
    """

    def __init__(self, script, context=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.script, self.context = script, context
        self.seen = None
        self.thread = threading.Thread(target=self.run)

    def run(self):
        with self.listener, contextlib.suppress(OSError):
            connected, _ = self.listener.accept()
            if self.context:
                connected = self.context.wrap_socket(connected, server_side=True)
            with connected:
                self.seen = self.script(Connection(connected))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.fixture
def scripted():
    """The class, to be given a script (and a TLS context) and used in a `with` block."""
    return Scripted


@pytest.fixture
def begun(made_up_credentials):
    """Begins a request to a scripted server, and waits until it may send the body."""
    with contextlib.ExitStack() as opened:

        def begin(server, scheme="http", host="127.0.0.1", operation="PutMedia"):
            url = f"{scheme}://{host}:{server.port}/operation"
            headers = {"Transfer-Encoding": "chunked", "Expect": "100-continue"}
            exchange = opened.enter_context(
                wire.connect(url, operation, "sending video to camera door")
            )
            exchange.begin(wire.signed(Aws(), url, headers))
            exchange.await_continue(10)
            return exchange

        yield begin
