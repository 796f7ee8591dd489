"""Saying whom a platform tells of: shown, changed without a deployment, asked about."""

import pytest

FILE = """
cooldown = "5m"

[[rule]]
attention = "allow"
person = "ada"

[[rule]]
attention = "ignore"
camera = "door"
hours = "22:00-06:00 Europe/Berlin"
"""


@pytest.fixture
def watched(streamctl_, platform, tmp_path):
    """Applies a file; what the platform watched for before is put back after."""
    before = tmp_path / "before.toml"
    before.write_text(streamctl_("watch show").out)

    def apply(text):
        file = tmp_path / "watch.toml"
        file.write_text(text)
        return streamctl_("watch", "apply", str(file))

    yield apply
    assert streamctl_("watch", "apply", str(before)).code == 0


def test_what_is_applied_is_shown_and_applies_again(streamctl_, watched, tmp_path):
    """The same again is no change."""
    said = watched(FILE)
    assert (said.code, said.out) == (0, "")
    assert said.err == "platform main watches for that now: rules: 2\n"
    shown = streamctl_("watch show")
    assert 'person = "ada"' in shown.out
    assert watched(shown.out).err == "platform main watches for that already: rules: 2\n"
    view = streamctl_("watch show -o json").json
    assert view["cooldown_s"] == 300
    assert view["rules"][1] == {
        "attention": "ignore",
        "camera": "door",
        "person": None,
        "hours": "22:00-06:00 Europe/Berlin",
    }


@pytest.mark.parametrize(
    ("asked", "attention", "rule"),
    [
        ("--camera door --person ada --at 2026-01-01T23:00:00+01:00", "allow", 1),
        ("--camera door --person bob --at 2026-01-01T23:00:00+01:00", "ignore", 2),
        ("--camera door --person bob --at 2026-01-01T12:00:00Z", "alert", None),
        ("--camera gate --person bob --at 2026-01-01T23:00:00+01:00", "alert", None),
        ("--camera gate --person ?", "ignore", None),
    ],
)
def test_what_somebody_would_mean_can_be_asked(streamctl_, watched, asked, attention, rule):
    watched(FILE)
    found = streamctl_(f"watch ask {asked} -o json").json
    assert (found["attention"], found["rule"]) == (attention, rule)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[rule]]", "watch.toml: rule 1: attention is one of allow, alert, ignore"),
        ("[[rule]]\nattention = 'allow'\nperson = ''", "watch.toml: rule 1: person: it is empty"),
        ("", "hint: to have no rules on purpose, write a comment into it, or one setting"),
        ("cooldown = 'soon'", "hint: write it like 90s, 5m, 2h or 1h30m"),
    ],
)
def test_a_file_that_cannot_be_meant_changes_nothing(streamctl_, watched, text, said):
    watched(FILE)
    before = streamctl_("watch show").out
    refused = watched(text)
    assert refused.code == 2
    assert said in refused.err
    assert streamctl_("watch show").out == before


def test_a_file_may_begin_with_a_mark_of_its_encoding(watched):
    assert watched("\ufeff" + FILE).code == 0


def test_a_file_that_is_no_text_is_refused(streamctl_, tmp_path):
    file = tmp_path / "watch.toml"
    file.write_bytes(b"\xff\xfe")
    refused = streamctl_("watch", "apply", str(file))
    assert refused.code == 2
    assert "no text in UTF-8" in refused.err


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+05:00"])
def test_a_time_that_other_zones_cannot_have_is_none(streamctl_, watched, at):
    """The hours of a rule are asked in their own zone."""
    watched(FILE)
    refused = streamctl_("watch", "ask", "--camera", "door", "--person", "?", "--at", at)
    assert (refused.code, f"'{at}' is no time" in refused.err) == (2, True)


@pytest.mark.parametrize("at", ["soon", "2026-01-01T12:00:00"])
def test_a_time_needs_its_zone(streamctl_, platform, at):
    refused = streamctl_(f"watch ask --camera door --person ada --at {at}")
    assert refused.code == 2
    assert "with its zone" in refused.err


def test_without_a_platform_there_is_nothing_to_watch_for(streamctl_, platform):
    assert streamctl_("--platform night watch show").code == 4
