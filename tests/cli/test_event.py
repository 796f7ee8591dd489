"""The schemas of events, printed; what they say is tested where they are (tests/ops)."""

import json

import pytest
from jsonschema import Draft202012Validator

from streamctl.core import events
from streamctl.ops import schemas


def test_the_kinds_are_listed(streamctl_):
    """A line each, with what it tells."""
    said = streamctl_("event schema")
    title, *lines = said.out.splitlines()
    assert (said.code, said.err) == (0, "")
    assert title.split() == ["KIND", "ID", "TELLS"]
    assert [line.split()[0] for line in lines] == list(schemas.NAMES)
    assert "urn:streamctl:event:1:sighting-started" in lines[0]
    assert "two frames within 5 s show a person" in lines[0]


@pytest.mark.parametrize(
    "kind", ["sighting-started", "Sighting Started", "sighting started", "SIGHTING-STARTED"]
)
@pytest.mark.parametrize("how", [(), ("-o", "table"), ("-o", "json"), ("-o", "ndjson")])
def test_one_is_printed_as_it_is(streamctl_, kind, how):
    """Always as JSON: a schema is for programs."""
    said = streamctl_("event", "schema", kind, *how)
    assert said.json == schemas.load("sighting-started")
    assert (len(said.out.splitlines()) == 1) is ("ndjson" in how)


@pytest.mark.parametrize("kind", schemas.NAMES)
def test_each_one_that_is_listed_can_be_asked_for(streamctl_, kind):
    said = streamctl_(f"event schema {kind}")
    Draft202012Validator.check_schema(said.json)
    assert said.json["$id"].endswith(f":{kind}")


def test_all_are_printed_for_programs(streamctl_):
    """To be chosen from by an event's detail type."""
    found = streamctl_("event schema -o json").json
    assert [set(each) for each in found] == [{"kind", "detail_type", "id", "tells", "schema"}] * 8
    by_type = {each["detail_type"]: each["schema"] for each in found}
    assert set(by_type) == {*events.KINDS, None}
    assert by_type[None] == schemas.load(schemas.ENVELOPE)
    lines = streamctl_("event schema -o ndjson").out.splitlines()
    assert [json.loads(line) for line in lines] == found


@pytest.mark.parametrize("kind", ["sighting", "Sighting  Started", "../envelope", "\x1b[2J", ""])
def test_a_kind_that_there_is_not_is_asked_wrongly(streamctl_, kind):
    """With those that there are."""
    said = streamctl_("event", "schema", kind)
    assert (said.code, said.out) == (2, "")
    error, hint = said.err.splitlines()
    assert "is not one of 'sighting-started', 'sighting-updated'," in error
    assert "\x1b" not in error
    assert hint == "hint: see streamctl event schema --help"
