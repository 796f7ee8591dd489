"""The schemas of events: valid, each enough by itself, and true of everything that core can tell."""

import copy
import functools
import json
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from streamctl.core import announcements, events, stretches
from streamctl.core.liveness import Processor, Status
from streamctl.core.policy import Ownership, Policy
from streamctl.core.runs import Phase, Reason
from streamctl.core.watch import Attention
from streamctl.ops import schemas
from tests.core import made_events
from tests.core.teardown_world import CAMERA, at

SCHEMAS = {name: schemas.load(name) for name in schemas.NAMES}
OWNED = Ownership("main", "door", Policy(), by_stack=False)

every_schema = pytest.mark.parametrize("name", schemas.NAMES)


def plain(event):
    """An event's name among the schemas, and its detail as it is on the bus."""
    return events.slug(event.type), json.loads(json.dumps(event.detail))


def envelope(event):
    """The message in which a queue receives an event."""
    return {
        "version": "0",
        "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "detail-type": event.type,
        "source": "streamctl",
        "account": "123456789012",
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": [event.detail["camera"]],
        "detail": plain(event)[1],
    }


def made(seeds=90):
    """Some events of each kind, the same each time."""
    for seed in range(seeds):
        yield from made_events.of_a_story(random.Random(seed))
        yield from made_events.of_runs(random.Random(seed)).events


def _fullness(detail):
    """By its own members, then by those of the best frame."""
    return len(detail), len(detail.get("best", ()))


@functools.cache
def examples():
    """For each schema what it is about; of a kind the event with the most members."""
    fullest, some = {}, list(made(seeds=30))
    for event in some:
        name, detail = plain(event)
        fullest[name] = max(fullest.get(name, {}), detail, key=_fullness)
    last = max(some, key=lambda event: (event.type, "picture" in event.detail.get("best", ())))
    return {**fullest, schemas.ENVELOPE: envelope(last)}


def parts(schema):
    """A schema and every schema within it."""
    if isinstance(schema, dict):
        yield schema
    for inner in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(inner, dict | list):
            yield from parts(inner)


def members(schema):
    """Every schema of a member, by the member's name."""
    for part in parts(schema):
        if isinstance(part.get("properties"), dict):
            yield from part["properties"].items()


def strict(schema):
    """The same for who wants no member that the schema does not have."""
    closed = copy.deepcopy(schema)
    for _, member in members(closed):
        member["unevaluatedProperties"] = False
    return Draft202012Validator({**closed, "unevaluatedProperties": False})


STRICT = {name: strict(schema) for name, schema in SCHEMAS.items()}


def complaints(event):
    """What the schema of an event's kind, and of a message, says against it."""
    name, detail = plain(event)
    found = [*STRICT[name].iter_errors(detail)]
    found += Draft202012Validator(SCHEMAS[schemas.ENVELOPE]).iter_errors(envelope(event))
    return [f"{event.type}: {error.json_path}: {error.message}" for error in found]


# -- what a schema is -----------------------------------------------------------------------------


@every_schema
def test_each_is_a_schema(name):
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert SCHEMAS[name]["$id"] == f"urn:streamctl:event:{events.SCHEMA}:{name}"


@every_schema
def test_each_is_enough_by_itself(name):
    """What it refers to is in it, and it holds nothing that it does not refer to."""
    used = {part["$ref"] for part in parts(SCHEMAS[name]) if "$ref" in part}
    assert used == {f"#/$defs/{each}" for each in SCHEMAS[name]["$defs"]}


def test_what_has_the_same_name_in_several_is_the_same():
    """So the envelope's schema can hold all of them, and a page can explain them once."""
    shared = {}
    for name in schemas.NAMES:
        for each, definition in SCHEMAS[name]["$defs"].items():
            assert shared.setdefault(each, definition) == definition


@every_schema
def test_every_member_is_described(name):
    assert SCHEMAS[name]["title"]
    assert SCHEMAS[name]["description"]
    bare = [each for each, member in members(SCHEMAS[name]) if "description" not in member]
    assert set(bare) <= {"person", "detail", "detail-type"}  # in conditions, not as members


