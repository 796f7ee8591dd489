"""The table of what was told: once each, found by time, by what it is about, and by person."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import boto3
import pytest

from streamctl.aws import kept
from streamctl.aws.session import Aws
from streamctl.core import heard
from streamctl.core.sightings import UNKNOWN
from streamctl.core.watch import Attention, Rule, Watch
from streamctl.errors import NotFound
from tests.core.frames_shown import arrival
from tests.ops.messages_told import told

LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def aws():
    return Aws(region="us-east-1")


@pytest.fixture
def keep(aws, kept_table):
    """Keeps what is told of somebody who is there from a second on; the events."""

    def keep(second, person, expires=LATER):
        messages = told(arrival(second, person), arrival(second + 1, person))
        for message in messages:
            kept.put(aws, kept_table, heard.read(message), message, expires)
        return [heard.read(message) for message in messages]

    return keep


def stored(table):
    return boto3.client("dynamodb", "us-east-1").scan(TableName=table)["Items"]


def read(messages):
    return [heard.read(message) for message in messages]


def test_what_is_kept_twice_is_kept_once(aws, kept_table, keep):
    first = keep(0, "ada")
    assert keep(0, "ada") == first
    assert len(stored(kept_table)) == len(first) == 2
    assert read(kept.about(aws, kept_table, first[0].sighting)) == sorted(
        first, key=lambda event: event.id
    )
    assert {key: heard.read(message) for key, message in kept.every(aws, kept_table)} == {
        kept.key_of(event): event for event in first
    }
    assert [heard.read(kept.get(aws, kept_table, kept.key_of(event))) for event in first] == first
    assert kept.get(aws, kept_table, kept.Key("nothing", "nothing")) is None


def test_what_is_told_again_stays_as_it_was_told_first(aws, kept_table, keep):
    """It may have been rewritten since."""
    first = kept.key_of(keep(0, "ada")[0])
    kept.rewrite(aws, kept_table, first, "other")
    keep(0, "ada", expires=LATER + timedelta(days=1))
    assert kept.get(aws, kept_table, first) == "other"
    assert {each["expires"]["N"] for each in stored(kept_table)} == {str(int(LATER.timestamp()))}


def test_what_is_rewritten_stands_where_it_stood(aws, kept_table, keep):
    """And what is kept no more does not come back."""
    first, last = map(kept.key_of, keep(0, "ada"))
    before = stored(kept_table)
    kept.rewrite(aws, kept_table, first, "other")
    assert kept.get(aws, kept_table, first) == "other"
    assert [each["person"] for each in stored(kept_table)] == [each["person"] for each in before]
    kept.forget(aws, kept_table, [first], LATER)
    kept.rewrite(aws, kept_table, first, "other")
    kept.rewrite(aws, kept_table, kept.Key("nothing", "nothing"), "other")
    assert [key for key, _ in kept.every(aws, kept_table)] == [last]


def test_what_was_forgotten_leaves_a_mark_and_is_not_kept_again(aws, kept_table, keep):
    """The mark says where it stood, and nothing else; nobody who looks for events finds it."""
    events = keep(0, "ada")
    keys = [kept.key_of(event) for event in events]
    kept.forget(aws, kept_table, keys, LATER)
    for _ in range(2):
        assert [set(item) for item in stored(kept_table)] == [{"about", "id", "expires"}] * 2
        assert {item["expires"]["N"] for item in stored(kept_table)} == {
            str(int(LATER.timestamp()))
        }
        assert [kept.get(aws, kept_table, key) for key in keys] == [None, None]
        assert list(kept.every(aws, kept_table)) == []
        assert list(kept.about(aws, kept_table, keys[0].about)) == []
        assert list(kept.between(aws, kept_table, events[0].time, events[-1].time)) == []
        assert list(kept.of_person(aws, kept_table, "ada")) == []
        keep(0, "ada")


def test_a_span_holds_what_was_in_it_over_hours_in_order(aws, kept_table, keep):
    events = [event for hours in (5, 0, 2, 1) for event in keep(hours * 3600, "ada")]
    events.sort(key=lambda event: event.time)
    since, until = events[2].time, events[-3].time
    found = read(kept.between(aws, kept_table, since, until))
    assert found == events[2:-2]
    assert read(kept.between(aws, kept_table, until, since)) == []


def test_a_span_may_be_given_in_any_zone(aws, kept_table, keep):
    first, last = keep(0, "ada")
    zone = ZoneInfo("Asia/Kolkata")
    span = first.time.astimezone(zone), last.time.astimezone(zone)
    assert read(kept.between(aws, kept_table, *span)) == [first, last]


def test_a_page_of_a_megabyte_is_not_all(aws, kept_table):
    """DynamoDB gives a query a megabyte at a time."""
    messages = told(arrival(0, "ada"), arrival(1, "ada"))
    event = heard.read(messages[0])
    for number in range(40):
        sighting = f"{number:016x}"
        other = heard.read(messages[0].replace(event.sighting, sighting))
        kept.put(aws, kept_table, other, messages[0] + " " * 60_000, LATER)
    assert len(list(kept.between(aws, kept_table, event.time, event.time))) == 40


def test_what_expired_is_not_given_though_aws_deletes_it_late(aws, kept_table, keep):
    first, _last = keep(0, "ada", expires=datetime.now(UTC) - timedelta(seconds=2))
    assert stored(kept_table)
    assert list(kept.about(aws, kept_table, first.sighting)) == []
    assert list(kept.between(aws, kept_table, first.time, first.time)) == []
    assert list(kept.every(aws, kept_table)) == []
    assert kept.key_of(first) in kept.of_person(aws, kept_table, "ada")


def test_a_persons_events_are_found_and_forgotten_and_nobody_elses(aws, kept_table, keep):
    adas = [event for second in range(0, 6000, 200) for event in keep(second, "ada")]
    bobs = keep(0, "bob")
    keys = list(kept.of_person(aws, kept_table, "ada"))
    assert set(keys) == {kept.key_of(event) for event in adas}
    assert len(keys) == 60  # more than fit into one request
    kept.forget(aws, kept_table, keys, LATER)
    kept.forget(aws, kept_table, keys, LATER)
    assert {heard.read(message).person for _, message in kept.every(aws, kept_table)} == {"bob"}
    assert len(list(kept.every(aws, kept_table))) == len(bobs)
    assert not any("person" in item for item in stored(kept_table) if "message" not in item)


def test_strangers_are_nobodys(aws, kept_table):
    """The index by person holds only those who have a name."""
    watch = Watch((Rule(Attention.ALERT, person=UNKNOWN),))
    messages = told(arrival(0, unknown=1), arrival(1, unknown=1), watch=watch)
    for message in messages:
        kept.put(aws, kept_table, heard.read(message), message, LATER)
    assert len(stored(kept_table)) == len(messages) == 2
    assert all("person" not in item for item in stored(kept_table))


def test_no_table(aws, mocked_aws):
    with pytest.raises(NotFound):
        list(kept.about(aws, "none", "x"))
