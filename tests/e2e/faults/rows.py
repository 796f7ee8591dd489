"""The rows of the fault matrix: what is done to a pipeline, and that its end must still be right.

A row is a script. It plays video, does its worst, and waits for what must come; what it leaves is
judged by the same measures for all (runner.py).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.faults import crowd
from tests.e2e.faults.stage import IDLE_S, NAME, Stage

ON_RECORDS = "streamctl-main-on-records"
ON_CLOCK, ON_SWEEP = "streamctl-main-on-clock", "streamctl-main-on-sweep"


@dataclass(frozen=True)
class Row:
    """One fault. `options` are the local cloud's. `cut`: it is played in every test run."""

    name: str
    script: Callable[[Stage], None]
    options: dict[str, Any] = field(default_factory=dict)
    cut: bool = False


ROWS: dict[str, Row] = {}


def row(name: str, *, cut: bool = False, **options: Any):
    def keep(script: Callable[[Stage], None]) -> Callable[[Stage], None]:
        ROWS[name] = Row(name, script, options, cut)
        return script

    return keep


@row("no fault")
def no_fault(on: Stage) -> None:
    """What all others are measured against."""
    on.start()
    on.play()
    on.gone()


# -- AWS answers otherwise -----------------------------------------------------------------------


@row("table throttled for 45 s", cut=True)
def table_throttled(on: Stage) -> None:
    on.start()
    code = "ProvisionedThroughputExceededException"
    for operation in ("dynamodb.PutItem", "dynamodb.BatchGetItem"):
        on.fault(operation, code=code, for_s=45)
    on.play()
    on.gone()


@row("Stop throttled for 30 s")
def stop_throttled(on: Stage) -> None:
    on.start()
    on.play()
    on.wait_phase("DRAINING")
    on.fault("rekognition.StopStreamProcessor", code="ThrottlingException", times=None, for_s=45)
    on.gone(within_s=300)


@row("Stop and Delete in use, thrice")
def in_use(on: Stage) -> None:
    on.start()
    for operation in ("StopStreamProcessor", "DeleteStreamProcessor"):
        on.fault(f"rekognition.{operation}", code="ResourceInUseException", times=3)
    on.play()
    on.gone()


@row("Describe answers 500, ten times")
def describe_fails(on: Stage) -> None:
    on.start()
    on.fault(
        "rekognition.DescribeStreamProcessor", code="InternalServerError", status=500, times=10
    )
    on.play()
    on.gone()


@row("Describe 2 s stale", switches={"stale_describe_s": 2})
def describe_is_stale(on: Stage) -> None:
    on.start()
    on.play()
    on.gone()


@row("FAILED by a bad role")
def bad_role(on: Stage) -> None:
    iam = on.client("iam")
    (role,) = [
        each["RoleName"]
        for each in iam.list_roles()["Roles"]
        if "ProcessorRole" in each["RoleName"]
    ]
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=policy)
    on.run("processor", "start", NAME)
    (failed,) = on.wait_told("Processor Failed", within_s=60)
    assert "Access denied" in failed["status_message"]
    assert failed["cure"]
    on.gone()


@row("stuck in STARTING")
def stuck(on: Stage) -> None:
    on.fault("rekognition.Transition", target=NAME, delay_s=600)
    on.run("processor", "start", NAME)
    (failed,) = on.wait_told("Processor Failed", within_s=200)
    assert "STARTING for" in failed["cause"]
    on.gone()


# -- functions, clocks, table --------------------------------------------------------------------

KILLED_AT = {
    "killed while LIVE": ("dynamodb.PutItem", "before", "LIVE"),
    "killed while DRAINING": ("dynamodb.PutItem", "before", "DRAINING"),
    "killed before Stop": ("rekognition.StopStreamProcessor", "before", "DRAINING"),
    "killed after Stop": ("rekognition.StopStreamProcessor", "after", "DRAINING"),
    "killed before Delete": ("rekognition.DeleteStreamProcessor", "before", "DRAINING"),
    "killed after Delete": ("rekognition.DeleteStreamProcessor", "after", "DRAINING"),
    "killed before the end is told": ("events.PutEvents", "before", "DRAINING"),
}


def _killed(operation: str, when: str, phase: str) -> Callable[[Stage], None]:
    def script(on: Stage) -> None:
        on.start()
        if phase == "LIVE":
            on.wait_phase("LIVE")
            on.fault(operation, kills=when, caller=ON_CLOCK)
            on.play()
        else:
            on.play()
            on.wait_phase(phase)
            on.fault(operation, kills=when, caller=ON_CLOCK)
        on.gone(within_s=300)

    return script


for _name, _where in KILLED_AT.items():
    row(_name, cut=_name == "killed after Stop")(_killed(*_where))


@row("on-records killed thrice", cut=True)
def on_records_killed(on: Stage) -> None:
    on.start()
    on.fault("dynamodb.PutItem", kills="after", caller=ON_RECORDS)
    on.fault("dynamodb.PutItem", kills="before", caller=ON_RECORDS)
    on.fault("dynamodb.PutItem", kills="after", caller=ON_RECORDS, skip=1)
    on.play()
    on.gone(within_s=200)


