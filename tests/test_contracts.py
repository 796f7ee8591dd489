"""The import contracts hold because they are checked: each, broken on purpose, is reported."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

BREACHES = [
    ("streamctl/core/policy.py", "import streamctl.ops.setting", "layers: "),
    ("streamctl/media/ebml.py", "import streamctl.aws.session", "layers: "),
    (
        "streamctl/local/switches.py",
        "import streamctl.core.policy",
        "the local cloud knows nothing",
    ),
    ("streamctl/ops/setting.py", "import streamctl.local.launch", "only the command line"),
    ("streamctl/ops/setting.py", "import boto3", "boto3 only in aws"),
    ("streamctl/ops/setting.py", "import botocore", "botocore only in aws"),
    ("streamctl/ops/setting.py", "import av", "PyAV only in media"),
    ("streamctl/ops/setting.py", "import click", "click only in cli"),
    ("streamctl/core/policy.py", "import h11", "core uses the standard library alone"),
]


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """The code and its contracts, in a folder where they may be broken."""
    folder = tmp_path_factory.mktemp("contracts")
    for name in ("streamctl", "lambdas"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", folder)
    return folder


def check(folder):
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as run; run()",
    ]
    ran = subprocess.run(
        [*command, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout


def test_unbroken_they_hold(copied):
    code, said = check(copied)
    assert code == 0, said


@pytest.mark.parametrize(("path", "breach", "contract"), BREACHES)
def test_broken_on_purpose_they_fail(copied, path, breach, contract):
    file = copied / path
    whole = file.read_text()
    try:
        file.write_text(f"{whole}\n{breach}\n")
        code, said = check(copied)
    finally:
        file.write_text(whole)
    assert code == 1, said
    broken = [line for line in said.splitlines() if line.endswith("BROKEN")]
    assert any(line.startswith(contract) for line in broken), broken


def test_clocks_are_banned_in_core(tmp_path):
    """Not an import contract, but the same promise: core is told the time."""
    file = tmp_path / "core" / "clock.py"
    file.parent.mkdir()
    file.write_text('"""A clock."""\n\nimport time\n\nNOW = time.time()\n')
    config = ROOT / "streamctl" / "core" / "ruff.toml"
    command = [sys.executable, "-m", "ruff", "check", "--config", str(config), str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "TID251" in ran.stdout
