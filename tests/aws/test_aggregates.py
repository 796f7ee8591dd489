"""KPL aggregates: told from other data, and taken apart one by one."""

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.aws import aggregates
from streamctl.errors import RecordError


def aggregate(body):
    return aggregates.MAGIC + body + hashlib.md5(body, usedforsecurity=False).digest()


def packed(*data):
    """An aggregate of these records, made with the package's own message."""
    message = aggregates._message()()
    message.partition_key_table.append("a")
    for each in data:
        record = message.records.add()
        record.partition_key_index = 0
        record.data = each
    return aggregate(message.SerializeToString())


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_what_was_aggregated_comes_out_in_order(data):
    """However many records, and whatever is in them."""
    assert list(aggregates.records(packed(*data))) == data


@given(st.binary(max_size=100))
def test_other_data_is_handed_back_as_it_is(data):
    """Which is what Rekognition writes."""
    assert list(aggregates.records(data)) == [data]


@pytest.mark.parametrize(
    "data",
    [
        packed(b"x")[:-1],
        packed(b"x")[:-16] + b"0" * 16,
        b"\0" + packed(b"x"),
        aggregates.MAGIC,
        aggregates.MAGIC + b"0" * 15,
    ],
)
def test_where_magic_or_digest_does_not_fit_it_is_no_aggregate(data):
    """That is the format's own rule; cut or changed, it is other data."""
    assert list(aggregates.records(data)) == [data]


def test_one_that_fits_both_and_cannot_be_read_is_a_record_error():
    """Somebody meant it to be one."""
    with pytest.raises(RecordError):
        list(aggregates.records(aggregate(b"\xff\xff\xff")))


def test_one_that_claims_too_many_records_is_refused():
    """An empty record costs two bytes, so that few bytes could hold very many."""
    with pytest.raises(RecordError, match="10001"):
        list(aggregates.records(packed(*[b""] * 10_001)))


def test_every_real_record_of_a_producer_is_taken_apart(shared_data):
    """As AWS's own producer library wrote them, aggregated and not."""
    captured = json.loads((shared_data / "kpl" / "kpl_lambda_records.json").read_text())
    found = {
        name: list(aggregates.records(base64.b64decode(each.get("kinesis", each)["data"])))
        for name, each in captured.items()
    }
    assert {name: len(inside) for name, inside in found.items()} == {
        "kpl_generated_rec_with_ehks": 4,
        "kpl_generated_rec_no_ehks": 8,
        "kpl_generated_ka_rec": 4,
        "kpl_generated_ka_non_agg_rec": 1,
    }
    assert all(each.startswith(b"RECORD ") for inside in found.values() for each in inside)


def test_so_is_the_event_that_a_template_gives(shared_data):
    """It holds an aggregate of two records, and a record alone."""
    event = json.loads((shared_data / "kpl" / "KinesisAnalyticsKpl.json").read_text())
    found = [list(aggregates.records(base64.b64decode(e["data"]))) for e in event["records"]]
    assert [[each[:3] for each in inside] for inside in found] == [[b"40,", b"41,"], [b"4,a"]]
