"""A camera's world in one process: a clock to turn, Matroska to send, connections to drive."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from streamctl.local.cloud import Cloud, Timings
from streamctl.local.kinesisvideo.service import KinesisVideoService
from streamctl.local.service import Call, ServiceFault
from streamctl.local.switches import Switches
from streamctl.media import camera, ebml
from streamctl.media.recording import Recording

OWNER = ("123456789012", "us-east-1")
DEADLINE_S = 10


class Clock:
    """Unix seconds that move only when told to."""

    def __init__(self):
        self.now = 1_795_200_000.0

    def __call__(self):
        return self.now

    def forward(self, seconds):
        self.now += seconds


class Matroska:
    """Small Matroska as producers send it; frames are ten bytes of their own number."""

    @staticmethod
    def head(tracks=(1,), scale_ns=1_000_000):
        entries = b"".join(
            ebml.write(
                ebml.TRACK_ENTRY,
                ebml.write_uint(ebml.TRACK_NUMBER, number)
                + ebml.write_string(ebml.CODEC_ID, "V_MPEG/ISO/AVC"),
            )
            for number in tracks
        )
        info = ebml.write(ebml.INFO, ebml.write_uint(ebml.TIMECODE_SCALE, scale_ns))
        start = ebml.write(ebml.EBML, ebml.write_string(0x4282, "matroska"))
        return start + ebml.write_open(ebml.SEGMENT) + info + ebml.write(ebml.TRACKS, entries)

    @staticmethod
    def frame(relative_ms, track=1, data=b"0123456789"):
        return ebml.write_simple_block(ebml.Block(track, relative_ms, relative_ms == 0, data))

    @classmethod
    def cluster(cls, timecode, frames=None, *, sized=False):
        """Three frames 40 ms apart unless said; `sized` as files have it, else as live streams."""
        if frames is None:
            frames = [cls.frame(0), cls.frame(40), cls.frame(80)]
        payload = ebml.write_uint(ebml.TIMECODE, timecode) + b"".join(frames)
        if sized:
            return ebml.write(ebml.CLUSTER, payload)
        return ebml.write_open(ebml.CLUSTER) + payload

    @staticmethod
    def tags(**values):
        return ebml.write_tags(values)

    @staticmethod
    def end_of_fragment():
        return ebml.write_tags({"AWS_KINESISVIDEO_END_OF_FRAGMENT": ""})

    @staticmethod
    def documents(body):
        """What a GetMedia body holds: for each document its tags in order, and its frames."""
        found = []
        for event in ebml.Walker().feed(body):
            if isinstance(event, ebml.Element) and event.id == ebml.EBML:
                found.append({"tags": {}, "frames": [], "timecode": None})
            elif isinstance(event, ebml.Element) and event.id == ebml.TAGS:
                found[-1]["tags"] |= ebml.tags(event.payload)
            elif isinstance(event, ebml.Element) and event.id == ebml.TIMECODE:
                found[-1]["timecode"] = ebml.uint(event.payload)
            elif isinstance(event, ebml.Element) and ebml.block_of(event):
                found[-1]["frames"].append(ebml.block_of(event))
        return found


class Connection:
    """One HTTP request to an ASGI handler, driven by hand inside a running loop."""

    def __init__(self, handler, headers=None):
        self.status = None
        self.headers = {}
        self.body = b""
        self.over = False
        """The answer was ended in order."""
        self._inbox = asyncio.Queue()
        self._changed = asyncio.Event()
        raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/",
            "headers": raw,
            "streamctl.scope": OWNER,
        }
        self.task = asyncio.create_task(handler(scope, self._inbox.get, self._send))
        self.task.add_done_callback(lambda _: self._changed.set())

    async def _send(self, message):
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"")
            self.over = not message.get("more_body", False)
        self._changed.set()

    def give(self, data):
        self._inbox.put_nowait({"type": "http.request", "body": data, "more_body": True})

    def end(self, data=b""):
        self._inbox.put_nowait({"type": "http.request", "body": data, "more_body": False})

    def leave(self):
        self._inbox.put_nowait({"type": "http.disconnect"})

    async def until(self, condition):
        """Wait until the connection is as told; fails after a deadline."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()
        return self

    async def given_up(self):
        """Leave as producers do once an error was acknowledged."""
        await self.until(lambda me: me.body and me.acknowledgements[-1]["EventType"] == "ERROR")
        self.leave()
        return await self.done()

    async def done(self):
        async with asyncio.timeout(DEADLINE_S):
            await self.task
        return self

    @property
    def acknowledgements(self):
        return [json.loads(line) for line in self.body.splitlines()]

    @property
    def said(self):
        """The types of the acknowledgements, errors by their ids."""
        return [said.get("ErrorId") or said["EventType"] for said in self.acknowledgements]


