"""How PutMedia connections end: refused, broken, idle, too long, or with their camera."""

import asyncio

import pytest

from streamctl.local.faults import Fault
from streamctl.media import ebml


def run(story):
    asyncio.run(story())


def stored(camera):
    return camera.storage.kept()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"this is a text file\n" * 5000, id="text"),
        pytest.param(bytes(100_000), id="zeros"),
        pytest.param(b"\x1a\x45\xdf\xa3\x01\x7f\xff\xff\xff\xff\xff\xff", id="huge header"),
    ],
)
def test_what_is_no_video_is_told_so(world, body):
    """The answer is 200 by then, so an ERROR acknowledgement says it, and the connection ends."""

    async def story():
        here = world()
        camera = await here.camera()
        producer = here.put()
        producer.give(body)
        await producer.given_up()
        assert producer.said == [4006]
        assert producer.acknowledgements[0]["ErrorCode"] == "INVALID_MKV_DATA"
        assert stored(camera) == []

    run(story)


def test_tags_of_a_cluster_without_timecode_are_refused(world, mkv):
    """There is no fragment yet that they could belong to."""

    async def story():
        here = world()
        await here.camera()
        body = mkv.head() + ebml.write_open(ebml.CLUSTER) + mkv.tags(room="hall")
        assert (await here.put_whole(body)).said == [4006]

    run(story)


def test_timecodes_that_go_back_end_the_connection(world, mkv):
    """The fragments before are kept, and the error names the one that is wrong."""

    async def story():
        here = world()
        camera = await here.camera()
        body = mkv.head() + mkv.cluster(4000) + mkv.cluster(2000) + mkv.cluster(6000)
        producer = await here.put_whole(body)
        assert producer.said == ["BUFFERING", "RECEIVED", "PERSISTED", 4004]
        assert (
            producer.acknowledgements[-1]["ErrorCode"] == "FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS"
        )
        assert [f.producer_ms for f in stored(camera)] == [4000]

    run(story)


def test_impossible_producer_time_is_refused(world, mkv):
    """No time after the year 9999 reaches the archive, where no client could read it."""

    async def story():
        here = world()
        camera = await here.camera()
        producer = await here.put_whole(mkv.head() + mkv.cluster(1 << 62))
        assert producer.said == [4007]
        assert stored(camera) == []

    run(story)


@pytest.mark.parametrize("cut", [1, 15, 40])
def test_disconnect_in_a_frame_loses_that_fragment_alone(world, mkv, cut):
    """What was whole before stays; the camera takes a new producer at once."""

    async def story():
        here = world()
        camera = await here.camera()
        producer = here.put()
        producer.give((mkv.head() + mkv.cluster(0) + mkv.cluster(2000))[:-cut])
        await producer.until(lambda p: len(p.said) >= 3)
        producer.leave()
        await producer.done()
        assert [f.producer_ms for f in stored(camera)] == [0]
        again = await here.put_whole(mkv.head() + mkv.cluster(2000))
        assert again.said == ["BUFFERING", "RECEIVED", "PERSISTED"]

    run(story)


def test_idle_producer_is_told_and_then_left(world, mkv):
    """IDLE comes again and again; then the request is closed, the open fragment not kept."""

    async def story():
        here = world(put_media_idle_s=0.3)
        camera = await here.camera()
        producer = here.put()
        producer.give(mkv.head() + mkv.cluster(0) + mkv.end_of_fragment() + mkv.cluster(2000))
        await producer.done()
        assert producer.said[:4] == ["BUFFERING", "RECEIVED", "PERSISTED", "BUFFERING"]
        assert producer.said[4:] == ["IDLE"] * 5
        assert producer.acknowledgements[-1] == {"EventType": "IDLE"}
        assert [f.producer_ms for f in stored(camera)] == [0]

    run(story)


def test_connection_that_lasts_too_long_is_ended(world, mkv):
    """With its own error id, while video still flows."""

    async def story():
        here = world(media_connection_s=0)
        await here.camera()
        producer = here.put()
        producer.give(mkv.head() + mkv.cluster(0))
        await producer.given_up()
        assert producer.said == ["BUFFERING", 4003]

    run(story)


def test_deleting_the_camera_ends_its_producer(world):
    """The producer is told that the camera is gone, and nothing stays on disk."""

    async def story():
        here = world()
        camera, producer = await here.arriving()
        await here.call("DeleteStream", StreamARN=camera.arn)
        await producer.given_up()
        assert producer.said == ["BUFFERING", 4008]
        assert not camera.storage.after("")

    run(story)


def test_stopping_server_drops_the_connection_without_blaming_the_camera(world):
    """To the producer it is a connection that broke; it will come again."""

    async def story():
        here = world()
        _, producer = await here.arriving()
        await here.service.stop()
        await producer.done()
        assert producer.said == ["BUFFERING"]
        assert not producer.over

    run(story)


def test_injected_fault_breaks_the_connection_behind_a_fragment(world, mkv):
    """The fragment before is kept, the one after is not, and the answer has no end."""

    async def story():
        here = world()
        camera = await here.camera()
        here.faults.add(Fault("kinesis-video-media.PutMediaFragment", code="Dropped"))
        body = mkv.head() + mkv.cluster(0) + mkv.cluster(2000) + mkv.cluster(4000)
        producer = await here.put_whole(body)
        assert producer.said == ["BUFFERING", "RECEIVED", "PERSISTED"]
        assert not producer.over
        assert [f.producer_ms for f in stored(camera)] == [0]

    run(story)
