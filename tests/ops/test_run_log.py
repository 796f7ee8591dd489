"""The functions' log: what it says of a run, under which id, and the figures that CloudWatch reads."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest

from streamctl.aws.session import Aws
from streamctl.core import asking
from streamctl.core.events import Event
from streamctl.core.policy import Policy
from streamctl.core.runs import Change, Phase, Reason, Run
from streamctl.errors import Lost, StreamctlError
from streamctl.ops import answers, journal, run_log

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CAMERA = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/lobby/1"
RUN = Run("door@1@2", CAMERA, "door", NOW, NOW, Policy(), running=True)
FAILED = Event("Processor Failed", {"id": "x/processor-failed", "camera": CAMERA})

# CloudWatch guide, "Embedded metric format specification": its schema, and no other member allowed
# where it says so.
TEXT = {"type": "string", "minLength": 1, "maxLength": 1024}
DIMENSIONS = {"type": "array", "maxItems": 30, "items": {**TEXT, "maxLength": 250}}
METRIC = {
    "type": "object",
    "required": ["Name"],
    "additionalProperties": False,
    "properties": {
        "Name": TEXT,
        "Unit": {"enum": ["Seconds", "Milliseconds", "Bytes", "Percent", "Count", "None"]},
        "StorageResolution": {"enum": [1, 60]},
    },
}
DIRECTIVE = {
    "type": "object",
    "required": ["Namespace", "Dimensions", "Metrics"],
    "additionalProperties": False,
    "properties": {
        "Namespace": TEXT,
        "Dimensions": {"type": "array", "minItems": 1, "items": DIMENSIONS},
        "Metrics": {"type": "array", "maxItems": 100, "items": METRIC},
    },
}
EMBEDDED = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 1_600_000_000_000},
                "CloudWatchMetrics": {"type": "array", "minItems": 1, "items": DIRECTIVE},
            },
        }
    },
}


@pytest.fixture
def logged(capsys):
    """The lines of the log since it was last asked, each a JSON object and nothing else."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def aws(platform):
    return Aws(region="us-east-1")


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def change(seconds, phase, why="x"):
    return Change(at(seconds), Phase(phase), why, "clock")


