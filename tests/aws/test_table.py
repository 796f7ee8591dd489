"""The table: whoever saves first wins, and the index holds what is due. Against moto."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.stub import Stubber

from streamctl.aws import table
from streamctl.aws.session import Aws
from streamctl.errors import AskedWrongly, Lost, NotFound, StreamctlError, Throttled, Transient

ZERO = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds):
    return ZERO + timedelta(seconds=seconds)


@dataclass(frozen=True)
class Thing:
    name: str


@pytest.fixture
def aws(platform_table):
    return Aws()


def put(**attributes):
    """An item as somebody else may write it."""
    item = {name: {"S": value} for name, value in attributes.items()}
    boto3.client("dynamodb", "us-east-1").put_item(TableName="t", Item=item)


def test_what_was_saved_is_loaded_with_its_version(aws):
    """And what was not is version 0 of nothing."""
    assert table.save(aws, "t", "a", Thing("x"), 0) == 1
    found = table.load(aws, "t", {"a": Thing, "b": Thing})
    assert found["a"] == table.Saved(Thing("x"), 1)
    assert found["b"] == table.Saved(None, 0)


def test_each_save_is_a_new_version(aws):
    """Of the same item."""
    for version in range(3):
        assert table.save(aws, "t", "a", Thing(str(version)), version) == version + 1
    assert table.load_one(aws, "t", "a", Thing) == table.Saved(Thing("2"), 3)


def test_the_second_to_save_on_a_version_loses(aws):
    """And changes nothing: the first is what stands."""
    table.save(aws, "t", "a", Thing("first"), 0)
    with pytest.raises(Lost):
        table.save(aws, "t", "a", Thing("second"), 0)
    assert table.load_one(aws, "t", "a", Thing).thing == Thing("first")


@pytest.mark.parametrize("against", [0, 1, 3, 99])
def test_who_decided_on_another_version_loses(aws, against):
    """Older or newer, it is not what stands now."""
    for version in range(2):
        table.save(aws, "t", "a", Thing("stands"), version)
    with pytest.raises(Lost, match="saving a"):
        table.save(aws, "t", "a", Thing("decided on something else"), against)
    assert table.load_one(aws, "t", "a", Thing) == table.Saved(Thing("stands"), 2)


def test_an_item_that_expired_meanwhile_is_saved_anew(aws):
    """DynamoDB deletes it whenever it likes; nobody else has saved it."""
    assert table.save(aws, "t", "a", Thing("x"), 7) == 8
    assert table.load_one(aws, "t", "a", Thing).version == 8


def test_when_an_item_expires_is_stored_for_dynamodb(aws):
    """In Unix seconds, which is what its time to live reads."""
    table.save(aws, "t", "a", Thing("x"), 0, expires=ZERO)
    client = boto3.client("dynamodb", "us-east-1")
    item = client.get_item(TableName="t", Key={"key": {"S": "a"}})["Item"]
    assert float(item["expires"]["N"]) == ZERO.timestamp()


def test_the_index_holds_what_is_open_longest_overdue_first(aws):
    """With what it shows of each, and nothing of what is not open."""
    for key, seconds in (("late", 5), ("later", 1), ("not yet", 20)):
        shows = {"processor": f"of {key}"} if key == "late" else {}
        table.save(aws, "t", key, Thing(key), 0, open_as=table.Open(at(seconds), shows))
    table.save(aws, "t", "never", Thing("never"), 0)
    assert list(table.open_items(aws, "t")) == [
        ("later", table.Open(at(1))),
        ("late", table.Open(at(5), {"processor": "of late"})),
        ("not yet", table.Open(at(20))),
    ]


def test_every_page_of_the_index_is_read(aws):
    """Two items a page, here."""
    for second in range(5):
        table.save(aws, "t", str(second), Thing("x"), 0, open_as=table.Open(at(second)))

    def two_a_page(params, **_):
        params["Limit"] = 2

    aws.client("dynamodb").meta.events.register("provide-client-params.dynamodb.Query", two_a_page)
    assert [key for key, _ in table.open_items(aws, "t")] == ["0", "1", "2", "3", "4"]


def test_what_is_saved_as_not_open_leaves_the_index(aws):
    """The sweep must not look at it for ever."""
    version = table.save(aws, "t", "a", Thing("x"), 0, open_as=table.Open(ZERO))
    table.save(aws, "t", "a", Thing("x"), version)
    assert list(table.open_items(aws, "t")) == []


def test_a_missing_table_is_named(aws):
    """Whatever is asked of it."""
    with pytest.raises(NotFound, match="other"):
        table.load_one(aws, "other", "a", Thing)
    with pytest.raises(NotFound, match="other"):
        list(table.open_items(aws, "other"))
    with pytest.raises(NotFound, match="saving a"):
        table.save(aws, "other", "a", Thing("x"), 0)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"doc": "{}"},
        {"version": "1"},
    ],
)
def test_an_item_that_is_none_of_ours_is_told(aws, attributes):
    """Somebody wrote it by hand."""
    put(key="a", **attributes)
    with pytest.raises(StreamctlError, match="item a is none of ours") as refused:
        table.load_one(aws, "t", "a", Thing)
    assert not refused.value.retryable


def test_an_item_that_cannot_be_read_is_told(aws):
    """By what it should have been."""
    client = boto3.client("dynamodb", "us-east-1")
    item = {"key": {"S": "a"}, "doc": {"S": "soon"}, "version": {"N": "1"}}
    client.put_item(TableName="t", Item=item)
    with pytest.raises(StreamctlError, match="stored Thing cannot be read"):
        table.load_one(aws, "t", "a", Thing)


def test_an_item_that_is_too_large_is_asked_wrongly(aws):
    """DynamoDB takes 400 KB; it would be no smaller the next time."""
    with pytest.raises(AskedWrongly, match="saving a"):
        table.save(aws, "t", "a", Thing("x" * 420_000), 0)
    assert table.load_one(aws, "t", "a", Thing).version == 0


def stored(key):
    return {"key": {"S": key}, "doc": {"S": f'{{"name":"{key}"}}'}, "version": {"N": "1"}}


def wanting(*keys):
    return {"t": {"Keys": [{"key": {"S": key}} for key in keys], "ConsistentRead": True}}


def test_what_a_busy_table_left_out_is_asked_for_again(aws, monkeypatch):
    """And only that. The answers are prepared (and checked against AWS's model): moto is never busy."""
    monkeypatch.setattr(table, "_PAUSES_S", (0, 0, 0))
    with Stubber(aws.client("dynamodb")) as stub:
        for asked, given in ((("a", "b"), "a"), (("b",), None), (("b",), "b")):
            left = wanting("b") if given != "b" else {}
            answer = {"Responses": {"t": [stored(given)] if given else []}, "UnprocessedKeys": left}
            stub.add_response("batch_get_item", answer, {"RequestItems": wanting(*asked)})
        found = table.load(aws, "t", {"a": Thing, "b": Thing})
        stub.assert_no_pending_responses()
    assert [found[key].thing for key in "ab"] == [Thing("a"), Thing("b")]


def test_a_table_that_stays_busy_is_given_up(aws, monkeypatch):
    """Nothing is taken for absent that was only not given (prepared, as above)."""
    monkeypatch.setattr(table, "_PAUSES_S", (0,))
    with Stubber(aws.client("dynamodb")) as stub:
        for _ in range(2):
            answer = {"Responses": {"t": []}, "UnprocessedKeys": wanting("a")}
            stub.add_response("batch_get_item", answer)
        with pytest.raises(Throttled, match="reading table t"):
            table.load_one(aws, "t", "a", Thing)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ProvisionedThroughputExceededException", 400, Throttled),
        ("ThrottlingException", 400, Throttled),
        ("InternalServerError", 500, Transient),
    ],
)
def test_a_throttled_save_is_not_a_lost_one(aws, code, status, kind):
    """It may be tried again, on the same version (prepared: moto has no quota)."""
    with Stubber(aws.client("dynamodb")) as stub:
        stub.add_client_error("put_item", code, http_status_code=status)
        with pytest.raises(kind) as refused:
            table.save(aws, "t", "a", Thing("x"), 0)
    assert not isinstance(refused.value, Lost)
    assert table.save(aws, "t", "a", Thing("x"), 0) == 1