def test_there_is_one_for_each_kind():
    kinds = {value for name, value in vars(events).items() if name.startswith(("SIGHT", "PROC"))}
    assert kinds == set(events.KINDS)
    assert [SCHEMAS[events.slug(kind)]["title"] for kind in events.KINDS] == list(events.KINDS)


def test_words_that_may_be_said_are_those_of_core():
    for name in ("processor-failed", "processor-ended", "processor-torn-down"):
        said = [each["const"] for each in SCHEMAS[name]["$defs"]["reason"]["oneOf"]]
        assert sorted(said) == sorted(Reason)
    attention = SCHEMAS["sighting-started"]["properties"]["attention"]["enum"]
    assert set(attention) == set(Attention) - {Attention.IGNORE}


# -- what core tells ------------------------------------------------------------------------------


@given(st.randoms(use_true_random=False))
def test_whatever_is_told_of_people_fits(lots):
    assert [said for event in made_events.of_a_story(lots) for said in complaints(event)] == []


@given(st.randoms(use_true_random=False))
def test_whatever_is_told_of_runs_fits(lots):
    assert [said for event in made_events.of_runs(lots).events for said in complaints(event)] == []


@given(st.text(), st.text())
def test_whatever_aws_says_of_a_failure_fits(message, collection):
    """As it is, or as one that is known."""
    run = stretches.adopt(OWNED, processor(message, collection), None, at(2), "test")
    run = replace(run, reason=Reason.FAILED)
    for said in (message, f"Access denied to Kinesis Video: {message}"):
        event = announcements.failed(run, processor(said, collection), at(2))
        assert complaints(event) == []


def processor(message, collection):
    return Processor("door", CAMERA, Status.FAILED, at(0), at(1), message, "", collection)


def test_all_that_can_arise_has_arisen():
    """Each kind; nobody known, too late and merged, as far as they go together; every way to end."""
    people, reasons, phases = set(), {}, set()
    for seed in range(150):
        for event in made_events.of_a_story(random.Random(seed)):
            detail = event.detail
            unknown, merged = detail["person"] is None, "merged_into" in detail
            people.add((event.type, unknown, detail.get("late", False), merged))
        world = made_events.of_runs(random.Random(seed))
        phases |= {change.phase for change in world.run.changes} if world.run else set()
        for event in world.events:
            reasons.setdefault(event.type, set()).add(event.detail.get("reason"))
    both = (False, True)
    assert people == {
        *((events.SIGHTING_STARTED, unknown, False, False) for unknown in both),
        (events.SIGHTING_UPDATED, False, False, False),  # nobody known looks better than before
        *(
            (events.SIGHTING_ENDED, unknown, late, merged)
            for unknown in both
            for late, merged in ((False, False), (False, True), (True, False))
        ),
    }
    assert set(reasons) == {kind for kind in events.KINDS if kind.startswith("Processor")}
    assert reasons[events.PROCESSOR_ENDED] == set(Reason)
    assert reasons[events.PROCESSOR_FAILED] == {Reason.FAILED, Reason.STUCK}
    by_others = {Reason.STOPPED, Reason.RESTARTED, Reason.DELETED}
    assert reasons[events.PROCESSOR_TORN_DOWN] == set(Reason) - by_others
    assert phases == set(Phase)


def test_control_a_member_that_is_not_described_is_found():
    _, detail = plain(next(made()))
    assert Draft202012Validator(SCHEMAS["sighting-started"]).is_valid({**detail, "new": 1})
    assert not STRICT["sighting-started"].is_valid({**detail, "new": 1})
    assert not STRICT["sighting-started"].is_valid(altered(detail, ("best", "box", "new"), 1))


# -- what does not fit ----------------------------------------------------------------------------

MISSING = object()


def paths(thing, *above):
    """Every member, at every depth."""
    for name, value in thing.items():
        yield (*above, name)
        if isinstance(value, dict):
            yield from paths(value, *above, name)


