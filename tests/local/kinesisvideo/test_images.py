"""GetImages: pictures of stored video at regular times, in pages, and what there is instead of one."""

import asyncio
import base64
import io
import json
from datetime import UTC, datetime

import numpy as np
import pytest

from streamctl.local import children
from streamctl.local.kinesisvideo import extract, extractor
from streamctl.local.kinesisvideo import images as calls
from streamctl.local.service import ServiceFault
from streamctl.media import images

BEGAN = 1_795_200_000


def run(story):
    asyncio.run(story())


def moment(seconds):
    return datetime.fromtimestamp(seconds, UTC)


def asked(here, first, last, *, by="SERVER_TIMESTAMP", name="door", **more):
    """GetImages of the seconds from first to last, since the beginning."""
    since = BEGAN if by == "SERVER_TIMESTAMP" else 0
    span = {"StartTimestamp": moment(since + first), "EndTimestamp": moment(since + last)}
    params = {"ImageSelectorType": by, "Format": "PNG", "SamplingInterval": 200, **span, **more}
    return here.call("GetImages", StreamName=name, **params)


def pixels(image):
    return images.read(base64.b64decode(image["ImageContent"]))


def number(image):
    """Which frame of the film it is: its bar's first column; or the error that is there instead."""
    if "Error" in image:
        return image["Error"]
    return int(np.argmax(pixels(image)[120, :, 0] > 200))


def numbers(answer):
    return [number(image) for image in answer["Images"]]


def test_images_are_of_their_times(world, filmed):
    """One for each interval, both ends included: the frame nearest to it."""

    async def story():
        here = world()
        await here.filmed(filmed())
        answer = await asked(here, 0, 2, SamplingInterval=400)
        assert [image["TimeStamp"] for image in answer["Images"]] == [
            moment(BEGAN + 0.4 * count) for count in range(6)
        ]
        assert numbers(answer) == [0, 10, 20, 30, 40, 50]
        assert numbers(await asked(here, 0.03, 0.24)) == ["NO_MEDIA"] * 2
        assert numbers(await asked(here, 0, 0.21, SamplingInterval=210)) == [0, 5]

    run(story)


def test_times_are_the_producers_where_it_is_asked_for_them(world, filmed):
    """Whenever the fragments came."""

    async def story():
        here = world()
        await here.filmed(filmed(), every=60)
        found = await asked(here, 0, 3, by="PRODUCER_TIMESTAMP", SamplingInterval=960)
        assert numbers(found) == [0, 24, 48, 72]

    run(story)


def test_a_fragment_that_began_before_the_range_is_not_looked_at(world, filmed):
    """Though it holds the time that was asked for (boto3 issue 3712)."""

    async def story():
        here = world()
        await here.filmed(filmed())
        assert numbers(await asked(here, 0.2, 1.2)) == ["NO_MEDIA"] * 4 + [25, 30]
        assert numbers(await asked(here, 0, 1.2))[:4] == [0, 5, 10, 15]

    run(story)


def test_gaps_have_no_media(world, filmed):
    """Before the first fragment, between two (also between last and first frame), behind the last."""

    async def story():
        here = world()
        await here.filmed(filmed(frames=50), every=2)
        answer = await asked(here, -1, 4, SamplingInterval=500)
        assert (
            numbers(answer)
            == [*["NO_MEDIA"] * 2, 0, 12, *["NO_MEDIA"] * 2, 25, 37] + ["NO_MEDIA"] * 3
        )
        assert numbers(await asked(here, 0, 0.97, SamplingInterval=970))[-1] == "NO_MEDIA"

    run(story)


def test_of_fragments_of_the_same_time_the_oldest_counts(world, filmed):
    """A producer that sends again what it has sent."""

    async def story():
        here = world()
        head, fragments = filmed(frames=50)
        first, second = fragments
        await here.filmed((head, [second, first, second]), every=10)
        found = await asked(here, 0, 2, by="PRODUCER_TIMESTAMP", SamplingInterval=1000)
        assert numbers(found) == [0, 25, "NO_MEDIA"]

    run(story)


def test_the_interval_is_three_seconds_unless_said(world, filmed):
    """And a range shorter than that has the image of its beginning."""

    async def story():
        here = world()
        await here.filmed(filmed(frames=100))
        assert numbers(await asked(here, 0, 3.9, SamplingInterval=3000)) == [0, 75]
        span = {"StartTimestamp": moment(BEGAN), "EndTimestamp": moment(BEGAN + 3.9)}
        how = {"ImageSelectorType": "SERVER_TIMESTAMP", "Format": "PNG", **span}
        answer = await here.call("GetImages", StreamName="door", **how)
        assert numbers(answer) == [0, 75]
        assert numbers(await asked(here, 1, 1)) == [25]

    run(story)


