"""Lambda functions: calling one, and having its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from streamctl.aws.refusals import translated
from streamctl.aws.session import Aws
from streamctl.errors import StreamctlError


def invoke(aws: Aws, name: str, payload: Mapping[str, Any]) -> Any:
    """Call a function, which is given by its name or ARN, and wait for its answer.

    It is called once: no retry follows a call that got no answer, as it may have done its work.
    Raises NotFound for no such function, StreamctlError with what it said if it failed.
    """
    short = name.rpartition(":")[2]
    with translated(f"calling function {short}"):
        answer = aws.client("lambda", retries=False).invoke(
            FunctionName=name, Payload=json.dumps(payload).encode()
        )
        text = answer["Payload"].read()
    if "FunctionError" in answer:
        raise StreamctlError(
            f"function {short} failed: {_complaint(text)}",
            hint=f"its log: aws logs filter-log-events --log-group-name /aws/lambda/{short}",
        )
    return _read(text, short)


def _complaint(text: bytes) -> str:
    """What a failed function said, in a line: its error's type and message (Lambda guide, Python
    errors).
    """
    try:
        said = json.loads(text)
        parts = [said.get(name) for name in ("errorType", "errorMessage")]
        line = " ".join(": ".join(filter(None, parts)).split())
    except (ValueError, RecursionError, AttributeError, TypeError):
        line = ""
    return line or "it gave no reason"


def _read(text: bytes, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StreamctlError(f"function {name} answered no JSON: {error}") from error
