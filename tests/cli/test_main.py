"""How every command ends: exit codes, one line each, and nothing that looks like a crash."""

import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click
import pytest

from streamctl import errors
from streamctl.cli import reference
from streamctl.cli.main import Terminated, cli
from streamctl.ops import inventory
from tests.signals import HEEDING

CODES = {
    errors.StreamctlError: 1,
    errors.AskedWrongly: 2,
    errors.AnswerIsNo: 3,
    errors.NotFound: 4,
    errors.GaveUpWaiting: 5,
    errors.NotAllowed: 6,
    errors.Unsuitable: 1,
    errors.ProcessorFailed: 1,
    errors.MediaError: 1,
    errors.RecordError: 1,
    errors.Missing: 1,
    errors.Transient: 1,
    errors.Throttled: 1,
    errors.Busy: 1,
    errors.Unreachable: 1,
    errors.Lost: 1,
}


@pytest.fixture
def failing(monkeypatch):
    """Make `processor list` fail in a given way.

    A replaced function, since most ways to fail cannot be brought about on purpose, and what is
    tested here is only what becomes of an error.
    """

    def fail(error):
        def raises(_):
            raise error

        monkeypatch.setattr(inventory, "processors", raises)

    return fail


@pytest.mark.parametrize(("kind", "code"), CODES.items(), ids=str)
def test_each_error_ends_with_its_exit_code_and_two_lines(streamctl_, failing, kind, code):
    """What failed and why on one line of stderr, what to do next on another, nothing on stdout."""
    failing(kind("reading the moon\nfailed", hint="try\nagain"))
    said = streamctl_("processor list")
    assert said.code == code
    assert said.out == ""
    assert said.err == "error: reading the moon failed\nhint: try again\n"


def test_an_error_cannot_steer_the_terminal(streamctl_, failing):
    """Part of it was said by others."""
    failing(errors.StreamctlError("AWS says \x1b[2J", hint="\x07"))
    assert streamctl_("processor list").err == "error: AWS says \ufffd[2J\nhint: \ufffd\n"


def test_an_error_without_a_hint_is_one_line(streamctl_, failing):
    """No empty hint is printed."""
    failing(errors.StreamctlError("no"))
    assert streamctl_("processor list").err == "error: no\n"


def test_a_bug_is_said_to_be_one(streamctl_, failing):
    """No traceback: what it was, which version, where to report, how to see more."""
    failing(KeyError("moon"))
    said = streamctl_("processor list")
    assert said.code == 1
    assert said.err.startswith("error: this is a bug in streamctl 0.1.0 (Python ")
    assert "KeyError: 'moon'" in said.err
    assert "report" in said.err
    assert "STREAMCTL_DEBUG=1" in said.err
    assert len(said.err.splitlines()) == 2


def test_a_bug_shows_where_it_happened_only_when_asked(streamctl_, failing, monkeypatch):
    """STREAMCTL_DEBUG is for whoever mends it."""
    monkeypatch.setenv("STREAMCTL_DEBUG", "1")
    failing(KeyError("moon"))
    assert "Traceback" in streamctl_("processor list").err


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (Terminated(), 143)])
def test_an_interrupt_has_its_own_exit_code(streamctl_, failing, error, code):
    """As a shell would say it: 128 + the signal."""
    failing(error)
    assert streamctl_("processor list").code == code


@pytest.mark.parametrize(
    ("line", "about"),
    [
        ("procesor list", "No such command 'procesor'. Did you mean 'processor'?"),
        ("processor lst", "No such command 'lst'. Did you mean 'list'?"),
        ("processor list --colour", "No such option '--colour'"),
        ("processor list surplus", "Got unexpected extra argument (surplus)"),
        ("processor describe", "Missing argument 'NAME'"),
        ("processor create --camera door", "Missing option '--collection'"),
        (
            "processor wait door --for ever",
            "'ever' is not one of 'running', 'ended', 'stopped', 'gone'",
        ),
        ("processor wait door --for gone --timeout soon", "'soon' is not a length of time"),
        ("processor list -o xml", "'xml' is not one of 'table', 'json', 'ndjson'"),
        ("camera push door nowhere.mkv", "File 'nowhere.mkv' does not exist"),
        ("--platform Main camera list", "'Main' cannot be the name of a platform"),
    ],
)
def test_what_is_asked_wrongly_ends_with_2(streamctl_, line, about):
    """One line says what is wrong with the command, another where to look."""
    said = streamctl_(line)
    assert said.code == 2
    assert said.out == ""
    error, hint = said.err.splitlines()
    assert error.startswith("error: ")
    assert about in error
    assert hint.startswith("hint: ")


