"""Video goes out and acknowledgements come in on one connection.

To a scripted camera, and to one in a local cloud. How the connection bears with its other end is in
test_wire.py, a whole file on its way in tests/ops/test_push.py.
"""

from __future__ import annotations

from datetime import UTC, datetime

import h11
import pytest

from streamctl import errors
from streamctl.aws import kinesisvideo, putmedia
from streamctl.aws.putmedia import Ack, Kind
from streamctl.aws.session import Aws

ARN = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1604277868692"
BEGAN = datetime(2026, 11, 20, 18, 56, 6, 544000, tzinfo=UTC)


@pytest.fixture
def opened(made_up_credentials, monkeypatch):
    """Opens an upload to a scripted camera.

    Where the camera is served is told to the client directly: asking for it is boto3's business,
    and tested against a local cloud.
    """

    def open_to(camera):
        url = f"http://127.0.0.1:{camera.port}"
        monkeypatch.setattr("streamctl.aws.kinesisvideo.data_endpoint", lambda *_, **__: url)
        return putmedia.upload(Aws(), ARN, BEGAN)

    return open_to


def test_acknowledgements_are_read_while_the_body_is_still_sent(opened, scripted):
    """That is the point of it all: a producer must know what arrived while it goes on."""

    def script(connection):
        connection.welcome()
        first = connection.next().data
        connection.ack("BUFFERING", FragmentTimecode=1795200966543, FragmentNumber="9" * 47)
        rest = connection.rest()
        connection.ack("PERSISTED", FragmentTimecode=1795200966543, FragmentNumber="9" * 47)
        connection.send(h11.EndOfMessage())
        return bytes(first + rest)

    with scripted(script) as camera, opened(camera) as upload:
        upload.send(b"begin")
        assert upload.acks(10) == [Ack(Kind.BUFFERING, 1795200966543, "9" * 47)]
        upload.send(b" and end")
        upload.finish()
        assert upload.acks(10) == [Ack(Kind.PERSISTED, 1795200966543, "9" * 47)]
        with pytest.raises(errors.Unreachable):
            upload.acks(10)
    assert camera.seen == b"begin and end"


def test_the_request_is_what_awss_producer_sends(opened, scripted):
    """Headers as recorded from AWS's C producer; its signature covers no content hash header."""

    def script(connection):
        _, request = connection.request()
        connection.answer()
        connection.rest()
        return request

    with scripted(script) as camera, opened(camera) as upload:
        upload.finish()
    headers = {name.decode(): value.decode() for name, value in camera.seen.headers}
    assert (camera.seen.method, camera.seen.target) == (b"POST", b"/putMedia")
    assert headers["x-amzn-stream-arn"] == ARN
    assert headers["x-amzn-fragment-timecode-type"] == "ABSOLUTE"
    assert headers["x-amzn-fragment-acknowledgment-required"] == "1"
    assert headers["x-amzn-producer-start-timestamp"] == "1795200966.544"
    assert headers["transfer-encoding"] == "chunked"
    assert headers["expect"] == "100-continue"
    assert "x-amz-content-sha256" not in headers
    assert "/us-east-1/kinesisvideo/aws4_request" in headers["authorization"]
    assert "x-amzn-stream-arn" in headers["authorization"]


def test_a_camera_that_never_says_continue_is_sent_to_all_the_same(opened, scripted, monkeypatch):
    """Proxies swallow it; AWS's producer (curl) waits a second."""
    monkeypatch.setattr(putmedia, "_CONTINUE_S", 0.05)

    def script(connection):
        connection.request()
        body = connection.rest()
        connection.answer()
        return body

    with scripted(script) as camera, opened(camera) as upload:
        upload.send(b"video")
        upload.finish()
        with pytest.raises(errors.Unreachable):
            upload.acks(10)
    assert camera.seen == b"video"


def test_what_was_acknowledged_before_a_drop_is_not_lost(opened, scripted):
    """Else it would be sent again for nothing."""

    def script(connection):
        connection.welcome()
        connection.next()
        connection.ack("PERSISTED", FragmentTimecode=5)

    with scripted(script) as camera, opened(camera) as upload:
        upload.send(b"video")
        camera.thread.join(10)
        assert upload.acks(10) == [Ack(Kind.PERSISTED, 5)]
        with pytest.raises(errors.Unreachable):
            upload.acks(10)


def all_acks(upload):
    while True:
        upload.acks(10)


def test_an_answer_without_acknowledgements_is_given_up(opened, scripted):
    """It neither grows without end in memory, nor is it waited for."""

    def script(connection):
        connection.welcome()
        connection.send(h11.Data(data=b"<html>" * 20_000))
        connection.rest()

    with scripted(script) as camera, opened(camera) as upload:
        with pytest.raises(errors.Unreachable, match="no acknowledgements"):
            all_acks(upload)
        upload.finish()


def test_a_second_producer_is_refused_as_throttled(aws, camera, producer):
    """One connection per camera (quota): worth another try, once the first is gone."""
    with putmedia.upload(aws, camera, BEGAN) as first:
        first.send(producer.opening() + producer.cluster(1_000_000))
        assert first.acks(10)
        with pytest.raises(errors.Throttled):
            open_and_wait(aws, camera)


def test_a_wrong_signature_is_not_allowed(aws, camera, monkeypatch):
    """The local cloud checks ours; this is the control that it does."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not the secret")
    stranger = Aws()
    monkeypatch.setattr(kinesisvideo, "data_endpoint", _at(aws, camera))
    with pytest.raises(errors.NotAllowed):
        open_and_wait(stranger, camera)


def open_and_wait(aws, camera):
    """A refusal may come before `100 Continue`, or behind it."""
    with putmedia.upload(aws, camera, BEGAN) as upload:
        upload.acks(10)


def _at(aws, camera):
    url = kinesisvideo.data_endpoint(aws, "PUT_MEDIA", camera)
    return lambda *_, **__: url
