"""A platform's stores with people in them, made for tests of forgetting; read by boto3 alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from streamctl.aws import kept, table
from streamctl.aws.session import Aws
from streamctl.core import folding, heard
from streamctl.core.folding import Story
from streamctl.core.telling import RunRef
from streamctl.core.watch import Watch
from streamctl.ops.setting import WATCH_KEY, story_key
from tests.core.frames_shown import arrival
from tests.core.scene import ZERO
from tests.ops.messages_told import envelope

LATER = datetime.now(UTC) + timedelta(days=1)


@dataclass
class World:
    """A platform's stores, with somebody in each; what is asked of them is asked by boto3 alone."""

    outputs: Mapping[str, str]
    ada: str
    bob: str
    camera: str
    aws: Aws = field(default_factory=Aws)

    def kept(self, person: str, second: float, *, picture: bool = True) -> heard.SightingEvent:
        """Tell of somebody who is there for a second, and keep it with a picture; the last event."""
        run = RunRef("door", "door@1", self.outputs["PicturesName"])
        story = Story(self.camera)
        for moment in (second, second + 1):
            story = folding.fold(story, [arrival(moment, person)], run, arrival(moment).at)
        for told in folding.close_all(story, run).outbox:
            message = envelope(told.type, told.detail)
            event = heard.read(message)
            kept.put(self.aws, self.outputs["KeptName"], event, message, LATER)
        if picture:
            self.put_picture(event.best.picture.key)
        return event

    def put_picture(self, key: str) -> None:
        bucket = self.outputs["PicturesName"]
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=b"", Metadata={})

    def story(self, *people: str) -> Story:
        """Save a story in which these are there now. No sweep sees to it: it is not due."""
        now = (datetime.now(UTC) - ZERO).total_seconds()
        story = Story(self.camera)
        for second in (now - 2, now - 1):
            story = folding.fold(story, [arrival(second, *people)], RunRef(), arrival(now).at)
        key, version = story_key(self.camera), self.saved().version
        table.save(self.aws, self.outputs["TableName"], key, story, version)
        return story

    def saved(self) -> table.Saved[Story]:
        """The camera's story as it is now."""
        return table.load_one(self.aws, self.outputs["TableName"], story_key(self.camera), Story)

    def watch(self, watch: Watch) -> None:
        saved = table.load_one(self.aws, self.outputs["TableName"], WATCH_KEY, Watch)
        table.save(self.aws, self.outputs["TableName"], WATCH_KEY, watch, saved.version)

    def items(self) -> str:
        """Every item of both tables, as text."""
        client = boto3.client("dynamodb")
        names = self.outputs["TableName"], self.outputs["KeptName"]
        return json.dumps([client.scan(TableName=name)["Items"] for name in names])

    def marks(self) -> list[timedelta]:
        """For how long each mark of a forgotten event still stands; there are some."""
        items = boto3.client("dynamodb").scan(TableName=self.outputs["KeptName"])["Items"]
        marks = [each for each in items if set(each) == {"about", "id", "expires"}]
        assert marks
        now = datetime.now(UTC).timestamp()
        return [timedelta(seconds=float(each["expires"]["N"]) - now) for each in marks]

    def pictures(self) -> set[str]:
        listed = boto3.client("s3").list_objects_v2(Bucket=self.outputs["PicturesName"])
        return {each["Key"] for each in listed.get("Contents", [])}

    def faces(self) -> list[str]:
        client = boto3.client("rekognition")
        return [
            face.get("ExternalImageId", face["FaceId"])
            for collection in client.list_collections()["CollectionIds"]
            for face in client.list_faces(CollectionId=collection)["Faces"]
        ]

    def trail(self) -> list[dict[str, Any]]:
        """In order of time."""
        client = boto3.client("dynamodb")
        items = client.scan(TableName=self.outputs["TableName"])["Items"]
        found = [
            json.loads(item["doc"]["S"])
            for item in items
            if item["key"]["S"].startswith("forgotten#")
        ]
        return sorted(found, key=lambda each: each["asked"])


def forget(streamctl_: Callable[..., Any], world: World, *more: str) -> Any:
    """Forget ada; what the command said."""
    return streamctl_("face", "forget", world.ada, "--yes", "-o", "json", *more)
