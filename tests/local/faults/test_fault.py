"""Faults as values: what they may be, and what they are about."""

from __future__ import annotations

import pytest

from streamctl.errors import AskedWrongly
from streamctl.local.faults import Fault

STOP = "rekognition.StopStreamProcessor"
DOOR = "arn:aws:rekognition:us-east-1:000000000000:streamprocessor/door"
QUEUE = "http://127.0.0.1:4566/000000000000/clocks"


@pytest.mark.parametrize(
    ("members", "names", "caller", "concerned"),
    [
        pytest.param({}, [], "", True, id="every call of its operation"),
        pytest.param({"operation": "rekognition.stopstreamprocessor"}, [], "", True, id="any case"),
        pytest.param({"operation": "rekognition.StartStreamProcessor"}, [], "", False, id="other"),
        pytest.param({"target": "door"}, ["door"], "", True, id="by name"),
        pytest.param({"target": "door"}, ["gate", DOOR], "", True, id="by a part of an ARN"),
        pytest.param({"target": "clocks"}, [QUEUE], "", True, id="by the end of a URL"),
        pytest.param({"target": "door"}, [f"run#{DOOR}"], "", True, id="by a part of a key"),
        pytest.param({"target": DOOR}, [DOOR], "", True, id="by a whole ARN"),
        pytest.param({"target": "doo"}, [DOOR], "", False, id="not by half a name"),
        pytest.param({"target": "door"}, [], "", False, id="not what names nothing"),
        pytest.param({"caller": "clock"}, [], "clock", True, id="by who calls"),
        pytest.param({"caller": "clock"}, [], "", False, id="not what no function calls"),
        pytest.param({"caller": "clock", "target": "door"}, ["gate"], "clock", False, id="both"),
    ],
)
def test_what_a_fault_is_about(members, names, caller, concerned):
    """An operation, and one resource or one function where it says so."""
    fault = Fault.of({"operation": STOP, "delay_s": 1, **members})
    assert fault.concerns(STOP, names, caller) is concerned


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "a fault is a JSON object"),
        ("x", "a fault is a JSON object"),
        ({}, "a fault with a wrong operation"),
        ({"operation": "StopStreamProcessor", "code": "X"}, "a fault with a wrong operation"),
        ({"operation": "sqs.", "code": "X"}, "a fault with a wrong operation"),
        ({"operation": 7, "code": "X"}, "a fault with a wrong operation"),
        ({"code": 7}, "a fault with a wrong code"),
        ({"code": "X", "target": None}, "a fault with a wrong target"),
        ({"code": "X", "caller": "x" * 3000}, "a fault with a wrong caller"),
        ({"code": "X", "times": 0}, "a fault with a wrong times"),
        ({"code": "X", "times": True}, "a fault with a wrong times"),
        ({"code": "X", "skip": -1}, "a fault with a wrong skip"),
        ({"code": "X", "for_s": 0}, "a fault with a wrong for_s"),
        ({"code": "X", "status": 200}, "a fault with a wrong status"),
        ({"code": "X", "status": "400"}, "a fault with a wrong status"),
        ({"delay_s": -1}, "a fault with a wrong delay_s"),
        ({"delay_s": 1e9}, "a fault with a wrong delay_s"),
        ({"delay_s": float("nan")}, "a fault with a wrong delay_s"),
        ({"delay_s": -1, "times": "x"}, "a fault with a wrong times, delay_s"),
        ({"kills": "soon", "caller": "clock"}, "a fault with a wrong kills"),
        ({"kills": ["before"], "caller": "clock"}, "a fault with a wrong kills"),
        ({"operation": "rekognition.Record", "copies": 1000}, "a fault with a wrong copies"),
        ({"code": "X", "often": 3}, "a fault has no often"),
    ],
)
def test_what_is_no_fault_is_refused(given, said):
    """Wrong names, wrong types, and what is beyond the limits: in one line."""
    if isinstance(given, dict) and given:
        given = {"operation": STOP, **given}
    with pytest.raises(AskedWrongly) as refused:
        Fault.of(given)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("operation", "members", "said"),
    [
        (STOP, {}, "a fault that does nothing"),
        (STOP, {"times": 3, "target": "door"}, "a fault that does nothing"),
        (STOP, {"copies": 2}, f"copies does nothing to {STOP}"),
        (STOP, {"stale_s": 2}, f"stale_s does nothing to {STOP}"),
        (STOP, {"kills": "after"}, "a fault that kills, and does not say whom"),
        (STOP, {"kills": "after", "caller": "f", "code": "X"}, "who is killed hears no error"),
        (STOP, {"code": "Lost"}, f"{STOP} cannot be lost"),
        (STOP, {"delay_s": 1, "status": 500}, "status without an error to answer"),
        (STOP, {"code": "Dropped", "message": "no"}, "message without an error to answer"),
        ("sqs.SendMessage", {"code": "Lost"}, "sqs.SendMessage cannot be lost"),
        ("sqs.Message", {"code": "Gone"}, "the code of sqs.Message is Lost, not Gone"),
        ("sqs.Message", {"delay_s": 1}, "delay_s does nothing to sqs.Message"),
        ("sqs.Message", {"code": "Lost", "caller": "f"}, "nobody calls sqs.Message"),
        ("rekognition.Record", {"code": "Lost", "copies": 2}, "what is lost has no copies"),
        ("rekognition.Record", {"kills": "after"}, "kills does nothing to rekognition.Record"),
        ("rekognition.record", {"kills": "after"}, "kills does nothing to rekognition.Record"),
        (
            "rekognition.Transition",
            {"code": "FAILED"},
            "code does nothing to rekognition.Transition",
        ),
        ("rekognition.Frame", {"stale_s": 1}, "stale_s does nothing to rekognition.Frame"),
        (
            "kinesis-video-media.PutMediaFragment",
            {"code": "X"},
            "the code of kinesis-video-media.PutMediaFragment is Dropped or Lost, not X",
        ),
        (
            "kinesis-video-media.GetMediaFragment",
            {"code": "Lost"},
            "the code of kinesis-video-media.GetMediaFragment is Dropped, not Lost",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(operation, members, said):
    """Each member may be right, and all of them mean nothing together."""
    with pytest.raises(AskedWrongly) as refused:
        Fault.of({"operation": operation, **members})
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("s3.PutObject", {"delay_s": 0.5}),
        (STOP, {"code": "ThrottlingException", "target": "door", "for_s": 30}),
        (STOP, {"code": "Dropped"}),
        (STOP, {"kills": "before", "caller": "on-clock", "skip": 2, "delay_s": 1}),
        ("rekognition.DescribeStreamProcessor", {"stale_s": 3, "times": None}),
        ("rekognition.Transition", {"delay_s": 130}),
        ("rekognition.Frame", {"delay_s": 20}),
        ("rekognition.Record", {"delay_s": 60, "shuffle_s": 4, "copies": 2}),
        ("rekognition.Record", {"code": "Lost", "delay_s": 1}),
        ("sqs.Message", {"code": "Lost", "target": "clocks"}),
        ("kinesis-video-media.PutMediaFragment", {"code": "Lost", "for_s": 5}),
        ("kinesis-video-media.GetMediaFragment", {"code": "Dropped", "delay_s": 1}),
    ],
)
def test_what_can_be_meant(operation, members):
    """One of each kind, as users write them."""
    fault = Fault.of({"operation": operation, **members})
    assert {name: getattr(fault, name) for name in members} == members


@pytest.mark.parametrize(
    ("given", "times"),
    [({}, 1), ({"for_s": 5}, None), ({"for_s": 5, "times": 2}, 2), ({"times": None}, None)],
)
def test_once_or_all_the_time_that_it_lasts(given, times):
    """A fault for a time is not over with its first hit, unless it says so."""
    assert Fault.of({"operation": STOP, "code": "X", **given}).times == times
