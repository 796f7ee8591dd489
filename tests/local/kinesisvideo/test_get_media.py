"""What GetMedia sends: whole documents with AWS's tags, live at the end, from any start."""

import asyncio
import contextlib
import itertools

import pytest

from streamctl.local.faults import Faults
from streamctl.local.kinesisvideo.cameras import MAX_VIEWERS
from streamctl.local.kinesisvideo.getmedia import Patience, Start, Viewer
from streamctl.local.service import ServiceFault

NUMBER = "AWS_KINESISVIDEO_FRAGMENT_NUMBER"
TOKEN = "AWS_KINESISVIDEO_CONTINUATION_TOKEN"


def run(story):
    asyncio.run(story())


async def recorded(here, mkv, count=4, *, retention_h=1):
    """A camera with whole fragments, 2 s apart by both clocks, from producer time 0."""
    camera = await here.camera(retention_h=retention_h)
    for number in range(count):
        await here.put_whole(mkv.head() + mkv.cluster(number * 2000))
        here.clock.forward(2)
    return camera


def timecodes(viewer, mkv):
    return [document["timecode"] for document in mkv.documents(viewer.body)]


async def seen(here, mkv, kind, **selector):
    """The timecodes that a viewer gets before it is sent away for lack of more."""
    return timecodes(await here.get(kind, **selector).done(), mkv)


@pytest.fixture
def impatient(world):
    """GetMedia ends almost at once where there is no more video."""
    return world(get_media_idle_s=0.05)


def test_each_fragment_is_a_document_with_tags(impatient, mkv):
    """Number and times before the cluster, distance and token behind it, all as strings."""

    async def story():
        camera = await recorded(impatient, mkv, 2)
        viewer = await impatient.get("EARLIEST").done()
        assert (viewer.status, viewer.headers["content-type"]) == (200, "video/webm")
        first, second = camera.storage.kept()
        documents = mkv.documents(viewer.body)
        assert [len(document["frames"]) for document in documents] == [3, 3]
        assert documents[1]["tags"] == {
            NUMBER: second.number,
            "AWS_KINESISVIDEO_SERVER_TIMESTAMP": "1795200002.000",
            "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP": "2.000",
            "AWS_KINESISVIDEO_MILLIS_BEHIND_NOW": "2000",
            TOKEN: second.number,
        }
        assert documents[0]["tags"][NUMBER] == first.number

    run(story)


def test_producers_tags_are_echoed(impatient, mkv):
    """Those of the header with every fragment, those behind a cluster with theirs alone."""

    async def story():
        await impatient.camera()
        body = mkv.head() + mkv.tags(site="hall") + mkv.cluster(0) + mkv.tags(motion="yes")
        await impatient.put_whole(body + mkv.cluster(2000))
        viewer = await impatient.get("EARLIEST").done()
        tags = [document["tags"] for document in mkv.documents(viewer.body)]
        assert [found.get("site") for found in tags] == ["hall", "hall"]
        assert [found.get("motion") for found in tags] == ["yes", None]

    run(story)


def test_frames_are_delivered_while_their_fragment_arrives(world, mkv):
    """A live viewer has a frame before its fragment is whole, and no tag of its end yet."""

    async def story():
        producer, viewer = await world().watched()
        producer.give(mkv.frame(40))
        await viewer.until(lambda v: v.body.endswith(mkv.frame(40)))
        assert TOKEN not in mkv.documents(viewer.body)[0]["tags"]
        producer.give(mkv.end_of_fragment())
        await viewer.until(lambda v: TOKEN in mkv.documents(v.body)[0]["tags"])
        producer.leave()
        viewer.leave()
        await asyncio.gather(producer.done(), viewer.done())

    run(story)


def test_now_skips_what_is_over(world, mkv):
    """NOW begins with the fragment that is arriving, or waits for the next."""

    async def story():
        here = world()
        await recorded(here, mkv, 2)
        viewer = here.get("NOW")
        await viewer.until(lambda v: v.status == 200)
        producer = here.put()
        producer.give(mkv.head() + mkv.cluster(8000))
        await viewer.until(lambda v: v.body.endswith(mkv.frame(80)))
        assert timecodes(viewer, mkv) == [8000]
        producer.leave()
        viewer.leave()
        await asyncio.gather(producer.done(), viewer.done())

    run(story)


