"""Stills and clips of what a camera stored: near a moment, of a time, and none where nothing is."""

from __future__ import annotations

import io
import uuid
from datetime import UTC, datetime, timedelta

import av
import numpy as np
import pytest

from streamctl.aws import archive, kinesisvideo
from streamctl.errors import (
    AskedWrongly,
    MediaError,
    NotFound,
    Throttled,
    Unreachable,
    Unsuitable,
)
from streamctl.media import images
from streamctl.ops import push

ARCHIVE = "kinesis-video-archived-media"
DAY = timedelta(days=1)


def s(seconds):
    return timedelta(seconds=seconds)


def number(still):
    """Which frame of the film it is: its bar's first column."""
    return int(np.argmax(images.read(still.jpeg)[120, :, 0] > 200))


def frames(mp4):
    with av.open(io.BytesIO(mp4)) as file:
        return [round(1000 * frame.time) for frame in file.decode(video=0)]


def every_40_ms(first, count=25):
    return [first + 40 * number for number in range(count)]


@pytest.fixture
def filmed(aws, camera, encode):
    """Sends a film of 25 FPS to the camera, whose n-th frame has a bar at its n-th column; what is
    listed of it.
    """

    def film(*, fast=True, **how):
        since = datetime.now(UTC) - DAY
        before = len(kinesisvideo.fragments(aws, camera, since, since + 2 * DAY))
        push.push(aws, camera, encode("film.mkv", **{"frames": 25, **how}), fast=fast)
        return kinesisvideo.fragments(aws, camera, since, since + 2 * DAY)[before:]

    return film


def test_the_still_of_a_moment(aws, camera, filmed):
    """The frame nearest to it, from wherever in its fragment, with its time."""
    (stored,) = filmed()
    for frame, into in ((0, 0), (1, 0.04), (10, 0.4), (24, 0.96)):
        still = archive.images(aws, camera, stored.received + s(into))
        assert number(still) == frame
        assert still.time == stored.received + s(into)
        assert still.time.tzinfo is UTC
    arn = kinesisvideo.describe(aws, camera).arn
    assert number(archive.images(aws, arn, stored.received + s(0.4007))) == 10


def test_a_moment_without_video_has_the_nearest_still(aws, camera, filmed):
    """Before and behind what is stored, as far as was asked for; and none beyond."""
    (stored,) = filmed()
    before = archive.images(aws, camera, stored.received - s(1.5))
    assert (number(before), before.time) == (0, stored.received)
    ends = stored.received + stored.length
    behind = archive.images(aws, camera, ends + s(1.5))
    assert (number(behind), behind.time) == (24, ends)
    assert archive.images(aws, camera, ends + s(1.5), within=s(1)) is None
    assert archive.images(aws, camera, stored.received - s(1.5), within=s(1)) is None
    assert archive.images(aws, camera, ends + s(9), within=s(10)) == behind
    assert archive.images(aws, camera, stored.received - DAY / 2) is None
    assert archive.images(aws, camera, stored.received - 2 * DAY) is None  # it keeps a day


def test_a_still_of_one_fragment_alone(aws, camera, filmed):
    """None of another, though it is nearer, or the only one."""
    first, second = filmed(frames=50)
    edge = second.received
    for stored in (first, second):
        still = archive.images(aws, camera, edge, fragment=stored.number)
        assert stored.received <= still.time <= stored.received + stored.length
    assert archive.images(aws, camera, edge, fragment="9" * 47) is None


def test_a_still_out_of_a_long_fragment(aws, camera, filmed):
    """It began long before the moment, which GetImages alone would not find."""
    (stored,) = filmed(frames=150, g="150")
    assert stored.length == s(5.96)
    moment = stored.received + s(5)
    assert number(archive.images(aws, camera, moment)) == 125
    alone = {"StartTimestamp": moment, "EndTimestamp": moment + s(0.2), "SamplingInterval": 200}
    url = kinesisvideo.data_endpoint(aws, "GET_IMAGES", camera)
    how = {"StreamName": camera, "ImageSelectorType": "SERVER_TIMESTAMP", "Format": "JPEG"}
    found = aws.client(ARCHIVE, endpoint=url).get_images(**how, **alone)["Images"]
    assert [image.get("Error") for image in found] == ["NO_MEDIA"] * 2


