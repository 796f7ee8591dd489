"""The function zip: what is in it runs with boto3 and nothing else."""

import io
import json
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

from streamctl.ops import bundle

_RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""boto3 and what it stands on: what a Lambda runtime has."""


@pytest.fixture(scope="module")
def function(tmp_path_factory):
    """Runs Python source as a function would: in the unpacked zip, beside boto3, and no more."""
    folder = tmp_path_factory.mktemp("function")
    (folder / "function.zip").write_bytes(bundle.build())
    with zipfile.ZipFile(folder / "function.zip") as archive:
        archive.extractall(folder / "task")
    (folder / "runtime").mkdir()
    for name in _RUNTIME:
        origin = Path(__import__(name).__file__)
        origin = origin.parent if origin.name == "__init__.py" else origin
        (folder / "runtime" / origin.name).symlink_to(origin)

    def run(source):
        paths = f"{folder / 'task'}:{folder / 'runtime'}"
        return subprocess.run(
            [sys.executable, "-S", "-c", textwrap.dedent(source)],
            env={"PYTHONPATH": paths, "AWS_REGION": "us-east-1"},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.mark.parametrize("handler", bundle.HANDLERS)
def test_each_handler_is_imported(function, handler):
    ran = function(f"from lambdas.{handler} import handler; print(handler.__module__)")
    assert ran.stdout.strip() == f"lambdas.{handler}", ran.stderr


def test_nothing_heavy_is_imported_before_it_is_needed(function):
    ran = function(
        """
        import sys
        from lambdas import on_clock, on_events, on_records, on_sweep
        print([name for name in sys.modules if name.startswith(("google", "aws_kinesis", "av", "h11", "click"))])
        """
    )
    assert ran.stdout.strip() == "[]", ran.stderr


def test_an_aggregate_is_decoded(function, shared_data):
    """A real one, that the KPL made."""
    captured = json.loads((shared_data / "kpl" / "kpl_lambda_records.json").read_text())
    data = captured["kpl_generated_rec_no_ehks"]["kinesis"]["data"]
    ran = function(
        f"""
        import base64
        from streamctl.aws import aggregates
        print(len(list(aggregates.records(base64.b64decode({data!r})))))
        """
    )
    assert int(ran.stdout) > 1, ran.stderr


def test_what_is_not_in_the_zip_is_not_found(function):
    """The control: this interpreter really has nothing else."""
    assert "ModuleNotFoundError" in function("import click").stderr
    assert "ModuleNotFoundError" in function("import streamctl.cli").stderr


def test_the_same_sources_give_the_same_bytes():
    first = bundle.build()
    bundle.build.cache_clear()
    assert bundle.build() == first


def test_it_is_small_and_runs_on_any_architecture():
    with zipfile.ZipFile(io.BytesIO(bundle.build())) as archive:
        names = archive.namelist()
    assert len(bundle.build()) < 1_000_000
    assert all(name.endswith(".py") for name in names)
    assert names == sorted(names)
