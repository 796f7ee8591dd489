"""Invocations that do not end well say so as Lambda does."""

from __future__ import annotations

import json
import re

import pytest

from streamctl.local.function_endings import how_it_died

KILLED = "Error: Runtime exited with error: signal: killed"


@pytest.mark.parametrize(
    ("exit_code", "said"),
    [
        (-9, KILLED),
        (-11, "Error: Runtime exited with error: signal: segmentation fault"),
        (3, "Error: Runtime exited with error: exit status 3"),
        (0, "Error: Runtime exited without providing a reason"),
    ],
)
def test_how_a_process_died(exit_code, said):
    """From its exit code, in the words of Lambda's runtime."""
    assert how_it_died(exit_code) == said


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("os.kill(os.getpid(), 9)", KILLED),
        ("os._exit(3)", "Error: Runtime exited with error: exit status 3"),
        ("os._exit(0)", "Error: Runtime exited without providing a reason"),
    ],
)
def test_a_function_that_dies_by_itself(world, does, said):
    """Out of memory, a crash in C, an exit: the answer, its log, and the next invocation is well."""
    source = f"import os\ndef handler(it, context):\n    it and {does}\n    return 'well'\n"
    function, functions = world.function({"app.py": source}), world.client("lambda")
    answer = functions.invoke(FunctionName=function, Payload=b"1")
    told = json.load(answer["Payload"])
    assert (answer["FunctionError"], told["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert re.fullmatch(rf"RequestId: [\da-f-]{{36}} {re.escape(said)}", told["errorMessage"])
    world.until(lambda: told["errorMessage"] in world.logs(function))
    again = functions.invoke(FunctionName=function, Payload=b"0")
    assert json.load(again["Payload"]) == "well"


def test_an_error_of_the_functions_own_stays_what_it_is(world):
    """The control: it ends in order."""
    function = world.function({"app.py": "def handler(it, context):\n    raise KeyError('no')\n"})
    answer = world.client("lambda").invoke(FunctionName=function)
    assert json.load(answer["Payload"])["errorMessage"] == "'no'"


def test_control_ministack_says_otherwise(bare_ministack):
    """The control of the tests above."""
    source = "import os\ndef handler(it, context):\n    os._exit(3)\n"
    function = bare_ministack.function({"app.py": source})
    answer = bare_ministack.client("lambda").invoke(FunctionName=function)
    assert "Runtime exited" not in json.load(answer["Payload"])["errorMessage"]
