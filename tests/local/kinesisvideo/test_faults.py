"""What injected faults do to a camera's video, and that another camera's is spared."""

from __future__ import annotations

import asyncio

from streamctl.local.faults import Fault

SENT, VIEWED = "kinesis-video-media.PutMediaFragment", "kinesis-video-media.GetMediaFragment"
LONG_S = 3600


def run(story):
    asyncio.run(story())


def video(mkv, *seconds):
    """Fragments that begin at these seconds."""
    return mkv.head() + b"".join(mkv.cluster(second * 1000) for second in seconds)


def timecodes(mkv, body):
    return [document["timecode"] for document in mkv.documents(body)]


def test_a_fragment_is_acknowledged_and_lost(world, mkv):
    """Nobody ever sees it: no viewer, no archive. The producer believes that it is there."""

    async def story():
        here = world()
        camera, other = await here.camera(), await here.camera("gate")
        viewer = here.get("NOW")
        here.faults.add(Fault(SENT, target="door", skip=1, code="Lost"))
        door = await here.put_whole(video(mkv, 0, 2, 4))
        gate = await here.put_whole(video(mkv, 0, 2, 4), "gate")
        assert door.said == gate.said == ["BUFFERING", "RECEIVED", "PERSISTED"] * 3
        assert len({said["FragmentNumber"] for said in door.acknowledgements}) == 3
        assert [len(each.storage.kept()) for each in (camera, other)] == [2, 3]
        await viewer.until(lambda v: len(timecodes(mkv, v.body)) == 2)
        assert timecodes(mkv, viewer.body) == [0, 4000]
        viewer.leave()
        await viewer.done()

    run(story)


def test_video_has_a_hole_as_long_as_it_says(world, mkv):
    """All fragments that begin in that time are lost, and none after it."""

    async def story():
        here = world()
        camera = await here.camera()
        here.faults.add(Fault(SENT, times=None, code="Lost"))
        await here.put_whole(video(mkv, 0, 2))
        here.faults.clear()
        await here.put_whole(video(mkv, 4, 6))
        assert [fragment.producer_ms for fragment in camera.storage.kept()] == [4000, 6000]

    run(story)


def test_video_pauses(world, mkv):
    """Behind the fragment that it hits; what comes meanwhile waits. Another camera goes on."""

    async def story():
        here = world()
        camera, other = await here.camera(), await here.camera("gate")
        here.faults.add(Fault(SENT, target="door", delay_s=LONG_S))
        producer = here.put()
        producer.end(video(mkv, 0, 2))
        await here.put_whole(video(mkv, 0, 2), "gate")
        assert [len(each.storage.kept()) for each in (camera, other)] == [1, 2]
        assert not producer.task.done()
        here.faults.clear()
        await producer.done()
        assert len(camera.storage.kept()) == 2

    run(story)


def test_a_producers_connection_breaks(world, mkv):
    """Behind the fragment that it hits, without an end; the control's answer ends in order."""

    async def story():
        here = world()
        camera, other = await here.camera(), await here.camera("gate")
        here.faults.add(Fault(SENT, target="door", code="Dropped"))
        door, gate = here.put(), here.put("gate")
        for producer in (door, gate):
            producer.end(video(mkv, 0, 2))
            await producer.done()
        assert (door.over, gate.over) == (False, True)
        assert [len(each.storage.kept()) for each in (camera, other)] == [1, 2]

    run(story)


def test_a_viewers_connection_breaks(world, mkv):
    """Behind the fragment that it hits, without an end; the next connection sees them all."""

    async def story():
        here = world(get_media_idle_s=0.01)
        await here.camera()
        await here.put_whole(video(mkv, 0, 2, 4))
        here.faults.add(Fault(VIEWED, target="door", skip=1, code="Dropped"))
        broken, whole = await here.get().done(), await here.get().done()
        assert (broken.over, timecodes(mkv, broken.body)) == (False, [0, 2000])
        assert (whole.over, timecodes(mkv, whole.body)) == (True, [0, 2000, 4000])

    run(story)


def test_a_viewer_is_held_up(world, mkv):
    """It has one fragment, and the others when the fault is taken back."""

    async def story():
        here = world(get_media_idle_s=0.01)
        await here.camera()
        await here.put_whole(video(mkv, 0, 2))
        here.faults.add(Fault(VIEWED, target="door", delay_s=LONG_S))
        viewer = here.get()
        await viewer.until(lambda v: not here.faults.listed())
        assert timecodes(mkv, viewer.body) == [0]
        here.faults.clear()
        await viewer.done()
        assert timecodes(mkv, viewer.body) == [0, 2000]

    run(story)


def test_a_processors_view_ends_with_a_broken_connection(world, mkv):
    """In order, so that it connects again, as Rekognition does."""

    async def story():
        here = world()
        camera = await here.camera()
        here.faults.add(Fault(VIEWED, target="door", code="Dropped"))
        seen = here.service.follow(("123456789012", "us-east-1"), camera.arn)
        first = asyncio.ensure_future(anext(seen))
        await asyncio.sleep(0)
        await here.put_whole(video(mkv, 0, 2))
        body = await first + b"".join([chunk async for chunk in seen])
        assert timecodes(mkv, body) == [0]

    run(story)
