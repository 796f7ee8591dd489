"""What happened to a processor, of a real run and of runs long gone, in a local cloud."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from streamctl.cli import output
from streamctl.core import documents
from streamctl.core.policy import Policy
from streamctl.core.runs import Change, Clock, Former, Phase, Reason, Run

KEYS = {
    *("processor", "status", "camera", "camera_arn"),
    *("run", "phase", "verdict", "reason", "since", "last_sign"),
    *("idle_after_s", "on_end", "max_run_s"),
    *("changes", "former", "next", "next_look"),
}
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds):
    return LONG_AGO + timedelta(seconds=seconds)


def past(processor, camera="lobby", **known):
    """A run of long ago, over, as the platform would have kept it."""
    arn = f"arn:aws:kinesisvideo:us-east-1:000000000000:stream/{camera}/1"
    log = tuple(
        Change(at(9 * i), phase, f"{phase} for a reason", "clock") for i, phase in enumerate(Phase)
    )
    first = Run(f"{processor}@1", arn, processor, LONG_AGO, LONG_AGO, Policy(), running=True)
    done = replace(first, phase=Phase.DONE, reason=Reason.ENDED, last_sign=at(30), changes=log)
    return replace(done, **known)


@pytest.fixture
def table(platform, client, streamctl_):
    """Puts runs into the platform's table as its functions would, and takes them out again."""
    name = streamctl_("stack status -o json").json["table"]
    dynamodb, keys = client("dynamodb"), []

    def put(run, doc=None):
        keys.append({"key": {"S": f"run#{run.camera}"}})
        doc = documents.dumps(run) if doc is None else doc
        item = {**keys[-1], "doc": {"S": doc}, "version": {"N": "1"}}
        dynamodb.put_item(TableName=name, Item=item)

    yield put
    for key in keys:
        dynamodb.delete_item(TableName=name, Key=key)


def test_a_run_is_told_from_its_start_to_its_end_and_after(streamctl_, camera, clip, client):
    """Waited for and explained; then every step with what brought it about, and that all is over."""
    assert streamctl_(f"processor history {camera}").code == 4
    streamctl_(f"processor create --camera {camera} --collection staff --idle-after 5s")
    unstarted = streamctl_(f"processor history {camera}")
    assert unstarted.err == (
        f"error: processor {camera} is STOPPED, and has not run yet\n"
        f"hint: streamctl processor start {camera}\n"
    )
    streamctl_(f"processor start {camera}")
    streamctl_(f"processor wait {camera} --for running")
    streamctl_("camera", "push", camera, str(clip()), "--fast")

    ended = streamctl_(f"processor wait {camera} --for ended --timeout 60s -o json")
    assert ended.code == 0
    assert f"the run of processor {camera} has ended: nothing for " in ended.err
    assert (ended.json["name"], ended.json["reason"]) == (camera, "ended")
    assert streamctl_(f"processor wait {camera} --for gone --timeout 90s").code == 0

    told = over_and_done(streamctl_, camera)
    assert set(told) == KEYS
    assert (told["status"], told["phase"], told["reason"]) == (None, "DONE", "ended")
    assert told["run"] == ended.json["run"]
    phases = list(dict.fromkeys(change["phase"] for change in told["changes"]))
    assert phases == ["LIVE", "DRAINING", "STOPPING", "DELETING", "DONE"]
    assert {change["trigger"] for change in told["changes"]} <= {"message", "clock", "sweep"}
    assert told["next"] == "over: its video ended. A new start begins a new run"
    again = streamctl_(f"processor wait {camera} --for ended -o json").json
    assert (again["status"], again["run"]) == (None, told["run"])
    assert {"run", "published", "stopping", "deleting", "measured"} <= logged(client, told["run"])


