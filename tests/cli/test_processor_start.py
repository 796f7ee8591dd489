"""Starting a processor: what is looked at before, and what is set going with it."""

import time

import pytest


@pytest.mark.parametrize(
    ("codec", "fps", "about"),
    [
        ("libx265", 10, "the video is H.265 (HEVC)"),
        ("mjpeg", 10, "the video is MJPEG"),
        ("libx264", 3, "the video has 3 frames a second"),
        ("libx264", 60, "the video has 60 frames a second"),
    ],
)
def test_unfit_video_is_refused_at_start(streamctl_, camera, status_of, clip, codec, fps, about):
    """What was found and the cure; nothing starts. With --no-check it does."""
    streamctl_(f"processor create --camera {camera} --collection staff")
    pushed = streamctl_("camera", "push", camera, str(clip(codec, fps)), "--fast")
    assert pushed.code == 0
    refused = streamctl_(f"processor start {camera}")
    assert refused.code == 1
    assert about in refused.err
    assert "re-encode: ffmpeg" in refused.err
    assert "--no-check" in refused.err
    assert status_of(camera) == "STOPPED"
    assert streamctl_(f"processor start {camera} --no-check").code == 0
    assert status_of(camera) != "STOPPED"


def test_fit_video_is_no_matter_at_start(streamctl_, camera, clip):
    """No warning, no refusal."""
    streamctl_(f"processor create --camera {camera} --collection staff")
    streamctl_("camera", "push", camera, str(clip()), "--fast")
    started = streamctl_(f"processor start {camera}")
    assert (started.code, started.err) == (0, f"processor {camera} is starting\n")


def test_a_started_processor_is_looked_after_from_its_first_second(streamctl_, camera, client):
    """The clock that `start` sends makes the platform adopt it: the table knows its run."""
    streamctl_(f"processor create --camera {camera} --collection staff")
    streamctl_(f"processor start {camera}")
    streamctl_(f"processor wait {camera} --for running")
    table = streamctl_("stack status -o json").json["table"]
    arn = streamctl_(f"camera describe {camera} -o json").json["arn"]
    assert within_seconds(20, lambda: item(client, table, f"run#{arn}"))


def test_one_that_its_platform_cannot_be_told_of_is_started_all_the_same(
    streamctl_, camera, platform, status_of
):
    """It runs and is billed, so it must not look as if nothing had happened; the sweep finds it."""
    streamctl_(f"processor create --camera {camera} --collection staff")
    # Until cleared: the functions of other runs send messages too.
    platform.fault("sqs.SendMessage", code="AccessDenied", status=403, times=None)
    said = streamctl_(f"processor start {camera} --no-check")
    platform.faults_clear()
    assert said.code == 0
    assert "warning: the platform finds out by its sweep, which takes a minute: " in said.err
    assert said.err.endswith(f"processor {camera} is starting\n")
    assert status_of(camera) in ("STARTING", "RUNNING")


def item(client, table, key):
    return client("dynamodb").get_item(TableName=table, Key={"key": {"S": key}}).get("Item")


def within_seconds(limit, answer):
    """Ask until the answer is yes, or time is up."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if answer():
            return True
        time.sleep(0.1)
    return False


def test_a_quota_that_is_full_is_said_with_what_to_do(streamctl_, camera, platform):
    """Ten run at once (an account's quota): the eleventh is refused, also when the SDK insists."""
    streamctl_(f"processor create --camera {camera} --collection staff")
    platform.fault("rekognition.StartStreamProcessor", code="LimitExceededException", times=4)
    said = streamctl_(f"processor start {camera}")
    assert said.code == 1
    assert "LimitExceededException" in said.err
    assert "hint: stop or delete what you need no more, or ask AWS for a quota" in said.err
