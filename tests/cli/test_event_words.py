"""Times, lengths and names as people read them on a page."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from streamctl.cli import event_words

TIME = datetime(2026, 1, 2, 3, 4, 5, 999_000, tzinfo=UTC)
EAST = timezone(timedelta(hours=5))


@pytest.mark.parametrize(
    ("time", "beside", "words"),
    [
        (TIME, None, "2 Jan 2026, 03:04:05"),
        (TIME, TIME - timedelta(hours=3), "03:04:05"),
        (TIME, TIME - timedelta(hours=4), "2 Jan 2026, 03:04:05"),
        (TIME.astimezone(EAST), TIME.astimezone(timezone(timedelta(hours=-9))), "03:04:05"),
    ],
)
def test_a_time_is_in_utc_and_has_its_day_unless_that_stands_beside_it(time, beside, words):
    assert event_words.when(time, beside) == words


@pytest.mark.parametrize(
    ("seconds", "exact", "rough"),
    [
        (0, "0s", "0s"),
        (0.4, "0s", "0s"),
        (59.6, "1m", "1m"),
        (3599, "59m59s", "59m59s"),
        (7.5 * 3600 + 32, "7h30m32s", "7h31m"),
        (26 * 3600 + 1900, "1d2h31m40s", "1d3h"),
    ],
)
def test_a_length_is_to_the_second_or_in_few_letters(seconds, exact, rough):
    span = timedelta(seconds=seconds)
    assert (event_words.length(span), event_words.roughly(span)) == (exact, rough)


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "of the best frame itself"),
        (1, "0.001 s after the best frame"),
        (-412, "0.412 s before the best frame"),
        (20_000, "20 s after the best frame"),
    ],
)
def test_how_far_a_picture_is_from_the_best_frame_is_said(milliseconds, words):
    assert event_words.offset(timedelta(milliseconds=milliseconds)) == words


def test_what_comes_from_elsewhere_is_text_and_nothing_else():
    assert event_words.text("<b a='1'>&\"\x07") == "&lt;b a=&#x27;1&#x27;&gt;&amp;&quot;\ufffd"