def test_a_still_of_another_size_and_quality(aws, camera, filmed):
    """Stretched; smaller where it may be worse."""
    (stored,) = filmed()
    large = archive.images(aws, camera, stored.received, size=(640, 200))
    assert images.size(large.jpeg) == (640, 200)
    worse = archive.images(aws, camera, stored.received, size=(640, 200), quality=5)
    assert len(worse.jpeg) < len(large.jpeg)
    with pytest.raises(AskedWrongly):
        archive.images(aws, camera, stored.received, size=(100_000, 1))
    with pytest.raises(AskedWrongly):
        archive.images(aws, camera, stored.received, quality=0)


def test_video_of_which_no_still_can_be_made_has_none(aws, camera, producer, around_now):
    """MEDIA_ERROR is no error of ours: there is no picture."""
    producer.send(aws, camera, 1_000_000)
    (stored,) = kinesisvideo.fragments(aws, camera, *around_now)
    assert archive.images(aws, camera, stored.received) is None


def test_a_still_though_milliseconds_are_cut_off(aws, camera, filmed):
    """As SDKs did before botocore's issue 3255 was resolved; Lambda's may be such a one."""
    (stored,) = filmed()
    url = kinesisvideo.data_endpoint(aws, "GET_IMAGES", camera)
    serializer = aws.client(ARCHIVE, endpoint=url)._serializer._serializer
    moment = stored.received + s(0.4)
    shown = []
    for precision in ("default", "legacy"):
        serializer._timestamp_precision = precision
        probe = {"StartTimestamp": moment, "EndTimestamp": moment, "Format": "JPEG"}
        how = {"StreamName": camera, "ImageSelectorType": "SERVER_TIMESTAMP", **probe}
        (image,) = aws.client(ARCHIVE, endpoint=url).get_images(**how)["Images"]
        shown.append(image["TimeStamp"].microsecond)
        sampling = archive._sampling(stored.received, moment)
        asked = {**kinesisvideo.named(camera), **sampling, "Format": "PNG"}
        stills = archive._stills(aws, url, camera, asked)
        assert [still.time for still in stills][-1] == moment
    assert shown == [moment.microsecond, 0]


def test_a_clip_begins_with_the_fragment_that_holds_its_begin(aws, camera, filmed):
    """And ends with the one that holds its end; it says so."""
    first, second, third = filmed(frames=75, fast=False)
    written = io.BytesIO()
    begin, end = first.received + s(0.5), second.received + s(0.5)
    clip = archive.clip(aws, camera, begin, end, written)
    assert clip == archive.Clip(
        first.received, second.received + second.length, len(written.getvalue())
    )
    assert len(frames(written.getvalue())) == 50
    alone = io.BytesIO()
    clip = archive.clip(aws, camera, third.received, third.received + s(9), alone)
    assert (clip.begins, frames(alone.getvalue())) == (third.received, every_40_ms(0))


def test_a_clip_says_where_it_ends_early(aws, camera, filmed, monkeypatch):
    """GetClip gives 200 fragments or 100 MB; here two, and what two have."""
    stored = filmed(frames=75)
    since, until = stored[0].received, stored[-1].received + s(1)
    with monkeypatch.context() as less:
        less.setattr(archive, "MOST_FRAGMENTS", 2)
        clip = archive.clip(aws, camera, since, until, io.BytesIO())
        assert clip.ends == stored[1].received + stored[1].length
    monkeypatch.setattr(archive, "MOST_BYTES", stored[0].size + stored[1].size)
    written = io.BytesIO()
    assert archive.clip(aws, camera, since, until, written).ends == clip.ends
    assert len(frames(written.getvalue())) == 50


