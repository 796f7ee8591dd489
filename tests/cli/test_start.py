"""What starting costs: a command loads only what it needs."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = {"boto3", "botocore", "rich", "av", "numpy", "asyncio", "google"}

LOADED_BY = """
import json, sys
from streamctl.cli.main import run
code = run(json.loads(sys.argv[1]))
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


def loaded_by(*arguments, **environment):
    """The exit code of a command in a fresh interpreter, and every module that it loaded."""
    ended = subprocess.run(
        [sys.executable, "-c", LOADED_BY, json.dumps(arguments)],
        capture_output=True,
        check=True,
        env={**os.environ, **environment},
    )
    code, modules = json.loads(ended.stderr.splitlines()[-1])
    return code, set(modules)


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--help"], ["--version"], [], ["nonsense"]),
        *(["local", "--help"], ["local", "start", "-h"], ["event", "report", "-h"]),
    ],
    ids=" ".join,
)
def test_help_loads_nothing_heavy(arguments):
    """No AWS library, no tables, no video: help is there at once."""
    _, modules = loaded_by(*arguments)
    assert not modules & HEAVY


def test_a_command_loads_only_its_own_noun():
    """The other nouns, and what stands behind them, stay on disk."""
    _, modules = loaded_by("collection", "--help")
    assert "streamctl.cli.collection" in modules
    assert "streamctl.cli.processor" not in modules
    assert not modules & {"rich", "av", "numpy"}


def test_json_draws_no_table(tmp_path):
    """The table library is loaded for a table and for nothing else; video codecs not even for that."""
    path = tmp_path / "none.json"
    path.write_text('{"Records": []}')
    code, modules = loaded_by("record", "decode", str(path), "-o", "json")
    assert code == 0
    assert not modules & {"rich", "av", "numpy"}


def test_schemas_need_no_aws():
    """Whoever writes an app reads them where boto3 may not even be set up."""
    code, modules = loaded_by("event", "schema", "-o", "json")
    assert code == 0
    assert not modules & HEAVY
