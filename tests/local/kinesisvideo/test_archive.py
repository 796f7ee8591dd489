"""ListFragments and GetMediaForFragmentList: whole fragments, by time, in pages."""

import asyncio
import base64
from datetime import UTC, datetime

import pytest

from streamctl.local.kinesisvideo.archive import media_of
from streamctl.local.service import ServiceFault

BEGAN = 1_795_200_000


def run(story):
    asyncio.run(story())


def moment(seconds):
    return datetime.fromtimestamp(seconds, UTC)


async def recorded(here, mkv, count=4, **how):
    camera = await here.camera(**how)
    for number in range(count):
        await here.put_whole(mkv.head() + mkv.cluster(number * 2000))
        here.clock.forward(2)
    return camera


def listing(here, first=BEGAN, last=BEGAN + 1000, kind="SERVER_TIMESTAMP", **more):
    span = {"StartTimestamp": moment(first), "EndTimestamp": moment(last)}
    selector = {"FragmentSelectorType": kind, "TimestampRange": span}
    return here.call("ListFragments", StreamName="door", FragmentSelector=selector, **more)


def times(answer):
    """The producer times listed, sorted: listings have no order."""
    return sorted(f["ProducerTimestamp"].timestamp() for f in answer["Fragments"])


def test_whole_fragments_are_described(world, mkv):
    """Number, both times, length in milliseconds and size, as stored."""

    async def story():
        here = world()
        camera = await recorded(here, mkv, 1)
        (listed,) = (await listing(here))["Fragments"]
        (stored,) = camera.storage.kept()
        assert listed == {
            "FragmentNumber": stored.number,
            "FragmentSizeInBytes": stored.path.stat().st_size,
            "ProducerTimestamp": moment(0),
            "ServerTimestamp": moment(BEGAN),
            "FragmentLengthInMilliseconds": 80,
        }

    run(story)


def test_arriving_fragment_is_not_listed(world, mkv):
    """It is listed once it is whole, not before."""

    async def story():
        here = world()
        _, producer = await here.arriving()
        assert times(await listing(here)) == []
        producer.give(mkv.end_of_fragment())
        await producer.until(lambda p: "PERSISTED" in p.said)
        assert times(await listing(here)) == [0]
        producer.leave()
        await producer.done()

    run(story)


def test_range_includes_both_of_its_ends(world, mkv):
    """By the start of fragments, on the server's clock or the producer's (model's example)."""

    async def story():
        here = world()
        await recorded(here, mkv)
        assert times(await listing(here, BEGAN + 1, BEGAN + 4)) == [2, 4]
        assert times(await listing(here, 1, 4, kind="PRODUCER_TIMESTAMP")) == [2, 4]
        assert times(await listing(here, BEGAN + 100)) == []

    run(story)


def test_pages_hold_everything_once_and_in_no_order(world, mkv):
    """Following NextToken gives each fragment once; who wants an order must sort."""

    async def story():
        here = world()
        await recorded(here, mkv, 12)
        answer = await listing(here, MaxResults=5)
        found = answer["Fragments"]
        while "NextToken" in answer:
            token = answer["NextToken"]
            answer = await here.call(
                "ListFragments", StreamName="door", NextToken=token, MaxResults=5
            )
            found += answer["Fragments"]
        numbers = [fragment["FragmentNumber"] for fragment in found]
        assert len(set(numbers)) == len(numbers) == 12
        assert numbers != sorted(numbers)

    run(story)


def test_listing_by_arn(world, mkv):
    """StreamARN does as well as StreamName."""

    async def story():
        here = world()
        camera = await recorded(here, mkv, 1)
        span = {"StartTimestamp": moment(0), "EndTimestamp": moment(BEGAN + 10)}
        selector = {"FragmentSelectorType": "SERVER_TIMESTAMP", "TimestampRange": span}
        answer = await here.call("ListFragments", StreamARN=camera.arn, FragmentSelector=selector)
        assert times(answer) == [0]

    run(story)


