"""Processors: their whole life, and the orders that are refused, in a local cloud."""

import pytest

from streamctl.aws import rekognition
from streamctl.ops import processors

KEYS = {
    "name",
    "status",
    "status_message",
    "platform",
    "camera",
    "camera_arn",
    "collection",
    "threshold",
    "results",
    "role_arn",
    "idle_after_s",
    "on_end",
    "max_run_s",
    "owner",
    "created_at",
    "updated_at",
    "arn",
}


def test_a_processor_lives_from_creation_to_deletion(
    streamctl_, shared_local_cloud, camera, client, status_of
):
    """Created, started, waited for, refused to be deleted, stopped, deleted, and its name reused."""
    made = streamctl_(
        f"processor create --camera {camera} --collection staff --threshold 90"
        " --idle-after 2m --on-end stop --max-run 12h -o json"
    )
    assert made.err == f"processor {camera} is created\n"
    assert set(made.json) == KEYS
    assert (made.json["status"], made.json["threshold"]) == ("STOPPED", 90)
    tags = client("rekognition").list_tags_for_resource(ResourceArn=made.json["arn"])["Tags"]
    assert tags == {
        "streamctl:managed": "true",
        "streamctl:platform": "main",
        "streamctl:camera": camera,
        "streamctl:idle-after": "2m",
        "streamctl:on-end": "stop",
        "streamctl:max-run": "12h",
    }

    shared_local_cloud.fault("rekognition.Transition", target=camera, delay_s=5)  # STARTING
    started = streamctl_(f"processor start {camera} -o json")
    assert started.code == 0
    assert f"warning: no video flows into camera {camera} yet" in started.err
    assert started.json["status"] == "STARTING"
    assert "was started already" in streamctl_(f"processor start {camera}").err
    early = streamctl_(f"processor stop {camera}")
    assert (early.code, "STARTING and cannot be stopped yet" in early.err) == (1, True)
    running = streamctl_(f"processor wait {camera} --for running -o json")
    assert (running.code, running.json["status"]) == (0, "RUNNING")

    refused = streamctl_(f"processor delete {camera}")
    assert refused.code == 1
    assert f"hint: streamctl processor stop {camera}" in refused.err
    assert status_of(camera) == "RUNNING"

    shared_local_cloud.fault("rekognition.Transition", target=camera, delay_s=5)  # STOPPING
    assert streamctl_(f"processor stop {camera}").err == f"processor {camera} is stopping\n"
    busy = streamctl_(f"processor start {camera} --no-check")
    assert (busy.code, "STOPPING and cannot be started" in busy.err) == (1, True)
    again = streamctl_(f"processor stop {camera}")
    assert (again.code, again.err) == (0, f"processor {camera} is stopping already\n")
    assert streamctl_(f"processor wait {camera} --for stopped").code == 0

    assert streamctl_(f"processor delete {camera} -o json").json["existed"] is True
    assert status_of(camera) is None
    assert streamctl_(f"processor delete {camera} -o json").json["existed"] is False
    gone = streamctl_(f"processor wait {camera} --for gone -o json")
    assert (gone.code, gone.json) == (0, {"name": camera, "status": None})
    # The name is held for a while by the one that was deleted.
    again = streamctl_(f"processor create --camera {camera} --collection staff")
    assert again.code == 0


def test_creating_twice_is_creating_once_and_another_is_refused(streamctl_, camera):
    """The same order finds what stands; a different one says what differs."""
    line = f"processor create --camera {camera} --collection staff"
    assert streamctl_(line).err == f"processor {camera} is created\n"
    assert streamctl_(line).err == f"processor {camera} is there already, just so\n"
    other = streamctl_(f"{line} --threshold 95 --idle-after 5m")
    assert other.code == 1
    assert "with threshold 80.0, streamctl:idle-after 1m30s" in other.err
    second = streamctl_(f"{line} --name second")
    assert second.code == 1
    assert f"is analysed by processor {camera} already" in second.err


