"""`streamctl local`: started, found, turned to, and stopped; nothing of it is left."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from streamctl.local import admin_client, launch


@pytest.fixture(autouse=True)
def _own_state(monkeypatch, tmp_path):
    """Local clouds of this test are remembered here, not in the user's home."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.fixture
def port():
    """A port that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def listens(port):
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def is_running(pid):
    """Whether there is such a process; one that nobody has waited for is over all the same."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False, text=True
    )
    return state.stdout.strip()[:1] not in ("", "Z")


def test_a_local_cloud_is_started_found_and_stopped(streamctl_, port):
    """From nothing to nothing."""
    absent = streamctl_(f"local status --port {port}")
    assert absent.code == 4
    assert f"hint: streamctl local start --port {port}" in absent.err

    start = [sys.executable, "-m", "streamctl", "local", "start", "--port", str(port), "-o", "json"]
    said = subprocess.run(start, capture_output=True, check=False, text=True)
    if "pip install" in said.stderr:
        pytest.skip("needs the [local] extra")
    assert said.returncode == 0
    assert f'eval "$(streamctl local env --port {port})"' in said.stderr
    started = json.loads(said.stdout)
    try:
        assert set(started) == {"endpoint_url", "port", "media_port", "pid", "data"}
        assert streamctl_(f"local status --port {port} -o json").json == started

        exports = streamctl_(f"local env --port {port}").out
        asked = subprocess.run(
            ["sh", "-c", f'{exports}\necho "$AWS_ENDPOINT_URL $AWS_REGION"'],
            capture_output=True,
            check=True,
            text=True,
        )
        assert asked.stdout == f"http://127.0.0.1:{port} us-east-1\n"
        variables = streamctl_(f"local env --port {port} -o json").json
        assert variables["AWS_ENDPOINT_URL"] == started["endpoint_url"]

        taken = streamctl_(f"local start --port {port}")
        assert taken.code == 1
        assert str(port) in taken.err
        assert "hint: " in taken.err
        assert streamctl_(f"local status --port {port}").code == 0
    finally:
        stopped = streamctl_(f"local stop --port {port} -o json")
    assert stopped.json == {"port": port, "existed": True}
    assert not listens(port)
    assert not listens(started["media_port"])
    assert not is_running(started["pid"])
    assert streamctl_(f"local stop --port {port} -o json").json["existed"] is False


def test_a_cloud_that_does_not_answer_is_told_of_and_stopped(streamctl_, port, monkeypatch):
    """Not forgotten: what is there, and no answer, is another thing than nothing."""
    said = streamctl_(f"local start --port {port} -o json")
    if "pip install" in said.err:
        pytest.skip("needs the [local] extra")
    pid = said.json["pid"]
    monkeypatch.setattr(admin_client, "_PATIENCE_S", 0.5)
    os.kill(pid, signal.SIGSTOP)
    try:
        silent = streamctl_(f"local status --port {port}")
    finally:
        stopped = streamctl_(f"local stop --port {port} -o json")
    assert silent.code == 1
    assert f"port {port} (process {pid}) lives, but does not answer" in silent.err
    assert f"streamctl local stop --port {port}" in silent.err
    assert stopped.json["existed"] is True
    assert not is_running(pid)


def test_a_port_that_something_else_has_is_refused(streamctl_):
    """Exit code 1, which port, and nothing is started."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = streamctl_(f"local start --port {port}")
        if "pip install" in said.err:
            pytest.skip("needs the [local] extra")
        assert said.code == 1
        assert str(port) in said.err
        assert len(said.err.splitlines()) == 2
    assert streamctl_(f"local status --port {port}").code == 4


@pytest.mark.parametrize(
    ("switch", "about"),
    [
        ("stale_describe_s", "not NAME=VALUE"),
        ("nonsense=1", "no switch is called 'nonsense'"),
        ("stale_describe_s=long", "is a number of seconds"),
    ],
)
def test_a_switch_that_is_none_is_refused(streamctl_, port, switch, about):
    """Before anything is started."""
    said = streamctl_(f"local start --port {port} --switch {switch}")
    if "pip install" in said.err:
        pytest.skip("needs the [local] extra")
    assert said.code == 2
    assert about in said.err
    assert not listens(port)


def test_a_folder_without_a_name_is_refused(streamctl_, port, monkeypatch, tmp_path):
    """What an unset variable leaves is not the current folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    said = streamctl_("local", "start", "--port", str(port), "--data", "")
    assert said.code == 2
    assert "'--data': it is empty" in said.err
    assert list((tmp_path / "here").iterdir()) == []
    assert not listens(port)


def test_without_the_extra_it_says_how_to_install_it(streamctl_, port, monkeypatch):
    """No traceback of a missing module.

    The list of what is needed is replaced, since the extra cannot be uninstalled for a test.
    """
    monkeypatch.setattr(launch, "_NEEDED", ("a_package_that_is_not_there",))
    said = streamctl_(f"local start --port {port}")
    assert said.code == 1
    assert "a_package_that_is_not_there, which is not installed" in said.err
    assert "hint: pip install 'streamctl[local]'" in said.err