@pytest.mark.parametrize(
    "line",
    [
        "face enrol --collection staff PIPE",
        "face search --collection staff PIPE",
        "camera probe PIPE",
        "camera push door PIPE",
        "watch apply PIPE",
        "demo --video PIPE",
        "demo --face ada=PIPE",
    ],
)
def test_a_pipe_is_no_file_and_is_not_waited_for(tmp_path, line):
    """Nobody may ever write into it. In a process of its own, which a deadline ends."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "streamctl", *line.replace("PIPE", str(pipe)).split()]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=50)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "is not a regular file" in ended.stderr


def _taking_values():
    """Every option of every command, but flags, with the words before and after it."""
    for name, command in [("streamctl", cli), *reference.commands()]:
        _, *path = name.split()
        for option in command.params:
            if isinstance(option, click.Option) and not option.is_flag:
                yield [*path, max(option.opts, key=len), ""] + ([] if path else ["camera", "list"])


@pytest.mark.parametrize("words", list(_taking_values()), ids=" ".join)
def test_an_empty_value_is_no_missing_one(streamctl_, words):
    """It is a variable of the shell that was not set; nothing is done with something else."""
    said = streamctl_(*words)
    assert (said.code, said.out) == (2, "")
    option = words[words.index("") - 1]
    assert option in said.err
    assert "it is empty" in said.err


@pytest.mark.parametrize("line", ["", "processor"])
def test_no_command_at_all_shows_help_as_talk(streamctl_, line):
    """Asked for nothing: the help, but on stderr and with exit code 2."""
    said = streamctl_(line)
    assert (said.code, said.out) == (2, "")
    assert "Usage: streamctl" in said.err


def test_no_answer_from_the_endpoint_says_where_to_look(streamctl_, monkeypatch):
    """A dead endpoint is no bug, and the hint names both usual causes."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    said = streamctl_("processor list")
    assert said.code == 1
    assert "endpoint" in said.err
    assert "streamctl local status" in said.err


@pytest.mark.parametrize("setting", ["--endpoint-url foo", "--region us_east_1"])
@pytest.mark.parametrize(
    "line",
    [
        "camera delete door",
        "camera describe door",
        "camera create door",
        "stack status",
        "stack deploy",
        "processor history door",
        "processor list",
        "sweep",
        "record tail --camera door",
        "face search --collection staff PORTRAIT",
        "face enrol --collection staff PORTRAIT",
    ],
)
def test_settings_that_cannot_be_meant_do_not_hide_what_is_there(
    streamctl_, portraits, monkeypatch, line, setting
):
    """Least of all is anything gone, or not deployed, because nobody could be asked."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    portrait = str(portraits / "grace-hopper.jpg")
    words = [portrait if word == "PORTRAIT" else word for word in f"{setting} {line}".split()]
    said = streamctl_(*words)
    assert (said.code, said.out) == (2, "")
    assert "Invalid endpoint: foo" in said.err or "region_name 'us_east_1'" in said.err
    assert setting.split()[0] in said.err.splitlines()[1]


class _Pages(BaseHTTPRequestHandler):
    """A web server that has nothing to do with AWS: it refuses to be posted to."""

    def do_POST(self):
        self.send_error(501)

    def log_message(self, *_):
        pass


class _Welcome(_Pages):
    """One that has the same page for everybody."""

    def do_POST(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"\n<!DOCTYPE html><html><body>Welcome</body></html>")


@pytest.mark.parametrize("server_is", [_Pages, _Welcome])
@pytest.mark.parametrize("line", ["processor list", "stack status", "camera delete door"])
def test_a_web_server_that_is_not_aws_is_said_to_be_none(streamctl_, monkeypatch, line, server_is):
    """In one line, without its page, whichever way the service's answers are written."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with ThreadingHTTPServer(("127.0.0.1", 0), server_is) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        said = streamctl_(f"--endpoint-url http://127.0.0.1:{server.server_port} {line}")
        server.shutdown()
    assert (said.code, said.out) == (1, "")
    error, hint = said.err.splitlines()
    assert "what answers there is not AWS" in error
    assert "<" not in error
    assert "--endpoint-url" in hint