def test_starts(impatient, mkv):
    """Each selector begins where the model says, and everything later follows in order."""

    async def story():
        second = (await recorded(impatient, mkv)).storage.kept()[1].number
        began = 1_795_200_000

        async def from_(kind, **selector):
            return await seen(impatient, mkv, kind, **selector)

        assert await from_("EARLIEST") == [0, 2000, 4000, 6000]
        assert await from_("NOW") == []
        assert await from_("FRAGMENT_NUMBER", AfterFragmentNumber=second) == [4000, 6000]
        assert await from_("CONTINUATION_TOKEN", ContinuationToken=second) == [4000, 6000]
        # The fragment that contains a moment is 80 ms long; else it is the next one.
        for moment, first in ((0, 0), (4.05, 4000), (4.5, 6000), (7, None)):
            expected = [t for t in (0, 2000, 4000, 6000) if first is not None and t >= first]
            assert await from_("SERVER_TIMESTAMP", StartTimestamp=began + moment) == expected
            assert await from_("PRODUCER_TIMESTAMP", StartTimestamp=moment) == expected

    run(story)


@pytest.mark.parametrize("kind", ["FRAGMENT_NUMBER", "CONTINUATION_TOKEN"])
def test_unknown_fragment_is_said_in_tags(world, mkv, kind):
    """The answer is 200 by then: error tags say 4000, and it ends."""

    async def story():
        here = world()
        await recorded(here, mkv, 1)
        member = "AfterFragmentNumber" if kind == "FRAGMENT_NUMBER" else "ContinuationToken"
        viewer = await here.get(kind, **{member: "9" * 47}).done()
        assert viewer.status == 200
        assert mkv.documents(viewer.body)[0]["tags"] == {
            "AWS_KINESISVIDEO_ERROR_CODE": "FRAGMENT_NOT_FOUND",
            "AWS_KINESISVIDEO_ERROR_ID": "4000",
        }

    run(story)


@pytest.mark.parametrize(
    ("selector", "code"),
    [
        ({"kind": "FRAGMENT_NUMBER"}, "InvalidArgumentException"),
        ({"kind": "SERVER_TIMESTAMP"}, "InvalidArgumentException"),
        ({"kind": "CONTINUATION_TOKEN", "ContinuationToken": "abc"}, "InvalidArgumentException"),
        ({"kind": "YESTERDAY"}, "ValidationException"),
        ({"kind": "NOW", "name": "unknown"}, "ResourceNotFoundException"),
    ],
)
def test_refused_requests(world, selector, code):
    """Named by the modelled error, with a status that is no success."""

    async def story():
        here = world()
        await here.camera()
        viewer = await here.get(**selector).done()
        assert viewer.status in {400, 404}
        assert viewer.headers["x-amzn-errortype"] == code

    run(story)


def test_a_fourth_viewer_is_refused_until_one_leaves(world):
    """A client that disconnects gives its place back."""

    async def story():
        here = world()
        await here.camera()
        viewers = [here.get("NOW") for _ in range(MAX_VIEWERS)]
        for viewer in viewers:
            await viewer.until(lambda v: v.status == 200)
        refused = await here.get("NOW").done()
        assert refused.headers["x-amzn-errortype"] == "ConnectionLimitExceededException"
        viewers[0].leave()
        await viewers[0].done()
        late = here.get("NOW")
        await late.until(lambda v: v.status == 200)
        for viewer in (late, *viewers[1:]):
            viewer.leave()
            await viewer.done()

    run(story)


def test_viewer_without_video_is_sent_away_in_order(world, mkv):
    """The body ends as bodies do; its length of patience is a timing."""

    async def story():
        here = world(get_media_idle_s=0.1)
        await recorded(here, mkv, 1)
        viewer = await here.get("EARLIEST").done()
        assert viewer.over
        assert timecodes(viewer, mkv) == [0]

    run(story)


def test_viewer_that_is_sent_away_gets_no_later_fragment(world, mkv):
    """A pause inside a fragment that outlasts its patience ends the body, not the fragment alone."""

    async def story():
        here = world()
        camera = await here.camera()
        fragments = [camera.storage.begin(mkv.head(), producer_ms=0)]
        body = Viewer(camera, Start(after=None), Patience(idle_s=0), here.clock, Faults()).chunks()
        first = await anext(body)
        fragments.append(camera.storage.begin(mkv.head(), producer_ms=2000))
        assert b"".join([chunk async for chunk in body]) == b""
        assert len(mkv.documents(first)) == 1
        for fragment in fragments:
            camera.storage.discard(fragment)

    run(story)


def test_viewing_ends_after_its_longest_time(world, mkv):
    """Even where video still comes, as with AWS after about 45 minutes."""

    async def story():
        here = world(media_connection_s=0.2)
        camera, viewer = await here.camera(), here.get("NOW")
        fragment = camera.storage.begin(mkv.head(), producer_ms=0)
        while not viewer.task.done():
            camera.storage.append(fragment, mkv.frame(0), 0)
            await asyncio.sleep(0.01)
        assert viewer.over
        camera.storage.discard(fragment)

    run(story)


