"""Sweeping on demand: what it would do and does, and every way in which it may not."""

import json
import time

import pytest

KEYS = {"camera", "camera_arn", "processor", "would", "why", "result"}


@pytest.fixture(scope="module")
def _still(shared_local_cloud):
    """Deploys a platform that does not sweep by itself, so that a test sees what it leaves."""
    import boto3

    from streamctl.cli.main import run

    with pytest.MonkeyPatch.context() as patched:
        for name, value in shared_local_cloud.env().items():
            patched.setenv(name, value)
        for line in (
            "--platform still stack deploy --min-idle-after 5s",
            "--platform still camera create hall",
        ):
            assert run(line.split()) == 0, line
        scheduler, schedule = boto3.client("scheduler"), "streamctl-still-sweep"
        found = scheduler.get_schedule(Name=schedule)
        kept = ("ScheduleExpression", "FlexibleTimeWindow", "Target")
        same = {key: found[key] for key in kept}
        scheduler.update_schedule(Name=schedule, State="DISABLED", **same)


@pytest.fixture
def still(platform, _still, streamctl_):
    """Runs a command on that platform; what the cloud was made to refuse is forgotten after."""
    yield lambda line: streamctl_(f"--platform still {line}")
    platform.faults_clear()


@pytest.fixture
def lost(still, client, status_of):
    """A processor that was started without anybody being told."""
    still("processor create --camera hall --collection staff")
    client("rekognition").start_stream_processor(Name="hall")
    yield "hall"
    until(lambda: status_of("hall") != "STARTING")
    still("processor stop hall")
    still("processor wait hall --for stopped")
    assert still("processor delete hall").code == 0
    until(lambda: not still("sweep -o json").json)  # it is noted that it is gone


def until(condition, deadline_s=30):
    deadline = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def about(said, processor):
    return [each for each in said.json if each["processor"] == processor]


def test_a_lost_processor_is_found_told_of_and_taken_up(still, lost, client):
    """A dry run says so and touches nothing, twice; the sweep does it; then there is no more to do."""
    for _ in range(2):
        (found,) = about(still("sweep --dry-run -o json"), lost)
        assert set(found) == KEYS
        assert (found["would"], found["result"]) == ("adopt", None)
        assert found["why"].startswith("ours, ")
        assert (found["camera"], found["camera_arn"].rpartition(":")[2].split("/")[1]) == (
            "hall",
            "hall",
        )
    assert still("processor history hall").code == 4

    (swept,) = about(still("sweep -o json"), lost)
    assert (swept["would"], swept["result"]) == ("adopt", "LIVE")
    history = still("processor history hall -o json").json
    assert {change["trigger"] for change in history["changes"]} == {"sweep"}
    (left,) = about(still("sweep --dry-run -o json"), lost)
    assert left["would"] == "leave"


def test_what_could_not_be_done_is_shown_and_is_a_failure(still, lost, platform):
    """The camera is left to the next sweep, which does it."""
    code = "ProvisionedThroughputExceededException"
    platform.fault("dynamodb.PutItem", code=code, times=None, caller="streamctl-still-on-sweep")
    said = still("sweep -o json")
    platform.faults_clear()
    (failed,) = about(said, lost)
    assert failed["result"].startswith("failed: saving run#")
    assert said.code == 1
    assert "error: 1 of 1 could not be seen to\nhint: the next sweep" in said.err
    (swept,) = about(still("sweep -o json"), lost)
    assert swept["result"] == "LIVE"


def test_what_is_left_alone_is_shown_with_its_reason(still, foreign, platform):
    """In a table for people, with a line that counts."""
    said = still("sweep --dry-run")
    assert said.code == 0
    titles, *lines = said.out.splitlines()
    assert titles.split() == ["PROCESSOR", "CAMERA", "WOULD", "WHY"]
    (line,) = [line for line in lines if line.startswith(foreign)]
    assert line.split(maxsplit=3)[1:] == ["-", "leave", "it is STOPPED: nothing to watch"]
    assert f"a sweep would touch 0 of {len(lines)}" in said.err


def test_a_sweep_with_nothing_to_do_says_so(still):
    """On stderr; as JSON it is an empty list."""
    said = still("sweep")
    assert (said.code, said.out, said.err) == (0, "", "everything was left alone\n")
    assert still("sweep -o json").json == []
    assert still("sweep -o ndjson").out == ""


@pytest.mark.parametrize(
    ("code", "status", "exit_code", "said"),
    [
        ("AccessDeniedException", 403, 6, "the caller needs permission for Invoke"),
        ("ResourceNotFoundException", 404, 4, "calling function streamctl-still-on-sweep"),
        ("TooManyRequestsException", 429, 1, "wait a moment and try again"),
        ("ServiceException", 500, 1, "AWS failed on its side; try again"),
    ],
)
def test_a_call_that_is_refused_is_one_clear_line(still, platform, code, status, exit_code, said):
    """And is not made again: it may have swept."""
    platform.fault("lambda.Invoke", code=code, status=status, times=1)
    refused = still("sweep --dry-run")
    assert refused.code == exit_code
    assert said in refused.err
    assert still("sweep --dry-run").code == 0


def test_a_function_that_fails_is_one_clear_line(still, client):
    """With what it said, and where its log is."""
    name = "streamctl-still-on-sweep"
    functions = client("lambda")
    before = functions.get_function_configuration(FunctionName=name)["Environment"]
    broken = {key: value for key, value in before["Variables"].items() if "TABLE" not in key}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": broken})
    try:
        failed = still("sweep")
    finally:
        functions.update_function_configuration(FunctionName=name, Environment=before)
    assert failed.code == 1
    error, hint = failed.err.splitlines()
    assert error.startswith(f"error: function {name} failed: ")
    assert error.endswith(": the function's environment lacks STREAMCTL_TABLE")
    assert hint == f"hint: its log: aws logs filter-log-events --log-group-name /aws/lambda/{name}"


@pytest.mark.parametrize("answer", [None, [], {}, {"findings": [{}]}, {"findings": [7]}, "no"])
def test_an_answer_of_another_version_is_not_guessed_at(still, monkeypatch, answer):
    """Replaced, as no version yet answers so."""
    monkeypatch.setattr("streamctl.aws.functions.invoke", lambda *_: answer)
    said = still("sweep")
    assert said.code == 1
    assert "hint: streamctl --platform still stack deploy brings it up to date" in said.err


def test_without_a_platform_there_is_nothing_to_sweep(streamctl_, platform):
    """The hint is what makes one."""
    said = streamctl_("--platform night sweep")
    assert said.code == 4
    assert "hint: streamctl --platform night stack deploy" in said.err


def test_only_a_true_dry_run_is_one(still, client):
    """The schedule's own event, and whatever else comes in, is a sweep."""
    for event in (b"{}", b'{"dry_run": false}', b'{"dry_run": "no"}', b"[]", b'"dry_run"', b"null"):
        answer = client("lambda").invoke(FunctionName="streamctl-still-on-sweep", Payload=event)
        assert json.load(answer["Payload"]) == {"findings": []}
