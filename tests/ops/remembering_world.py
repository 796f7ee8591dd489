"""A camera, and where what is told of it is kept, in the local cloud."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from streamctl.aws import kept, kinesisvideo
from streamctl.aws.session import Aws
from streamctl.core import folding, forgetting
from streamctl.core.folding import Arrival, Story
from streamctl.core.records import Box, Face, Frame, Match
from streamctl.core.telling import RunRef
from streamctl.ops import push, remember
from streamctl.ops.setting import Keeping
from tests import kept_tables

DAY = timedelta(days=1)
BOX = Box(0.25, 0.25, 0.5, 0.5)


def s(seconds):
    return timedelta(seconds=seconds)


@dataclass
class World:
    """What a test does to it, and what there is."""

    aws: Aws
    camera: str
    keeping: Keeping
    encode: Any
    fragment: str = "9" * 47

    def film(self):
        """A second of video, of whose fragment is told from now on; when that was received."""
        video = self.encode("film.mkv", frames=25, g="25")
        push.push(self.aws, self.camera, video, fast=True)
        now = datetime.now(UTC)
        (stored,) = kinesisvideo.fragments(self.aws, self.camera, now - DAY, now + DAY)
        self.fragment = stored.number
        return stored.received

    def told(self, since, person="ada", *, bucket=None):
        """The messages that tell of a person who was there in two frames: a start and an end."""
        run = RunRef("door", "door@1", self.keeping.pictures if bucket is None else bucket)
        arn = kinesisvideo.describe(self.aws, self.camera).arn
        story = Story(arn)
        for offset in (0.0, 1.0):
            face = Face(BOX, 99.0, (Match(person, f"id-{person}", 90 - offset),))
            frame = Frame(arn, self.fragment, s(offset), since, since, (face,))
            story = folding.fold(story, [Arrival(frame, since)], run, since + s(offset))
        return [
            json.dumps({"source": "streamctl", "detail-type": each.type, "detail": each.detail})
            for each in folding.close_all(story, run).outbox
        ]

    def take(self, *bodies):
        messages = [{"messageId": str(n), "body": body} for n, body in enumerate(bodies)]
        return remember.take(self.aws, self.keeping, messages)

    def kept(self):
        table = self.aws.client("dynamodb").scan(TableName=self.keeping.kept)
        return sorted(item["id"]["S"] for item in table["Items"])

    def messages(self):
        """Those of the events that are kept."""
        return [message for _, message in kept.every(self.aws, self.keeping.kept)]

    def forget(self, event):
        kept.forget(self.aws, self.keeping.kept, [kept.key_of(event)], datetime.now(UTC) + DAY)

    def take_back_picture(self, event, message):
        """As it is done where somebody was there too who was forgotten."""
        without = forgetting.without_picture(message)
        kept.rewrite(self.aws, self.keeping.kept, kept.key_of(event), without)

    def pictures(self):
        listed = self.aws.client("s3").list_objects_v2(Bucket=self.keeping.pictures)
        return [each["Key"] for each in listed.get("Contents", [])]

    def asked_again(self):
        """How many messages to itself are on their way."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
        found = self.aws.client("sqs").get_queue_attributes(
            QueueUrl=self.keeping.queue, AttributeNames=names
        )["Attributes"]
        return sum(int(found[name]) for name in names)


def make(aws, encode):
    name = f"kept-{uuid.uuid4().hex[:8]}"
    aws.client("kinesisvideo").create_stream(StreamName=name, DataRetentionInHours=1)
    aws.client("s3").create_bucket(Bucket=name)
    table = kept_tables.create(aws.client("dynamodb"), name)
    queue = aws.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return World(aws, name, Keeping(table, name, queue, DAY), encode)
