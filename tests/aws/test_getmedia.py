"""Watching a camera: what is stored, what is being sent, and nothing at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from streamctl.aws import getmedia, kinesisvideo, putmedia
from streamctl.errors import NotFound
from streamctl.media import mkv

DEADLINE_S = 20


def test_what_is_stored_is_read_from_the_earliest(aws, camera, producer, around_now):
    """Every fragment, numbered as it is listed."""
    producer.send(aws, camera, 1_000_000, 1_002_000)
    listed = [each.number for each in kinesisvideo.fragments(aws, camera, *around_now)]
    sent = getmedia.watch(aws, camera, earliest=True, within=DEADLINE_S)
    found = []
    for fragment in mkv.fragments(sent):
        found.append(fragment.number)
        if len(found) == 2:
            break
    assert found == listed


def test_a_reader_sees_a_frame_before_its_fragment_ends(aws, camera, producer):
    """From now on: what is being sent at this moment, as it arrives."""
    with putmedia.upload(aws, camera, datetime.now(UTC)) as upload:
        upload.send(producer.opening() + producer.cluster(1_000_000, frames=1))
        assert upload.acks(DEADLINE_S)[0].kind is putmedia.Kind.BUFFERING
        sent = getmedia.watch(aws, camera, within=DEADLINE_S)
        reader = mkv.Reader()
        seen = []
        while not any(isinstance(event, mkv.Frame) for event in seen):
            seen += reader.feed(next(sent))
        assert not any(isinstance(event, mkv.Fragment) for event in seen)
        sent.close()


def test_a_silent_camera_is_left_after_the_asked_time(aws, camera):
    """Nothing is sent, and nobody waits for ever."""
    assert list(getmedia.watch(aws, camera, within=0.3)) == []


def test_an_endpoint_is_remembered_until_it_fails(aws, camera):
    """A remembered address where nobody listens any more is asked for anew, once."""
    good = kinesisvideo.data_endpoint(aws, "GET_MEDIA", camera)
    remembered = kinesisvideo._endpoints[aws.client("kinesisvideo")]
    remembered["GET_MEDIA", camera] = "http://127.0.0.1:1"
    assert kinesisvideo.data_endpoint(aws, "GET_MEDIA", camera) == "http://127.0.0.1:1"
    assert list(getmedia.watch(aws, camera, within=0.1)) == []
    assert kinesisvideo.data_endpoint(aws, "GET_MEDIA", camera) == good


def test_a_missing_camera_is_not_found(aws):
    """Said when the first bytes are asked for."""
    with pytest.raises(NotFound):
        next(getmedia.watch(aws, "nowhere", within=1))


def test_what_was_stored_at_a_time_is_read_from_there(aws, camera, producer, around_now):
    """From the fragment that holds the server's time; what came before is left out."""
    producer.send(aws, camera, 1_000_000)
    producer.send(aws, camera, 1_002_000)
    first, second = kinesisvideo.fragments(aws, camera, *around_now)
    since = max(second.received, first.received + first.length + timedelta(milliseconds=1))
    sent = getmedia.watch(aws, camera, since=since, within=DEADLINE_S)
    assert next(mkv.fragments(sent)).number == second.number
    sent.close()