def test_deleting_the_camera_ends_its_viewers(world, mkv):
    """And so does stopping the server."""

    async def story():
        here = world()
        camera = await here.camera()
        viewer = here.get("NOW")
        await viewer.until(lambda v: v.status == 200)
        await here.call("DeleteStream", StreamARN=camera.arn)
        await viewer.done()
        assert viewer.over

    run(story)


def test_broken_fragment_ends_without_its_closing_tags(world, mkv):
    """A live viewer sees what came of it, then the next fragment, all of it well-formed."""

    async def story():
        here = world()
        producer, viewer = await here.watched()
        producer.leave()
        await producer.done()
        await here.put_whole(mkv.head() + mkv.cluster(2000))
        await viewer.until(lambda v: TOKEN in mkv.documents(v.body)[-1]["tags"])
        broken, whole = mkv.documents(viewer.body)
        assert TOKEN not in broken["tags"]
        assert (broken["timecode"], whole["timecode"]) == (0, 2000)
        viewer.leave()
        await viewer.done()

    run(story)


def test_without_retention_video_is_live_and_in_the_buffer(impatient, mkv):
    """The host buffer still serves the last minutes; nothing of it is listed."""

    async def story():
        camera = await recorded(impatient, mkv, 2, retention_h=0)
        assert await seen(impatient, mkv, "EARLIEST") == [0, 2000]
        impatient.clock.forward(300)
        camera.trim()
        assert await seen(impatient, mkv, "EARLIEST") == []

    run(story)


def test_restart_serves_what_was_kept(world, mkv):
    """A server on the same folder plays the fragments of the one before."""

    async def story():
        await recorded(world(), mkv, 3)
        again = world(get_media_idle_s=0.05)
        assert await seen(again, mkv, "EARLIEST") == [0, 2000, 4000]

    run(story)


def test_expired_video_is_not_served(impatient, mkv):
    """Retention counts from the server's clock."""

    async def story():
        camera = await recorded(impatient, mkv, 2)
        impatient.clock.forward(3600 - 2)
        camera.trim()
        assert await seen(impatient, mkv, "EARLIEST") == [2000]

    run(story)


def test_follow_is_a_viewer_that_waits_for_ever(world, mkv):
    """The processor's feed: live from now, through silence, until the camera is deleted."""

    async def story():
        here = world(get_media_idle_s=0)
        camera, producer = await here.arriving()
        received, more = bytearray(), asyncio.Event()

        async def follow():
            async for chunk in here.service.follow(owner_of(camera), camera.arn):
                received.extend(chunk)
                more.set()

        async def until_at(timecode):
            async with asyncio.timeout(10):
                while [d["timecode"] for d in mkv.documents(bytes(received))][-1:] != [timecode]:
                    more.clear()
                    await more.wait()

        following = asyncio.create_task(follow())
        await until_at(0)
        producer.give(mkv.cluster(2000))
        await until_at(2000)
        await here.call("DeleteStream", StreamARN=camera.arn)
        await producer.given_up()
        async with asyncio.timeout(10):
            await following

    run(story)


def test_follow_takes_one_of_the_three_places(world):
    """It is refused like any viewer, and gives its place back when closed."""

    async def story():
        here = world()
        camera = await here.camera()
        with pytest.raises(ServiceFault) as unknown:
            await anext(here.service.follow(owner_of(camera), camera.arn + "0"))
        assert unknown.value.code == "ResourceNotFoundException"
        async with contextlib.AsyncExitStack() as places:
            for _ in range(MAX_VIEWERS):
                places.enter_context(camera.viewing())
            with pytest.raises(ServiceFault) as refused:
                await anext(here.service.follow(owner_of(camera), camera.arn))
            assert refused.value.code == "ConnectionLimitExceededException"

    run(story)


def owner_of(camera):
    return camera.settings.account, camera.settings.region


def test_real_video_comes_back_frame_by_frame(impatient, mkv, shared_data):
    """All 546 frames of a real file are served, each as it was sent."""

    async def story():
        await impatient.camera()
        body = (shared_data / "video" / "bezos_vogels.mkv").read_bytes()
        await impatient.put_whole(body)
        viewer = await impatient.get("EARLIEST").done()
        (sent,) = (document["frames"] for document in mkv.documents(body))
        came = [document["frames"] for document in mkv.documents(viewer.body)]
        assert len(sent) == 546
        assert list(itertools.chain(*came)) == sent

    run(story)
