"""What a platform watches for, as people write it: read with limits, written so that it is read back."""

import contextlib
import re
from datetime import time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.core import watchfile
from streamctl.core.sightings import UNKNOWN, Measures
from streamctl.core.watch import WATCH, Attention, Hours, Rule, Watch
from streamctl.errors import AskedWrongly

WRITTEN = """
cooldown = "5m"

[same]
ada-2019 = "ada"

[sighting]
min_frames = 3
gap = "1m"

[[rule]]  # the cleaners
attention = "ignore"
person = "bob"
hours = "22:00-06:00 Europe/Berlin"

[[rule]]
attention = "alert"
camera = "vault"
person = "?"
"""


def test_a_file_is_read():
    assert watchfile.parse(WRITTEN) == Watch(
        rules=(
            Rule(Attention.IGNORE, person="bob", hours=Hours(time(22), time(6), "Europe/Berlin")),
            Rule(Attention.ALERT, "vault", UNKNOWN),
        ),
        same={"ada-2019": "ada"},
        cooldown=timedelta(minutes=5),
        measures=Measures(gap=timedelta(minutes=1), min_frames=3),
    )


def test_a_file_that_sets_nothing_is_what_holds_by_default():
    assert watchfile.parse("# nothing but this") == WATCH


@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_a_file_without_a_word_is_refused_with_how_to_mean_it(text):
    """It must not take all rules away unasked."""
    with pytest.raises(AskedWrongly, match=r"^watch\.toml: it is empty$") as refused:
        watchfile.parse(text, "watch.toml")
    assert "to have no rules on purpose, write a comment" in refused.value.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[rule", "it is no TOML"),
        ("x = " + "[" * 5000, "it is no TOML"),
        ("#" * 70_000, "more than 65536 bytes"),
        (
            "rules = []",
            "the file: at its top: no 'rules' is known here: cooldown, same, sighting, rule",
        ),
        ("rule = 1", "rule is no list of tables: write [[rule]]"),
        ("same = 1", "same is no table"),
        ("[[rule]]\n", "rule 1: attention is one of allow, alert, ignore"),
        ("[[rule]]\nattention='watch'", "and not 'watch'"),
        ("[[rule]]\nattention=1", "rule 1: attention is no text"),
        ("[[rule]]\nattention='allow'\nperson='a b'", "rule 1: 'a b' cannot be the name"),
        ("[[rule]]\nattention='allow'\ncamera='é'", "rule 1: 'é' cannot be the name"),
        *(
            (
                f"[[rule]]\nattention='allow'\n{key}=''",
                f"the file: rule 1: {key}: it is empty: give",
            )
            for key in ("camera", "person", "hours")
        ),
        ("cooldown = ''", "cooldown: it is empty: give a value, or leave it out"),
        ("[sighting]\nmin_frames = " + "9" * 10_000, "a number in it has too many digits"),
        ("[[rule]]\nattention='allow'\nhours='22-6'", "rule 1: '22-6' are no hours"),
        ("[[rule]]\nattention='allow'\nhours='22:00-25:00 UTC'", "are no hours"),
        ("[[rule]]\nattention='allow'\nhours='22:00-06:00 Europe/Nowhere'", "are no hours"),
        ("[[rule]]\nattention='allow'\nhours='22:00-06:00 ../../etc/passwd'", "are no hours"),
        ("[[rule]]\nattention='allow'\nhours='22:00-22:00 UTC'", "leave them out"),
        ("[same]\na = 'b'\nb = 'c'", "'a' is 'b', which is another name itself"),
        ("[same]\na = 1", "[same]: a is no text"),
        ("[sighting]\nmin_frames = 0", "min_frames is a number from 1 to 20"),
        ("[sighting]\nmin_frames = true", "min_frames is a number from 1 to 20"),
        ("[sighting]\nmin_frames = 2.0", "min_frames is a number from 1 to 20"),
        ("[sighting]\nmin_frames = 7", "7 frames never come within 5s"),
        ("[sighting]\nmin_frames = 20\nwithin = '1s'", "20 frames never come within 1s"),
        ("[sighting]\nmin_frames = 3\nwithin = '1.9s'", "3 frames never come within 1.9s"),
        (
            "[same]\nada-2019 = 'ada'\n[[rule]]\nattention='ignore'\nperson='ada-2019'",
            "rule 1: nobody is told of as 'ada-2019', which [same] says is 'ada'",
        ),
        ("[sighting]\ngap = '1s'", "[sighting]: gap is 1s; it may be 2s to 10m"),
        ("[sighting]\ngap = 'soon'", "[sighting]: 'soon' is not a length of time"),
        ("cooldown = '2d'", "the file: at its top: cooldown is 2d; it may be 0s to 1d"),
        ("cooldown = 5", "the file: at its top: cooldown is no text"),
        ("\n".join(["[[rule]]\nattention='allow'"] * 501), "more than 500 rules"),
        ("[same]\n" + "\n".join(f"a{n} = 'b'" for n in range(1001)), "more than 1000 names"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_place(text, said):
    with pytest.raises(AskedWrongly, match=re.escape(said)):
        watchfile.parse(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[sighting]\nmin_frames = 7", "min_frames is at most 6 there; or give within more time"),
        (
            "[same]\nada-2019 = 'ada'\n[[rule]]\nattention='allow'\nperson='ada-2019'",
            "name 'ada' in the rule",
        ),
    ],
)
def test_what_would_never_tell_of_anybody_is_refused_with_what_would(text, hint):
    with pytest.raises(AskedWrongly) as refused:
        watchfile.parse(text)
    assert refused.value.hint == hint
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("frames", "within"), [(1, "1s"), (2, "1s"), (6, "5s"), (20, "19s"), (20, "1m")]
)
def test_as_many_frames_as_can_come_may_be_asked_for(frames, within):
    found = watchfile.parse(f"[sighting]\nmin_frames = {frames}\nwithin = '{within}'")
    assert found.measures.min_frames == frames


