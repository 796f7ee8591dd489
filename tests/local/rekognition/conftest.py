"""A Rekognition without the rest of the local cloud: cameras, roles and results made of lists."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel

from streamctl.local import shapes
from streamctl.local.cloud import Cloud, Timings
from streamctl.local.rekognition.engine import answer
from streamctl.local.rekognition.engine_client import EngineClient
from streamctl.local.rekognition.faces import FaceEngine
from streamctl.local.rekognition.register import Register
from streamctl.local.rekognition.service import RekognitionService
from streamctl.local.service import Call, ServiceFault
from streamctl.local.switches import Switches
from streamctl.media import clip, ebml, mkv

HERE = ("000000000000", "us-east-1")
MODEL = ServiceModel(Loader().load_service_model("rekognition", "service-2"))
QUICK = Timings(
    starting_s=0.05, stopping_s=0.05, name_held_s=0.2, failing_s=0.1, stop_interval_s=0.0
)


def getmedia(path: Path) -> Iterator[tuple[int, bytes]]:
    """A Matroska file as GetMedia sends it, cut at key frames: (time in ms, bytes) by frame."""
    document, cluster_ms, number, began = b"", 0, 10**46, 1_600_000_000_000
    for element in (
        e for e in ebml.Walker().feed(path.read_bytes()) if isinstance(e, ebml.Element)
    ):
        if element.id in {ebml.INFO, ebml.TRACKS}:
            document += ebml.write(element.id, element.payload)
        elif element.id == ebml.TIMECODE:
            cluster_ms = ebml.uint(element.payload)
        elif block := ebml.block_of(element):
            now_ms, head = cluster_ms + block.relative, b""
            if block.keyframe:
                number, start_ms = number + 1, now_ms
                head = _end(number - 1) + _beginning(document, number, began + now_ms, now_ms)
            moved = dataclasses.replace(block, relative=now_ms - start_ms)
            yield now_ms, head + ebml.write_simple_block(moved)
    yield now_ms, _end(number)


def _beginning(document: bytes, number: int, wall_ms: int, timecode_ms: int) -> bytes:
    tags = {
        mkv.FRAGMENT_NUMBER: str(number),
        mkv.SERVER_TIMESTAMP: f"{wall_ms / 1000:.3f}",
        mkv.PRODUCER_TIMESTAMP: f"{wall_ms / 1000:.3f}",
    }
    opening = ebml.write(ebml.EBML, b"") + ebml.write_open(ebml.SEGMENT) + document
    cluster = ebml.write_open(ebml.CLUSTER) + ebml.write_uint(ebml.TIMECODE, timecode_ms)
    return opening + ebml.write_tags(tags) + cluster


def _end(number: int) -> bytes:
    return ebml.write_tags({mkv.MILLIS_BEHIND_NOW: "0", mkv.CONTINUATION_TOKEN: str(number)})


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's clip: the known person 0-4 s, nobody, the unknown one 7-11 s, nobody; 1 s cuts."""
    path = tmp_path_factory.mktemp("clip") / "clip.mkv"
    clip.render(path)
    return path


@pytest.fixture(scope="session")
def rendered_getmedia(rendered: Path) -> bytes:
    """The demo's clip as one GetMedia answer."""
    return b"".join(data for _, data in getmedia(rendered))


