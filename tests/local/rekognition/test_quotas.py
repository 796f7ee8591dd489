"""Limits by operation, account and region."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.local.rekognition.quotas import Quotas
from streamctl.local.service import ServiceFault

HERE = ("000000000000", "us-east-1")


def passes(quotas: Quotas, operation: str, now: float, scope: tuple[str, str] = HERE) -> bool:
    try:
        quotas.take(scope, operation, now)
    except ServiceFault as fault:
        return (fault.code, fault.status) != ("ThrottlingException", 400)
    return True


def test_stop_passes_once_a_second() -> None:
    """The second Stop within a second is throttled, the next second's is not."""
    quotas = Quotas()
    stops = [passes(quotas, "StopStreamProcessor", now) for now in (0.0, 0.5, 0.9, 1.0, 1.5)]
    assert stops == [True, False, False, True, False]


def test_a_shorter_stop_interval() -> None:
    """Tests may shorten the interval, or lift the limit with 0."""
    assert passes(quotas := Quotas(0.1), "StopStreamProcessor", 0.0)
    assert passes(quotas, "StopStreamProcessor", 0.11)
    lifted = Quotas(0.0)
    assert all(passes(lifted, "StopStreamProcessor", 0.0) for _ in range(100))


@pytest.mark.parametrize(
    ("operation", "region", "a_second"),
    [
        ("ListStreamProcessors", "us-east-1", 5),
        ("DescribeStreamProcessor", "us-east-1", 20),
        ("TagResource", "us-east-1", 10),
        ("CreateCollection", "us-east-1", 5),
        ("SearchFacesByImage", "us-east-1", 50),
        ("SearchFacesByImage", "ap-northeast-1", 5),
        ("DetectFaces", "eu-central-1", 25),
    ],
)
def test_each_operation_has_its_limit(operation: str, region: str, a_second: int) -> None:
    """As many calls as the limit pass at one moment, the next one not."""
    quotas, scope = Quotas(), (HERE[0], region)
    assert [passes(quotas, operation, 7.0, scope) for _ in range(a_second + 1)] == [
        *[True] * a_second,
        False,
    ]


def test_accounts_and_regions_do_not_share() -> None:
    """One account's Stop leaves another's, and another region's, untouched."""
    quotas = Quotas()
    scopes = [HERE, ("111122223333", "us-east-1"), (HERE[0], "eu-west-1")]
    assert all(passes(quotas, "StopStreamProcessor", 0.0, scope) for scope in scopes)


@given(st.lists(st.floats(0, 30), min_size=1, max_size=200).map(sorted))
def test_never_more_than_the_burst_and_the_rate(times: list[float]) -> None:
    """Whatever the times, passes stay within burst + rate x span."""
    quotas = Quotas()
    passed = sum(passes(quotas, "ListStreamProcessors", now) for now in times)
    assert passed <= 5 + 5 * (times[-1] - times[0]) + 1e-6
