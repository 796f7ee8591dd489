"""What was told of a time is asked for where there can be anything, and nowhere else."""

from datetime import UTC, datetime, timedelta

import pytest

from streamctl.aws import kept
from streamctl.aws.session import Aws
from streamctl.core import heard
from streamctl.core.events import iso
from streamctl.ops import keeping
from streamctl.ops.inventory import Platform
from tests.core.told_events import processor_message

NOW = datetime.now(UTC)
FIRST, LAST = (datetime(year, 1, 1, tzinfo=UTC) for year in (2, 9998))


def back(**length):
    return NOW - timedelta(**length)


@pytest.fixture
def aws(kept_table, monkeypatch):
    """Of a platform that keeps events for two days. Its stack alone is made up."""
    outputs = {"KeptName": kept_table, "KeepDays": "2"}
    base = Platform("main", "streamctl-main", "CREATE_COMPLETE", outputs)
    monkeypatch.setattr(keeping, "keeper", lambda _aws, _platform: base)
    return Aws(region="us-east-1")


@pytest.fixture
def queries(aws):
    """Each query, once it was made."""
    made = []
    aws.client("dynamodb").meta.events.register(
        "before-call.dynamodb.Query", lambda **_: made.append(1)
    )
    return made


@pytest.mark.parametrize(
    ("since", "until", "at_most"),
    [
        (back(hours=1), LAST, 3),
        (FIRST, back(hours=47), 3),
        (FIRST, LAST, 50),
        (NOW + timedelta(hours=1), LAST, 0),
        (FIRST, back(days=3), 0),
    ],
)
def test_no_hour_is_asked_for_of_which_nothing_can_be_kept(aws, queries, since, until, at_most):
    """Before what the platform keeps, or to come."""
    assert keeping.told(aws, "main", since, until) == []
    assert len(queries) <= at_most


def test_what_a_clock_a_little_ahead_of_ours_says_is_told(aws, kept_table):
    message = processor_message("Ended", 0, time=iso(NOW + timedelta(seconds=30)))
    event = heard.read(message)
    kept.put(aws, kept_table, event, message, NOW + timedelta(days=1))
    assert keeping.told(aws, "main", back(hours=1), LAST) == [event]