def searched(aws, text):
    return list(table.search(aws, "t", "run#", text, Thing))


def test_what_holds_a_text_is_found_under_keys_that_begin_so(aws):
    """Other keys, and documents that do not hold it, are passed over."""
    for key, name in (("run#a", "x"), ("run#b", "xy"), ("story#a", "x"), ("run#c", "z")):
        table.save(aws, "t", key, Thing(name), 0)
    assert searched(aws, '"name":"x"') == [Thing("x")]
    assert sorted(each.name for each in searched(aws, "x")) == ["x", "xy"]
    assert searched(aws, "nobody") == []


def test_a_search_finds_what_was_saved_right_before(aws):
    """Else who is forgotten would stay in it (prepared: moto's tables do not lag)."""
    read = []
    aws.client("dynamodb").meta.events.register(
        "provide-client-params.dynamodb.Scan", lambda params, **_: read.append(params)
    )
    searched(aws, "x")
    assert [each["ConsistentRead"] for each in read] == [True]


def test_a_search_reads_every_page(aws):
    """DynamoDB gives 1 MB at once, counted before anything is left out."""
    for number in range(12):
        table.save(aws, "t", f"run#{number}", Thing(f"{number}:" + "." * 200_000), 0)
    assert searched(aws, '"name":"11:')[0].name.startswith("11:")
    assert len(searched(aws, "....")) == 12


def test_a_found_item_that_is_none_of_ours_is_said(aws):
    """Whatever somebody else wrote there."""
    put(key="run#a", doc="x is no JSON")
    with pytest.raises(StreamctlError, match="a stored Thing cannot be read"):
        searched(aws, "x")


def test_a_table_that_is_gone_cannot_be_searched(aws):
    """Not found is not nothing found."""
    with pytest.raises(NotFound, match="searching table u"):
        list(table.search(aws, "u", "run#", "x", Thing))


APART = timedelta(seconds=1.15)


def test_turns_are_apart_and_never_shared(aws):
    """That nobody else comes between reading and writing is DynamoDB's part; moto's it is not."""
    taken = [table.take_turn(aws, "t", "turns", ZERO, APART) for _ in range(20)]
    assert taken == [ZERO + each * APART for each in range(20)]


def test_a_turn_that_others_always_take_first_is_given_up_for_now(aws):
    """Each condition fails, since the row moves between one and the next."""
    with Stubber(aws.client("dynamodb")) as stubber:
        for _ in range(6):
            stubber.add_client_error("update_item", "ConditionalCheckFailedException")
        with pytest.raises(Transient, match="others were first"):
            table.take_turn(aws, "t", "turns", ZERO, APART)


def test_turns_that_are_over_are_behind_us(aws):
    table.take_turn(aws, "t", "turns", ZERO, APART)
    assert table.take_turn(aws, "t", "turns", at(600), APART) == at(600)


def test_a_turn_shortly_after_another_is_apart_from_it(aws):
    table.take_turn(aws, "t", "turns", ZERO, APART)
    assert table.take_turn(aws, "t", "turns", at(0.5), APART) == ZERO + APART