@row("clock message lost")
def clock_lost(on: Stage) -> None:
    on.start()
    on.fault("sqs.Message", code="Lost", target=on.output("ClockQueueUrl").rpartition("/")[2])
    on.play()
    on.gone(within_s=300)


@row("clock queue off")
def clocks_off(on: Stage) -> None:
    on.start()
    switch_off_clocks(on)
    on.play()
    on.gone(within_s=300)


@row("run deleted from the table")
def run_deleted(on: Stage) -> None:
    on.start()
    pushing = on.play_behind()
    with on.watch.must_live(NAME):
        on.wait_told("Sighting Started")
        key = {"key": {"S": f"run#{on.camera_arn()}"}}
        on.client("dynamodb").delete_item(TableName=on.table(), Key=key)
        pushing.wait(60)
    on.gone(within_s=300)


@row("sweep and clock at once")
def sweep_and_clock(on: Stage) -> None:
    on.start()
    over = threading.Event()

    def sweep() -> None:
        functions = on.client("lambda")
        while not over.is_set():
            functions.invoke(FunctionName=ON_SWEEP, Payload=b"{}")

    sweeping = [threading.Thread(target=sweep) for _ in range(2)]
    for each in sweeping:
        each.start()
    try:
        on.play()
        on.gone()
    finally:
        over.set()
        for each in sweeping:
            each.join()


# -- records ---------------------------------------------------------------------------------------


@row("records 60 s late")
def records_late(on: Stage) -> None:
    on.fault("rekognition.Record", target=on.results(), delay_s=60, times=None)
    on.start()
    on.play()
    on.gone(within_s=300)


@row("records handled after the run is over")
def records_unhandled(on: Stage) -> None:
    on.start()
    pushing = on.play_behind()
    with on.watch.must_live(NAME):
        on.wait_told("Sighting Started")
        switch_mapping(on, ON_RECORDS, on=False)
        pushing.wait(60)
    on.gone()
    switch_mapping(on, ON_RECORDS, on=True)


@row("every record twice")
def records_twice(on: Stage) -> None:
    on.fault("rekognition.Record", target=on.results(), copies=2, times=None)
    on.start()
    on.play()
    on.gone()


@row("poison, truncated and 1 MB records", cut=True)
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
    on.wait_for(lambda: len(_failures(on)) >= 4, 20, "four failures")


@row("KPL aggregates with one bad sub-record")
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
    on.wait_for(lambda: len(_failures(on)) >= 1, 20, "a failure")


@row("reordered over two shards")
def reordered(on: Stage) -> None:
    kinesis = on.client("kinesis")
    kinesis.update_shard_count(
        StreamName=on.results(), TargetShardCount=2, ScalingType="UNIFORM_SCALING"
    )
    on.fault("rekognition.Record", target=on.results(), shuffle_s=4, times=None)
    on.start()
    on.play()
    on.gone()


@row("a worker frozen for 20 s")
def frozen(on: Stage) -> None:
    on.start()
    pushing = on.play_behind()
    with on.watch.must_live(NAME):
        on.wait_told("Sighting Started")
        on.fault("rekognition.Frame", target=NAME, delay_s=20)
        pushing.wait(60)
    on.gone()


# -- what belongs to the processor is taken away ---------------------------------------------------


@row("camera deleted while running")
def camera_deleted(on: Stage) -> None:
    on.start()
    on.play()
    on.client("kinesisvideo").delete_stream(StreamARN=on.camera_arn())
    on.gone(within_s=200)


@row("collection deleted while running")
def collection_deleted(on: Stage) -> None:
    on.start()
    on.play()
    on.client("rekognition").delete_collection(CollectionId="staff")
    on.wait_told("Processor Failed", within_s=60)
    on.gone(within_s=200)


@row("results deleted while running")
def results_deleted(on: Stage) -> None:
    on.start()
    on.play()
    on.played += on.records()
    time.sleep(2)  # what was put is read by then, or lost with the stream: not ours to keep
    on.client("kinesis").delete_stream(StreamName=on.results())
    on.gone(within_s=200)


# -- video and hands --------------------------------------------------------------------------------


@row("a pause shorter than the idle time")
def short_pause(on: Stage) -> None:
    on.start()
    with on.watch.must_live(NAME):
        on.play()
        time.sleep(IDLE_S / 2)  # the pause itself
        on.play()
    on.gone()


@row("both connections of the camera dropped")
def dropped(on: Stage) -> None:
    on.start()
    pushing = on.play_behind()
    with on.watch.must_live(NAME):
        on.wait_told("Sighting Started")
        on.fault("kinesis-video-media.GetMediaFragment", target=NAME, code="Dropped")
        on.fault("kinesis-video-media.PutMediaFragment", target=NAME, code="Dropped")
        assert pushing.wait(60) == 0
    on.gone()