@given(st.text(max_size=200))
def test_no_text_makes_it_fail_otherwise(text):
    with contextlib.suppress(AskedWrongly):
        watchfile.parse(text)


PEOPLE = st.from_regex(r"[a-zA-Z0-9_.\-:]{1,20}", fullmatch=True)
TIMES = st.times().map(lambda each: each.replace(second=0, microsecond=0))


def hours(begin, end, zone):
    return None if begin == end else Hours(begin, end, zone)


RULES = st.builds(
    Rule,
    st.sampled_from(Attention),
    st.just("") | st.from_regex(r"[a-zA-Z0-9_.\-]{1,20}", fullmatch=True),
    st.sampled_from(["", UNKNOWN]) | PEOPLE.map("y".__add__),
    st.none() | st.builds(hours, TIMES, TIMES, st.sampled_from(["UTC", "Asia/Tokyo"])),
)


def lengths(key):
    least, most = watchfile.LIMITS[key]
    whole = st.integers(int(least.total_seconds()), int(most.total_seconds()))
    return whole.map(lambda seconds: timedelta(seconds=seconds))


def measures(gap, lateness, frames, within, update_every):
    """Such that as many frames can come."""
    return Measures(gap, lateness, min(frames, within.seconds + 1), within, update_every)


WATCHES = st.builds(
    Watch,
    st.lists(RULES, max_size=5).map(tuple),
    st.none() | st.dictionaries(PEOPLE.map("x".__add__), PEOPLE.map("y".__add__), min_size=1),
    lengths("cooldown"),
    st.builds(
        measures,
        lengths("gap"),
        lengths("lateness"),
        st.integers(1, watchfile.MOST_FRAMES),
        lengths("within"),
        lengths("update_every"),
    ),
)


@given(WATCHES)
def test_what_is_written_is_read_back(watch):
    assert watchfile.parse(watchfile.render(watch)) == watch
