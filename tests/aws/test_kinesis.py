"""Results are read to their end and then followed, whatever becomes of iterators; against moto."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from types import SimpleNamespace

import boto3
import pytest
from botocore.stub import Stubber

from streamctl.aws import kinesis
from streamctl.aws.session import Aws
from streamctl.errors import NotFound, Throttled

SECOND = timedelta(seconds=1)
SHARD = {
    "ShardId": "shardId-0",
    "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "1"},
    "SequenceNumberRange": {"StartingSequenceNumber": "0"},
}


@pytest.fixture
def aws(mocked_aws, monkeypatch):
    """A client that need not pace itself: moto has no quota."""
    monkeypatch.setattr(kinesis, "_POLL_S", 0)
    return Aws()


@pytest.fixture
def put(aws):
    """Makes results of so many shards; a function that puts records in, in turn, is handed over."""

    def results(shards=1):
        client = boto3.client("kinesis", "us-east-1")
        client.create_stream(StreamName="results", ShardCount=shards)
        keys = [str(2**127 * number) for number in range(2)]

        def put(*data):
            for number, each in enumerate(data):
                client.put_record(
                    StreamName="results",
                    Data=each,
                    PartitionKey=f"key of {each.decode()}",
                    ExplicitHashKey=keys[number % shards],
                )

        return put

    return results


def refused(aws, operation, *codes):
    """Refuse the next calls of an operation with these codes, None letting one pass.

    moto never does: its iterators live for ever, it takes any time, and has no quota.
    """
    waiting = iter(codes)

    def refuse(**_):
        code = next(waiting, None)
        if code is None:
            return None
        said = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        return SimpleNamespace(status_code=400), said

    aws.client("kinesis").meta.events.register(f"before-call.kinesis.{operation}", refuse)


def data(records):
    return [record.data for record in records if record is not None]


def test_what_is_there_is_read_from_the_oldest_on(aws, put):
    """With where it lies and when it arrived, in UTC."""
    put()(b"a", b"b")
    first, second = list(kinesis.follow(aws, "results", stop_when_idle=True))[:2]
    assert (first.data, first.partition_key) == (b"a", "key of a")
    assert first.shard == second.shard == "shardId-000000000000"
    assert int(first.sequence_number) < int(second.sequence_number)
    assert first.arrived.tzinfo is UTC
    assert first.arrived <= second.arrived


def test_nothing_there_is_an_end(aws, put):
    """One look tells."""
    put()
    assert list(kinesis.follow(aws, "results", stop_when_idle=True)) == []


def test_every_page_is_read(aws, put, monkeypatch):
    """Each record once, in order, however few come at a time."""
    monkeypatch.setattr(kinesis, "_PAGE", 2)
    put()(b"a", b"b", b"c", b"d", b"e")
    found = data(kinesis.follow(aws, "results", stop_when_idle=True))
    assert found == [b"a", b"b", b"c", b"d", b"e"]


def test_every_shard_is_read_in_its_own_order(aws, put, monkeypatch):
    """Among each other shards have none."""
    monkeypatch.setattr(kinesis, "_PAGE", 1)
    put(shards=2)(b"a", b"b", b"c", b"d")
    found = data(kinesis.follow(aws, "results", stop_when_idle=True))
    assert sorted(found) == [b"a", b"b", b"c", b"d"]
    assert found.index(b"a") < found.index(b"c")
    assert found.index(b"b") < found.index(b"d")


def test_what_arrives_later_is_followed(aws, put):
    """None says that nothing came for now, so that whoever reads may do something else."""
    add = put()
    add(b"a")
    records = kinesis.follow(aws, "results")
    assert next(records).data == b"a"
    assert next(records) is None
    add(b"b")
    assert next(records).data == b"b"
    assert next(records) is None


def test_what_came_before_the_start_is_left_out(aws, put):
    """By its time of arrival."""
    put()(b"a", b"b", b"c")
    everything = list(islice(kinesis.follow(aws, "results"), 3))
    start = everything[1].arrived
    expected = [record.data for record in everything if record.arrived >= start]
    assert data(kinesis.follow(aws, "results", start, stop_when_idle=True)) == expected


def test_an_iterator_that_expired_is_replaced_where_the_reading_stood(aws, put, monkeypatch):
    """They live for five minutes: a reader that paused for longer loses and repeats nothing."""
    monkeypatch.setattr(kinesis, "_PAGE", 1)
    put()(b"a", b"b", b"c")
    refused(aws, "GetRecords", None, "ExpiredIteratorException", None, "ExpiredIteratorException")
    found = data(kinesis.follow(aws, "results", stop_when_idle=True))
    assert found == [b"a", b"b", b"c"]


def test_an_iterator_that_expired_before_any_record_begins_again(aws, put):
    """At the start, as nothing was read."""
    add = put()
    records = kinesis.follow(aws, "results")
    assert next(records) is None
    add(b"a")
    refused(aws, "GetRecords", "ExpiredIteratorException")
    assert next(records).data == b"a"


def test_a_start_that_is_yet_to_come_means_from_now_on(aws, put):
    """By the service's clock, which may be behind ours: it refuses such a time."""
    add = put()
    add(b"old")
    (old,) = islice(kinesis.follow(aws, "results"), 1)
    refused(aws, "GetShardIterator", "InvalidArgumentException")
    records = kinesis.follow(aws, "results", old.arrived + SECOND)
    assert next(records) is None
    add(b"new")
    assert next(records).data == b"new"


