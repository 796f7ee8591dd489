"""What a security app hears: the events that the core tells, and whatever else comes in a queue."""

import contextlib
import functools
import itertools
import json
import random
from datetime import datetime

import pytest

from streamctl.core import events, heard
from streamctl.core.heard import ProcessorEvent, SightingEvent
from streamctl.errors import RecordError
from tests.core import made_events


def body(kind, detail):
    return json.dumps({"source": events.SOURCE, "detail-type": kind, "detail": detail})


@functools.cache
def made():
    return [
        each
        for seed in range(30)
        for each in (
            *made_events.of_a_story(random.Random(seed)),
            *made_events.of_runs(random.Random(seed)).events,
        )
    ]


def test_every_event_that_is_told_is_heard():
    assert {each.type for each in made()} == set(events.KINDS)
    for each in made():
        found = heard.read(body(each.type, each.detail))
        assert isinstance(found, SightingEvent | ProcessorEvent)
        assert (found.id, found.camera_arn) == (each.id, each.detail["camera"])


def test_a_sighting_that_is_part_of_another_says_of_which():
    for each in made():
        if each.type == events.SIGHTING_ENDED:
            found = heard.read(body(each.type, each.detail))
            assert found.merged_into == each.detail.get("merged_into")


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("frames", float("inf")),
        ("at_once", float("inf")),
        ("merged_into", 7),
        ("fragment", "\ud800"),
        pytest.param("similarity", 10**400, id="similarity-1e400"),
    ],
)
def test_what_no_event_can_say_is_refused(member, value):
    """Any other error would end the loop of the app that listens."""
    ended = next(each for each in made() if each.type == events.SIGHTING_ENDED)
    detail = {**ended.detail, "best": {**ended.detail["best"]}}
    (detail["best"] if member in detail["best"] else detail)[member] = value
    with pytest.raises(RecordError, match="no event"):
        heard.read(body(ended.type, detail))


@pytest.mark.parametrize("offset", [-0.001, 60.001, 1e300, float("inf"), float("nan")])
def test_a_frame_is_in_its_fragment(offset):
    """Any other offset would end the function that makes a picture's key of it."""
    ended = next(each for each in made() if each.type == events.SIGHTING_ENDED)
    for frame in ("started", "ended", "best"):
        detail = {**ended.detail, frame: {**ended.detail[frame], "offset_s": offset}}
        with pytest.raises(RecordError, match="no frame's offset"):
            heard.read(body(ended.type, detail))


@pytest.mark.parametrize(
    "time",
    [
        "0001-01-01T00:00:00+10:00",
        "1969-12-31T23:59:59.999Z",
        "9999-01-02T00:00:00Z",
        "9999-12-31T23:59:59-10:00",
    ],
)
@pytest.mark.parametrize("way", [("time",), ("best", "time"), ("best", "producer_time")])
def test_a_time_can_be_counted_with(time, way):
    """In any zone, and a while before it and after."""
    ended = next(each for each in made() if each.type == events.SIGHTING_ENDED)
    with pytest.raises(RecordError, match="no time of an event"):
        heard.read(body(ended.type, with_odd(ended.detail, way, time)))


@pytest.mark.parametrize(
    ("offset", "time"), [(0, "1970-01-01T00:00:00Z"), (60, "9999-01-01T00:01:00.000Z")]
)
def test_what_a_record_can_say_is_heard(offset, time):
    """Its first and its last frame."""
    ended = next(each for each in made() if each.type == events.SIGHTING_ENDED)
    best = {**ended.detail["best"], "offset_s": offset, "time": time, "producer_time": time}
    found = heard.read(body(ended.type, {**ended.detail, "best": best, "time": time}))
    assert (found.best.offset_s, found.best.time) == (offset, datetime.fromisoformat(time))


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
    told = max((each for each in made() if each.type == kind), key=lambda each: len(each.detail))
    envelope = json.loads(body(told.type, told.detail))
    ways = list(members(envelope))
    assert len(ways) > 8
    for way, odd in itertools.product(ways, ODD):
        with contextlib.suppress(RecordError):
            heard.read(json.dumps(with_odd(envelope, way, odd)))
