"""The pages in docs/ are true where a machine can tell: names, links, examples, templates."""

import ast
import dataclasses
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from streamctl.core import events, folding, runs, stretches, teardown, watchfile
from streamctl.core.liveness import Processor, Status, Video
from streamctl.core.policy import MANAGED, Ownership, Policy, from_tags
from streamctl.core.sightings import MEASURES
from streamctl.local.cloud import Timings
from streamctl.local.faults import Fault
from streamctl.local.faults.happenings import HAPPENINGS, codes_of, effects_on
from streamctl.local.switches import Switches
from streamctl.ops import schemas
from tests.core.frames_shown import RUN, arrival, fold

ROOT = Path(__file__).parents[1]
PAGES = {path.name: path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CAMERA = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1"

every_page = pytest.mark.parametrize("page", PAGES)


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXTS[page], re.DOTALL | re.MULTILINE)


def section(page, heading):
    """What stands under a heading, up to the next one of its level."""
    return TEXTS[page].split(f"\n## {heading}\n")[1].split("\n## ")[0]


def first_cells(text):
    """The names in the first column of the tables in a text."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def named_tests(page):
    return sorted(set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", TEXTS[page])))


def anchors(page):
    """The headings of a page as links name them."""
    headings = re.findall(r"^#+ (.+)$", TEXTS[page], re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_test_that_covers_an_assumption_exists():
    """A renamed test must be renamed there too."""
    named = named_tests("assumptions.md")
    assert len(named) > 100
    missing = [f"{path}::{test}" for path, test in named if test not in functions(path)]
    assert not missing


def functions(path):
    file = ROOT / "tests" / path
    tree = ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else ast.Module([], [])
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@every_page
def test_every_module_that_is_named_exists(page):
    """Named from the root, or in assumptions.md from below streamctl/ and tests/."""
    named = set(re.findall(r"`((?:\w+/)+\w+\.(?:py|yaml|md|sh))(?:::\w+)?`", TEXTS[page]))
    places = (ROOT, ROOT / "streamctl", ROOT / "tests")
    assert not [name for name in named if not any((place / name).is_file() for place in places)]


def test_every_row_says_how_sure_it_is_and_what_covers_it():
    """Four cells: the fact, a grade with its source, where it bites, and tests or why there are none."""
    row = re.compile(r"^\| (.+) \| ([DOI]\b[^|]*) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
    rows = row.findall(TEXTS["assumptions.md"])
    assert len(rows) > 60
    bare = [
        fact for fact, *_, tests in rows if "::test_" not in tests and not tests.startswith("no")
    ]
    assert not bare


def test_every_switch_has_its_row():
    """And no other has one."""
    named = first_cells(section("assumptions.md", "Open questions, and their switches"))
    assert sorted(named) == sorted(field.name for field in dataclasses.fields(Switches))


def test_the_pipeline_runs_under_every_switch():
    """What the page promises of the end-to-end test."""
    source = (ROOT / "tests" / "e2e" / "test_pipeline.py").read_text(encoding="utf-8")
    assert all(f'"{field.name}"' in source for field in dataclasses.fields(Switches))


def test_every_timing_and_every_member_of_a_fault_is_explained():
    """With the defaults that they have."""
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+)", TEXTS["local-cloud.md"], re.MULTILINE))
    for field in dataclasses.fields(Timings):
        assert float(rows[field.name]) == field.default
    named = first_cells(section("local-cloud.md", "Faults"))
    assert named == [field.name for field in dataclasses.fields(Fault)]


@every_page
def test_every_link_leads_somewhere(page):
    """To a file of the repository, and to a heading that is there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[page]):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (PAGES[page].parent / name) if name else PAGES[page]
        assert file.is_file(), target
        assert not anchor or anchor in anchors(file.name), target


def test_pythons_examples_compile():
    """As they stand."""
    found = blocks("local-cloud.md", "python")
    assert len(found) >= 3
    for number, source in enumerate(found):
        compile(source, f"local-cloud.md, block {number}", "exec")


def test_the_example_tests_pass(tmp_path, shared_local_cloud):
    """In a pytest of its own, with our plugin alone; skipped with all tests of the local cloud."""
    sources = [each for each in blocks("local-cloud.md", "python") if "def test_" in each]
    for number, source in enumerate(sources):
        (tmp_path / f"test_example_{number}.py").write_text(source, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "streamctl.local.pytest_plugin", tmp_path],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert f"{len(sources)} passed" in ran.stdout, ran.stdout + ran.stderr


def test_the_example_faults_are_some():
    """The JSON that the page posts, and in its table the same from Python."""
    posted = re.findall(r"-d '(\{.*?\})'", TEXTS["local-cloud.md"])
    assert [Fault.of(json.loads(text)).code for text in posted] == ["ThrottlingException"]
    rows = re.findall(
        r"`cloud\.fault(\(.+\))` \| `(\{.+\})` \|$", TEXTS["local-cloud.md"], re.MULTILINE
    )
    assert len(rows) > 15
    for python, text in rows:
        call = ast.parse(f"dict{python}", mode="eval").body
        members = {each.arg: ast.literal_eval(each.value) for each in call.keywords}
        assert {"operation": ast.literal_eval(call.args[0]), **members} == json.loads(text)
        assert Fault.of(json.loads(text)).effects


def test_every_happening_is_explained():
    """With what it takes."""
    section_of_ours = section("local-cloud.md", "Faults").split("### Between calls")[1]
    rows = dict(re.findall(r"^\| .+ \| `([\w.-]+)` \| (.+) \|$", section_of_ours, re.MULTILINE))
    assert set(rows) == set(HAPPENINGS)
    for name, takes in rows.items():
        named = [each.replace("code", "") for each in (*effects_on(name), *codes_of(name))]
        assert all(f"`{each}`" in takes for each in named if each)


