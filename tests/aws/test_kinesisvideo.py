"""Cameras and what they hold, as a local cloud's Kinesis Video shows them; paging by a script."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from streamctl.aws import kinesisvideo, putmedia
from streamctl.aws.session import Aws
from streamctl.errors import NotFound

HOUR = timedelta(hours=1)


def test_a_camera_is_described_by_name_and_by_arn(aws, camera):
    """Both name the same one; times are UTC."""
    found = kinesisvideo.describe(aws, camera)
    assert found == kinesisvideo.describe(aws, found.arn)
    assert (found.name, found.status, found.media_type) == (camera, "ACTIVE", "video/h264")
    assert found.retention == timedelta(hours=24)
    assert found.created.tzinfo is UTC
    assert kinesisvideo.short(found.arn) == kinesisvideo.short(camera) == camera


def test_cameras_are_listed_with_the_others(aws, camera):
    """Whatever else the account holds."""
    assert camera in {found.name for found in kinesisvideo.cameras(aws)}


def test_a_cameras_tags_are_read(aws, camera):
    """They say whose it is."""
    assert kinesisvideo.tags(aws, camera) == {"streamctl:camera": camera}


def test_a_missing_camera_is_not_found(aws, around_now):
    """Whichever way it is asked for."""
    assert not kinesisvideo.exists(aws, "nowhere")
    arn = "arn:aws:kinesisvideo:us-east-1:000000000000:stream/nowhere/1604277868692"
    for ask in (
        lambda: kinesisvideo.describe(aws, "nowhere"),
        lambda: kinesisvideo.tags(aws, "nowhere"),
        lambda: kinesisvideo.data_endpoint(aws, "GET_MEDIA", arn),
        lambda: kinesisvideo.fragments(aws, arn, *around_now),
        lambda: putmedia.upload(aws, arn, datetime.now(UTC)),
    ):
        with pytest.raises(NotFound):
            ask()


def test_fragments_are_listed_oldest_first(aws, camera, producer, around_now):
    """With the server's time, the producer's, the length and the size."""
    producer.send(aws, camera, 1_000_000, 1_002_000, 1_004_000)
    found = kinesisvideo.fragments(aws, camera, *around_now)
    assert [each.produced.timestamp() for each in found] == [1000.0, 1002.0, 1004.0]
    assert [each.received for each in found] == sorted(each.received for each in found)
    assert all(each.received.tzinfo is UTC and each.size > 30 for each in found)
    assert all(timedelta(milliseconds=80) <= each.length < HOUR for each in found)
    assert kinesisvideo.newest_fragment(aws, camera, *around_now) == found[-1]


def test_only_fragments_of_the_asked_time_are_listed(aws, camera, producer):
    """By the server's time, whatever the producer's clock says."""
    producer.send(aws, camera, 1_000_000)
    long_ago = datetime.now(UTC) - 24 * HOUR
    assert kinesisvideo.fragments(aws, camera, long_ago, long_ago + HOUR) == []
    assert kinesisvideo.newest_fragment(aws, camera, long_ago, long_ago + HOUR) is None


class Pages(BaseHTTPRequestHandler):
    """ListFragments as AWS may answer it: in pages, in no order, without a length."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/getDataEndpoint":
            host, port = self.server.server_address
            return self.answer({"DataEndpoint": f"http://{host}:{port}"})
        assert asked["FragmentSelector"]["FragmentSelectorType"] == "SERVER_TIMESTAMP"
        if "NextToken" not in asked:
            return self.answer(
                {"Fragments": [self.fragment(5), self.fragment(3)], "NextToken": "t"}
            )
        return self.answer({"Fragments": [self.fragment(4)]})

    def fragment(self, second):
        return {"FragmentNumber": str(10**46 + second), "ServerTimestamp": 1_795_200_000 + second}

    def answer(self, said):
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def paged(made_up_credentials):
    """A client to a server that answers in pages."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Aws(endpoint_url=f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def test_pages_in_no_order_are_read_to_the_end_and_sorted(paged, around_now):
    """The newest may stand on any page (API reference: results are in no order)."""
    found = kinesisvideo.fragments(paged, "door", *around_now)
    assert [each.received.timestamp() - 1_795_200_000 for each in found] == [3, 4, 5]
    assert found[0].length == timedelta(0)
    assert found[0].produced is None
