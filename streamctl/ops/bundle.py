"""What `stack deploy` puts into the account: templates, and the zip that the functions run from.

The zip holds the handlers, what they import of streamctl, and the pure-Python packages that
decoding KPL aggregates takes: so it fits any architecture, and the same sources always give the
same bytes. boto3 is the Lambda runtime's own.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import streamctl
from streamctl.errors import Missing

HANDLERS: Final = ("on_records", "on_clock", "on_sweep", "on_events")
_AGGREGATES: Final = ("__init__.py", "config_pb2.py", "messages_pb2.py")
_PROTOBUF_UNUSED: Final = frozenset({"compiler", "testdata", "__pycache__"})
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold


def template(name: str) -> str:
    """A CloudFormation template's text, e.g. `platform.yaml`."""
    return (_root() / "cloudformation" / name).read_text(encoding="utf-8")


@functools.cache
def build() -> bytes:
    """The function zip."""
    files = {**_our_files(), **_aggregate_files()}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return packed.getvalue()


def _root() -> Path:
    """Where lambdas/ and cloudformation/ are: inside an installed package, beside a checked-out one."""
    package = Path(streamctl.__file__).parent
    for root in (package / "_deploy", package.parent):
        if (root / "cloudformation" / "platform.yaml").is_file():
            return root
    raise Missing(
        "the templates are not where streamctl was installed",
        hint="install streamctl again: its package must hold streamctl/_deploy",
    )


def _our_files() -> dict[str, bytes]:
    lambdas = _root() / "lambdas"
    files = {"lambdas/__init__.py": (lambdas / "__init__.py").read_bytes()}
    waiting = ["streamctl"]
    for handler in HANDLERS:
        source = (lambdas / f"{handler}.py").read_bytes()
        files[f"lambdas/{handler}.py"] = source
        waiting.extend(_imported(source))
    package = Path(streamctl.__file__).parent
    while waiting:
        module = waiting.pop()
        path = _file_of(package, module)
        if path is None or (name := f"streamctl/{path.relative_to(package).as_posix()}") in files:
            continue
        files[name] = path.read_bytes()
        waiting.extend(_imported(files[name]))
    return files


def _imported(source: bytes) -> Iterator[str]:
    """The streamctl modules that a source imports, with the packages they stand in."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "streamctl":
                yield from (".".join(parts[: n + 1]) for n in range(len(parts)))


def _file_of(package: Path, module: str) -> Path | None:
    """The file that holds a module; None where the name is that of something inside one."""
    path = package.joinpath(*module.split(".")[1:])
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


def _aggregate_files() -> dict[str, bytes]:
    kinesis = _package("aws_kinesis_agg")
    files = {f"aws_kinesis_agg/{name}": (kinesis / name).read_bytes() for name in _AGGREGATES}
    protobuf = _package("google.protobuf")
    for path in protobuf.rglob("*.py"):
        inside = path.relative_to(protobuf)
        if not _PROTOBUF_UNUSED.intersection(inside.parts):
            files[f"google/protobuf/{inside.as_posix()}"] = path.read_bytes()
    return files


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise Missing(f"package {name} is not installed", hint="install streamctl again")
    return Path(spec.origin).parent
