"""What goes to stdout and what to stderr, in which shape, and how wide."""

import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from datetime import UTC, datetime
from fcntl import ioctl

import pytest

from streamctl.cli import output
from streamctl.cli.settings import Settings

TABLE, JSON, NDJSON = (Settings(output=form) for form in (None, "json", "ndjson"))
WHEN = datetime(2026, 5, 1, 12, 0, 3, 250_000, tzinfo=UTC)
DOORS = [
    {"name": "door", "since": WHEN, "threshold": 80.0, "note": None},
    {"name": "gate", "since": WHEN, "threshold": 92.5, "note": "wide"},
]
COLUMNS = ("name", "since", "threshold", "note")


def test_json_is_one_array_with_every_key(capsys):
    """Times are ISO 8601 in UTC, to the millisecond; what is not known is null."""
    output.rows(JSON, DOORS, ("name",), "no door")
    assert json.loads(capsys.readouterr().out) == [
        {"name": "door", "since": "2026-05-01T12:00:03.250Z", "threshold": 80.0, "note": None},
        {"name": "gate", "since": "2026-05-01T12:00:03.250Z", "threshold": 92.5, "note": "wide"},
    ]


def test_ndjson_is_one_object_a_line(capsys):
    """For whoever reads line by line."""
    output.rows(NDJSON, DOORS, ("name",), "no door")
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["door", "gate"]


def test_a_table_has_titles_and_no_trailing_spaces(capsys):
    """As a person reads it."""
    output.rows(TABLE, DOORS, COLUMNS, "no door")
    assert capsys.readouterr().out == (
        "NAME  SINCE                 THRESHOLD  NOTE\n"
        "door  2026-05-01 12:00:03Z  80         -\n"
        "gate  2026-05-01 12:00:03Z  92.5       wide\n"
    )


@pytest.mark.parametrize(
    ("settings", "out", "err"), [(TABLE, "", "no door\n"), (JSON, "[]\n", ""), (NDJSON, "", "")]
)
def test_nothing_is_an_empty_array_or_a_word_on_stderr(capsys, settings, out, err):
    """Never a sentence where data is expected."""
    output.rows(settings, [], COLUMNS, "no door")
    said = capsys.readouterr()
    assert (said.out, said.err) == (out, err)


def test_one_thing_shows_lengths_as_people_write_them(capsys):
    """Seconds in JSON, `1m30s` in a table."""
    door = {"name": "door", "idle_after_s": 90.0, "max_run_s": None, "fragments_s": (2.0, 1.5)}
    output.one(TABLE, door)
    assert capsys.readouterr().out == (
        "name        door\nidle after  1m30s\nmax run     -\nfragments   2s, 1.5s\n"
    )
    output.one(JSON, door)
    assert json.loads(capsys.readouterr().out)["idle_after_s"] == 90.0


def test_what_was_done_is_talk_and_its_object_data(capsys):
    """A person reads the sentence, a program the object."""
    output.done(TABLE, "door is open", {"name": "door"})
    assert capsys.readouterr() == ("", "door is open\n")
    output.done(NDJSON, "door is open", {"name": "door"})
    assert capsys.readouterr() == ('{"name": "door"}\n', "door is open\n")


def test_a_name_from_elsewhere_cannot_steer_the_terminal(capsys):
    """Escapes, carriage returns and line breaks in a value are shown as what they are: unprintable."""
    output.rows(TABLE, [{"name": "\x1b[2Jd\roo\nr[bold]"}], ("name",), "")
    output.say("\x1b]0;title\x07")
    said = capsys.readouterr()
    assert said.out.splitlines()[1] == "\ufffd[2Jd\ufffdoo\ufffdr[bold]"
    assert said.err == "\ufffd]0;title\ufffd\n"


def test_json_loses_nothing_and_cannot_steer_the_terminal_either(capsys):
    """Letters of any alphabet are themselves; what cannot be printed is escaped."""
    door = {"name": "caf\u00e9 \x1b[2J\x9b\u2028", "file": "\udcff.jpg"}
    for form in (JSON, NDJSON):
        output.one(form, door)
        out = capsys.readouterr().out
        assert json.loads(out) == door
        assert "caf\u00e9 \\u001b[2J\\u009b\\u2028" in out
        assert "\\udcff.jpg" in out


