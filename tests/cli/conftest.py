"""Commands run in this process, and a local cloud with a platform for them to work on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest

import streamctl.media
from streamctl.cli.main import run
from streamctl.core import forgetting
from streamctl.core.watch import WATCH, Attention, Rule, Watch
from streamctl.local.launch import LocalCloud
from tests.cli.forgetting_world import World

NUMBERS = count()


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Said]


@pytest.fixture
def streamctl_(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command line, split at spaces unless given in parts."""

    def command(*arguments: str) -> Said:
        given = arguments[0].split() if len(arguments) == 1 else list(arguments)
        capsys.readouterr()
        code = run(given)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return command


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's AWS settings reaches a test, and no test reaches AWS."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "STREAMCTL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def in_cloud(shared_local_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> LocalCloud:
    """AWS is the local cloud that this run shares."""
    for name, value in shared_local_cloud.env().items():
        monkeypatch.setenv(name, value)
    return shared_local_cloud


@pytest.fixture(scope="session")
def _platform(shared_local_cloud: LocalCloud) -> None:
    """A platform `main`, a collection `staff` and a camera `door`, all made by commands."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in shared_local_cloud.env().items():
            patched.setenv(name, value)
        for line in (
            "stack deploy --min-idle-after 5s",
            "collection create staff",
            "camera create door",
        ):
            assert run(line.split()) == 0, line


@pytest.fixture
def platform(in_cloud: LocalCloud, _platform: None) -> LocalCloud:
    """The shared local cloud, with a platform `main`, a collection `staff`, a camera `door`."""
    return in_cloud


@pytest.fixture
def client(in_cloud: LocalCloud) -> Callable[[str], Any]:
    """boto3 clients to the same cloud: what is asserted is what any other tool would see."""
    return boto3.client


@pytest.fixture
def status_of(client: Callable[[str], Any]) -> Callable[[str], str | None]:
    """A processor's status as boto3 sees it, None where there is none of that name."""

    def status(name: str) -> str | None:
        listed = client("rekognition").list_stream_processors()["StreamProcessors"]
        return next((each["Status"] for each in listed if each["Name"] == name), None)

    return status


@pytest.fixture
def camera(streamctl_: Command, platform: LocalCloud) -> Iterator[str]:
    """A camera of this test's own; its processor, if it has one, goes with it."""
    name = f"cam-{next(NUMBERS)}"
    assert streamctl_(f"camera create {name}").code == 0
    yield name
    platform.faults_clear()
    for processor in streamctl_(f"camera describe {name} -o json").json["processors"]:
        if streamctl_(f"processor delete {processor} --yes").code != 0:
            streamctl_(f"processor stop {processor} --yes")
            streamctl_(f"processor wait {processor} --for stopped")
            assert streamctl_(f"processor delete {processor} --yes").code == 0
    assert streamctl_(f"camera delete {name}").code == 0


@pytest.fixture
def foreign(streamctl_: Command, camera: str, client: Callable[[str], Any]) -> str:
    """A processor on the camera that somebody else made: it has no tags of ours."""
    made = streamctl_(f"camera describe {camera} -o json").json
    arn = client("kinesis").describe_stream(StreamName=made["results"])
    client("rekognition").create_stream_processor(
        Name=f"foreign-{camera}",
        Input={"KinesisVideoStream": {"Arn": made["arn"]}},
        Output={"KinesisDataStream": {"Arn": arn["StreamDescription"]["StreamARN"]}},
        RoleArn=made["role_arn"],
        Settings={"FaceSearch": {"CollectionId": "staff"}},
    )
    return f"foreign-{camera}"


@pytest.fixture(scope="session")
def portraits() -> Path:
    """The folder of public-domain portraits that the package ships."""
    return Path(streamctl.media.__path__[0]) / "portraits"


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Render a small Matroska video of a codec and a frame rate, a key frame every second."""
    av = pytest.importorskip("av")
    numpy = pytest.importorskip("numpy")
    folder = tmp_path_factory.mktemp("clips")

    def render(codec: str = "libx264", fps: int = 10, seconds: int = 2) -> Path:
        path: Path = folder / f"{codec}-{fps}-{seconds}.mkv"
        if path.exists():
            return path
        with av.open(str(path), "w") as file:
            stream = file.add_stream(codec, rate=fps)
            stream.width, stream.height = 320, 240
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            stream.codec_context.gop_size = fps
            for number in range(fps * seconds):
                picture = numpy.full((240, 320, 3), number % 256, dtype=numpy.uint8)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
        return path

    return render


@pytest.fixture
def world(platform: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Nothing is waited for. What is watched for is put back after, and the trail is taken away."""
    monkeypatch.setattr(forgetting, "SETTLES", timedelta(0))
    found = boto3.client("cloudformation").describe_stacks(StackName="streamctl-main")
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found["Stacks"][0]["Outputs"]}
    number = next(NUMBERS)
    camera = f"arn:aws:kinesisvideo:us-east-1:123456789012:stream/forget-{number}/1"
    world = World(outputs, f"ada-{number}", f"bob-{number}", camera)
    yield world
    world.watch(WATCH)
    client, name = boto3.client("dynamodb"), outputs["TableName"]
    for item in client.scan(TableName=name)["Items"]:
        if item["key"]["S"].startswith("forgotten#"):
            client.delete_item(TableName=name, Key={"key": item["key"]})


@pytest.fixture
def everywhere(world: World, streamctl_: Command, portraits: Path) -> Iterator[str]:
    """Both are in every store: two faces of ada under two names, a rule, other names, both open,
    both kept at times of their own, and a picture of bob from when ada was there.
    """
    other = f"{world.ada}-2019"
    collection = f"forget-{next(NUMBERS)}"
    assert streamctl_(f"collection create {collection}").code == 0
    for person, still in (
        (world.ada, "eileen-collins"),
        (other, "eileen-collins"),
        (world.bob, "grace-hopper"),
    ):
        enrol = ("face", "enrol", "--collection", collection, "--person", person)
        assert streamctl_(*enrol, str(portraits / f"{still}.jpg")).code == 0
    rules = tuple(Rule(Attention.ALLOW, person=person) for person in (world.ada, world.bob))
    world.watch(Watch(rules, {other: world.ada}))
    world.story(world.ada, world.bob)
    world.kept(world.ada, 1000)
    world.with_ada = world.kept(world.bob, 1010)
    world.alone = world.kept(world.bob, 5000)
    yield collection
    streamctl_(f"collection delete {collection}")