def test_pages_follow_each_other(world, filmed):
    """By NextToken, each image once, the last page without one."""

    async def story():
        here = world()
        await here.filmed(filmed())
        whole = numbers(await asked(here, 0, 2.8, SamplingInterval=400))
        answer = await asked(here, 0, 2.8, SamplingInterval=400, MaxResults=3)
        found, pages = numbers(answer), 1
        while "NextToken" in answer:
            answer = await asked(
                here, 0, 2.8, SamplingInterval=400, MaxResults=3, NextToken=answer["NextToken"]
            )
            found, pages = found + numbers(answer), pages + 1
        assert (found, pages) == (whole, 3)

    run(story)


def test_a_page_has_25_images_at_most(world, filmed):
    """Also where more are asked for (API model, MaxResults)."""

    async def story():
        here = world()
        await here.filmed(filmed())
        for more in ({}, {"MaxResults": 100}):
            answer = await asked(here, 0, 10, **more)
            assert len(answer["Images"]) == 25
            assert "NextToken" in answer

    run(story)


def test_a_page_ends_where_it_grows_too_large(world, filmed, monkeypatch):
    """With the image that is too much, which is given all the same."""

    async def story():
        here = world()
        await here.filmed(filmed())
        (one,) = (await asked(here, 0, 0))["Images"]
        monkeypatch.setattr(calls, "PAGE_CHARACTERS", len(one["ImageContent"]) + 1)
        answer = await asked(here, 0, 1)
        assert numbers(answer) == [0, 5]
        rest = await asked(here, 0, 1, NextToken=answer["NextToken"])
        assert numbers(rest)[0] == 10

    run(story)


def test_images_are_jpeg_or_png_of_the_asked_size(world, filmed):
    """Their own size, or stretched to another; a JPEG of the asked quality."""

    async def story():
        here = world()
        await here.filmed(filmed(frames=25))
        jpegs = []
        for quality in ("1", "80", "100"):
            answer = await asked(here, 0, 0, Format="JPEG", FormatConfig={"JPEGQuality": quality})
            jpegs.append(base64.b64decode(answer["Images"][0]["ImageContent"]))
        usual = await asked(here, 0, 0, Format="JPEG")
        assert base64.b64decode(usual["Images"][0]["ImageContent"]) == jpegs[1]
        assert [len(jpeg) for jpeg in jpegs] == sorted({len(jpeg) for jpeg in jpegs})
        assert all(jpeg.startswith(b"\xff\xd8\xff") for jpeg in jpegs)
        assert images.size(jpegs[0]) == (320, 240)
        (png,) = (await asked(here, 0, 0, WidthPixels=100, HeightPixels=300))["Images"]
        assert base64.b64decode(png["ImageContent"]).startswith(b"\x89PNG")
        assert pixels(png).shape == (300, 100, 3)

    run(story)


def test_what_cannot_be_decoded_is_a_media_error(world, filmed, mkv):
    """Rubbish, sound, and codecs that AWS takes no images of; what is sound is not harmed by it."""

    async def story():
        here = world()
        head, (first, *_) = filmed()
        rubbish = head + mkv.cluster(0, [mkv.frame(0), mkv.frame(40)])
        sound = mkv.head() + mkv.cluster(0)
        jpegs, (jpeg, *_) = filmed(codec="mjpeg", preset="")
        await here.camera()
        for body in (rubbish, sound, jpegs + jpeg, head + first):
            await here.put_whole(body)
            here.clock.forward(1)
        answer = await asked(here, 0, 3, SamplingInterval=1000)
        assert [image.get("Error") for image in answer["Images"]] == ["MEDIA_ERROR"] * 3 + [None]
        assert numbers(answer)[-1] == 0

    run(story)


def test_an_image_larger_than_aws_gives_is_a_media_error(filmed, tmp_path, monkeypatch):
    """Six MiB of base64 (API model, ImageContent); the next one may be smaller."""
    head, (first, *_) = filmed(frames=25)
    (tmp_path / "fragment").write_bytes(head + first)
    how = {"kind": "PNG", "size": None, "quality": 80, "most": 10**9}
    request = {**how, "wanted": [(str(tmp_path / "fragment"), 0), (None, 0)]}
    for most, expected in ((10**6, "ImageContent"), (100, "Error")):
        monkeypatch.setattr(extract, "MOST_CHARACTERS", most)
        result = io.BytesIO()
        extract.images(request, result)
        image, missing = map(json.loads, result.getvalue().splitlines())
        assert list(image) == [expected]
        assert missing == {"Error": "NO_MEDIA"}