def test_the_example_template_is_sound(tmp_path):
    """cfn-lint has nothing to say."""
    (template,) = blocks("events.md", "yaml")
    file = tmp_path / "template.yaml"
    file.write_text(template, encoding="utf-8")
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    linted = subprocess.run([cfn_lint, file], capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, ""), linted.stderr


def test_every_kind_of_event_is_shown():
    """Once in the table of kinds, and once as an example."""
    kinds = {
        value for name, value in vars(events).items() if re.match("(SIGHTING|PROCESSOR)_", name)
    }
    assert {example["detail-type"] for example in examples()} == kinds
    assert set(first_cells(TEXTS["events.md"].partition("\n## ")[0])) == kinds


def test_examples_have_the_members_that_events_have():
    """Compared with events that the code makes now."""
    told = [*told_of_sightings(), *told_of_a_run()]
    made = {event.type: shape(json.loads(json.dumps(event.detail))) for event in told}
    shown = {example["detail-type"]: shape(example["detail"]) for example in examples()}
    assert shown == made


def test_the_file_of_what_is_watched_for_can_be_applied():
    """And its [sighting] is what holds by default, as it says."""
    (text,) = blocks("events.md", "toml")
    found = watchfile.parse(text)
    assert found.measures == MEASURES
    assert len(found.rules) == 2


def test_examples_fit_their_schemas():
    """And the one that is a whole message, the schema of such."""
    for example in examples():
        schema = schemas.load(events.slug(example["detail-type"]))
        Draft202012Validator(schema).validate(example["detail"])
    (whole,) = [example for example in examples() if "source" in example]
    Draft202012Validator(schemas.load(schemas.ENVELOPE)).validate(whole)


def test_the_example_consumer_tells_what_fits(tmp_path, monkeypatch):
    """With the file that the page's command writes."""
    (source,) = blocks("events.md", "python")
    (tmp_path / "event.json").write_text(json.dumps(schemas.load(schemas.ENVELOPE)))
    monkeypatch.chdir(tmp_path)
    exec(compile(source, "events.md", "exec"), consumer := {})
    whole = examples()[0]
    assert consumer["problems"](json.dumps(whole)) == []
    del whole["detail"]["person"]
    assert consumer["problems"](json.dumps(whole)) == ["'person' is a required property"]


def test_every_reason_is_explained():
    """In the events, and what follows from it in the operations."""
    reasons = {reason.value for reason in runs.Reason}
    named = first_cells(section("events.md", "Processors"))
    assert reasons <= set(named)
    verdicts = section("operations.md", "What is torn down, and when")
    assert all(f"| {reason} |" in verdicts for reason in reasons)


def test_every_line_of_the_functions_log_is_explained():
    """And every figure, with its unit; none that nobody writes."""
    written = {"note": set(), "measure": set()}
    for path in (ROOT / "streamctl" / "ops").glob("*.py"):
        source = path.read_text(encoding="utf-8")
        for verb, what in re.findall(r"journal\.(note|measure)\([^\"]*\"([^\"]+)\"", source):
            written[verb].add(what)
    lines = re.findall(r"`([^`]+)`", column(section("operations.md", "One run by its id")))
    assert set(lines) - {"what"} == written["note"] | {"measured"}
    assert set(first_cells(section("operations.md", "Metrics"))) == written["measure"]


def column(text):
    """The first column of the tables in a text."""
    return "\n".join(re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE))


def test_the_tags_of_a_processor_are_those_that_are_read():
    """A processor with all tags of the table is ours, and without the first or second is not."""
    named = first_cells(section("operations.md", "Whose a processor is"))
    tags = {**dict.fromkeys(named, ""), MANAGED: "true", "streamctl:platform": "main"}
    owned = from_tags(tags, "main")
    assert owned == Ownership("main", "", Policy(), by_stack=False)
    for name in named[:2]:
        assert from_tags({**tags, name: ""}, "main") is None


def examples():
    return [json.loads(block) for block in blocks("events.md", "json")]


def shape(detail):
    """Names and types, all the way down; values left out."""
    if isinstance(detail, dict):
        return {name: shape(value) for name, value in detail.items()}
    return type(detail).__name__


def told_of_sightings():
    """One that is seen ever better, one that turns out to be a part of it, and the end."""
    story = None
    for second, similarity in (
        (0, 90.0),
        (1, 90.0),
        (12, 97.5),
        (55, 90.0),
        (56, 90.0),
        (30, 90.0),
    ):
        story = fold(arrival(second, "ada", similarity=similarity, lag=0), story=story)
    return folding.close_all(story, RUN).outbox


def told_of_a_run():
    """A run that sees video, is over and torn down; and one that FAILED."""
    told = []
    for status, video in (
        (Status.RUNNING, Video(NOW, timedelta(seconds=2))),
        (Status.FAILED, Video()),
    ):
        found = Processor(
            "door", CAMERA, status, NOW - timedelta(minutes=1), NOW - timedelta(minutes=1)
        )
        owned = Ownership("main", "door", Policy(), by_stack=False)
        run = stretches.adopt(owned, found, None, NOW, "test")
        seen = runs.Seen(found, True, video, None, timedelta(0))
        run = teardown.step(run, seen, NOW, "test").run
        run = dataclasses.replace(run, phase=runs.Phase.DELETING)
        gone = dataclasses.replace(seen, processor=None)
        told += teardown.step(run, gone, NOW, "test").run.outbox
    return told
