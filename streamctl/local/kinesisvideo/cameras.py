"""The cameras of every account and region, and what of them outlives the server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from streamctl.errors import StreamctlError
from streamctl.local.kinesisvideo import refusals
from streamctl.local.kinesisvideo.storage import Storage

MAX_VIEWERS: Final = 3  # GetMedia connections per stream (quotas, hard)

_NAME: Final = re.compile(r"[a-zA-Z0-9_.-]{1,256}")

AwsScope = tuple[str, str]
"""Account and region."""


@dataclass(slots=True)
class Settings:
    """What DescribeStream tells of a camera, and its tags."""

    name: str
    account: str
    region: str
    created_ms: int
    retention_h: int
    media_type: str
    device_name: str
    kms_key_id: str
    version: str
    tags: dict[str, str] = field(default_factory=dict)


class Camera:
    """One Kinesis video stream: its settings, its fragments, and who is connected to it."""

    def __init__(self, settings: Settings, folder: Path, now: Callable[[], float]) -> None:
        self.settings = settings
        self.storage = Storage(folder / "fragments", now)
        self.ended = asyncio.Event()
        """Nobody is served any more: it is deleted, or the server stops."""
        self.deleted = False
        self._folder = folder
        self._has_producer = False
        self._viewers = 0

    @property
    def arn(self) -> str:
        owner = f"{self.settings.region}:{self.settings.account}"
        return (
            f"arn:aws:kinesisvideo:{owner}:stream/{self.settings.name}/{self.settings.created_ms}"
        )

    @property
    def retention_s(self) -> float:
        return self.settings.retention_h * 3600.0

    def update(self) -> None:
        """Save the settings as they are now, under a new version."""
        self.settings.version = secrets.token_hex(10)
        self.save()

    def save(self) -> None:
        whole = self._folder / "camera.json"
        part = whole.with_suffix(".part")
        part.write_text(json.dumps(asdict(self.settings)))
        part.replace(whole)

    def trim(self) -> None:
        self.storage.trim(self.retention_s)

    def end(self) -> None:
        """Every connection ends."""
        self.ended.set()
        self.storage.bell.ring()

    def delete(self) -> None:
        """Every connection ends, and nothing of it stays on disk."""
        self.deleted = True
        self.end()
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextlib.contextmanager
    def producing(self) -> Iterator[None]:
        """The one PutMedia connection. Raises ServiceFault for the second."""
        if self._has_producer:
            raise refusals.too_many_connections(
                f"{self.settings.name} has a PutMedia connection already; the limit is 1"
            )
        self._has_producer = True
        try:
            yield
        finally:
            self._has_producer = False

    @contextlib.contextmanager
    def viewing(self) -> Iterator[None]:
        """One of the GetMedia connections. Raises ServiceFault above the limit."""
        if self._viewers >= MAX_VIEWERS:
            raise refusals.too_many_connections(
                f"{self.settings.name} has {MAX_VIEWERS} GetMedia connections already"
            )
        self._viewers += 1
        try:
            yield
        finally:
            self._viewers -= 1


class Cameras:
    """All cameras, by account and region; a folder each under `root`."""

    def __init__(self, root: Path, now: Callable[[], float]) -> None:
        """Take up what an earlier server has left in `root`."""
        self._root = root
        self._now = now
        self._cameras: dict[AwsScope, dict[str, Camera]] = {}
        root.mkdir(parents=True, exist_ok=True)
        for record in sorted(root.glob("*/camera.json")):
            self._add(_recorded(record))

    def all(self, scope: AwsScope) -> list[Camera]:
        """In the order of their names."""
        return [camera for _, camera in sorted(self._cameras.get(scope, {}).items())]

    def everywhere(self) -> list[Camera]:
        return [camera for cameras in self._cameras.values() for camera in cameras.values()]

    def find(self, scope: AwsScope, arn_or_name: str) -> Camera | None:
        """By its name, or by its ARN, which must be that of the camera as created last."""
        if arn_or_name.startswith("arn:"):
            return next((c for c in self.all(scope) if c.arn == arn_or_name), None)
        return self._cameras.get(scope, {}).get(arn_or_name)

    def named(self, scope: AwsScope, name: str | None, arn: str | None) -> Camera:
        """As requests name it. Raises ServiceFault: neither given, or no such camera."""
        wanted = arn or name
        if not wanted:
            raise refusals.invalid("StreamName or StreamARN is required")
        camera = self.find(scope, wanted)
        if camera is None:
            raise refusals.not_found(wanted)
        return camera

    def create(self, scope: AwsScope, name: str) -> Camera:
        """Raises ServiceFault for a name that is taken or none."""
        if not _NAME.fullmatch(name):
            raise refusals.invalid(f"StreamName must match {_NAME.pattern}")
        if self.find(scope, name) is not None:
            raise refusals.in_use(name)
        account, region = scope
        return self._add(
            Settings(
                name=name,
                account=account,
                region=region,
                created_ms=self._free_moment(),
                retention_h=0,
                media_type="",
                device_name="",
                kms_key_id=f"arn:aws:kms:{region}:{account}:alias/aws/kinesisvideo",
                version="",
            )
        )

    def delete(self, camera: Camera) -> None:
        settings = camera.settings
        del self._cameras[settings.account, settings.region][settings.name]
        camera.delete()

    def _add(self, settings: Settings) -> Camera:
        camera = Camera(settings, self._root / str(settings.created_ms), self._now)
        scope = settings.account, settings.region
        self._cameras.setdefault(scope, {})[settings.name] = camera
        return camera

    def _free_moment(self) -> int:
        """Its creation time names a camera's folder, so no two may share one."""
        moment = int(self._now() * 1000)
        while (self._root / str(moment)).exists():
            moment += 1
        return moment


def _recorded(record: Path) -> Settings:
    try:
        return Settings(**json.loads(record.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise StreamctlError(
            f"the local cloud cannot read {record}: {error}",
            hint="remove that camera's folder, or choose another data folder",
        ) from error
