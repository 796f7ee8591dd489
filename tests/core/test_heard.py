"""What a security app hears: the events that the core tells, and whatever else comes in a queue."""

import contextlib
import itertools
import json
import random

import pytest

from streamctl.core import events, heard
from streamctl.core.heard import ProcessorEvent, SightingEvent
from streamctl.errors import RecordError
from tests.core import made_events


def body(kind, detail):
    return json.dumps({"source": events.SOURCE, "detail-type": kind, "detail": detail})


MADE = [
    each
    for seed in range(30)
    for each in (
        *made_events.of_a_story(random.Random(seed)),
        *made_events.of_runs(random.Random(seed)).events,
    )
]


def test_every_event_that_is_told_is_heard():
    assert {each.type for each in MADE} == set(events.KINDS)
    for each in MADE:
        found = heard.read(body(each.type, each.detail))
        assert isinstance(found, SightingEvent | ProcessorEvent)
        assert (found.id, found.camera_arn) == (each.id, each.detail["camera"])


def test_a_sighting_that_is_part_of_another_says_of_which():
    for each in MADE:
        if each.type == events.SIGHTING_ENDED:
            found = heard.read(body(each.type, each.detail))
            assert found.merged_into == each.detail.get("merged_into")


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("frames", float("inf")),
        ("at_once", float("inf")),
        ("merged_into", 7),
        pytest.param("similarity", 10**400, id="similarity-1e400"),
    ],
)
def test_what_no_event_can_say_is_refused(member, value):
    """Any other error would end the loop of the app that listens."""
    ended = next(each for each in MADE if each.type == events.SIGHTING_ENDED)
    detail = {**ended.detail, "best": {**ended.detail["best"]}}
    (detail["best"] if member in detail["best"] else detail)[member] = value
    with pytest.raises(RecordError, match="no event"):
        heard.read(body(ended.type, detail))


ODD = [None, True, -1, 0.5, float("inf"), float("nan"), 10**400, "", "x", [], ["x"], {}, {"x": 1}]


def members(plain, *way):
    """The way to each of its members, and to theirs."""
    for name, value in plain.items():
        yield *way, name
        if isinstance(value, dict):
            yield from members(value, *way, name)


def with_odd(plain, way, odd):
    name, *rest = way
    return {**plain, name: with_odd(plain[name], rest, odd) if rest else odd}


@pytest.mark.parametrize("kind", events.KINDS)
def test_whatever_a_member_says_it_is_read_or_refused(kind):
    """In no other way than by a RecordError."""
    told = max((each for each in MADE if each.type == kind), key=lambda each: len(each.detail))
    envelope = json.loads(body(told.type, told.detail))
    ways = list(members(envelope))
    assert len(ways) > 8
    for way, odd in itertools.product(ways, ODD):
        with contextlib.suppress(RecordError):
            heard.read(json.dumps(with_odd(envelope, way, odd)))