@pytest.mark.parametrize(
    ("options", "code", "about"),
    [
        ("--threshold 50", 2, "AWS silently takes 80 for anything lower"),
        ("--threshold 101", 2, "not within 80 to 100"),
        ("--idle-after 2s", 2, "below what platform main can keep: 5s"),
        ("--idle-after soon", 2, "write it like 90s, 5m, 2h or 1h30m"),
        ("--on-end explode", 2, "'delete', 'stop', 'keep'"),
        ("--camera nowhere", 4, "hint: streamctl camera create nowhere"),
        ("--collection nobody", 4, "hint: streamctl collection create nobody"),
        ("--platform none", 4, "hint: streamctl --platform none stack deploy"),
        ("--name not/ok", 2, "'not/ok' cannot be the name of a processor"),
    ],
)
def test_an_order_that_could_not_work_is_refused_with_its_cure(
    streamctl_, platform, client, options, code, about
):
    """And nothing is created."""
    before = client("rekognition").list_stream_processors()["StreamProcessors"]
    said = streamctl_(f"processor create --camera door --collection staff {options}")
    assert (said.code, said.out) == (code, "")
    assert about in said.err
    assert len(said.err.splitlines()) == 2
    assert client("rekognition").list_stream_processors()["StreamProcessors"] == before


def test_a_name_with_a_space_is_refused_before_anything_else(streamctl_, platform):
    """Of camera, collection or processor."""
    for option in ("--camera", "--collection", "--name"):
        given = {"--camera": "door", "--collection": "staff", "--name": "p", option: "a b"}
        words = [word for pair in given.items() for word in pair]
        said = streamctl_("processor", "create", *words)
        assert said.code == 2
        assert "'a b' cannot be the name" in said.err


def test_without_retention_the_end_could_not_be_seen(streamctl_, platform, client, status_of):
    """So only `keep` is allowed; the cure is a whole command."""
    made = client("kinesisvideo").create_stream(StreamName="unkept", DataRetentionInHours=0)
    streamctl_("camera create unkept --existing unkept")
    line = "processor create --camera unkept --collection staff"
    refused = streamctl_(line)
    assert refused.code == 1
    assert "keeps no video (retention 0)" in refused.err
    assert made["StreamARN"] in refused.err
    assert streamctl_(f"{line} --on-end stop").code == 1
    assert status_of("unkept") is None
    assert streamctl_(f"{line} --on-end keep").code == 0
    streamctl_("processor delete unkept")
    streamctl_("camera delete unkept")
    client("kinesisvideo").delete_stream(StreamARN=made["StreamARN"])


@pytest.mark.parametrize(
    "line",
    [
        "processor describe nobody",
        "processor start nobody",
        "processor stop nobody",
        "processor wait nobody --for running",
        "processor wait nobody --for stopped",
    ],
)
def test_a_processor_that_is_not_there_is_not_found(streamctl_, platform, line):
    """Exit code 4, and where to look."""
    said = streamctl_(line)
    assert said.code == 4
    assert said.err == (
        "error: there is no processor nobody in us-east-1\nhint: streamctl processor list\n"
    )


def test_a_throttled_stop_waits_for_its_turn(streamctl_, camera, platform, status_of):
    """AWS allows one stop a second and account: ours comes again until it has one."""
    streamctl_(f"processor create --camera {camera} --collection staff")
    streamctl_(f"processor start {camera}")
    streamctl_(f"processor wait {camera} --for running")
    platform.fault("rekognition.StopStreamProcessor", code="ThrottlingException", times=2)
    said = streamctl_(f"processor stop {camera}")
    assert said.code == 0
    assert status_of(camera) in ("STOPPING", "STOPPED")


def test_a_region_without_the_service_is_explained(streamctl_, in_cloud):
    """AWS says AccessDenied, as for a missing permission; the hint names every cause."""
    said = streamctl_("processor list --region ap-southeast-2")
    assert said.code == 6
    assert "the region has no face search on video (it is in us-east-1" in said.err
    assert "closed to new customers since 2026-04-30" in said.err


