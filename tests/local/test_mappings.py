"""Kinesis mappings: functions from real zips read real shards."""

from __future__ import annotations

import datetime as dt

REPORT = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
POISON = (
    "return {'batchItemFailures': [{'itemIdentifier': r['kinesis']['sequenceNumber']}"
    " for r, text in zip(event['Records'], found) if text == 'poison']}"
)
FAIL = "raise RuntimeError('no')"
FAIL_ON_POISON = "assert 'poison' not in found"


def found(told):
    return [message["found"] for message in told]


def test_a_function_gets_what_was_written_before_its_mapping(world):
    """TRIM_HORIZON begins at the shard's beginning, in order, in Lambda's own event shape."""
    stream = world.stream()
    world.put(stream, "one", "two")
    mapped = world.mapped("return None", stream)
    told = world.wait_for(mapped.told, 1)
    assert found(told) == [["one", "two"]]
    record = told[0]["event"]["Records"][0]
    assert record["eventID"] == "shardId-000000000000:" + record["kinesis"]["sequenceNumber"]
    assert record["eventSourceARN"] == stream.arn
    assert record["awsRegion"] == "us-east-1"
    assert isinstance(record["kinesis"]["approximateArrivalTimestamp"], float)
    assert {"eventSource", "eventVersion", "eventName", "invokeIdentityArn"} <= set(record)


def test_latest_begins_at_the_moment_of_the_mapping(world):
    """What was there is not read; what is written as soon as the mapping is made, is."""
    stream = world.stream()
    world.put(stream, "before")
    mapped = world.mapped("return None", stream, StartingPosition="LATEST")
    world.put(stream, "after")
    assert found(world.wait_for(mapped.told, 1)) == [["after"]]


def test_a_mapping_may_begin_at_a_time(world):
    """AT_TIMESTAMP reads what arrived from that time on."""
    stream = world.stream()
    world.put(stream, "before")
    since = world.until(lambda: _second_after_the_last_record(world, stream))
    world.put(stream, "after")
    mapped = world.mapped(
        "return None", stream, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=since
    )
    assert found(world.wait_for(mapped.told, 1)) == [["after"]]


