"""Rows in which video pauses and comes back, many end at once, and hands meddle."""

from __future__ import annotations

import time

from tests.e2e.faults import crowd
from tests.e2e.faults.row import Rows
from tests.e2e.faults.stage import IDLE_S, NAME, ON_SWEEP, Stage

ROWS = Rows()


@ROWS.row("a pause shorter than the idle time")
def short_pause(on: Stage) -> None:
    on.start()
    with on.watch.must_live(NAME):
        on.play()
        time.sleep(IDLE_S / 2)  # the pause itself
        on.play()
    on.gone()


@ROWS.row("both connections of the camera dropped")
def dropped(on: Stage) -> None:
    on.start()
    pushing = on.play_behind()
    with on.watch.must_live(NAME):
        on.wait_told("Sighting Started")
        on.fault("kinesis-video-media.GetMediaFragment", target=NAME, code="Dropped")
        on.fault("kinesis-video-media.PutMediaFragment", target=NAME, code="Dropped")
        assert pushing.wait(60) == 0
    on.gone()


@ROWS.row("video back while DRAINING", cut=True)
def back_while_draining(on: Stage) -> None:
    on.start()
    on.play()
    on.wait_phase("DRAINING")
    on.play()
    on.gone()


@ROWS.row("video back while STOPPING")
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


@ROWS.row("stopped and started by hand while DRAINING")
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


@ROWS.row("two end together")
def two(on: Stage) -> None:
    on.start()
    on.add("gate")
    with on.watch.must_live(NAME, "gate"):
        pushing = [on.play_behind(NAME), on.play_behind("gate")]
        for each in pushing:
            assert each.wait(60) == 0
    on.gone()
    on.gone("gate")


@ROWS.row("thirty end together", processors_at_once=40)
def thirty(on: Stage) -> None:
    """Stop is limited to one a second, and none of them may be forgotten over it."""
    names = crowd.play(on, 30)
    for name in names:
        on.gone(name, within_s=300)
    on.client("rekognition").delete_stream_processor(Name=NAME)  # it was never started


@ROWS.row("a foreign processor beside ours", cut=True)
def foreign(on: Stage) -> None:
    on.start()
    name = _foreign(on)
    with on.watch.must_live(name):
        on.play()
        on.gone()
        on.client("lambda").invoke(FunctionName=ON_SWEEP, Payload=b"{}")
    on.spared.add(name)


@ROWS.row("a stack-owned one")
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