def test_a_clip_is_written_piece_by_piece(aws, camera, filmed, monkeypatch):
    """No more than a piece of it is in memory."""
    monkeypatch.setattr(archive, "_PIECE", 1000)
    stored = filmed(frames=75)

    class Sink(io.BytesIO):
        largest = 0

        def write(self, data):
            self.largest = max(self.largest, len(data))
            return super().write(data)

    sink = Sink()
    clip = archive.clip(aws, camera, stored[0].received, stored[-1].received, sink)
    assert clip.size == len(sink.getvalue()) > 3000
    assert sink.largest == 1000


def test_a_time_without_video_has_no_clip(aws, camera, filmed):
    """Said with the times, so that another can be tried."""
    (stored,) = filmed()
    with pytest.raises(NotFound, match="stored no video between"):
        archive.clip(aws, camera, stored.received - DAY, stored.received - s(60), io.BytesIO())
    with pytest.raises(NotFound, match="stored no video between"):
        archive.clip(
            aws, camera, stored.received - 3 * DAY, stored.received - 2 * DAY, io.BytesIO()
        )
    with pytest.raises(AskedWrongly):
        archive.clip(aws, camera, stored.received, stored.received - s(60), io.BytesIO())


def test_no_camera(aws):
    """Whatever is asked of it."""
    now = datetime.now(UTC)
    with pytest.raises(NotFound):
        archive.images(aws, "nowhere", now)
    with pytest.raises(NotFound):
        archive.clip(aws, "nowhere", now - DAY, now, io.BytesIO())


def test_video_that_no_clip_can_hold(aws, camera, producer, filmed, around_now):
    """Its parameters break off; nothing is written."""
    producer.send(aws, camera, 1_000_000)
    (stored,) = kinesisvideo.fragments(aws, camera, *around_now)
    written = io.BytesIO()
    with pytest.raises(Unsuitable, match="InvalidCodecPrivateData") as refused:
        archive.clip(aws, camera, stored.received, stored.received + s(1), written)
    assert "avcC" in refused.value.hint
    assert written.getvalue() == b""


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ClientLimitExceededException", Throttled),
        ("NoDataRetentionException", Unsuitable),
        ("InvalidMediaFrameException", MediaError),
        ("Dropped", Unreachable),
    ],
)
@pytest.mark.parametrize("operation", ["GetImages", "GetClip"])
def test_what_goes_wrong_is_an_error_of_ours(
    aws, camera, filmed, shared_local_cloud, operation, code, kind
):
    """In one line that says what was done; the next call is well."""
    (stored,) = filmed()

    def ask():
        if operation == "GetImages":
            return archive.images(aws, camera, stored.received)
        return archive.clip(aws, camera, stored.received, stored.received + s(1), io.BytesIO())

    shared_local_cloud.fault(f"{ARCHIVE}.{operation}", target=camera, code=code, times=None)
    with pytest.raises(kind, match=rf"^[^\n]*{camera}[^\n]*$") as refused:
        ask()
    assert type(refused.value) is kind
    shared_local_cloud.faults_clear(target=camera)
    assert ask()


def test_a_clip_that_breaks_off_is_unreachable(aws, camera, filmed, monkeypatch):
    """The server is gone in the middle: what was written is there, and the error says so.

    The body is cut by hand, since no fault breaks a file in the middle.
    """
    (stored,) = filmed()
    begun = archive._begun

    def broken(*arguments):
        body = begun(*arguments)
        body._content_length = str(int(body._content_length) + 1)
        return body

    monkeypatch.setattr(archive, "_begun", broken)
    written = io.BytesIO()
    with pytest.raises(Unreachable, match=f"fetching a clip of camera {camera}"):
        archive.clip(aws, camera, stored.received, stored.received + s(1), written)
    assert written.getvalue()


def test_a_camera_that_keeps_nothing(aws, encode):
    """It has neither stills nor clips."""
    name = f"camera-{uuid.uuid4().hex[:8]}"
    aws.client("kinesisvideo").create_stream(StreamName=name, DataRetentionInHours=0)
    push.push(aws, name, encode("film.mkv", frames=25), fast=True)
    now = datetime.now(UTC)
    with pytest.raises((NotFound, Unsuitable)):
        archive.images(aws, name, now)
    with pytest.raises((NotFound, Unsuitable)):
        archive.clip(aws, name, now - DAY, now, io.BytesIO())