def _second_after_the_last_record(world, stream):
    kinesis = world.client("kinesis")
    start = {"ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    iterator = kinesis.get_shard_iterator(StreamName=stream.name, **start)["ShardIterator"]
    last = kinesis.get_records(ShardIterator=iterator)["Records"][-1]
    since = last["ApproximateArrivalTimestamp"].replace(microsecond=0) + dt.timedelta(seconds=1)
    return since if dt.datetime.now(dt.UTC) > since else None


def test_a_reported_record_is_tried_again_and_those_before_it_are_not(world):
    """The lowest reported record becomes the checkpoint; all from there come again."""
    stream = world.stream()
    world.put(stream, "one", "poison", "three")
    mapped = world.mapped(POISON, stream, **REPORT)
    told = world.wait_for(mapped.told, 3)
    assert found(told)[:3] == [["one", "poison", "three"], ["poison", "three"], ["poison", "three"]]


def test_retries_end_and_the_destination_hears_which_records(world):
    """After MaximumRetryAttempts the records are given up, and later ones are read."""
    stream, lost = world.stream(), world.queue()
    world.put(stream, "poison")
    mapped = world.mapped(
        FAIL_ON_POISON,
        stream,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": lost.arn}},
    )
    note = world.wait_for(lost, 1)[0]
    world.put(stream, "well")
    told = world.wait_for(mapped.told, 3)
    assert found(told) == [["poison"], ["poison"], ["well"]]
    assert note["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert note["requestContext"]["approximateInvokeCount"] == 2
    assert note["responseContext"]["functionError"] == "Unhandled"
    info = note["KinesisBatchInfo"]
    sequence = told[0]["event"]["Records"][0]["kinesis"]["sequenceNumber"]
    assert (info["startSequenceNumber"], info["endSequenceNumber"]) == (sequence, sequence)
    assert (info["batchSize"], info["streamArn"]) == (1, stream.arn)


def test_a_topic_can_be_the_destination_too(world):
    """OnFailure publishes to SNS."""
    stream, lost, sns = world.stream(), world.queue(), world.client("sns")
    topic = sns.create_topic(Name=world.unique("lost"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=lost.arn)
    world.put(stream, "poison")
    destination = {"OnFailure": {"Destination": topic}}
    world.mapped(FAIL, stream, MaximumRetryAttempts=0, DestinationConfig=destination)
    assert "KinesisBatchInfo" in world.wait_for(lost, 1)[0]["Message"]


def test_bisecting_finds_the_one_bad_record(world):
    """Splitting uses up no retries; the good neighbours are handled, the bad one is given up."""
    stream = world.stream()
    world.put(stream, "one", "two", "poison", "four")
    mapped = world.mapped(
        FAIL_ON_POISON, stream, MaximumRetryAttempts=0, BisectBatchOnFunctionError=True
    )
    told = world.wait_for(mapped.told, 5)
    assert found(told) == [
        ["one", "two", "poison", "four"],
        ["one", "two"],
        ["poison", "four"],
        ["poison"],
        ["four"],
    ]


def test_an_unreadable_report_fails_the_whole_batch(world):
    """An empty item identifier is no report of one record, but of all."""
    stream = world.stream()
    world.put(stream, "one", "two")
    answer = "return {'batchItemFailures': [{'itemIdentifier': ''}]}"
    mapped = world.mapped(answer, stream, MaximumRetryAttempts=1, **REPORT)
    assert found(world.wait_for(mapped.told, 2)) == [["one", "two"]] * 2


def test_a_window_gathers_records(world):
    """With a batching window and a full batch the function is called once, for all."""
    stream = world.stream()
    mapped = world.mapped("return None", stream, BatchSize=3, MaximumBatchingWindowInSeconds=30)
    world.put(stream, "one", "two", "three")
    assert found(world.wait_for(mapped.told, 1)) == [["one", "two", "three"]]


def test_a_disabled_mapping_keeps_its_position(world):
    """Enabled again, it reads on where it was; nothing twice, nothing lost."""
    stream, functions = world.stream(), world.client("lambda")
    mapped = world.mapped("return None", stream)
    world.put(stream, "one")
    assert found(world.wait_for(mapped.told, 1)) == [["one"]]
    world.until(lambda: _result(world, mapped) == "OK")
    functions.update_event_source_mapping(UUID=mapped.uuid, Enabled=False)
    world.put(stream, "two")
    marker = world.mapped("return None", stream)
    world.wait_for(marker.told, 1)
    assert world.received(mapped.told) == []
    functions.update_event_source_mapping(UUID=mapped.uuid, Enabled=True)
    assert found(world.wait_for(mapped.told, 1)) == [["two"]]


def _result(world, mapped):
    told = world.client("lambda").get_event_source_mapping(UUID=mapped.uuid)
    return told["LastProcessingResult"]


def test_a_deleted_mapping_reads_no_more(world):
    """Records that are written after its deletion are not for its function."""
    stream = world.stream()
    mapped = world.mapped("return None", stream)
    world.put(stream, "one")
    world.wait_for(mapped.told, 1)
    world.client("lambda").delete_event_source_mapping(UUID=mapped.uuid)
    world.put(stream, "two")
    other = world.mapped("return None", stream)
    world.wait_for(other.told, 1)
    assert world.received(mapped.told) == []


def test_one_function_holds_up_no_other(world):
    """While one mapping's function hangs, another's goes on."""
    hung, quick = world.stream(), world.stream()
    world.mapped("__import__('time').sleep(60)", hung, timeout=60)
    world.put(hung, "one")
    mapped = world.mapped("return None", quick)
    world.put(quick, "one")
    assert found(world.wait_for(mapped.told, 1)) == [["one"]]


def test_a_throttled_function_costs_no_retries(world):
    """A throttled invocation is tried again however few retries there are."""
    stream, functions = world.stream(), world.client("lambda")
    mapped = world.mapped("return None", stream, MaximumRetryAttempts=0)
    limit = {"FunctionName": mapped.function, "ReservedConcurrentExecutions": 0}
    functions.put_function_concurrency(**limit)
    world.put(stream, "one")
    world.until(lambda: _result(world, mapped).startswith("PROBLEM"))
    functions.delete_function_concurrency(FunctionName=mapped.function)
    assert found(world.wait_for(mapped.told, 1)) == [["one"]]


def test_each_shard_is_read_in_its_own_order(world):
    """With two shards both are read, and every event is of one shard."""
    stream, kinesis = world.stream(shards=2), world.client("kinesis")
    for number in range(8):
        kinesis.put_record(StreamName=stream.name, Data=str(number), PartitionKey=str(number))
    mapped = world.mapped("return None", stream)
    told = world.wait_for(mapped.told, 2)
    shards = [{r["eventID"].split(":")[0] for r in t["event"]["Records"]} for t in told]
    assert all(len(of_one) == 1 for of_one in shards)
    assert sorted(text for texts in found(told) for text in texts) == list("01234567")
    assert all(texts == sorted(texts) for texts in found(told))


def test_an_invocation_by_mapping_is_logged_like_any(world):
    """What the function prints is in CloudWatch Logs, between START and REPORT."""
    stream = world.stream()
    mapped = world.mapped("return None", stream)
    world.put(stream, "one")
    world.wait_for(mapped.told, 1)
    world.until(lambda: "REPORT RequestId" in world.logs(mapped.function))
    log = world.logs(mapped.function)
    assert "saw ['one']" in log
    assert "START RequestId" in log