class World:
    """A Kinesis Video service without a server around it."""

    def __init__(self, data: Path, clock: Clock, switches=None, **timings):
        times = {"fragments_per_s": 1e9} | timings
        cloud = Cloud(
            data, 4566, 4567, switches=Switches(**(switches or {})), timings=Timings(**times)
        )
        self.faults = cloud.faults
        self.clock = clock
        self.service = KinesisVideoService(cloud, now=clock)

    async def call(self, operation, *, owner=OWNER, **params):
        made = Call("kinesisvideo", operation, params, *owner, "AKIDEXAMPLE", "request")
        return await self.service.operations[operation](made)

    async def camera(self, name="door", retention_h=1):
        made = await self.call("CreateStream", StreamName=name, DataRetentionInHours=retention_h)
        return self.service.find(OWNER, made["StreamARN"])

    def put(self, name="door", *, kind="ABSOLUTE", start="0", acknowledge="1", **more):
        headers = {
            "x-amzn-stream-name": name,
            "x-amzn-fragment-timecode-type": kind,
            "x-amzn-producer-start-timestamp": start,
            "x-amzn-fragment-acknowledgment-required": acknowledge,
        } | {name.replace("_", "-"): value for name, value in more.items()}
        kept = {name: value for name, value in headers.items() if value is not None}
        return Connection(self.service.put_media, kept)

    async def arriving(self, *frames):
        """A camera, and its producer in the middle of the first fragment."""
        camera, producer = await self.camera(), self.put()
        producer.give(Matroska.head() + Matroska.cluster(0, list(frames) or None))
        await producer.until(lambda p: p.said == ["BUFFERING"])
        return camera, producer

    async def watched(self):
        """Such a producer, and a live viewer that has the fragment's first frame."""
        frame = Matroska.frame(0)
        _, producer = await self.arriving(frame)
        viewer = self.get("NOW")
        await viewer.until(lambda v: v.body.endswith(frame))
        return producer, viewer

    async def put_whole(self, body, name="door", **how):
        connection = self.put(name, **how)
        connection.end(body)
        return await connection.done()

    async def filmed(self, film, every=1, **how):
        """A camera with a film's fragments, `every` so many seconds by the server's clock."""
        camera = await self.camera(**how)
        head, fragments = film
        for fragment in fragments:
            await self.put_whole(head + fragment)
            self.clock.forward(every)
        return camera

    @staticmethod
    async def refused(awaitable):
        """The code and the HTTP status that a call is refused with."""
        with pytest.raises(ServiceFault) as fault:
            await awaitable
        return fault.value.code, fault.value.status

    def get(self, kind="EARLIEST", name="door", **selector):
        connection = Connection(self.service.get_media)
        wanted = {"StreamName": name, "StartSelector": {"StartSelectorType": kind, **selector}}
        connection.end(json.dumps(wanted).encode())
        return connection

    def get_list(self, numbers, name="door"):
        connection = Connection(self.service.get_media_for_fragment_list)
        connection.end(json.dumps({"StreamName": name, "Fragments": numbers}).encode())
        return connection

    def clip(self, first, last, kind="SERVER_TIMESTAMP", name="door"):
        """GetClip of a range of Unix seconds."""
        connection = Connection(self.service.get_clip)
        span = {"StartTimestamp": first, "EndTimestamp": last}
        selector = {"FragmentSelectorType": kind, "TimestampRange": span}
        connection.end(json.dumps({"StreamName": name, "ClipFragmentSelector": selector}).encode())
        return connection


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def world(tmp_path, clock):
    """Makes a service on this test's folder; a second one is the same after a restart."""

    def make(**how):
        return World(tmp_path, clock, **how)

    return make


@pytest.fixture
def mkv():
    return Matroska


@pytest.fixture
def filmed(encode):
    """Makes a film: its header, and its fragments of a second as a producer sends them, from timecode
    0 on. By default 25 FPS of 320x240; the n-th frame has a white bar at its n-th column.
    """

    def film(**how):
        recording = Recording(encode("film.mkv", **how))
        shots = list(camera.play(recording))
        fragments = [b"".join(p.data for p in camera.pieces(shot, 0)) for shot in shots]
        return camera.opening(recording.track), fragments

    return film