def test_in_a_pipe_a_table_is_as_wide_as_its_values(capsys):
    """A search finds a name whole."""
    long = "x" * 500
    output.rows(TABLE, [{"name": long, "note": long}], ("name", "note"), "")
    assert f"{long}  {long}" in capsys.readouterr().out


DRAW = """
from streamctl.cli import output
from streamctl.cli.settings import Settings
row = {"name": "a-rather-long-name-" * 3, "status": "RUNNING", "collection": "z" * 40, "n": 1}
output.rows(Settings(), [row], ("name", "status", "collection", "n"), "")
output.one(Settings(), {"arn": "arn:aws:rekognition:us-east-1:123456789012:" + "x" * 90})
"""


def on_a_terminal(code, columns, **environment):
    """What a program prints on a terminal of that width."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", **environment}
    command = [sys.executable, "-c", code]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        while True:
            try:
                shown += terminal.read(4096)
            except OSError:  # EIO: the other side is closed, which is Linux' end of file here
                break
    assert process.wait() == 0, shown
    return shown.decode()


def visible(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


@pytest.mark.parametrize("columns", [60, 80, 132])
def test_on_a_terminal_a_table_keeps_to_its_width_and_loses_nothing(columns):
    """Long names go on in the next line, whole."""
    shown = visible(on_a_terminal(DRAW, columns))
    assert max(map(len, shown.splitlines())) <= columns
    assert shown.count("x") == 90
    assert shown.count("z") == 40


UNBROKEN = """
from streamctl.cli import output
from streamctl.cli.settings import Settings
row = {"name": "n" * 70, "note": "z" * 70, "id": "4d5c757e0f44ce66"}
output.rows(Settings(), [row], ("name", "note", "id"), "", unbroken=("id",))
"""


def test_what_is_to_be_copied_stays_on_one_line():
    """However long the others are."""
    shown = visible(on_a_terminal(UNBROKEN, 60))
    assert "4d5c757e0f44ce66" in shown
    assert max(map(len, shown.splitlines())) <= 60
    assert (shown.count("n"), shown.count("z")) == (70, 70)


def test_colour_is_for_terminals_that_want_it():
    """Titles are bold on a terminal, unless NO_COLOR is set; never in a pipe."""
    assert "\x1b[" in on_a_terminal(DRAW, 80)
    assert "\x1b[3" not in on_a_terminal(DRAW, 80, NO_COLOR="1")
    piped = subprocess.run([sys.executable, "-c", DRAW], capture_output=True, check=True)
    assert b"\x1b[" not in piped.stdout


ERROR = """
from streamctl.cli.main import run
run(["processor", "lst"])
"""


def test_an_error_has_a_coloured_label_on_a_terminal():
    """And none with NO_COLOR."""
    assert "\x1b[31m\x1b[1merror:" in on_a_terminal(ERROR, 80)
    assert "\x1b[" not in on_a_terminal(ERROR, 80, NO_COLOR="1")


WAIT = """
from streamctl.cli.progress import StatusLine
with StatusLine() as progress:
    progress("waiting for a very long name " * 10)
    progress("enrolling \x1b]0;title\x07.jpg")
    progress("waiting for door")
"""


def test_progress_is_one_line_that_goes_away():
    """It never wraps, and nothing of it is left."""
    shown = on_a_terminal(WAIT, 80)
    parts = shown.split("\r\x1b[K")
    assert max(map(len, parts)) < 80
    assert parts[-3:] == ["enrolling \ufffd]0;title\ufffd.jpg", "waiting for door", ""]


def test_in_a_log_there_is_no_progress(capsys):
    """Neither text nor escapes."""
    exec(WAIT, {})  # the same lines, here where stderr is no terminal
    assert capsys.readouterr() == ("", "")
