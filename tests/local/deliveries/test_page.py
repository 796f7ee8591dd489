"""What docs/subscribers.md says is so: its commands, its tables, its receiver and its replay."""

from __future__ import annotations

import http.server
import re
import runpy
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from cfnlint.decode import cfn_yaml

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "subscribers.md").read_text(encoding="utf-8")
SECRET = "a secret of 24 letters.."
KINDS = ("lambda", "logs", "sns", "sqs", "webhook")


def template(kind):
    return cfn_yaml.load(str(ROOT / "cloudformation" / f"subscriber-{kind}.yaml"))


def test_every_template_is_named_and_deployed():
    """With parameters that it has, and all that it needs."""
    named = re.findall(r"^\| `cloudformation/subscriber-(\w+)\.yaml`", PAGE, re.MULTILINE)
    assert sorted(named) == sorted(KINDS)
    commands = dict(re.findall(r"^deploy \w+ +(\w+)(.*)$", PAGE, re.MULTILINE))
    assert sorted(commands) == sorted(KINDS)
    for kind, arguments in commands.items():
        parameters = template(kind)["Parameters"]
        given = set(re.findall(r"(\w+)=", arguments)) | {"Name"}
        needed = {name for name, each in parameters.items() if "Default" not in each}
        assert needed <= given <= set(parameters)


def test_every_parameter_is_explained_with_its_default():
    """Where the default is no text at all, the page says what that means."""
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|([^|]*)\|", PAGE, re.MULTILINE)
    said = {
        name.strip("`"): default.strip(" `")
        for names, default in rows
        for name in names.split(", ")
    }
    for kind in KINDS:
        for name, parameter in template(kind)["Parameters"].items():
            default = parameter.get("Default")
            allowed = {"": {"all", "none"}, None: {""}}.get(default, {str(default)})
            assert said[name] in allowed, name


@pytest.fixture
def example(monkeypatch):
    """The page's receiver, on a port of its own; what it prints is kept."""
    (source,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    monkeypatch.setenv("SECRET", SECRET)
    printed, found = [], {"__name__": "page", "print": lambda *said, **_: printed.append(said)}
    exec(compile(source, "subscribers.md", "exec"), found)
    found["Receiver"].log_message = lambda *_: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), found["Receiver"])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}/", printed=printed)
    server.shutdown()
    server.server_close()


def test_the_example_receiver_takes_events_with_the_secret_alone(
    platform, subscribe, world, example
):
    """Others are refused for good, and end in the failure queue."""
    knows = subscribe("webhook", "knows", Url=example.url, Secret=SECRET)
    guesses = subscribe("webhook", "guesses", Url=example.url, Secret=SECRET.upper())
    said = platform.say()
    failed = platform.failed(guesses.failures)
    assert failed.detail == said
    assert failed.told["ERROR_MESSAGE"].endswith("answered 403")
    assert failed.told["RETRY_ATTEMPTS"] == "0"
    world.until(lambda: example.printed)
    assert example.printed == [(said["id"], "Sighting Started")]
    assert not platform.count(knows.failures)


def replayed(world, made, bus, monkeypatch):
    """How many replay.py says that it published."""
    for name, value in {**world.env, "AWS_ENDPOINT_URL": world.endpoint_url}.items():
        monkeypatch.setenv(name, value)
    replay = runpy.run_path(str(ROOT / "docs" / "replay.py"))["replay"]
    return replay(made.failures.url, bus)


def test_what_failed_is_published_again(platform, subscribe, world, receiver, monkeypatch):
    """Once the cause is gone, under the same id; the failure queue is empty then."""
    receiver.answers = [404, 404, 404]
    made = subscribe("webhook", Url=receiver.url, Secret=SECRET)
    said = [platform.say(number) for number in range(3)]
    world.until(lambda: platform.count(made.failures) == 3)
    assert replayed(world, made, platform.name, monkeypatch) == 3
    world.until(lambda: len(receiver.got) == 6)
    again = [each.body["detail"] for each in receiver.got[3:]]
    assert sorted(again, key=lambda each: each["number"]) == said
    assert not platform.count(made.failures)


def test_what_fails_again_is_not_replayed_for_ever(
    platform, subscribe, world, receiver, monkeypatch
):
    """The cause is not gone: it ends all the same, and nothing is lost."""
    receiver.answers = [404] * 100
    made = subscribe("webhook", Url=receiver.url, Secret=SECRET)
    for number in range(3):
        platform.say(number)
    world.until(lambda: platform.count(made.failures) == 3)
    assert replayed(world, made, platform.name, monkeypatch) == 3
    world.until(lambda: platform.count(made.failures) == 3)


def test_replay_needs_no_more_than_boto3(world, platform, subscribe):
    """It runs as the page says."""
    made = subscribe("sqs")
    ran = subprocess.run(
        [sys.executable, ROOT / "docs" / "replay.py", made.failures.url, platform.name],
        env={**world.env, "AWS_ENDPOINT_URL": world.endpoint_url},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "0 published\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "usage: replay.py FAILURE_QUEUE_URL BUS"),
        (("http://127.0.0.1:4566/000000000000/no-such-queue", "bus"), "NonExistentQueue"),
    ],
)
def test_what_cannot_be_replayed_is_one_line(world, arguments, said):
    ran = subprocess.run(
        [sys.executable, ROOT / "docs" / "replay.py", *arguments],
        env={**world.env, "AWS_ENDPOINT_URL": world.endpoint_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, len(ran.stderr.splitlines())) == (1, 1), ran.stderr
    assert said in ran.stderr
