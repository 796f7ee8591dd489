"""PutMedia connections: what producers may send, what they are told, and what is kept of it."""

import asyncio

import pytest

from streamctl.media import ebml


def run(story):
    asyncio.run(story())


def stored(camera):
    return camera.storage.kept()


def on_disk(camera):
    return sum(path.stat().st_size for path in camera.storage._folder.iterdir())


async def heard(camera, condition):
    async with asyncio.timeout(10):
        while not condition():
            await camera.storage.bell.wait()


def test_acknowledgements_while_the_body_arrives(world, mkv):
    """BUFFERING comes with the first bytes, RECEIVED and PERSISTED when the next one begins."""

    async def story():
        here = world()
        camera = await here.camera()
        producer = here.put()
        producer.give(mkv.head() + mkv.cluster(2000))
        await producer.until(lambda p: p.said == ["BUFFERING"])
        assert producer.status == 200
        producer.give(mkv.cluster(4000))
        await producer.until(lambda p: len(p.said) == 4)
        first, second = (f.number for f in (camera.storage.after(""), stored(camera)[0]))
        assert first == second
        assert producer.acknowledgements[:3] == [
            {"EventType": kind, "FragmentTimecode": 2000, "FragmentNumber": first}
            for kind in ("BUFFERING", "RECEIVED", "PERSISTED")
        ]
        producer.end()
        await producer.done()
        assert producer.said[3:] == ["BUFFERING", "RECEIVED", "PERSISTED"]
        assert producer.over
        assert [f.producer_ms for f in stored(camera)] == [2000, 4000]

    run(story)


def test_acknowledgements_only_when_asked_for(world, mkv):
    """Without the header the answer is empty, and the fragments are kept all the same."""

    async def story():
        here = world()
        camera = await here.camera()
        producer = await here.put_whole(mkv.head() + mkv.cluster(0), acknowledge=None)
        assert (producer.status, producer.body) == (200, b"")
        assert len(stored(camera)) == 1

    run(story)


def test_without_retention_nothing_is_persisted(world, mkv):
    """RECEIVED is the last word, and nothing is listed."""

    async def story():
        here = world()
        camera = await here.camera(retention_h=0)
        producer = await here.put_whole(mkv.head() + mkv.cluster(0))
        assert producer.said == ["BUFFERING", "RECEIVED"]
        assert stored(camera) == []

    run(story)


def test_relative_timecodes_count_from_the_producers_start(world, mkv):
    """Acknowledgements carry timecodes as sent; the stored time is start plus timecode."""

    async def story():
        here = world()
        camera = await here.camera()
        body = mkv.head() + mkv.cluster(2000)
        producer = await here.put_whole(body, kind="RELATIVE", start="1795200966.544")
        assert producer.acknowledgements[0]["FragmentTimecode"] == 2000
        assert stored(camera)[0].producer_ms == 1_795_200_968_544

    run(story)


def test_producer_can_be_named_by_its_arn(world, mkv):
    """Instead of the name, not beside it."""

    async def story():
        here = world()
        camera = await here.camera()
        body = mkv.head() + mkv.cluster(0)
        await here.put_whole(body, name=None, x_amzn_stream_arn=camera.arn)
        assert len(stored(camera)) == 1

    run(story)


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"name": "unknown"}, 404, "ResourceNotFoundException"),
        ({"name": None}, 400, "InvalidArgumentException"),
        ({"x_amzn_stream_arn": "arn:aws:kinesisvideo:x"}, 400, "InvalidArgumentException"),
        ({"kind": None}, 400, "InvalidArgumentException"),
        ({"kind": "absolute"}, 400, "InvalidArgumentException"),
        ({"start": None}, 400, "InvalidArgumentException"),
        ({"start": "yesterday"}, 400, "InvalidArgumentException"),
        ({"start": "-1"}, 400, "InvalidArgumentException"),
        ({"start": "nan"}, 400, "InvalidArgumentException"),
        ({"start": "1e300"}, 400, "InvalidArgumentException"),
    ],
)
def test_refused_headers(world, mkv, changed, status, code):
    """A request that cannot be meant is answered with the modelled error, before any video."""

    async def story():
        here = world()
        await here.camera()
        producer = await here.put_whole(mkv.head() + mkv.cluster(0), **changed)
        assert (producer.status, producer.headers["x-amzn-errortype"]) == (status, code)
        assert producer.headers["x-amz-errortype"] == code
        assert producer.over

    run(story)


