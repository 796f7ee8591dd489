"""Rows in which records come late, twice, out of order, unreadable, or are not handled."""

from __future__ import annotations

import json

from tests.e2e.faults.row import Rows
from tests.e2e.faults.stage import NAME, ON_RECORDS, Stage

ROWS = Rows()


@ROWS.row("records 60 s late")
def records_late(on: Stage) -> None:
    on.fault("rekognition.Record", target=on.results(), delay_s=60, times=None)
    on.start()
    on.play()
    on.gone(within_s=300)


@ROWS.row("records handled after the run is over")
def records_unhandled(on: Stage) -> None:
    on.start()
    pushing = on.play_behind()
    with on.watch.must_live(NAME):
        on.wait_told("Sighting Started")
        on.switch_mapping(ON_RECORDS, on=False)
        pushing.wait(60)
    on.gone()
    on.switch_mapping(ON_RECORDS, on=True)


@ROWS.row("every record twice")
def records_twice(on: Stage) -> None:
    on.fault("rekognition.Record", target=on.results(), copies=2, times=None)
    on.start()
    on.play()
    on.gone()


@ROWS.row("poison, truncated and 1 MB records", cut=True)
def poison(on: Stage) -> None:
    on.start()
    pushing = on.play_behind()
    with on.watch.must_live(NAME):
        on.wait_told("Sighting Started")
        real = json.dumps(on.records()[0])
        for data in (b"\x00\xff", real[: len(real) // 2].encode(), b"[1]", b"x" * (1 << 20)):
            _put(on, data)
        pushing.wait(60)
    on.gone()
    on.wait_for(lambda: _failures(on) >= 4, 20, "four failures")


@ROWS.row("KPL aggregates with one bad sub-record")
def aggregates(on: Stage) -> None:
    on.start()
    pushing = on.play_behind()
    with on.watch.must_live(NAME):
        on.wait_told("Sighting Started")
        real = next(each for each in on.records() if each["FaceSearchResponse"])
        again = json.loads(json.dumps(real))
        again["InputInformation"]["KinesisVideo"]["FrameOffsetInSeconds"] += 0.5
        on.played.append(again)
        _put(on, _aggregate([json.dumps(real).encode(), b"{bad", json.dumps(again).encode()]))
        pushing.wait(60)
    on.gone()
    on.wait_for(lambda: _failures(on) >= 1, 20, "a failure")


@ROWS.row("reordered over two shards")
def reordered(on: Stage) -> None:
    kinesis = on.client("kinesis")
    kinesis.update_shard_count(
        StreamName=on.results(), TargetShardCount=2, ScalingType="UNIFORM_SCALING"
    )
    on.fault("rekognition.Record", target=on.results(), shuffle_s=4, times=None)
    on.start()
    on.play()
    on.gone()


@ROWS.row("a worker frozen for 20 s")
def frozen(on: Stage) -> None:
    on.start()
    pushing = on.play_behind()
    with on.watch.must_live(NAME):
        on.wait_told("Sighting Started")
        on.fault("rekognition.Frame", target=NAME, delay_s=20)
        pushing.wait(60)
    on.gone()


def _put(on: Stage, data: bytes) -> None:
    on.client("kinesis").put_record(StreamName=on.results(), Data=data, PartitionKey="p")


def _aggregate(parts: list[bytes]) -> bytes:
    """A KPL aggregate, as the producer library's protocol has it."""
    from aws_kinesis_agg.aggregator import RecordAggregator

    aggregator = RecordAggregator()
    for part in parts:
        aggregator.add_user_record("p", part)
    return bytes(aggregator.clear_and_get().get_contents()[2])


def _failures(on: Stage) -> int:
    """How many lie in the failure queue; they are left there."""
    sqs, url = on.client("sqs"), on.output("FailureQueueUrl")
    counted = sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return sum(map(int, counted.values()))