def test_results_that_are_not_there_are_not_found(aws):
    """Said when the first record is asked for, with their name."""
    with pytest.raises(NotFound, match="nowhere"):
        next(kinesis.follow(aws, "nowhere"))


def test_too_many_readers_are_throttled(aws, put):
    """When the SDK has tried often enough."""
    put()
    refused(aws, "GetRecords", "ProvisionedThroughputExceededException")
    with pytest.raises(Throttled, match="reading results results"):
        next(kinesis.follow(aws, "results"))


def test_the_end_of_every_shard_ends_the_following(aws):
    """Its answer is prepared (and checked against AWS's model): moto's shards have no end."""
    with Stubber(aws.client("kinesis")) as stub:
        stub.add_response("list_shards", {"Shards": [SHARD]})
        stub.add_response("get_shard_iterator", {"ShardIterator": "i"})
        stub.add_response("get_records", {"Records": [], "MillisBehindLatest": 0})
        assert list(kinesis.follow(aws, "results")) == [None]


def test_silence_while_the_service_is_behind_is_no_end(aws):
    """GetRecords may answer with nothing though there is more (prepared: moto never does)."""
    record = {
        "Data": b"late",
        "PartitionKey": "k",
        "SequenceNumber": "1",
        "ApproximateArrivalTimestamp": datetime(2026, 1, 1, tzinfo=UTC),
    }
    with Stubber(aws.client("kinesis")) as stub:
        stub.add_response("list_shards", {"Shards": [SHARD]})
        stub.add_response("get_shard_iterator", {"ShardIterator": "i"})
        for records, behind in (([], 60_000), ([record], 0), ([], 0)):
            answer = {"Records": records, "MillisBehindLatest": behind, "NextShardIterator": "i"}
            stub.add_response("get_records", answer)
        found = data(kinesis.follow(aws, "results", stop_when_idle=True))
    assert found == [b"late"]


def test_the_newest_arrival_is_found(aws, put, monkeypatch):
    """On whichever page and shard it lies."""
    monkeypatch.setattr(kinesis, "_PAGE", 1)
    put(shards=2)(b"a", b"b", b"c")
    everything = kinesis.follow(aws, "results", stop_when_idle=True)
    arrivals = [record.arrived for record in everything if record is not None]
    assert kinesis.newest_arrival(aws, "results", min(arrivals)) == max(arrivals)


def test_without_a_record_since_then_there_is_no_newest_arrival(aws, put):
    """Neither in empty results, nor where all arrived before."""
    add = put()
    add(b"old")
    (old,) = islice(kinesis.follow(aws, "results"), 1)
    assert kinesis.newest_arrival(aws, "results", old.arrived + 5 * SECOND) is None


def test_results_say_for_how_long_they_are_kept(aws, put):
    put()
    client = boto3.client("kinesis", "us-east-1")
    assert kinesis.retention(aws, "results") == timedelta(hours=24)
    client.increase_stream_retention_period(StreamName="results", RetentionPeriodHours=48)
    assert kinesis.retention(aws, "results") == timedelta(hours=48)
    with pytest.raises(NotFound):
        kinesis.retention(aws, "none")
