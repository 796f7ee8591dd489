"""Asking a running local cloud for what it answers below /_streamctl/."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlencode

from streamctl.errors import AskedWrongly, StreamctlError, Unreachable
from streamctl.local.identity import HOST

_PATIENCE_S: Final = 10.0


def ask(
    port: int,
    method: str,
    what: str,
    body: Mapping[str, Any] | None = None,
    which: Mapping[str, str] | None = None,
    patience_s: float | None = None,
) -> dict[str, Any]:
    """The answer of the local cloud on a port; `which` is the query string.

    `patience_s` is for what takes it longer than to answer.
    Raises AskedWrongly with what the cloud says of a request that it refuses, Unreachable where
    no local cloud answers.
    """
    query = f"?{urlencode(which)}" if which else ""
    request = urllib.request.Request(
        f"http://{HOST}:{port}/_streamctl/{what}{query}",
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"content-type": "application/json"},
    )
    try:
        # Never through a proxy: the address is this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=patience_s or _PATIENCE_S) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(error.read(4000)) from error
    except (OSError, HTTPException, ValueError, TypeError) as error:
        raise Unreachable(f"no local cloud answers on port {port}: {error}") from error


def _refusal(body: bytes) -> StreamctlError:
    try:
        said = json.loads(body)
        return AskedWrongly(str(said["error"]), hint=str(said.get("hint", "")))
    except (ValueError, LookupError, TypeError, AttributeError):
        return StreamctlError(f"the local cloud refused: {body.decode(errors='replace')}")
