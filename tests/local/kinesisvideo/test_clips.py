"""GetClip: the fragments of a range as an MP4 that players can play, or why there is none."""

import asyncio
import dataclasses
import io
import json

import av
import pytest

from streamctl.local.kinesisvideo import clips
from streamctl.media import camera as player
from streamctl.media import ebml
from streamctl.media.mkv import fragments as fragments_in
from streamctl.media.recording import Recording

BEGAN = 1_795_200_000
NONE_FOUND = (404, "ResourceNotFoundException")


def run(story):
    asyncio.run(story())


async def played(here, *span, **how):
    """When the frames of a clip are shown, in milliseconds, as FFmpeg decodes them."""
    answer = await here.clip(*span, **how).done()
    assert (answer.status, answer.over) == (200, True)
    assert answer.headers["content-type"] == "video/mp4"
    assert int(answer.headers["content-length"]) == len(answer.body)
    with av.open(io.BytesIO(answer.body), format="mp4") as file:
        return [round(1000 * frame.time) for frame in file.decode(video=0)]


async def refused(here, first=BEGAN, last=BEGAN + 1, **how):
    answer = await here.clip(first, last, **how).done()
    said = json.loads(answer.body)
    assert answer.headers["x-amzn-errortype"] == answer.headers["x-amz-errortype"] == said["__type"]
    return answer.status, said["__type"]


def every_40_ms(first, count=25):
    return [first + 40 * number for number in range(count)]


def test_a_clip_holds_every_frame_of_its_fragments(world, filmed):
    """From 0 on, at their distances."""

    async def story():
        here = world()
        await here.filmed(filmed())
        assert await played(here, BEGAN, BEGAN + 2) == every_40_ms(0, 75)

    run(story)


def test_it_is_made_of_the_fragments_that_begin_in_the_range(world, filmed):
    """Both ends included; one that begins before and goes on is not (API model)."""

    async def story():
        here = world()
        await here.filmed(filmed())
        assert await played(here, BEGAN + 1, BEGAN + 2) == every_40_ms(0, 50)
        assert await played(here, BEGAN + 0.001, BEGAN + 1.999) == every_40_ms(0)
        assert await played(here, 0.5, 2.5, kind="PRODUCER_TIMESTAMP") == every_40_ms(0, 50)

    run(story)


def test_gaps_stay_on_the_clock_that_was_asked_for(world, filmed):
    """Server times were two seconds apart; the producer's were one."""

    async def story():
        here = world()
        await here.filmed(filmed(frames=50), every=2)
        assert await played(here, BEGAN, BEGAN + 3) == [*every_40_ms(0), *every_40_ms(2000)]
        assert await played(here, 0, 3, kind="PRODUCER_TIMESTAMP") == every_40_ms(0, 50)

    run(story)


def test_what_came_faster_than_it_was_filmed_is_not_played_faster(world, filmed):
    """All of it within one moment of the server's clock."""

    async def story():
        here = world()
        await here.filmed(filmed(), every=0.001)
        here.clock.forward(1)
        assert await played(here, BEGAN, BEGAN + 1) == every_40_ms(0, 75)

    run(story)


def test_what_a_producer_sent_twice_is_in_it_once(world, filmed):
    """Fragments with the same producer time (API model, ClipFragmentSelector)."""

    async def story():
        here = world()
        head, (first, second, _) = filmed()
        await here.filmed((head, [first, second, first, second]))
        assert await played(here, BEGAN, BEGAN + 3) == every_40_ms(0, 50)
        assert await played(here, 0, 3, kind="PRODUCER_TIMESTAMP") == every_40_ms(0, 50)

    run(story)


def test_a_clip_ends_at_its_limits(world, filmed, monkeypatch):
    """The first 200 fragments or 100 MB of the range: here two, and as much as two have."""

    async def story():
        here = world()
        camera = await here.filmed(filmed())
        assert (clips.MOST_FRAGMENTS, clips.MOST_BYTES) == (200, 100_000_000)
        with monkeypatch.context() as less:
            less.setattr(clips, "MOST_FRAGMENTS", 2)
            assert await played(here, BEGAN, BEGAN + 2) == every_40_ms(0, 50)
        sizes = [fragment.size for fragment in camera.storage.kept()]
        monkeypatch.setattr(clips, "MOST_BYTES", sum(sizes[:2]))
        assert await played(here, BEGAN, BEGAN + 2) == every_40_ms(0, 50)

    run(story)


def test_what_is_no_more_is_left_out(world, filmed):
    """A fragment may expire between being found and being read."""

    async def story():
        here = world()
        camera = await here.filmed(filmed())
        first, second, third = (fragment.path for fragment in camera.storage.kept())
        second.unlink()
        assert await played(here, BEGAN, BEGAN + 2) == [*every_40_ms(0), *every_40_ms(2000)]
        first.unlink()
        third.unlink()
        assert await refused(here, BEGAN, BEGAN + 2) == NONE_FOUND

    run(story)


def test_sound_is_left_out(world, filmed):
    """A second track does no harm."""

    async def story():
        here = world()
        await here.camera()
        head, (fragment, *_) = filmed(frames=25)
        sound = ebml.write_simple_block(ebml.Block(2, 0, True, b"la"))
        answer = await here.put_whole(with_sound(head) + fragment + sound)
        assert "PERSISTED" in answer.said
        here.clock.forward(1)
        assert await played(here, BEGAN, BEGAN + 1) == every_40_ms(0)

    run(story)