def test_a_processor_that_goes_while_it_is_listed_is_left_out(streamctl_, camera, monkeypatch):
    """Somebody may delete it between List and Describe.

    What lists is replaced, as that moment cannot be met on purpose.
    """
    streamctl_(f"processor create --camera {camera} --collection staff")
    listed = [("gone-since", "STOPPED"), (camera, "STOPPED")]
    monkeypatch.setattr(rekognition, "names", lambda _: iter(listed))
    said = streamctl_("processor list -o json")
    assert said.code == 0
    assert [row["name"] for row in said.json] == [camera]


def test_what_is_in_use_is_not_deleted(streamctl_, camera):
    """Neither the camera nor the collection of a processor; the hints are commands."""
    streamctl_(f"processor create --camera {camera} --collection staff")
    for line in (f"camera delete {camera}", "collection delete staff"):
        said = streamctl_(line)
        assert said.code == 1
        assert "is used by processor" in said.err
        assert f"processor stop {camera}, then streamctl processor delete {camera}" in said.err


def test_a_hint_means_the_platform_that_it_is_about(streamctl_, platform):
    """Without --platform, what it says would be refused: the processor is not `main`'s."""
    for line in ("stack deploy", "camera create yard"):
        assert streamctl_(f"--platform night {line}").code == 0
    order = "--platform night processor create --camera yard --collection staff"
    assert streamctl_(order).code == 0
    stop, delete = (
        f"streamctl --platform night processor {verb} yard" for verb in ("stop", "delete")
    )
    assert f"hint: {stop}, then {delete}\n" in streamctl_("--platform night camera delete yard").err
    assert f"or: {delete}\n" in streamctl_(f"{order} --max-run 1h").err
    assert f"hint: {delete}\n" in streamctl_(f"{order} --name other").err
    for line in ("processor delete yard", "camera delete yard", "stack destroy"):
        assert streamctl_(f"--platform night {line}").code == 0


def test_a_processor_that_goes_while_it_is_stopped_was_stopped_all_the_same(
    streamctl_, camera, client, monkeypatch
):
    """Its platform may delete it before it is described once more.

    What stops it is replaced by that and more, as that moment cannot be met on purpose.
    """
    stop = processors.stop

    def stop_and_delete(aws, name, progress):
        was_running = stop(aws, name, progress)
        client("rekognition").delete_stream_processor(Name=name)
        return was_running

    streamctl_(f"processor create --camera {camera} --collection staff")
    monkeypatch.setattr(processors, "stop", stop_and_delete)
    said = streamctl_(f"processor stop {camera} -o json")
    assert (said.code, said.err) == (0, f"processor {camera} was not running\n")
    assert said.json == {"name": camera, "status": None}


@pytest.mark.parametrize(
    "switches",
    [{"stale_describe_s": 1.5}, {"stop_of_stopped_is_error": False}],
    ids=["describe-is-behind", "stopping-the-stopped-is-no-error"],
)
def test_commands_do_their_work_under_the_other_answer_too(
    streamctl_, start_local_cloud, monkeypatch, switches
):
    """Where AWS's behaviour is not documented, the operator must not feel the difference."""
    cloud = start_local_cloud(switches=switches, timings={"starting_s": 0.5, "stopping_s": 0.5})
    for name, value in cloud.env().items():
        monkeypatch.setenv(name, value)
    for line, code in (
        ("stack deploy", 0),
        ("collection create staff", 0),
        ("camera create door", 0),
        ("processor create --camera door --collection staff", 0),
        ("processor create --camera door --collection staff", 0),
        ("processor create --camera door --collection staff --max-run 1h", 1),
        ("processor start door", 0),
        ("processor start door", 0),
        ("processor wait door --for running", 0),
        ("processor delete door", 1),
        ("processor stop door", 0),
        ("processor wait door --for stopped", 0),
        ("processor stop door", 0),
        ("processor delete door", 0),
        ("processor delete door", 0),
        ("processor wait door --for gone", 0),
        ("processor create --camera door --collection staff --max-run 1h", 0),
        ("processor delete door", 0),
        ("camera delete door", 0),
        ("stack destroy", 0),
    ):
        said = streamctl_(line)
        assert said.code == code, f"{line}: {said.err}"