def logged(client, run):
    """What the functions' logs hold lines about, found by the run's id as operations.md says."""
    found = set()
    for function in ("on-clock", "on-sweep"):
        events = client("logs").filter_log_events(
            logGroupName=f"/aws/lambda/streamctl-main-{function}", filterPattern=f'"{run}"'
        )["events"]
        lines = [json.loads(event["message"]) for event in events]
        assert all(run in (line["run"], line.get("formerly")) for line in lines)
        found |= {line["what"] for line in lines}
    return found


def over_and_done(streamctl_, processor, deadline_s=20):
    """Its history, once the platform has noted that it is gone."""
    deadline = time.monotonic() + deadline_s
    while (told := streamctl_(f"processor history {processor} -o json").json)["phase"] != "DONE":
        assert time.monotonic() < deadline, told
        time.sleep(0.2)
    return told


def test_a_living_run_says_who_looks_next(streamctl_, camera):
    """And how the processor is right now."""
    streamctl_(f"processor create --camera {camera} --collection staff --max-run 12h")
    streamctl_(f"processor start {camera}")
    streamctl_(f"processor wait {camera} --for running")
    deadline = time.monotonic() + 30  # the platform takes it up, and sets the clock when it has
    while (said := streamctl_(f"processor history {camera} -o json")).code or (
        ". The next look at it is due " not in said.json["next"]
    ):
        assert time.monotonic() < deadline, said
        time.sleep(0.2)
    told = said.json
    assert (told["status"], told["phase"], told["max_run_s"]) == ("RUNNING", "LIVE", 43200)
    assert told["former"] == []
    assert told["camera"] == camera
    gave_up = streamctl_(f"processor wait {camera} --for ended --timeout 1s")
    assert gave_up.code == 5
    assert f"hint: streamctl processor history {camera}" in gave_up.err


def test_one_that_is_long_gone_is_found_under_whatever_camera_it_had(streamctl_, table):
    """No Describe and no camera's name leads to it; others that mention it do not either."""
    table(past("gone-1"))
    table(past("gone-10", camera="other"))
    told = streamctl_("processor history gone-1 -o json").json
    assert (told["processor"], told["camera"], told["status"]) == ("gone-1", "lobby", None)
    assert [change["at"] for change in told["changes"]][:2] == [
        "2026-01-01T00:00:00.000Z",
        "2026-01-01T00:00:09.000Z",
    ]
    assert streamctl_("processor history gone").code == 4


def test_one_whose_camera_has_another_by_now_is_told_by_its_line(streamctl_, table):
    """And the way to the other's history."""
    former = Former("gone-2@1", "gone-2", at(-500), at(-400), Reason.STOPPED, at(-450))
    table(past("gone-3", former=(former,)))
    told = streamctl_("processor history gone-2 -o json").json
    assert (told["run"], told["phase"], told["changes"]) == (None, None, [])
    assert set(told) == KEYS
    assert [each["reason"] for each in told["former"]] == ["stopped-by-others"]
    said = streamctl_("processor history gone-2")
    assert "over; camera lobby has processor gone-3 by now, with its own history." in said.out
    ended = streamctl_("processor wait gone-2 --for ended -o json")
    assert (ended.code, ended.json["reason"]) == (0, "stopped-by-others")


def test_on_a_terminal_it_keeps_to_80_columns(streamctl_, table, monkeypatch):
    """Each change, each former run, and the end of the story; long reasons wrap, none is lost."""
    monkeypatch.setattr(output, "_width", lambda: 80)
    words = "FAILED: " + "Access denied to Kinesis Video, said at length " * 3
    log = (Change(LONG_AGO, Phase.LIVE, words, "message"), *past("x").changes)
    former = Former("gone-4@0", "gone-4", at(-500), at(-400), Reason.RESTARTED, None)
    table(past("gone-4", changes=log, former=(former, former)))
    said = streamctl_("processor history gone-4")
    lines = said.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert sum("restarted-by-others" in line for line in lines) == 2
    assert words.split() == [word for word in " ".join(lines).split() if word in words.split()]
    assert lines[-1] == "over: its video ended. A new start begins a new run."