def test_a_fragment_that_vanishes_has_no_media(world, filmed):
    """It may expire between being found and being read."""

    async def story():
        here = world()
        camera = await here.filmed(filmed())
        camera.storage.kept()[1].path.unlink()
        assert numbers(await asked(here, 0, 2, SamplingInterval=1000)) == [0, "NO_MEDIA", 50]

    run(story)


def test_what_is_not_listed_yet_has_no_media(world, filmed):
    """The switch list_fragments_late_s, and a fragment that still arrives."""

    async def story():
        here = world(switches={"list_fragments_late_s": 1.5})
        head, (first, *_) = filmed()
        await here.camera()
        producer = here.put()
        producer.give(head + first)
        await producer.until(lambda p: p.said == ["BUFFERING"])
        here.clock.forward(2)
        assert numbers(await asked(here, 0, 0)) == ["NO_MEDIA"]
        producer.end()
        await producer.done()
        assert numbers(await asked(here, 0, 0)) == ["NO_MEDIA"]
        here.clock.forward(2)
        assert numbers(await asked(here, 0, 0)) == [0]

    run(story)


def test_refusals(world, filmed):
    """Each with the code that the model, the guide, or a user's report gives it."""

    async def story():
        here = world()
        await here.filmed(filmed(frames=25))
        await here.camera("keeps-nothing", retention_h=0)
        answer = await asked(here, 0, 1, MaxResults=1)

        def refused(*span, **more):
            return here.refused(asked(here, *span, **more))

        invalid = ("InvalidArgumentException", 400)
        assert await refused(0, 1, name="no") == ("ResourceNotFoundException", 404)
        assert await refused(0, 1, name="keeps-nothing") == ("NoDataRetentionException", 400)
        assert await refused(1, 0) == invalid
        assert await refused(0, 300.001) == invalid
        assert await refused(0, 1, SamplingInterval=199) == invalid
        assert await refused(0, 1, WidthPixels=100) == invalid
        assert await refused(0, 1, HeightPixels=100) == invalid
        for quality in ("0", "101", "many", "1_0", "9" * 256):
            assert await refused(0, 1, FormatConfig={"JPEGQuality": quality}) == invalid
        forged = ("x", "[" * 5000, "[]", "[false, 0, 1, 200, 1]", "[1, 2, 3, 4, 5]")
        tokens = [base64.b64encode(text.encode()).decode() for text in forged]
        for token in ("none", *tokens):
            assert await refused(0, 1, NextToken=token) == invalid
        assert await refused(0, 2, NextToken=answer["NextToken"]) == invalid
        neither = {"ImageSelectorType": "SERVER_TIMESTAMP", "Format": "PNG"}
        with pytest.raises(ServiceFault, match="StreamName or StreamARN"):
            await here.call("GetImages", **neither)

    run(story)


def test_the_longest_range_and_the_shortest_interval_are_taken(world, filmed):
    """300 s, 200 ms."""

    async def story():
        here = world()
        await here.filmed(filmed(frames=25))
        answer = await asked(here, 0, 300)
        assert len(answer["Images"]) == 25

    run(story)


def test_a_process_that_dies_is_an_error_and_the_next_is_not(world, filmed, monkeypatch):
    """Whatever a fragment does to it."""

    async def story():
        here = world()
        await here.filmed(filmed(frames=25))
        with monkeypatch.context() as broken:
            broken.setattr(extractor, "_MODULE", "streamctl.local.kinesisvideo.nothing")
            assert await here.refused(asked(here, 0, 0)) == ("InternalServerError", 500)
        assert numbers(await asked(here, 0, 0)) == [0]

    run(story)


def test_many_at_once_wait_for_each_other(world, filmed):
    """And each has its own answer."""

    async def story():
        here = world()
        await here.filmed(filmed(frames=25))
        starts = [0, 0.2, 0.4, 0.6]
        found = await asyncio.gather(
            *(asked(here, 0, start, SamplingInterval=200) for start in starts)
        )
        assert [numbers(each)[-1] for each in found] == [0, 5, 10, 15]

    run(story)


def test_the_server_does_not_wait_for_images_when_it_stops(world, filmed, monkeypatch):
    """Who asked for them is told that it failed."""

    async def story():
        here = world()
        await here.filmed(filmed(frames=25))
        begun, spawn = asyncio.Event(), children.spawn

        async def waiting_for_more(_, stdout):
            process = await spawn("code", stdout)  # a module that waits for what nobody types
            begun.set()
            return process

        monkeypatch.setattr(children, "spawn", waiting_for_more)
        waiting = asyncio.ensure_future(asked(here, 0, 0))
        async with asyncio.timeout(10):
            await begun.wait()
        await here.service.stop()
        with pytest.raises(ServiceFault, match="could not be read"):
            await waiting

    run(story)
