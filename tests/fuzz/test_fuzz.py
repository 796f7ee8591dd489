"""A cut of the fuzzing (all of it: make fuzz), and what shows that it would notice."""

import re

import pytest

from streamctl.core import records
from streamctl.ops import intake
from tests.fuzz import limited, trial
from tests.fuzz.trial import Memory, Tally

SEED = 4
PARSE, SEND, FOLD = records.parse, intake.queues.send, intake.folding.fold


@pytest.mark.parametrize("first", range(0, 160, 80))
def test_spoilt_records_have_one_fate_each(first):
    """Reported or folded, once; about 5,000 of them. No crash, no hang, and no growth."""
    tally = Tally()
    trial.play(SEED, range(first, first + 40), tally)
    half = Memory.now()
    trial.play(SEED, range(first + 40, first + 80), tally)
    grown = Memory.now() - half
    assert tally.wrong == []
    assert min(tally.folded, tally.reported) > 1000
    assert not grown.is_growth(tally.records // 2), grown


def crashes(data, *arrived):
    return 1 / (b"NaN" not in data) and PARSE(data, *arrived)


def hangs(data, *arrived):
    while b"NaN" in data:
        pass
    return PARSE(data, *arrived)


def skips_a_name(data, *arrived):
    return PARSE(data.replace(b"BoundingBox", b"BoundingBax"), *arrived)


def forgets(aws, url, body, **more):
    if "within" not in body.get("reason", ""):
        SEND(aws, url, body, **more)


def repeats(aws, url, body, **more):
    SEND(aws, url, body, **more)
    forgets(aws, url, body, **more)


def says_nothing(aws, url, body, **more):
    SEND(aws, url, body | {"reason": ""}, **more)


def says_no_bytes(aws, url, body, **more):
    SEND(aws, url, body | {"data": ""}, **more)


def loses_a_frame(story, arrivals, *more):
    return FOLD(story, arrivals[:-1], *more)


@pytest.mark.parametrize(
    ("place", "name", "planted", "found"),
    [
        pytest.param(records, "parse", crashes, "ZeroDivisionError", id="a crash"),
        pytest.param(records, "parse", hangs, "Hung: 0.2 s", id="a hang"),
        pytest.param(records, "parse", skips_a_name, "once too often", id="a good one is refused"),
        pytest.param(records, "_NAME", re.compile(".*"), "not reported", id="any name"),
        pytest.param(intake.queues, "send", forgets, "not reported", id="none is reported"),
        pytest.param(intake.queues, "send", repeats, "once too often", id="reported twice"),
        pytest.param(intake.queues, "send", says_nothing, "without a reason", id="no reason"),
        pytest.param(intake.queues, "send", says_no_bytes, "not reported", id="without its bytes"),
        pytest.param(intake.folding, "fold", loses_a_frame, "frames folded", id="a frame lost"),
        pytest.param(limited, "ITEM_BYTES", 2000, "AskedWrongly", id="an item too large"),
    ],
)
def test_control_a_planted_fault_is_found(monkeypatch, place, name, planted, found):
    monkeypatch.setattr(place, name, planted)
    if planted is hangs:
        monkeypatch.setattr(trial, "BATCH_S", 0.2)
    tally = Tally()
    trial.play(SEED, range(20), tally)
    assert any(found in each for each in tally.wrong), tally.wrong[:5]


@pytest.mark.parametrize("kept", [lambda data: [*data[:9]], lambda data: bytes(data) * 50])
def test_control_memory_that_is_kept_is_found(kept):
    """Ten objects of each record, or all of its bytes many times over."""
    tally, leak = Tally(), []

    def keeping(world, batch):
        leak.extend(kept(each["kinesis"]["data"].encode()) for each in batch)
        return trial.take(world, batch)

    trial.play(SEED, range(10), tally)
    before = Memory.now()
    trial.play(SEED, range(10, 40), tally, keeping)
    assert (Memory.now() - before).is_growth(tally.records)
