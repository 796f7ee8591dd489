"""What a Kinesis mapping does next, decided by tables and properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.local.batches import (
    PAYLOAD_LIMIT,
    Batch,
    Condition,
    Failed,
    Policy,
    Record,
    after_failure,
    delay_s,
    failure_in,
    first_batch,
    is_due,
    without_expired,
)


def batch_of(count, tries=0):
    return Batch(tuple(record(number) for number in range(count)), tries)


def record(number, size=4):
    return Record(f"{number:05d}", "p", "A" * size, float(number))


def report(*names):
    return {"batchItemFailures": [{"itemIdentifier": name} for name in names]}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(None, None, id="nothing"),
        pytest.param({}, None, id="empty answer"),
        pytest.param({"statusCode": 200}, None, id="no list"),
        pytest.param({"batchItemFailures": None}, None, id="null list"),
        pytest.param(report(), None, id="empty list"),
        pytest.param(report("00002"), Failed(2), id="one record"),
        pytest.param(report("00003", "00001"), Failed(1), id="the lowest counts"),
        pytest.param(report(""), Failed(), id="empty name"),
        pytest.param(report(None), Failed(), id="null name"),
        pytest.param(report("00002", "elsewhere"), Failed(), id="not in the batch"),
        pytest.param({"batchItemFailures": [{"id": "00002"}]}, Failed(), id="wrong key"),
        pytest.param({"batchItemFailures": ["00002"]}, Failed(), id="no objects"),
        pytest.param({"batchItemFailures": "00002"}, Failed(), id="no list at all"),
        pytest.param("done", Failed(), id="a string"),
        pytest.param([1], Failed(), id="a list"),
    ],
)
def test_what_a_function_reports(answer, expected):
    """Success, a checkpoint inside the batch, or a whole failure (developer guide)."""
    assert failure_in(answer, batch_of(4)) == expected


def test_without_limits_a_batch_is_tried_for_ever():
    """The default retries until the records expire, counting."""
    following = after_failure(batch_of(2, tries=5000), Failed(), Policy())
    assert following.pending == (batch_of(2, tries=5001),)
    assert following.given_up is None


def test_retries_are_counted_beside_the_first_try():
    """MaximumRetryAttempts of 1 means two invocations."""
    policy = Policy(retries=1)
    first = after_failure(batch_of(2), Failed(), policy)
    assert first.pending == (batch_of(2, tries=1),)
    second = after_failure(first.pending[0], Failed(), policy)
    assert second.pending == ()
    assert second.given_up.condition == Condition.RETRIES
    assert second.given_up.batch.tries == 2


def test_records_before_a_reported_one_are_done():
    """Only what follows the checkpoint comes again."""
    following = after_failure(batch_of(4), Failed(2), Policy(bisects=True))
    assert following.pending == (Batch(batch_of(4).records[2:], tries=1),)


@given(count=st.integers(2, 50), tries=st.integers(0, 5))
def test_bisecting_loses_no_record_and_uses_no_retry(count, tries):
    """Both halves come, in order, none empty, with the tries they had."""
    batch = batch_of(count, tries)
    following = after_failure(batch, Failed(), Policy(bisects=True, retries=0))
    left, right = following.pending
    assert left.records + right.records == batch.records
    assert left.records
    assert (left.tries, right.tries) == (tries, tries)


@given(
    count=st.integers(1, 20),
    bad=st.sets(st.integers(0, 19)),
    retries=st.integers(0, 2),
    bisects=st.booleans(),
    reports=st.booleans(),
)
def test_every_record_is_handled_or_given_up(count, bad, retries, bisects, reports):
    """Whatever fails, in the end each record was handled or given up, and nothing is tried on."""
    policy = Policy(retries=retries, bisects=bisects, reports_failures=reports)
    pending, handled, lost = [batch_of(count)], set(), set()
    for _ in range(500):
        if not pending:
            break
        batch = pending.pop(0)
        failing = [at for at, r in enumerate(batch.records) if int(r.sequence) in bad]
        if not failing:
            handled |= {r.sequence for r in batch.records}
            continue
        at = failing[0] if reports else 0
        handled |= {r.sequence for r in batch.records[:at]}
        following = after_failure(batch, Failed(at), policy)
        pending[:0] = following.pending
        if following.given_up:
            lost |= {r.sequence for r in following.given_up.batch.records}
    assert not pending
    assert handled | lost == {r.sequence for r in batch_of(count).records}
    if bisects and not reports:
        assert lost == {f"{number:05d}" for number in bad if number < count}


def test_expired_records_are_split_off():
    """Those above the age are given up, the others are tried."""
    fresh = without_expired(batch_of(10), Policy(max_age_s=60), now=64.5)
    assert fresh.given_up.condition == Condition.AGE
    assert [r.arrived for r in fresh.given_up.batch.records] == [0, 1, 2, 3, 4]
    assert [r.arrived for r in fresh.pending[0].records] == [5, 6, 7, 8, 9]


@pytest.mark.parametrize(("now", "left"), [(60.0, 3), (61.5, 1), (63.0, 0)])
def test_how_many_survive_their_age(now, left):
    """None is given up early; a batch that is all old is gone."""
    fresh = without_expired(batch_of(3), Policy(max_age_s=60), now)
    assert sum(len(batch.records) for batch in fresh.pending) == left


@given(sizes=st.lists(st.integers(0, 2_000_000), max_size=12), limit=st.integers(1, 12))
def test_a_batch_fits_an_invocation(sizes, limit):
    """It holds as many records as fit 6 MB and the batch size, and at least one if there are."""
    records = [record(number, size) for number, size in enumerate(sizes)]
    batch = first_batch(records, Policy(batch_size=limit))
    if not records:
        assert batch is None
        return
    assert batch.records == tuple(records[: len(batch.records)])
    assert 1 <= len(batch.records) <= limit
    assert len(batch.records) == 1 or sum(len(r.data) for r in batch.records) <= PAYLOAD_LIMIT


def test_a_window_ends_when_it_is_full_or_over():
    """Fewer records than a batch wait for the window, not longer."""
    policy = Policy(batch_size=3, window_s=10)
    assert not is_due(batch_of(2), policy, waited_s=9.9)
    assert is_due(batch_of(2), policy, waited_s=10)
    assert is_due(batch_of(3), policy, waited_s=0)
    assert is_due(batch_of(1), Policy(), waited_s=0)


def test_pauses_double_up_to_a_limit():
    """No failure, no pause; many failures, never above 15 s."""
    assert [delay_s(n, 0.5) for n in (0, 1, 2, 3)] == [0, 0.5, 1, 2]
    assert delay_s(100_000, 0.5) == 15


def test_a_policy_reads_a_mapping():
    """-1 is no limit; templates may write booleans as text."""
    assert Policy.of({"MaximumRetryAttempts": -1, "MaximumRecordAgeInSeconds": -1}) == Policy()
    policy = Policy.of(
        {
            "BatchSize": 7,
            "MaximumBatchingWindowInSeconds": 2,
            "MaximumRetryAttempts": 0,
            "MaximumRecordAgeInSeconds": 60,
            "BisectBatchOnFunctionError": "true",
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        }
    )
    assert policy == Policy(7, 2.0, 0, 60.0, bisects=True, reports_failures=True)