def test_newest_of_two_connections_is_refused(world, mkv):
    """The first goes on; its place is free again when it ends."""

    async def story():
        here = world()
        camera, first = await here.arriving()
        second = await here.put_whole(mkv.head() + mkv.cluster(0))
        assert second.status == 400
        assert second.headers["x-amzn-errortype"] == "ConnectionLimitExceededException"
        first.end()
        await first.done()
        await here.put_whole(mkv.head() + mkv.cluster(0))
        assert len(stored(camera)) == 2

    run(story)


def test_producers_tags_stay_with_their_fragment(world, mkv):
    """What stands behind a cluster is stored with it."""

    async def story():
        here = world()
        camera = await here.camera()
        body = mkv.head() + mkv.cluster(0) + mkv.tags(room="hall") + mkv.cluster(2000)
        await here.put_whole(body)
        tagged = [mkv.tags(room="hall") in f.path.read_bytes() for f in stored(camera)]
        assert tagged == [True, False]

    run(story)


def test_same_timecodes_on_a_new_connection_are_new_fragments(world, mkv):
    """A producer that resumes sends again, and each arrival has its own number."""

    async def story():
        here = world()
        camera = await here.camera()
        for _ in range(2):
            await here.put_whole(mkv.head() + mkv.cluster(2000))
        first, second = stored(camera)
        assert first.producer_ms == second.producer_ms
        assert first.number < second.number

    run(story)


def test_byte_by_byte(world, mkv):
    """A slow drip is a camera like any other."""

    async def story():
        here = world()
        camera = await here.camera()
        producer = here.put()
        for byte in mkv.head() + mkv.cluster(0) + mkv.cluster(2000):
            producer.give(bytes([byte]))
        producer.end()
        await producer.done()
        assert producer.said == ["BUFFERING", "RECEIVED", "PERSISTED"] * 2
        assert len(stored(camera)) == 2

    run(story)


def test_rate_of_fragments_is_held_back(world, mkv):
    """Above the quota the producer is read more slowly; nothing is lost or refused."""

    async def story():
        here = world(fragments_per_s=50)
        camera = await here.camera()
        began = asyncio.get_running_loop().time()
        await here.put_whole(mkv.head() + b"".join(mkv.cluster(t) for t in range(15)))
        assert asyncio.get_running_loop().time() - began >= 10 / 50
        assert len(stored(camera)) == 15

    run(story)


def test_rate_of_fragments_without_limit(world, mkv):
    """0 lifts the limit."""

    async def story():
        here = world(fragments_per_s=0)
        camera = await here.camera()
        await here.put_whole(mkv.head() + b"".join(mkv.cluster(t) for t in range(15)))
        assert len(stored(camera)) == 15

    run(story)


def test_memory_holds_no_fragments(world, mkv):
    """A large fragment is on disk while it arrives, up to the last whole frame."""

    async def story():
        here = world()
        camera = await here.camera()
        frame = mkv.frame(0, data=bytes(1_000_000))
        producer = here.put()
        producer.give(mkv.head() + mkv.cluster(0, []))
        for _ in range(20):
            producer.give(frame)
        await heard(camera, lambda: on_disk(camera) > 20_000_000)
        assert producer.said == ["BUFFERING"]
        producer.leave()
        await producer.done()

    run(story)


def test_real_c_producer(world, shared_data):
    """AWS's C producer sends seven fragments; each is acknowledged, kept, and whole."""

    async def story():
        here = world()
        camera = await here.camera()
        body = (shared_data / "kvs-captures" / "putmedia_body_c_sdk.mkv").read_bytes()
        producer = here.put()
        for at in range(0, len(body), 10_000):
            producer.give(body[at : at + 10_000])
        producer.end()
        await producer.done()
        assert producer.said == ["BUFFERING", "RECEIVED", "PERSISTED"] * 7
        frames = sum(
            isinstance(event, ebml.Element) and event.id == ebml.SIMPLE_BLOCK
            for fragment in stored(camera)
            for event in ebml.Walker().feed(fragment.path.read_bytes())
        )
        assert frames == 294
        assert {f.length_ms for f in stored(camera)[:-1]} == {1760}

    run(story)