def altered(thing, path, value):
    """The same with another value somewhere, or without it."""
    changed = copy.deepcopy(thing)
    parent = changed
    for name in path[:-1]:
        parent = parent[name]
    if value is MISSING:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return changed


def at_path(thing, path):
    for name in path:
        thing = thing[name]
    return thing


def wrong(value):
    """Of a type that it is not."""
    return 7 if isinstance(value, str | None) else "7"


@every_schema
def test_what_it_is_about_fits(name):
    assert Draft202012Validator(SCHEMAS[name]).is_valid(examples()[name])


LOOK = (("best", "quality"), ("best", "picture"))
MAY_BE_ABSENT = {
    "sighting-started": LOOK,
    "sighting-updated": LOOK,
    "sighting-ended": (*LOOK, ("merged_into",)),
    "envelope": [("detail", *path) for path in LOOK],
}


@every_schema
def test_control_without_a_member_it_does_not_fit(name):
    validator, example = Draft202012Validator(SCHEMAS[name]), examples()[name]
    fits = {p for p in paths(example) if validator.is_valid(altered(example, p, MISSING))}
    assert fits == set(MAY_BE_ABSENT.get(name, ()))


@every_schema
def test_control_with_a_member_of_another_type_it_does_not_fit(name):
    validator, example = Draft202012Validator(SCHEMAS[name]), examples()[name]
    assert not [
        path
        for path in paths(example)
        if validator.is_valid(altered(example, path, wrong(at_path(example, path))))
    ]


@every_schema
def test_with_members_that_are_not_known_it_fits(name):
    """They may be added at any time, at any depth."""
    validator, example = Draft202012Validator(SCHEMAS[name]), examples()[name]
    objects = [p for p in paths(example) if isinstance(at_path(example, p), dict)]
    for path in ((), *objects):
        assert validator.is_valid(altered(example, (*path, "new"), {"anything": 1}))


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("sighting-started", ("schema",), "2"),
        ("sighting-started", ("camera",), "door"),
        ("sighting-started", ("time",), "2026-01-01T00:00:00Z"),
        ("sighting-started", ("time",), "2026-01-01T01:00:00.000+01:00"),
        ("sighting-started", ("attention",), "ignore"),
        ("sighting-started", ("frames",), 1.5),
        ("sighting-started", ("best", "similarity"), 100.1),
        ("sighting-started", ("best", "fragment"), "a7"),
        ("sighting-updated", ("last", "offset_s"), -0.1),
        ("sighting-ended", ("late",), None),
        ("processor-started", ("run",), ""),
        ("processor-ended", ("reason",), "bored"),
        ("processor-ended", ("reason",), None),
        ("envelope", ("source",), "aws.rekognition"),
        ("envelope", ("resources",), []),
        ("envelope", ("detail", "schema"), "2"),
    ],
    ids=str,
)
def test_control_with_a_value_that_is_never_told_it_does_not_fit(name, path, value):
    validator = Draft202012Validator(SCHEMAS[name])
    assert not validator.is_valid(altered(examples()[name], path, value))


def test_faces_that_match_nobody_are_counted_and_a_person_is_not():
    _, detail = plain(next(each for each in made() if each.type == events.SIGHTING_STARTED))
    detail.pop("at_once", None)
    validator = Draft202012Validator(SCHEMAS["sighting-started"])
    assert validator.is_valid({**detail, "person": "ada"})
    assert not validator.is_valid({**detail, "person": None})
    assert validator.is_valid({**detail, "person": None, "at_once": 2})


def test_a_message_of_a_kind_that_is_not_known_yet_fits():
    """As one of a kind that is known would not: its detail lacks all but what every event has."""
    message = examples()[schemas.ENVELOPE]
    little = {**message, "detail": {"schema": "1", "id": "x/camera-moved"}}
    validator = Draft202012Validator(SCHEMAS[schemas.ENVELOPE])
    assert validator.is_valid({**little, "detail-type": "Camera Moved"})
    assert not validator.is_valid(little)
