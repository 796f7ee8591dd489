"""What is stored is read back as it was, also by a neighbour version."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest

from streamctl.core import documents
from streamctl.errors import StreamctlError


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    at: datetime
    colour: Colour


@dataclass(frozen=True)
class Outer:
    name: str
    inner: tuple[Inner, ...] = ()
    wait: timedelta | None = None
    maybe: Inner | None = None


THING = Outer(
    "x",
    (Inner(datetime(2026, 1, 2, 3, 4, 5, 6, UTC), Colour.RED),),
    timedelta(seconds=1.5),
)


def test_a_document_survives_writing_and_reading():
    assert documents.loads(Outer, documents.dumps(THING)) == THING


def test_a_field_that_a_newer_version_added_is_passed_over():
    text = json.dumps({**json.loads(documents.dumps(THING)), "colour_scheme": {"a": [1]}})
    assert documents.loads(Outer, text) == THING


def test_a_field_that_an_older_version_did_not_write_takes_its_default():
    assert documents.loads(Outer, '{"name": "x"}') == Outer("x")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"name":"x","wait":"long"}',
        '{"name":"x","wait":1e300}',
        '{"name":"x","inner":[{"at":"noon"}]}',
    ],
)
def test_what_is_no_such_document_says_so(text):
    with pytest.raises(StreamctlError):
        documents.loads(Outer, text)