@pytest.fixture(scope="session")
def three_scenes(rendered: Path) -> bytes:
    """Three fragments of the demo's clip: the known person, nobody, the unknown person."""
    wanted = {1_000, 5_000, 9_000}
    return b"".join(data for ms, data in getmedia(rendered) if ms // 1_000 * 1_000 in wanted)


@pytest.fixture(scope="session")
def as_getmedia() -> Callable[[Path], Iterator[tuple[int, bytes]]]:
    """A file, as GetMedia sends it: (time in ms, bytes) by frame."""
    return getmedia


class FakeCameras:
    """Cameras by ARN. What is put into `video` is what a follower gets, until None.

    `apart` has the videos of cameras that do not share that one, by ARN.
    """

    def __init__(self) -> None:
        self.arns: set[str] = set()
        self.video: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.apart: dict[str, asyncio.Queue[bytes | None]] = {}
        self.followers = 0
        self.followed = 0
        """How many followers there have been."""

    def find(self, scope: tuple[str, str], arn_or_name: str) -> object | None:
        return arn_or_name if arn_or_name in self.arns else None

    async def follow(self, scope: tuple[str, str], arn: str) -> AsyncIterator[bytes]:
        if arn not in self.arns:
            raise ServiceFault("ResourceNotFoundException", "no such camera", 404)
        self.followers += 1
        self.followed += 1
        try:
            video = self.apart.get(arn, self.video)
            while (piece := await video.get()) is not None:
                yield piece
        finally:
            self.followers -= 1


class FakeRoles:
    """Roles that trust Rekognition, and what all of them may not do."""

    def __init__(self) -> None:
        self.trusted: set[str] = set()
        self.denied: set[str] = set()

    def trusts(self, role_arn: str, service: str, source_arn: str) -> bool:
        return role_arn in self.trusted and service == "rekognition.amazonaws.com"

    def grants(self, role_arn: str, action: str, resource: str) -> bool:
        return action not in self.denied


class FakeKinesis:
    """Data streams by name: lists of (partition key, data)."""

    def __init__(self) -> None:
        self.streams: dict[str, list[tuple[str, bytes]]] = {}
        self.throttled = 0

    def describe_stream_summary(self, StreamName: str) -> dict[str, Any]:  # noqa: N803 - botocore's
        self._of(StreamName)
        return {}

    def put_record(self, StreamName: str, Data: bytes, PartitionKey: str) -> None:  # noqa: N803
        if self.throttled:
            self.throttled -= 1
            raise _error("ProvisionedThroughputExceededException")
        self._of(StreamName).append((PartitionKey, Data))

    def _of(self, name: str) -> list[tuple[str, bytes]]:
        if name not in self.streams:
            raise _error("ResourceNotFoundException")
        return self.streams[name]


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as asked"}}, "Fake")


@dataclasses.dataclass(slots=True)
class FakeCloud(Cloud):
    """A cloud whose own endpoint is a dictionary: these tests cross no network."""

    clients: dict[str, Any] = dataclasses.field(default_factory=dict)

    def client(self, service: str, region: str, account: str) -> Any:
        return self.clients[service]


def in_model(operation: str, answer: Mapping[str, Any]) -> bool:
    """Whether an answer has nothing that AWS's model has not, and breaks none of its limits."""
    shape = MODEL.operation_model(operation).output_shape
    assert shape is not None
    written = shapes.write(shape, answer)
    shapes.read(shape, json.loads(json.dumps(written)))  # raises where a limit is broken
    return _names(written) == _names(answer)


def _names(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return set(value) | set().union(*map(_names, value.values()))
    return set().union(*map(_names, value)) if isinstance(value, list) else set()


class World:
    """One Rekognition and its neighbours. Calls go by operation name, as the front door's do.

    `ahead_s` is how far its clock is in front of everybody's.
    """

    def __init__(self, data: Path, switches: Switches, timings: Timings) -> None:
        self.cameras, self.roles, self.kinesis = FakeCameras(), FakeRoles(), FakeKinesis()
        self.cloud = FakeCloud(data=data, port=1, media_port=2, switches=switches, timings=timings)
        self.cloud.clients["kinesis"] = self.kinesis
        self.ahead_s = 0.0
        self.service = RekognitionService(
            self.cloud, self.cameras, self.roles, lambda: time.time() + self.ahead_s
        )
        self._has_collection = False

    async def __call__(
        self, operation: str, scope: tuple[str, str] = HERE, **params: Any
    ) -> Mapping[str, Any]:
        call = Call("rekognition", operation, params, *scope, "streamctl", str(uuid.uuid4()))
        answer = await self.service.operations[operation](call)
        assert in_model(operation, answer)
        return answer

    async def code(self, operation: str, **params: Any) -> str:
        """The error code that a call is answered with; "" for none."""
        try:
            await self(operation, **params)
        except ServiceFault as fault:
            return fault.code
        return ""

    async def furnish(self, name: str = "door") -> dict[str, Any]:
        """Camera, results, role and collection; returns what CreateStreamProcessor takes."""
        camera = f"arn:aws:kinesisvideo:us-east-1:{HERE[0]}:stream/{name}/1600000000000"
        role = f"arn:aws:iam::{HERE[0]}:role/rekognition"
        self.cameras.arns.add(camera)
        self.kinesis.streams[f"AmazonRekognition-{name}"] = []
        self.roles.trusted.add(role)
        if not self._has_collection:  # its calls have a low limit
            await self.code("CreateCollection", CollectionId="people")
            self._has_collection = True
        results = f"arn:aws:kinesis:us-east-1:{HERE[0]}:stream/AmazonRekognition-{name}"
        return {
            "Name": name,
            "Input": {"KinesisVideoStream": {"Arn": camera}},
            "Output": {"KinesisDataStream": {"Arn": results}},
            "Settings": {"FaceSearch": {"CollectionId": "people"}},
            "RoleArn": role,
        }

    async def create(self, name: str = "door", **more: Any) -> None:
        await self("CreateStreamProcessor", **{**await self.furnish(name), **more})

    async def status(self, name: str = "door") -> str:
        return str((await self("DescribeStreamProcessor", Name=name))["Status"])

    async def settled(self, *wanted: str, name: str = "door") -> Mapping[str, Any]:
        """The processor's description, once its status is one of these."""
        deadline = time.monotonic() + 15
        while True:
            described = await self("DescribeStreamProcessor", Name=name)
            if described["Status"] in wanted:
                return described
            assert time.monotonic() < deadline, f"still {described['Status']}"
            await asyncio.sleep(0.06)  # Describe has a limit too

    @property
    def register(self) -> Register:
        """What is true now, however stale Describe may be."""
        return self.service._lives._register

    async def people(self, **enrolled: bytes) -> dict[str, str]:
        """A collection `people` with these portraits; returns FaceIds by person."""
        await self("CreateCollection", CollectionId="people")
        answers = {
            name: await self.index(it, ExternalImageId=name) for name, it in enrolled.items()
        }
        return {
            name: str(answer["FaceRecords"][0]["Face"]["FaceId"])
            for name, answer in answers.items()
        }

    async def index(self, image: bytes, **more: Any) -> Mapping[str, Any]:
        return await self("IndexFaces", CollectionId="people", Image={"Bytes": image}, **more)

    async def search(self, image: bytes, **more: Any) -> Mapping[str, Any]:
        image_given = {"Bytes": image}
        return await self("SearchFacesByImage", CollectionId="people", Image=image_given, **more)

    async def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < deadline, "it never came true"
            await asyncio.sleep(0.02)


@pytest.fixture(scope="session")
def seen() -> dict[tuple[bytes, bool], Any]:
    """What the engine answered in this run, by image."""
    return {}


@pytest.fixture(scope="session")
def still_engine() -> FaceEngine:
    return FaceEngine(upsample=1)


@pytest.fixture
def engine_at_hand(
    monkeypatch: pytest.MonkeyPatch, still_engine: FaceEngine, seen: dict[tuple[bytes, bool], Any]
) -> None:
    """The real engine, in this process, and each image looked at once.

    Its own process, which takes a second to load, is left to the tests that are about it.
    """

    async def ask(client: EngineClient, line: bytes) -> dict[str, Any]:
        request = json.loads(line)
        key = (request["image"], request["embed"])
        if key not in seen:
            seen[key] = answer(still_engine, request)
        return dict(seen[key])

    monkeypatch.setattr(EngineClient, "_ask", ask)


Story = Callable[[World], Awaitable[None]]


@pytest.fixture
def live(tmp_path: Path) -> Callable[..., None]:
    """Run a story in a world of its own; options are switches or timings. All is ended after it.

    A second story in the same test finds what the first one left on disk.
    """

    def run(story: Story, *, timings: Timings = QUICK, **switches: Any) -> None:
        async def whole() -> None:
            world = World(tmp_path, Switches(**switches), timings)
            await world.service.start()
            try:
                await story(world)
            finally:
                await world.service.stop()

        asyncio.run(whole())

    return run
