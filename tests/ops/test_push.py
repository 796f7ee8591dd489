"""A file is played until all of it is stored, over as many connections as that takes."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from streamctl.aws import getmedia, kinesisvideo, putmedia
from streamctl.errors import GaveUpWaiting, MediaError, NotFound, Unsuitable
from streamctl.media import camera as player
from streamctl.media import ebml, mkv
from streamctl.ops import push

DEADLINE_S = 20
TRACK = mkv.Track(1, "V_MPEG4/ISO/AVC", b"\x01\x64\x00\x1e\xff\xe1", 1280, 720)
BROKEN_BEHIND_A_FRAGMENT = "kinesis-video-media.PutMediaFragment"


@pytest.fixture
def create(aws):
    """Creates a camera that keeps its video for so many hours; its name."""

    def made(hours=24):
        name = f"camera-{uuid.uuid4().hex[:8]}"
        aws.client("kinesisvideo").create_stream(StreamName=name, DataRetentionInHours=hours)
        return name

    return made


@pytest.fixture
def clip(tmp_path):
    """A recording of so many fragments, each of `frames` pictures in one second and a bit."""

    def write(fragments=4, frames=5):
        path, step = tmp_path / "clip.mkv", 1000 // frames
        sent = player.opening(TRACK)
        for index in range(fragments):
            cluster = ebml.write_uint(ebml.TIMECODE, 834 + index * 1000)
            for frame in range(frames):
                block = ebml.Block(1, frame * step, frame == 0, b"\0\0\0\7picture")
                cluster += ebml.write_simple_block(block)
            sent += ebml.write(ebml.CLUSTER, cluster)
        path.write_bytes(sent)
        return path

    return write


def stored(aws, camera):
    now = datetime.now(UTC)
    return kinesisvideo.fragments(aws, camera, now - timedelta(hours=1), now + timedelta(hours=1))


def watched(aws, camera, count):
    """So many fragments from the earliest on."""
    sent = getmedia.watch(aws, camera, earliest=True, within=DEADLINE_S)
    found = []
    for fragment in mkv.fragments(sent):
        found.append(fragment)
        if len(found) == count:
            break
    return found


def skipping(step_s):
    """A clock that sleeping alone moves, by so many seconds each time."""
    now = [0.0]
    return push.Clocks(
        monotonic=lambda: now[0], sleep=lambda _: now.__setitem__(0, now[0] + step_s)
    )


def test_a_real_recording_arrives_whole(aws, create, shared_data, tmp_path):
    """Every fragment stored and tagged by the service, and each of its 546 frames decodable."""
    av = pytest.importorskip("av", reason="needs the [media] extra")
    camera = create()
    sent = push.push(aws, camera, shared_data / "video/bezos_vogels.mkv", fast=True)
    assert (sent.frames_sent, sent.fragments_sent, sent.fragments_acked) == (546, 3, 3)
    assert (sent.first_s, sent.reconnects, sent.truncated) == (0.834, 0, False)
    found = watched(aws, camera, 3)
    assert [fragment.number for fragment in found] == [each.number for each in stored(aws, camera)]
    assert all(
        fragment.opened.server_time and fragment.behind_now_ms is not None for fragment in found
    )
    assert found[0].opened.producer_time == pytest.approx(
        sent.started, abs=timedelta(milliseconds=1)
    )
    path = tmp_path / "read.mkv"
    path.write_bytes(b"".join(getmedia.watch(aws, camera, earliest=True, within=1)))
    with av.open(str(path)) as file:
        assert sum(1 for _ in file.decode(video=0)) == 546


def test_what_awss_own_producer_sent_is_sent_like_that(aws, create, shared_data):
    """Seven fragments, with the distances that its clock had."""
    camera = create()
    sent = push.push(aws, camera, shared_data / "kvs-captures/putmedia_body_c_sdk.mkv", fast=True)
    assert (sent.frames_sent, sent.fragments_acked) == (294, 7)
    times = [each.produced.timestamp() for each in stored(aws, camera)]
    assert [time - times[0] for time in times] == pytest.approx([1.8 * index for index in range(7)])


def test_in_real_time_no_frame_is_sent_before_it_is_due(aws, create, clip):
    """The last of eight frames, a quarter of a second apart, goes out 1.75 s after the first."""
    sent = push.push(aws, create(), clip(fragments=2, frames=4))
    assert sent.last_frame_at - sent.first_frame_at >= timedelta(seconds=1.7)
    assert sent.fragments_acked == 2


def test_a_camera_that_keeps_nothing_counts_what_it_received(aws, create, clip):
    """PERSISTED is never said there; waiting for it would be for ever."""
    sent = push.push(aws, create(hours=0), clip(), fast=True)
    assert sent.fragments_acked == 4


@pytest.mark.parametrize("fast", [True, False])
def test_a_dropped_connection_is_resumed_from_what_is_not_stored(
    aws, create, clip, shared_local_cloud, fast
):
    """All of it is stored in the end, once each, with the producer times of the first try."""
    camera = create()
    shared_local_cloud.fault(BROKEN_BEHIND_A_FRAGMENT, code="Dropped", times=2)
    sent = push.push(aws, camera, clip(fragments=3), fast=fast)
    assert sent.reconnects >= 2
    assert (sent.frames_sent, sent.fragments_sent, sent.fragments_acked) == (15, 3, 3)
    began_ms = round(sent.started.timestamp() * 1000)
    times = {round(each.produced.timestamp() * 1000) - began_ms for each in stored(aws, camera)}
    assert times == {0, 1000, 2000}


def test_a_camera_in_use_is_waited_for(aws, create, clip):
    """It takes one producer at a time; the other may be our own connection that broke."""
    camera, clocks = create(), push.Clocks()
    with putmedia.upload(aws, camera, datetime.now(UTC)) as other:
        other.send(player.opening(TRACK))
        closing = push.Clocks(clocks.wall, clocks.monotonic, lambda _: other.close())
        sent = push.push(aws, camera, clip(), fast=True, clocks=closing)
    assert sent.reconnects >= 1
    assert sent.fragments_acked == 4


def test_a_camera_that_stays_in_use_is_given_up(aws, create, clip):
    """After a bounded time, saying how far it came."""
    camera = create()
    with putmedia.upload(aws, camera, datetime.now(UTC)) as other:
        other.send(player.opening(TRACK))
        with pytest.raises(GaveUpWaiting) as gave_up:
            push.push(aws, camera, clip(), fast=True, clocks=skipping(40))
    assert gave_up.value.last_seen == "0 of 4 fragments acknowledged"
    assert gave_up.value.exit_code == 5


def test_a_lost_connection_is_told_until_it_is_back(aws, create, clip, shared_local_cloud):
    """And until when it is tried: that long after it was lost."""
    seen = []
    shared_local_cloud.fault(BROKEN_BEHIND_A_FRAGMENT, code="Dropped", times=1)
    began = datetime.now(UTC)
    push.push(aws, create(), clip(fragments=3), fast=True, progress=seen.append)
    outages = [progress.outage for progress in seen]
    assert (outages[0], outages[-1]) == (None, None)
    (outage,) = {each for each in outages if each}
    assert outage.why
    assert outage.until - began >= push.PATIENCE


def test_a_truncated_file_is_sent_as_far_as_it_is_whole(aws, create, shared_data, tmp_path):
    """The fragment that it breaks off in is not, and the caller learns of it."""
    path, camera = tmp_path / "cut.mkv", create()
    path.write_bytes((shared_data / "video/bezos_vogels.mkv").read_bytes()[:1_500_000])
    sent = push.push(aws, camera, path, fast=True)
    assert (sent.fragments_sent, sent.frames_sent, sent.truncated) == (1, 151, True)
    assert len(stored(aws, camera)) == 1


def test_what_cannot_be_sent_is_refused_before_anything_is(aws, create, clip, tmp_path):
    """A fragment too long at the very end of a file, and a text."""
    camera, path, text = create(), clip(), tmp_path / "story.mkv"
    late = ebml.write_uint(ebml.TIMECODE, 30_000)
    late += ebml.write_simple_block(ebml.Block(1, 0, keyframe=False, data=b"picture"))
    path.write_bytes(path.read_bytes() + ebml.write(ebml.CLUSTER, late))
    text.write_text("Once upon a time.\n" * 50)
    for refused, kind in ((path, Unsuitable), (text, MediaError)):
        with pytest.raises(kind):
            push.push(aws, camera, refused, fast=True)
    assert stored(aws, camera) == []


def test_an_unknown_camera_and_an_unknown_file_are_not_found(aws, create, clip, tmp_path):
    """Each says which."""
    with pytest.raises(NotFound, match="nowhere"):
        push.push(aws, "nowhere", clip(), fast=True)
    with pytest.raises(NotFound, match="missing"):
        push.push(aws, create(), tmp_path / "missing.mkv", fast=True)


def test_a_camera_deleted_meanwhile_is_not_retried(aws, create, clip):
    """It would not come back."""
    camera = create()

    def delete(progress):
        if progress.frames_sent == 6:
            arn = kinesisvideo.describe(aws, camera).arn
            aws.client("kinesisvideo").delete_stream(StreamARN=arn)

    with pytest.raises(NotFound):
        push.push(aws, camera, clip(), progress=delete)


def test_an_interrupt_ends_the_body_in_order(aws, create, clip):
    """What was sent of the open fragment is stored as a fragment, not thrown away."""
    camera = create()

    def interrupt(progress):
        if progress.frames_sent == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push.push(aws, camera, clip(), fast=True, progress=interrupt)
    deadline = time.monotonic() + DEADLINE_S
    while len(stored(aws, camera)) < 2:
        assert time.monotonic() < deadline
    assert [len(fragment.frames) for fragment in watched(aws, camera, 2)] == [5, 3]


def test_progress_counts_up_to_the_whole(aws, create, clip):
    """Frames and fragments of the whole file, each counted once."""
    seen = []
    push.push(aws, create(), clip(), fast=True, progress=seen.append)
    sent = [progress.frames_sent for progress in seen]
    assert sent == sorted(sent)
    assert seen[-1] == push.Progress(20, 20, 4, 4, reconnects=0)
