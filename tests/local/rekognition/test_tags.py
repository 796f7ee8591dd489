"""Tags of processors and of collections, by ARN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Live = Callable[..., None]
World = Any


def test_tags_come_and_go(live: Live) -> None:
    """On processors and on collections, by ARN; a running one keeps its state."""

    async def story(world: World) -> None:
        await world.create(Tags={"a": "1"})
        await world("StartStreamProcessor", Name="door")
        for kind in ("streamprocessor/door", "collection/people"):
            arn = f"arn:aws:rekognition:us-east-1:000000000000:{kind}"
            await world("TagResource", ResourceArn=arn, Tags={"b": "2", "c": "3"})
            await world("UntagResource", ResourceArn=arn, TagKeys=["a", "c", "never"])
            assert await world("ListTagsForResource", ResourceArn=arn) == {"Tags": {"b": "2"}}
        await world.settled("RUNNING")

    live(story)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:rekognition:us-east-1:000000000000:streamprocessor/nobody",
        "arn:aws:rekognition:us-east-1:000000000000:collection/nobody",
        "arn:aws:rekognition:eu-west-1:000000000000:streamprocessor/door",
        "arn:aws:s3:::a-bucket-of-somebody",
    ],
)
def test_tags_of_what_is_not_there(live: Live, arn: str) -> None:
    """ResourceNotFoundException, also for another region and another service."""

    async def story(world: World) -> None:
        await world.create()
        code = await world.code("ListTagsForResource", ResourceArn=arn)
        assert code == "ResourceNotFoundException"

    live(story)


def test_no_more_than_two_hundred_tags(live: Live) -> None:
    """One more is ServiceQuotaExceededException, and changes nothing."""

    async def story(world: World) -> None:
        await world.create(Tags={f"k{n}": "" for n in range(200)})
        arn = "arn:aws:rekognition:us-east-1:000000000000:streamprocessor/door"
        code = await world.code("TagResource", ResourceArn=arn, Tags={"one-more": ""})
        assert code == "ServiceQuotaExceededException"
        assert len((await world("ListTagsForResource", ResourceArn=arn))["Tags"]) == 200

    live(story)
