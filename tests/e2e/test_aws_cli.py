"""AWS's own command line, in an environment of its own, against the local cloud."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from streamctl.media import clip

SCRIPT = Path(__file__).with_name("aws_cli.sh")


@pytest.fixture(scope="session")
def aws_command(pytestconfig):
    """The aws command, installed beside nothing of ours; kept for the next run."""
    folder = Path(pytestconfig.cache.mkdir("aws-cli"))
    command = folder / "bin" / "aws"
    if not command.exists():
        shutil.rmtree(folder)
        venv.create(folder, with_pip=True)
        install = [folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "awscli==1.46.2"], check=True, timeout=300)
    return command


@pytest.mark.timeout(400)
def test_the_aws_cli_does_the_main_job(aws_command, local_cloud, shared_data, tmp_path):
    clip.render(tmp_path / "clip.mkv")
    settings = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **local_cloud.env(),
        "AWS": str(aws_command),
        "AWS_PAGER": "",
        "PUSH": f"{sys.executable} -m streamctl camera push",
    }
    ran = subprocess.run(
        ["bash", SCRIPT, shared_data / "faces", tmp_path / "clip.mkv"],
        env=settings,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert ran.stdout.splitlines()[-1].startswith("done: ")
