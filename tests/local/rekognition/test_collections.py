"""Collections and the faces in them: created, listed, deleted, and kept over a restart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streamctl.media import clip

Live = Callable[..., None]
World = Any

KNOWN, UNKNOWN = clip.portrait(clip.KNOWN), clip.portrait(clip.UNKNOWN)


@pytest.mark.usefixtures("engine_at_hand")
def test_create_describe_list_delete(live: Live) -> None:
    """A collection's whole life, with the answers that AWS gives."""

    async def story(world: World) -> None:
        created = await world("CreateCollection", CollectionId="people", Tags={"a": "b"})
        assert created["StatusCode"] == 200
        assert created["CollectionArn"] == (
            "aws:rekognition:us-east-1:000000000000:collection/people"
        )
        code = await world.code("CreateCollection", CollectionId="people")
        assert code == "ResourceAlreadyExistsException"
        described = await world("DescribeCollection", CollectionId="people")
        assert (described["FaceCount"], described["UserCount"]) == (0, 0)
        await world("CreateCollection", CollectionId="People")  # ids are case-sensitive
        listed = await world("ListCollections", MaxResults=1)
        assert listed["CollectionIds"] == ["People"]
        rest = await world("ListCollections", MaxResults=1, NextToken=listed["NextToken"])
        assert rest == {"CollectionIds": ["people"], "FaceModelVersions": ["7.0"]}
        await world("DeleteCollection", CollectionId="people")
        assert (await world("ListCollections"))["CollectionIds"] == ["People"]

    live(story)


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("DescribeCollection", {}),
        ("DeleteCollection", {}),
        ("ListFaces", {}),
        ("DeleteFaces", {"FaceIds": ["0" * 8]}),
        ("SearchFaces", {"FaceId": "0" * 8}),
        ("IndexFaces", {"Image": {"Bytes": KNOWN}}),
        ("SearchFacesByImage", {"Image": {"Bytes": KNOWN}}),
    ],
)
@pytest.mark.usefixtures("engine_at_hand")
def test_an_unknown_collection(live: Live, operation: str, params: dict[str, Any]) -> None:
    """Every call on it answers ResourceNotFoundException."""

    async def story(world: World) -> None:
        code = await world.code(operation, CollectionId="nobody", **params)
        assert code == "ResourceNotFoundException"

    live(story)


@pytest.mark.usefixtures("engine_at_hand")
def test_list_and_delete_faces(live: Live) -> None:
    """In pages, by ids, and gone after the delete; what was not there is said."""

    async def story(world: World) -> None:
        ids = await world.people(known=KNOWN, unknown=UNKNOWN)
        first = await world("ListFaces", CollectionId="people", MaxResults=1)
        rest = await world("ListFaces", CollectionId="people", NextToken=first["NextToken"])
        assert {f["FaceId"] for f in (*first["Faces"], *rest["Faces"])} == set(ids.values())
        assert "NextToken" not in rest
        only = await world("ListFaces", CollectionId="people", FaceIds=[ids["known"]])
        assert [face["ExternalImageId"] for face in only["Faces"]] == ["known"]
        never = "00000000-0000-4000-8000-000000000000"
        gone = await world("DeleteFaces", CollectionId="people", FaceIds=[ids["known"], never])
        assert gone["DeletedFaces"] == [ids["known"]]
        assert gone["UnsuccessfulFaceDeletions"] == [
            {"FaceId": never, "Reasons": ["FACE_NOT_FOUND"]}
        ]
        assert (await world.search(KNOWN))["FaceMatches"] == []
        code = await world.code("SearchFaces", CollectionId="people", FaceId=ids["known"])
        assert code == "InvalidParameterException"

    live(story)


def test_collections_outlive_the_server(live: Live) -> None:
    """Faces, tags and removals are as they were; a deleted collection stays deleted."""

    async def before(world: World) -> None:
        ids = await world.people(known=KNOWN, unknown=UNKNOWN)
        await world("DeleteFaces", CollectionId="people", FaceIds=[ids["unknown"]])
        arn = "arn:aws:rekognition:us-east-1:000000000000:collection/people"
        await world("TagResource", ResourceArn=arn, Tags={"a": "b"})
        await world("CreateCollection", CollectionId="gone")
        await world("DeleteCollection", CollectionId="gone")

    async def after(world: World) -> None:
        assert (await world("ListCollections"))["CollectionIds"] == ["people"]
        assert (await world.search(KNOWN))["FaceMatches"][0]["Similarity"] > 99
        assert (await world.search(UNKNOWN))["FaceMatches"] == []
        arn = "arn:aws:rekognition:us-east-1:000000000000:collection/people"
        assert await world("ListTagsForResource", ResourceArn=arn) == {"Tags": {"a": "b"}}

    live(before)
    live(after)
