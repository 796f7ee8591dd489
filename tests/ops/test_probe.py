"""What a camera shows right now: flowing video measured, silence told from trouble."""

from __future__ import annotations

import contextlib
import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from streamctl.aws.session import Aws
from streamctl.errors import NotFound
from streamctl.ops import probe, push


@pytest.fixture
def aws(shared_local_cloud, monkeypatch):
    for name, value in shared_local_cloud.env().items():
        monkeypatch.setenv(name, value)
    return Aws()


@pytest.fixture
def create(aws):
    """Creates a camera that keeps its video for so many hours; its name."""

    def made(hours=24):
        name = f"camera-{uuid.uuid4().hex[:8]}"
        aws.client("kinesisvideo").create_stream(StreamName=name, DataRetentionInHours=hours)
        return name

    return made


def test_a_file_is_probed_as_it_would_be_pushed(shared_data):
    """Three key frames, three fragments."""
    assert len(probe.file(shared_data / "video/bezos_vogels.mkv").fragments) == 3


def test_the_newest_fragment_of_a_camera_is_probed(aws, create, shared_data):
    """What was pushed is what is seen."""
    camera = create()
    push.push(aws, camera, shared_data / "video/bezos_vogels.mkv", fast=True)
    found = probe.live(aws, camera)
    assert (found.codec, found.fps, found.width, found.height) == ("h264", 29.97, 1280, 720)
    assert found.keyframe_first
    assert len(found.fragments) == 1


def test_other_codecs_are_seen_as_what_they_are(aws, create, shared_data):
    """A camera takes anything; face search does not."""
    camera = create()
    push.push(aws, camera, shared_data / "kvs-captures/test_mixed_tags.mkv", fast=True)
    found = probe.live(aws, camera)
    assert (found.codec, found.fps) == ("mjpeg", 2)


def test_a_camera_without_video_shows_none(aws, create):
    """That is an answer, not an error."""
    assert probe.live(aws, create()) is None


def test_video_of_long_ago_is_none(aws, create, shared_data):
    """It does not flow; the camera may have been changed since."""
    camera = create()
    push.push(aws, camera, shared_data / "kvs-captures/output_get_media.mkv", fast=True)
    later = datetime.now(UTC) + timedelta(minutes=5)
    assert probe.live(aws, camera, now=later) is None


def test_a_camera_that_keeps_nothing_is_watched(aws, create, shared_data):
    """Until it has shown one whole fragment."""
    camera, seen = create(hours=0), threading.Event()

    def play():
        path = shared_data / "kvs-captures/output_get_media.mkv"
        with contextlib.suppress(KeyboardInterrupt):
            push.push(aws, camera, path, progress=stop_once_seen)

    def stop_once_seen(_):
        if seen.is_set():
            raise KeyboardInterrupt

    playing = threading.Thread(target=play)
    playing.start()
    try:
        found = probe.live(aws, camera, watched_s=15)
    finally:
        seen.set()
        playing.join()
    assert (found.fps, found.fragments) == (30, (2.0,))


def test_a_silent_camera_that_keeps_nothing_shows_none_in_time(aws, create):
    """Nobody waits for video for ever."""
    assert probe.live(aws, create(hours=0), watched_s=0.3) is None


def test_a_missing_camera_is_not_found(aws):
    """Not the same as one without video."""
    with pytest.raises(NotFound):
        probe.live(aws, "nowhere")
