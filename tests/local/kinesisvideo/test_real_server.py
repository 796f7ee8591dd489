"""The same through a real server: boto3 on one side, a producer on a raw socket on the other."""

import contextlib
import http.client
import json
import socket
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

DEADLINE_S = 15


class Producer:
    """A PutMedia connection, signed and framed as AWS's C producer does it."""

    def __init__(self, endpoint, key, secret, name, *, expect=False):
        address = urlsplit(endpoint)
        self.socket = socket.create_connection((address.hostname, address.port), DEADLINE_S)
        headers = {
            "host": address.netloc,
            "connection": "keep-alive",
            "transfer-encoding": "chunked",
            "x-amzn-stream-name": name,
            "x-amzn-fragment-timecode-type": "ABSOLUTE",
            "x-amzn-producer-start-timestamp": "1795200966.544",
            "x-amzn-fragment-acknowledgment-required": "1",
        }
        request = AWSRequest("POST", f"{endpoint}/putMedia", headers=headers)
        SigV4Auth(Credentials(key, secret), "kinesisvideo", "us-east-1").add_auth(request)
        lines = [f"{name}: {value}" for name, value in request.headers.items()]
        lines += ["expect: 100-continue"] if expect else []
        self.socket.sendall(
            ("\r\n".join(["POST /putMedia HTTP/1.1", *lines]) + "\r\n\r\n").encode()
        )
        self._answer = None

    def give(self, data):
        self.socket.sendall(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def end(self):
        self.socket.sendall(b"0\r\n\r\n")

    @property
    def answer(self):
        if self._answer is None:
            self._answer = http.client.HTTPResponse(self.socket)
            self._answer.begin()
        return self._answer

    def acknowledgement(self):
        """The next one; None at the end of the answer."""
        line = self.answer.readline()
        return json.loads(line) if line else None

    def acknowledgements(self):
        return list(iter(self.acknowledgement, None))

    def close(self):
        self.socket.close()
        if self._answer is not None:
            self._answer.close()


class Site:
    """One camera of a local cloud, seen through boto3."""

    def __init__(self, cloud, name):
        self.cloud = cloud
        self.env = cloud.env()
        self.name = name
        self.control = self.client("kinesisvideo", cloud.endpoint_url)
        self.media_url = self.endpoint("GET_MEDIA") if self.exists() else None

    def client(self, service, url):
        return boto3.client(
            service,
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"total_max_attempts": 1}, read_timeout=DEADLINE_S),
        )

    def exists(self):
        found = self.control.list_streams()["StreamInfoList"]
        return self.name in {info["StreamName"] for info in found}

    def create(self, **how):
        self.control.create_stream(StreamName=self.name, **{"DataRetentionInHours": 1, **how})
        self.media_url = self.endpoint("GET_MEDIA")
        return self

    def endpoint(self, api):
        return self.control.get_data_endpoint(StreamName=self.name, APIName=api)["DataEndpoint"]

    def producer(self, *, name=None, **how):
        keys = self.env["AWS_ACCESS_KEY_ID"], self.env["AWS_SECRET_ACCESS_KEY"]
        made = Producer(self.media_url, *keys, name or self.name, **how)
        return contextlib.closing(made)

    def view(self, kind="EARLIEST"):
        media = self.client("kinesis-video-media", self.media_url)
        selector = {"StartSelectorType": kind}
        got = media.get_media(StreamName=self.name, StartSelector=selector)
        return contextlib.closing(got["Payload"])

    def listed(self):
        archive = self.client("kinesis-video-archived-media", self.endpoint("LIST_FRAGMENTS"))
        span = {"StartTimestamp": datetime.fromtimestamp(0, UTC), "EndTimestamp": datetime.now(UTC)}
        selector = {"FragmentSelectorType": "SERVER_TIMESTAMP", "TimestampRange": span}
        answer = archive.list_fragments(StreamName=self.name, FragmentSelector=selector)
        return sorted(answer["Fragments"], key=lambda fragment: fragment["FragmentNumber"])


@pytest.fixture
def site(shared_local_cloud, request):
    return Site(shared_local_cloud, request.node.name).create()


def read_until(payload, mkv, enough):
    """Read a GetMedia body until its documents are `enough`."""
    body = b""
    while not enough(mkv.documents(body)):
        body += payload.read(1) + payload._raw_stream.read1()
    return mkv.documents(body)


def eventually(attempt, error):
    """What `attempt` gives once it no longer raises `error`: places are freed a moment later."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            return attempt()
        except error:
            if time.monotonic() > deadline:
                raise


def complete(document):
    return "AWS_KINESISVIDEO_CONTINUATION_TOKEN" in document["tags"]


def test_c_producers_body_is_acknowledged_listed_and_played(site, mkv, shared_data):
    """With Expect: 100-continue as it sends it; all that was acknowledged is listed and served."""
    body = (shared_data / "kvs-captures" / "putmedia_body_c_sdk.mkv").read_bytes()
    with site.producer(expect=True) as producer:
        assert producer.socket.recv(12, socket.MSG_PEEK | socket.MSG_WAITALL) == b"HTTP/1.1 100"
        producer.give(body)
        producer.end()
        said = producer.acknowledgements()
    kinds = [one["EventType"] for one in said]
    assert kinds == ["BUFFERING", "RECEIVED", "PERSISTED"] * 7
    persisted = [one["FragmentNumber"] for one in said if one["EventType"] == "PERSISTED"]
    assert [fragment["FragmentNumber"] for fragment in site.listed()] == persisted
    with site.view() as payload:
        documents = read_until(payload, mkv, lambda d: len(d) == 7 and complete(d[-1]))
    assert sum(len(document["frames"]) for document in documents) == 294
    tags = [document["tags"]["AWS_KINESISVIDEO_FRAGMENT_NUMBER"] for document in documents]
    assert tags == persisted


def test_acknowledgements_and_frames_come_while_the_body_is_open(site, mkv):
    """Neither the producer nor a live viewer waits for the body's end."""
    with site.producer() as producer:
        producer.give(mkv.head() + mkv.cluster(0))
        assert producer.acknowledgement()["EventType"] == "BUFFERING"
        with site.view("NOW") as payload:
            read_until(payload, mkv, lambda d: d and len(d[0]["frames"]) == 3)
        producer.give(mkv.cluster(2000))
        kinds = [producer.acknowledgement()["EventType"] for _ in range(3)]
        assert kinds == ["RECEIVED", "PERSISTED", "BUFFERING"]