@row("video back while DRAINING", cut=True)
def back_while_draining(on: Stage) -> None:
    on.start()
    on.play()
    on.wait_phase("DRAINING")
    on.play()
    on.gone()


@row("video back while STOPPING")
def back_while_stopping(on: Stage) -> None:
    on.start()
    on.play()
    on.fault("rekognition.StopStreamProcessor", code="ThrottlingException", times=None)
    on.wait_phase("STOPPING")
    pushing = on.play_behind()
    with on.watch.must_live(NAME):
        on.wait_phase("LIVE", within_s=90)
        on.cloud.faults_clear()
        pushing.wait(60)
    on.gone(within_s=300)


@row("stopped and started by hand while DRAINING")
def restarted(on: Stage) -> None:
    on.start()
    on.play()
    on.wait_phase("DRAINING")
    on.client("rekognition").stop_stream_processor(Name=NAME)
    on.wait_for(lambda: on.status() == "STOPPED", 20, "STOPPED")
    on.client("rekognition").start_stream_processor(Name=NAME)
    on.wait_for(lambda: on.status() == "RUNNING", 20, "RUNNING")
    on.play()
    on.gone(within_s=200)


@row("two end together")
def two(on: Stage) -> None:
    on.start()
    on.add("gate")
    with on.watch.must_live(NAME, "gate"):
        pushing = [on.play_behind(NAME), on.play_behind("gate")]
        for each in pushing:
            assert each.wait(60) == 0
    on.gone()
    on.gone("gate")


@row("thirty end together", processors_at_once=40)
def thirty(on: Stage) -> None:
    """Stop is limited to one a second, and none of them may be forgotten over it."""
    names = crowd.play(on, 30)
    for name in names:
        on.gone(name, within_s=300)
    on.client("rekognition").delete_stream_processor(Name=NAME)  # it was never started


@row("a foreign processor beside ours", cut=True)
def foreign(on: Stage) -> None:
    on.start()
    name = _foreign(on)
    with on.watch.must_live(name):
        on.play()
        on.gone()
        on.client("lambda").invoke(FunctionName=ON_SWEEP, Payload=b"{}")
    on.spared.add(name)


@row("a stack-owned one")
def stack_owned(on: Stage) -> None:
    rekognition = on.client("rekognition")
    arn = rekognition.describe_stream_processor(Name=NAME)["StreamProcessorArn"]
    rekognition.tag_resource(ResourceArn=arn, Tags={"streamctl:owner": "cloudformation"})
    on.start()
    on.play()
    on.wait_for(lambda: on.status() == "STOPPED", 120, "STOPPED")
    on.wait_told("Processor Ended")
    on.client("lambda").invoke(FunctionName=ON_SWEEP, Payload=b"{}")
    on.spared.add(NAME)


# -- tools --------------------------------------------------------------------------------------------


def switch_off_clocks(on: Stage) -> None:
    switch_mapping(on, ON_CLOCK, on=False)
    on.client("sqs").purge_queue(QueueUrl=on.output("ClockQueueUrl"))


def switch_mapping(stage: Stage, function: str, *, on: bool) -> None:
    functions = stage.client("lambda")
    (mapping,) = functions.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)


def _put(on: Stage, data: bytes) -> None:
    on.client("kinesis").put_record(StreamName=on.results(), Data=data, PartitionKey="p")


def _aggregate(parts: list[bytes]) -> bytes:
    """A KPL aggregate, as the producer library's protocol has it."""
    from aws_kinesis_agg.aggregator import RecordAggregator

    aggregator = RecordAggregator()
    for part in parts:
        aggregator.add_user_record("p", part)
    return bytes(aggregator.clear_and_get().get_contents()[2])


def _failures(on: Stage) -> list[dict[str, Any]]:
    """What lies in the failure queue, left there."""
    sqs, url = on.client("sqs"), on.output("FailureQueueUrl")
    counted = sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return [{}] * sum(map(int, counted.values()))


def _foreign(on: Stage) -> str:
    """A processor without our tags, on a camera whose video has ended long ago."""
    on.run("camera", "create", "foreign")
    rekognition = on.client("rekognition")
    ours = rekognition.describe_stream_processor(Name=NAME)
    results = on.client("kinesis").describe_stream_summary(StreamName=on.results("foreign"))
    rekognition.create_stream_processor(
        Name="foreign",
        Input={"KinesisVideoStream": {"Arn": on.camera_arn("foreign")}},
        Output={"KinesisDataStream": {"Arn": results["StreamDescriptionSummary"]["StreamARN"]}},
        RoleArn=on.output("RoleArn", "streamctl-main-camera-foreign"),
        Settings=ours["Settings"],
    )
    rekognition.start_stream_processor(Name="foreign")
    on.wait_for(lambda: on.watch.now.get("foreign") == "RUNNING", 30, "the foreign one running")
    on.run("camera", "push", "foreign", on.video(), "--fast")
    return "foreign"
