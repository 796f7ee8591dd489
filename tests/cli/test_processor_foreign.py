"""Processors that somebody else made: seen, and touched only when meant."""

import io

import pytest


def test_somebody_elses_processor_is_touched_only_when_meant(streamctl_, foreign, status_of):
    """It is listed, and asked about; `--yes` goes on."""
    rows = {row["name"]: row for row in streamctl_("processor list -o json").json}
    assert rows[foreign]["platform"] is None
    for verb in ("start", "stop", "delete"):
        said = streamctl_(f"processor {verb} {foreign}")
        assert said.code == 2
        assert f"processor {foreign} is not one of platform main" in said.err
        assert "hint: if you mean it: --yes" in said.err
    assert status_of(foreign) == "STOPPED"
    assert streamctl_(f"processor delete {foreign} --yes").code == 0
    assert status_of(foreign) is None


class Typed(io.StringIO):
    """A terminal at which somebody types an answer."""

    def isatty(self):
        return True


@pytest.mark.parametrize(("answer", "code"), [("n\n", 3), ("y\n", 0)])
def test_at_a_terminal_it_is_asked_about(streamctl_, foreign, status_of, monkeypatch, answer, code):
    """No leaves it alone, and that is the answer: 3."""
    monkeypatch.setattr("sys.stdin", Typed(answer))
    said = streamctl_(f"processor delete {foreign}")
    assert said.code == code
    assert "Go on?" in said.err
    assert said.out == ""
    assert (status_of(foreign) is not None) == (code == 3)


def test_a_processor_of_another_platform_is_not_ours_either(streamctl_, camera):
    """Two platforms side by side keep their hands off each other's."""
    streamctl_(f"processor create --camera {camera} --collection staff")
    said = streamctl_(f"--platform other processor delete {camera}")
    assert said.code == 2
    assert "not one of platform other" in said.err


def test_a_name_that_somebody_else_has_is_said_to_be_theirs(streamctl_, camera, foreign):
    """Its tags are not told as if they were ours and different."""
    said = streamctl_(f"processor create --camera {camera} --collection staff --name {foreign}")
    assert said.code == 1
    assert f"there is a processor {foreign} already, which is not ours" in said.err