def test_text_file_is_told_what_it_is_though_it_is_still_being_sent(site):
    """The error reaches a producer that keeps sending, and then the connection ends."""
    with site.producer() as producer:
        for _ in range(50):
            producer.give(b"this is a text file\n" * 1000)
        assert [one["ErrorId"] for one in producer.acknowledgements()] == [4006]
    assert site.listed() == []


def test_unknown_camera_is_refused_though_the_body_is_coming(site, mkv):
    """404 with the modelled code, readable by a producer that sends without waiting."""
    with site.producer(name="no-such-camera") as producer:
        producer.give(mkv.head() + mkv.cluster(0) + bytes(500_000))
        assert producer.answer.status == 404
        assert producer.answer.headers["x-amzn-errortype"] == "ResourceNotFoundException"


def test_second_producer_is_refused_and_the_place_is_freed_by_a_broken_connection(site, mkv):
    """One connection per camera; a producer that vanished does not hold it."""
    with site.producer() as first:
        first.give(mkv.head() + mkv.cluster(0))
        assert first.acknowledgement()["EventType"] == "BUFFERING"
        with site.producer() as second:
            second.give(mkv.head())
            assert second.answer.status == 400
            code = second.answer.headers["x-amzn-errortype"]
            assert code == "ConnectionLimitExceededException"

    def third():
        with site.producer() as producer:
            producer.give(mkv.head() + mkv.cluster(0))
            producer.end()
            assert [one["EventType"] for one in producer.acknowledgements()][-1] == "PERSISTED"

    eventually(third, (AssertionError, KeyError))
    assert len(site.listed()) == 1


def test_dropped_connection_is_noticed_by_a_producer_that_has_sent_ahead(site, mkv):
    """An injected fault closes the socket at once, whatever is still on its way."""
    fault = {"operation": "kinesis-video-media.PutMediaFragment", "code": "Dropped"}
    site.cloud.fault(**fault)
    with site.producer() as producer:
        producer.give(mkv.head() + mkv.cluster(0) + mkv.cluster(2000))
        with contextlib.suppress(OSError):
            for number in range(40):
                producer.give(mkv.frame(number, data=bytes(70_000)))
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            producer.answer.read()
    assert len(site.listed()) == 1


def test_three_viewers_and_no_fourth(site):
    """As boto3 sees it: a modelled error, until one of the three goes."""
    media = site.client("kinesis-video-media", site.media_url)
    limit = media.exceptions.ConnectionLimitExceededException
    with contextlib.ExitStack() as viewers:
        first = viewers.enter_context(site.view("NOW"))
        for _ in range(2):
            viewers.enter_context(site.view("NOW"))
        with pytest.raises(limit):
            site.view("NOW")
        first.close()
        eventually(lambda: viewers.enter_context(site.view("NOW")), limit)


def test_errors_are_those_of_the_model(site):
    """boto3 finds its own exception classes in what the media port answers."""
    archive = site.client("kinesis-video-archived-media", site.media_url)
    span = {"StartTimestamp": datetime.fromtimestamp(0, UTC), "EndTimestamp": datetime.now(UTC)}
    selector = {"FragmentSelectorType": "SERVER_TIMESTAMP", "TimestampRange": span}
    with pytest.raises(archive.exceptions.ResourceNotFoundException):
        archive.list_fragments(StreamName="no-such-camera", FragmentSelector=selector)
    media = site.client("kinesis-video-media", site.media_url)
    with pytest.raises(media.exceptions.ResourceNotFoundException):
        media.get_media(StreamName="no-such-camera", StartSelector={"StartSelectorType": "NOW"})


def test_restart_on_the_same_data_keeps_cameras_and_fragments(start_local_cloud, mkv, tmp_path):
    """Stopped in the middle of a fragment, with a viewer: what was whole is there again."""
    cloud = start_local_cloud(data=tmp_path)
    site = Site(cloud, "door").create()
    with site.producer() as producer, site.view() as payload:
        producer.give(mkv.head() + mkv.cluster(0) + mkv.cluster(2000))
        while producer.acknowledgement()["EventType"] != "PERSISTED":
            pass
        read_until(payload, mkv, lambda d: len(d) == 2)
        before = site.listed()
        described = site.control.describe_stream(StreamName="door")["StreamInfo"]
        cloud.stop()
    again = Site(start_local_cloud(data=tmp_path), "door")
    assert again.control.describe_stream(StreamName="door")["StreamInfo"] == described
    assert again.listed() == before
    with again.view() as payload:
        (document,) = read_until(payload, mkv, lambda d: d and complete(d[0]))
    assert len(document["frames"]) == 3
