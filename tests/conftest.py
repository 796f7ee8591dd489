"""What every test may ask for."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import boto3
import botocore.session
import moto
import pytest
from hypothesis import settings

from streamctl.aws.session import Aws
from streamctl.local.launch import LocalCloud
from tests import kept_tables

# A busy machine is no reason to fail: nothing here asserts how fast it is.
settings.register_profile("streamctl", deadline=None)
settings.load_profile("streamctl")

_BESIDE: Final = 50
"""How many tests that compute are dealt to each that waits: all of these begin in good time."""

_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_configure(config):
    """Load our own plugin where the package is not installed (a checkout on PYTHONPATH)."""
    if not config.pluginmanager.hasplugin("streamctl"):
        config.pluginmanager.import_plugin("streamctl.local.pytest_plugin")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, since they mostly wait; the others are dealt among them, to compute meanwhile."""
    waiting = [item for item in items if "e2e" in item.path.parts]
    waiting.sort(key=lambda item: "minutes" not in item.keywords)
    rest = (item for item in items if "e2e" not in item.path.parts)
    dealt = [each for item in waiting for each in (item, *itertools.islice(rest, _BESIDE))]
    items[:] = [*dealt, *rest]


@pytest.fixture(scope="session", autouse=True)
def _models_are_read_once() -> Iterator[None]:
    """One loader of botocore's files for all sessions, as there is one for all clients of a session:
    every test makes clients of its own, and half of their time goes into finding and reading these.
    """
    loader = boto3.session.Session()._loader  # boto3 has added its own folder to it
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", lambda *_: loader)
        patch.setattr(
            boto3.session.Session, "_setup_loader", lambda self: setattr(self, "_loader", loader)
        )
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real inputs that do not belong to the repository: videos, captures, portraits, records."""
    if not _SHARED.is_dir():
        pytest.skip("needs ../shared/data: real videos, captures and records")
    return _SHARED


@dataclass(frozen=True)
class Encoder:
    """Encodes moving pictures into a file of any container that FFmpeg can write."""

    folder: Path

    def __call__(
        self,
        name,
        *,
        codec="libx264",
        frames=75,
        rate=25,
        size=(320, 240),
        container=None,
        **options,
    ):
        import av
        import numpy as np

        path, (width, height) = self.folder / name, size
        settings = {"g": "25", "bf": "0", "sc_threshold": "0", "preset": "ultrafast", **options}
        with av.open(str(path), "w", options=container or {}) as out:
            stream = out.add_stream(codec, rate=rate, options=settings)
            stream.width, stream.height = size
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            for number in range(frames):
                pixels = np.full((height, width, 3), number % 200, dtype=np.uint8)
                pixels[:, number % (width - 20) : number % (width - 20) + 20] = 255
                picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                picture.pts = number
                out.mux(stream.encode(picture))
            out.mux(stream.encode(None))
        return path


@pytest.fixture
def encode(tmp_path: Path) -> Encoder:
    """Small real videos, encoded when a test asks for them."""
    pytest.importorskip("av", reason="needs the [media] extra")
    return Encoder(tmp_path)


@pytest.fixture
def made_up_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's credentials, and no AWS setting of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")


@pytest.fixture
def mocked_aws(made_up_credentials: None) -> Iterator[None]:
    """moto, in this process: for unit tests of what talks to AWS."""
    with moto.mock_aws():
        yield


@pytest.fixture
def aws(
    made_up_credentials: None, shared_local_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Aws]:
    """A client to the run's local cloud. Others use it too: names are a test's own."""
    for name, value in shared_local_cloud.env().items():
        monkeypatch.setenv(name, value)
    yield Aws()
    shared_local_cloud.faults_clear()


@pytest.fixture
def kept_table(mocked_aws: None) -> str:
    return kept_tables.create(boto3.client("dynamodb", "us-east-1"), "kept")


@pytest.fixture
def platform_table(mocked_aws: None) -> str:
    """A table `t` as platform.yaml makes it."""
    boto3.client("dynamodb", "us-east-1").create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "key", "AttributeType": "S"},
            {"AttributeName": "open", "AttributeType": "S"},
            {"AttributeName": "due", "AttributeType": "N"},
        ],
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "open-by-due",
                "KeySchema": [
                    {"AttributeName": "open", "KeyType": "HASH"},
                    {"AttributeName": "due", "KeyType": "RANGE"},
                ],
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": ["processor", "expects"],
                },
            }
        ],
    )
    return "t"