def figures(lines):
    return {
        metric["Name"]: line[metric["Name"]]
        for line in lines
        if "_aws" in line
        for directive in line["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }


@pytest.mark.parametrize("unit", journal.Unit)
@pytest.mark.parametrize("value", [0, 7, 1.5])
def test_a_figure_is_what_cloudwatch_reads_out_of_a_log(logged, unit, value):
    """It fits the format's schema, and what it refers to stands at the root with the right type."""
    journal.measure("main", "Name", value, unit, run="door@1", camera=CAMERA)
    (line,) = logged()
    jsonschema.validate(line, EMBEDDED)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert all(isinstance(line[name], str) for names in directive["Dimensions"] for name in names)
    assert line["Name"] == value
    assert directive["Metrics"] == [{"Name": "Name", "Unit": unit}]
    assert (line["Platform"], line["run"]) == ("main", "door@1")


def test_a_runs_id_is_no_dimension(logged):
    """Each value of a dimension is a metric of its own, and billed as one."""
    journal.measure("main", "Failures", 1, run="door@1")
    (directive,) = logged()[0]["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["Platform"]]


@pytest.mark.parametrize("said", ["two\nlines", "\x1b[2J", "é", '"quoted"', StreamctlError("x\ny")])
def test_a_line_stays_a_line_whatever_is_in_it(logged, said):
    """AWS's messages are anybody's text."""
    journal.note("run", why=said)
    assert logged() == [{"what": "run", "why": str(said)}]


def test_each_change_is_told_once_and_under_the_run(logged):
    """Only what is new since the run was loaded."""
    before = replace(RUN, changes=(change(0, "LIVE"),))
    after = replace(before, phase=Phase.DRAINING, changes=(*before.changes, change(9, "DRAINING")))
    run_log.saved("main", before, after)
    assert logged() == [
        {
            "what": "run",
            "run": "door@1@2",
            "camera": CAMERA,
            "processor": "door",
            "phase": "DRAINING",
            "verdict": "LIVE",
            "why": "x",
            "trigger": "clock",
        }
    ]
    run_log.saved("main", after, after)
    assert logged() == []


def test_a_run_that_gets_its_id_says_what_it_was_known_by(logged):
    """It gets its own once it is RUNNING; whoever follows it by that finds what came before."""
    starting = replace(RUN, id="door@1@1", running=False, changes=(change(0, "LIVE", "adopted"),))
    running = replace(RUN, changes=(*starting.changes, change(2, "LIVE", "RUNNING")))
    run_log.saved("main", starting, running)
    (line,) = logged()
    assert (line["run"], line["formerly"]) == ("door@1@2", "door@1@1")


@pytest.mark.parametrize(
    "finished",
    [
        None,
        replace(RUN, id="door@1@0", phase=Phase.DONE),
        replace(RUN, id="door@0@0", created=at(-9)),
    ],
)
def test_a_new_run_was_known_by_no_other_id(logged, finished):
    """Neither the one before it, nor another processor's."""
    run_log.saved("main", finished, replace(RUN, changes=(change(0, "LIVE"),)))
    assert "formerly" not in logged()[0]


@pytest.mark.parametrize(
    ("known", "measured"),
    [
        ({"reason": Reason.ENDED, "last_sign": at(-20)}, {"TeardownSeconds": 29.0}),
        ({"reason": Reason.ENDED}, {}),
        ({"reason": Reason.STOPPED, "last_sign": at(-20)}, {}),
        ({"reason": Reason.OVER_TIME, "last_sign": at(-20)}, {}),
        ({"reason": Reason.FAILED, "outbox": (FAILED,)}, {"Failures": 1}),
    ],
)
def test_what_is_measured_at_the_end(logged, known, measured):
    """From the last sign of life to the end of the tearing down, where the video's end was the
    reason; a failure, whenever one is to be told.
    """
    before = replace(RUN, changes=(change(0, "LIVE"),))
    after = replace(before, phase=Phase.DONE, changes=(*before.changes, change(9, "DONE")), **known)
    run_log.saved("main", before, after)
    lines = logged()
    assert figures(lines) == measured
    assert {line["run"] for line in lines} == {RUN.id}


def test_a_failure_is_counted_once_however_much_changes_while_it_is_told(logged):
    """Adopted and found FAILED at one look are two changes; what waits to be published waits on."""
    changes = (change(0, "LIVE", "adopted, FAILED"), change(0, "LIVE", "FAILED: no role"))
    failed = replace(RUN, reason=Reason.FAILED, changes=changes, outbox=(FAILED,))
    run_log.saved("main", None, failed)
    assert figures(logged()) == {"Failures": 1}
    later = replace(failed, phase=Phase.STOPPING, changes=(*changes, change(90, "STOPPING")))
    run_log.saved("main", failed, later)
    assert figures(logged()) == {}


def taken(aws, platform, *requests):
    """The steps that ask just this; what went wrong is theirs to live with."""

    def steps():
        for request in requests:
            try:
                yield request
            except StreamctlError:
                continue

    answers.follow(aws, platform.setting, steps())


def test_what_is_told_on_the_bus_is_noted_under_its_run(aws, platform, logged):
    """So that an event that nobody heard can be told from one that was never published."""
    run = replace(RUN, outbox=(FAILED,), changes=(change(0, "LIVE"),))
    save = asking.Save(run, 0, NOW)
    taken(aws, platform, asking.Load(CAMERA), save, asking.Publish((FAILED,)))
    published = [line for line in logged() if line["what"] == "published"]
    assert [(line["run"], line["events"]) for line in published] == [(RUN.id, ["Processor Failed"])]


def test_a_save_that_was_lost_tells_nothing_but_that(aws, platform, logged):
    """Whoever was first tells what changed."""
    first = replace(RUN, changes=(change(0, "LIVE"),))
    second = replace(first, phase=Phase.DRAINING, changes=(*first.changes, change(9, "DRAINING")))
    taken(aws, platform, asking.Save(first, 0, NOW), asking.Save(second, 0, NOW))
    told, lost = logged()
    assert (told["what"], told["phase"]) == ("run", "LIVE")
    assert (lost["what"], lost["asked"], lost["run"]) == ("refused", "Save", RUN.id)


def test_what_aws_refuses_is_noted_under_the_run_that_it_was_for(
    aws, platform, logged, monkeypatch
):
    """A throttle shows nowhere else. The refusal is made up: moto knows no processors."""

    def refuse(*_):
        raise Lost("not now")

    monkeypatch.setattr("streamctl.aws.rekognition.stop", refuse)
    monkeypatch.setattr("streamctl.ops.observe.described", refuse)
    monkeypatch.setattr("streamctl.ops.observe.tagged", refuse)
    save = asking.Save(RUN, 0, NOW)
    asked = (asking.Stop(RUN), asking.Describe("door"), asking.DescribeTagged("gate"))
    taken(aws, platform, asking.Load(CAMERA), save, *asked)
    lines = [line for line in logged() if line["what"] == "refused"]
    assert [(line["asked"], line.get("run"), line["processor"]) for line in lines] == [
        ("Stop", RUN.id, "door"),
        ("Describe", RUN.id, "door"),
        ("DescribeTagged", None, "gate"),
    ]
    assert {line["why"] for line in lines} == {"not now"}


def test_a_camera_that_cannot_be_loaded_is_not_mistaken_for_the_one_before(
    aws, platform, logged, monkeypatch
):
    """A sweep looks at one after the other."""
    taken(aws, platform, asking.Save(replace(RUN, changes=(change(0, "LIVE"),)), 0, NOW))
    logged()
    monkeypatch.setattr("streamctl.aws.table.load", lambda *_: refused())
    taken(aws, platform, asking.Load("arn:other"))
    (line,) = logged()
    assert (line["what"], line["camera"], line.get("run")) == ("refused", "arn:other", None)


def refused():
    raise StreamctlError("made up: moto never refuses")


def test_live_runs_are_counted_when_everything_is_looked_at(aws, platform, logged):
    """Those that are RUNNING; a run that only starts is none yet. Nothing at all is a figure too."""
    taken(aws, platform, asking.ListOpen())
    assert figures(logged()) == {"LiveRuns": 0}
    for number, running in enumerate((True, True, False)):
        run = replace(RUN, camera=f"{CAMERA}{number}", running=running)
        taken(aws, platform, asking.Save(run, 0, NOW))
    logged()
    taken(aws, platform, asking.ListOpen())
    assert figures(logged()) == {"LiveRuns": 2}
