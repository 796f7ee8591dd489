"""What is said about a processor that FAILED."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.core.failures import cure

NAMES = {"processor": "door-1", "camera": "door", "collection": "staff"}


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("Access denied to Role", "does not trust rekognition.amazonaws.com"),
        ("Access denied to Kinesis Video", "GetMedia and GetDataEndpoint on camera door"),
        ("Access denied to Kinesis Data", "PutRecord and PutRecords on the results of door"),
        ("Collection not found", "streamctl collection create staff"),
        ("Stream door doesn't exist", "camera door is gone"),
        ("Stream out under account 123456789012 not found", "the results of camera door are gone"),
        ("", "streamctl processor start door-1"),
        ("Something new", "what AWS says is all that is known"),
    ],
)
def test_each_message_of_the_guide_has_its_cure(said, advice):
    """The developer guide's messages, and any other, lead to something to do."""
    assert advice in cure(said, **NAMES)


@given(st.text())
def test_any_message_gives_one_line(said):
    """Whatever AWS says, the cure is one line with nothing of a template left in it."""
    advice = cure(said, **NAMES)
    assert "\n" not in advice
    assert "{" not in advice