def test_late_listing_is_a_switch(world, mkv):
    """A stored fragment may be listed a moment later than it was acknowledged."""

    async def story():
        here = world(switches={"list_fragments_late_s": 1})
        await here.camera()
        await here.put_whole(mkv.head() + mkv.cluster(0))
        assert times(await listing(here)) == []
        here.clock.forward(1)
        assert times(await listing(here)) == [0]

    run(story)


def test_expired_fragments_are_not_listed(world, mkv):
    """From the moment on which the retention runs out, whether or not they were swept."""

    async def story():
        here = world()
        await recorded(here, mkv, 2)
        here.clock.forward(3600 - 2)
        assert times(await listing(here, last=BEGAN + 4000)) == [2]

    run(story)


def test_refused_listings(world, mkv):
    """Each with the code that the model, or a user's report, gives it."""

    async def story():
        here = world()
        await recorded(here, mkv, 1)

        invalid = ("InvalidArgumentException", 400)
        missing = ("ResourceNotFoundException", 404)
        assert await here.refused(here.call("ListFragments", StreamName="door")) == invalid
        for token in ("none", "[1, 2]", '["a", "b", "c", "d"]', "[true, 0, 1, 2]", "[" * 5000):
            made_up = base64.b64encode(token.encode()).decode()
            listed = here.call("ListFragments", StreamName="door", NextToken=made_up)
            assert await here.refused(listed) == invalid
        assert await here.refused(listing(here, BEGAN + 2, BEGAN)) == invalid
        assert await here.refused(listing(here, BEGAN - 9000, BEGAN - 8000)) == invalid
        assert await here.refused(here.call("ListFragments", StreamName="no")) == missing

    run(story)


def test_camera_without_retention_lists_nothing(world, mkv):
    """It answers as if there were no such archive."""

    async def story():
        here = world()
        await recorded(here, mkv, 1, retention_h=0)
        with pytest.raises(ServiceFault, match="retention") as fault:
            await listing(here)
        assert fault.value.code == "ResourceNotFoundException"

    run(story)


def test_media_for_a_list_of_fragments(world, mkv):
    """The fragments as asked for, with this call's own spelling of the time tags."""

    async def story():
        here = world()
        kept = (await recorded(here, mkv)).storage.kept()
        viewer = await here.get_list([kept[2].number, kept[0].number]).done()
        documents = mkv.documents(viewer.body)
        assert [document["timecode"] for document in documents] == [4000, 0]
        assert documents[0]["tags"] == {
            "AWS_KINESISVIDEO_FRAGMENT_NUMBER": kept[2].number,
            "AWS_KINESISVIDEO_SERVER_SIDE_TIMESTAMP": f"{BEGAN + 4}.000",
            "AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP": "4.000",
        }

    run(story)


def test_media_ends_with_its_camera(world, mkv):
    """A camera that is deleted while a list is served has none of the fragments that remain."""

    async def story():
        here = world()
        camera = await recorded(here, mkv, 2)
        numbers = [fragment.number for fragment in camera.storage.kept()]
        body = media_of(camera, numbers)
        first = await anext(body)
        await here.call("DeleteStream", StreamARN=camera.arn)
        documents = mkv.documents(first + b"".join([chunk async for chunk in body]))
        assert [len(document["frames"]) for document in documents] == [3, 0]
        assert documents[1]["tags"]["AWS_KINESISVIDEO_EXCEPTION_MESSAGE"] == "FRAGMENT_NOT_FOUND"

    run(story)


def test_media_ends_at_a_fragment_that_is_not_there(world, mkv):
    """Error tags name it, after the fragments before it."""

    async def story():
        here = world()
        kept = (await recorded(here, mkv, 2)).storage.kept()
        viewer = await here.get_list([kept[0].number, "9" * 47, kept[1].number]).done()
        _, last = mkv.documents(viewer.body)
        assert last["tags"]["AWS_KINESISVIDEO_FRAGMENT_NUMBER"] == "9" * 47
        assert last["tags"]["AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE"] == "3000"
        assert last["frames"] == []

    run(story)