def with_sound(head):
    """A film's header, with a track of AAC behind its own."""
    (tracks,) = (event.payload for event in ebml.Walker().feed(head) if event.id == ebml.TRACKS)
    alone = ebml.write(ebml.TRACKS, tracks)
    assert head.endswith(alone)
    sound = ebml.write_uint(ebml.TRACK_NUMBER, 2) + ebml.write_uint(ebml.TRACK_TYPE, 2)
    sound += ebml.write_string(ebml.CODEC_ID, "A_AAC")
    both = tracks + ebml.write(ebml.TRACK_ENTRY, sound)
    return head.removesuffix(alone) + ebml.write(ebml.TRACKS, both)


def test_no_fragments_no_camera_no_retention(world, filmed):
    """Two of them under one code, as on AWS."""

    async def story():
        here = world()
        await here.filmed(filmed(frames=25))
        await here.camera("keeps-nothing", retention_h=0)
        assert await refused(here, BEGAN - 9, BEGAN - 8) == NONE_FOUND
        assert await refused(here, name="no") == NONE_FOUND
        assert await refused(here, name="keeps-nothing") == (400, "NoDataRetentionException")

    run(story)


def test_refused_ranges(world, filmed):
    """Backwards, empty, longer than a day, or not yet past by the server's clock."""

    async def story():
        here = world()
        await here.filmed(filmed(frames=25))
        here.clock.forward(100_000)
        invalid = (400, "InvalidArgumentException")
        day = 24 * 3600
        assert await refused(here, BEGAN + 1, BEGAN) == invalid
        assert await refused(here, BEGAN, BEGAN) == invalid
        assert await refused(here, BEGAN, BEGAN + day + 0.001) == invalid
        assert await refused(here, BEGAN + day, BEGAN + 100_002) == invalid
        assert await refused(here, 0, 0, kind="PRODUCER_TIMESTAMP") == invalid
        assert await refused(here, BEGAN, "soon") == (400, "SerializationException")

    run(story)


def test_video_that_no_clip_can_hold(world, filmed, mkv):
    """By the first fragment's track: another codec, no parameters, or none that could be."""

    async def story():
        here = world()
        jpegs, (jpeg, *_) = filmed(codec="mjpeg", preset="")
        head, (fragment, *_) = filmed(frames=25)
        (track,) = next(fragments_in([head + fragment])).opened.tracks
        bare = player.opening(dataclasses.replace(track, codec_private=b""))
        annexb = player.opening(dataclasses.replace(track, codec_private=b"\0\0\0\1g\0\0\0"))
        bodies = (jpegs + jpeg, mkv.head() + mkv.cluster(0), bare + fragment, annexb + fragment)
        codes = []
        await here.camera()
        for body in bodies:
            began = here.clock.now
            await here.put_whole(body)
            here.clock.forward(1)
            codes.append(await refused(here, began, began + 0.5))
        assert codes == [
            (400, "UnsupportedStreamMediaTypeException"),
            (400, "UnsupportedStreamMediaTypeException"),
            (400, "MissingCodecPrivateDataException"),
            (400, "InvalidCodecPrivateDataException"),
        ]

    run(story)


def test_video_that_changes_on_the_way(world, filmed):
    """Another size from the second fragment on: no clip of both, and one of each."""

    async def story():
        here = world()
        await here.camera()
        for size in ((320, 240), (640, 480)):
            head, (fragment,) = filmed(frames=25, size=size)
            await here.put_whole(head + shifted(fragment, int(here.clock.now)))
            here.clock.forward(1)
        codes = await refused(here, BEGAN, BEGAN + 1)
        assert codes == (400, "InvalidCodecPrivateDataException")
        assert await played(here, BEGAN, BEGAN + 0.5) == every_40_ms(0)
        assert await played(here, BEGAN + 0.5, BEGAN + 1) == every_40_ms(0)

    run(story)


def test_a_frame_that_is_none(world, filmed, mkv):
    """In the second fragment: nothing of the first is sent either."""

    async def story():
        here = world()
        head, (first, *_) = filmed()
        rubbish = mkv.cluster(1000, [mkv.frame(0), mkv.frame(40)])
        await here.filmed((head, [first, rubbish]))
        assert await refused(here, BEGAN, BEGAN + 1) == (400, "InvalidMediaFrameException")
        assert await played(here, BEGAN, BEGAN + 0.5) == every_40_ms(0)

    run(story)


def test_a_viewer_that_leaves_holds_nothing_up(world, filmed):
    """The connection ends with it."""

    async def story():
        here = world()
        await here.filmed(filmed(frames=25))
        viewer = here.clip(BEGAN, BEGAN + 1)
        viewer.leave()
        await viewer.done()
        assert await played(here, BEGAN, BEGAN + 1) == every_40_ms(0)

    run(story)


@pytest.mark.parametrize("name", ["bezos_vogels.mkv", "person_night.mp4"])
def test_real_video(world, shared_data, name):
    """Every frame of it, when the producer filmed it."""

    async def story():
        here = world()
        await here.camera()
        path = shared_data / "video" / name
        recording = Recording(path)
        shots = list(player.play(recording))
        body = [piece.data for shot in shots for piece in player.pieces(shot, 0)]
        await here.put_whole(player.opening(recording.track) + b"".join(body))
        found = await played(here, 0, 60, kind="PRODUCER_TIMESTAMP")
        sent = [frame.time_ms - shots[0].file_ms for shot in shots for frame in shot.frames]
        assert found == sent

    run(story)


def shifted(fragment, timecode):
    """A fragment's bytes with another timecode."""
    mine = ebml.write_uint(ebml.TIMECODE, 0)
    return fragment.replace(mine, ebml.write_uint(ebml.TIMECODE, timecode), 1)