def test_a_long_history_says_where_lines_are_missing(streamctl_, table):
    """After the first ten of them; JSON has what there is."""
    log = tuple(Change(at(i), Phase.LIVE, f"change {i}", "clock") for i in range(50))
    table(past("gone-5", changes=log))
    lines = streamctl_("processor history gone-5").out.splitlines()
    gap = next(i for i, line in enumerate(lines) if "(the history is long:" in line)
    assert lines[gap - 1].endswith("change 9")
    assert lines[gap + 1].endswith("change 10")
    assert len(streamctl_("processor history gone-5 -o json").json["changes"]) == 50


def test_each_shape_of_output_holds_the_same(streamctl_, table):
    """JSON is one object, ndjson the same on one line."""
    table(past("gone-6"))
    one = streamctl_("processor history gone-6 -o json").json
    (line,) = streamctl_("processor history gone-6 -o ndjson").out.splitlines()
    assert json.loads(line) == one


def test_nothing_in_a_history_can_steer_the_terminal(streamctl_, table):
    """StatusMessages are whatever AWS, or its imitator, says."""
    table(past("gone-7", changes=(Change(at(0), Phase.DONE, "\x1b[2Jgone\nnow", "sweep"),)))
    said = streamctl_("processor history gone-7")
    assert "\x1b" not in said.out
    assert "\N{REPLACEMENT CHARACTER}[2Jgone\N{REPLACEMENT CHARACTER}now" in said.out


def test_a_clock_that_is_late_is_seen(streamctl_, table):
    """The operator is told who will look instead."""
    table(past("gone-8", phase=Phase.LIVE, reason=None, clock=Clock("c", at(0))))
    assert (
        "late: the sweep looks at it within a minute"
        in streamctl_("processor history gone-8 -o json").json["next"]
    )


@pytest.mark.parametrize(
    "doc", ['{"processor":"gone-9"}', '{"processor":"gone-9"', '["processor":"gone-9"]']
)
def test_a_damaged_item_is_one_clear_line(streamctl_, table, doc):
    """Somebody may have edited the table."""
    table(past("gone-9"), doc)
    said = streamctl_("processor history gone-9")
    assert said.code == 1
    assert said.err.startswith("error: a stored Run cannot be read: ")
    assert len(said.err.splitlines()) == 2


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("processor history nobody", 4, "platform main knows no processor nobody"),
        ("processor history nobody", 4, "hint: a run is remembered for 30d after its end;"),
        ("processor wait nobody --for ended", 4, "platform main knows no processor nobody"),
        ("processor history no/body", 2, "'no/body' cannot be the name of a processor"),
        ("processor wait no/body --for ended", 2, "'no/body' cannot be the name of a processor"),
        ("processor wait nobody --for ended --timeout -1s", 2, "'-1s' is not a length of time"),
        ("processor wait nobody --for end", 2, "'running', 'ended', 'stopped', 'gone'"),
        ("--platform night processor history nobody", 4, "platform night is not deployed"),
        ("--platform night processor wait nobody --for ended", 4, "platform night is not deployed"),
    ],
)
def test_what_cannot_be_answered_is_said(streamctl_, platform, line, code, said):
    """One line of what, one of what to do."""
    refused = streamctl_(line)
    assert refused.code == code
    assert said in refused.err
    assert refused.out == ""


def test_of_others_processors_no_history_is_kept(streamctl_, platform, foreign):
    """It says whose it is; and that its end is not to be waited for."""
    said = streamctl_(f"processor history {foreign}")
    assert said.code == 4
    assert f"processor {foreign} is not streamctl's: main keeps no history of it" in said.err
    assert streamctl_(f"processor wait {foreign} --for ended").code == 1


def test_without_leave_to_read_the_table_nothing_is_made_up(streamctl_, platform):
    """Not allowed is not: not found."""
    platform.fault("dynamodb.Scan", code="AccessDeniedException", status=400, times=1)
    said = streamctl_("processor history nobody")
    platform.faults_clear()
    assert said.code == 6
    assert "searching table streamctl-main-Table" in said.err