def test_without_credentials_it_says_so(streamctl_):
    """Not allowed, and what to set."""
    said = streamctl_("processor list")
    assert said.code == 6
    assert "no AWS credentials found" in said.err
    assert "AWS_PROFILE" in said.err


def test_without_a_region_it_says_so(streamctl_, monkeypatch):
    """Asked wrongly: nothing says where."""
    monkeypatch.delenv("AWS_REGION")
    said = streamctl_("processor list")
    assert said.code == 2
    assert "no AWS region is set" in said.err


def test_a_profile_that_is_not_there_is_asked_wrongly(streamctl_):
    """boto3's message, one line, no traceback."""
    said = streamctl_("processor list --profile nobody")
    assert said.code == 2
    assert "nobody" in said.err


def test_an_option_may_stand_before_the_noun_after_the_verb_or_in_the_environment(
    streamctl_, monkeypatch
):
    """The verb's word outranks the root's, which outranks the environment."""
    monkeypatch.setenv("STREAMCTL_PLATFORM", "Env")
    assert "'Env'" in streamctl_("camera list").err
    assert "'Root'" in streamctl_("--platform Root camera list").err
    assert "'Verb'" in streamctl_("--platform root camera list --platform Verb").err


def test_a_verbs_own_option_may_stand_in_the_environment(streamctl_, monkeypatch):
    """Under the verb's whole name."""
    monkeypatch.setenv("STREAMCTL_PROCESSOR_WAIT_TIMEOUT", "soon")
    assert "'soon' is not a length of time" in streamctl_("processor wait door --for gone").err


def started(*arguments, **kwargs):
    return subprocess.Popen(
        [*HEEDING, sys.executable, "-m", "streamctl", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **kwargs,
    )


def waits_for_input(process):
    """Whether it has come to read its standard input: then it is inside the command."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if "pipe" in Path(f"/proc/{process.pid}/wchan").read_text():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.skipif(not Path("/proc/self/wchan").exists(), reason="asks Linux what it waits for")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_in_order(number, code):
    """Interrupted from outside: the documented code, no traceback."""
    process = started("record", "decode", "-")
    assert waits_for_input(process)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == code
    assert b"Traceback" not in said


@pytest.mark.parametrize(
    ("line", "code"),
    [("--help >&-", 0), ("processor lst 2>&-", 2), ("record decode - <&-", 1)],
)
def test_what_is_closed_is_as_if_nobody_were_there(line, code):
    """Standard streams that the caller closed are no bug, and say nothing."""
    command = f'"{sys.executable}" -m streamctl {line}'
    ended = subprocess.run(["sh", "-c", command], check=False, capture_output=True)
    assert ended.returncode == code
    assert b"bug" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="fills Linux' full device")
def test_a_full_disk_is_no_bug():
    """One line says what the operating system said."""
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "streamctl", "--help"]
        ended = subprocess.run(command, check=False, stdout=full, stderr=subprocess.PIPE)
    assert ended.returncode == 1
    assert ended.stderr.startswith(b"error: No space left on device\n")


def test_a_reader_that_stops_reading_is_told_nothing():
    """As in `| head -1`: not done, but nobody is there to complain to."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "streamctl", "--help"]
    with os.fdopen(writing, "wb") as nobody:
        ended = subprocess.run(command, check=False, stdout=nobody, stderr=subprocess.PIPE)
    assert (ended.returncode, ended.stderr) == (1, b"")
