"""How an invocation ends that does not end well: in Lambda's words, in its answer and in its log.

ministack tells of a function that died, or cannot be imported, in words of its own.
"""

from __future__ import annotations

import functools
import signal
from typing import Any, Final

from streamctl.local.engine_room import EngineRoom

_LAMBDA: Final = "services.lambda_svc"
_RUNTIME: Final = "core.lambda_runtime"
_DIED: Final = ("Worker process died", "[Errno 32] Broken pipe")
_NOT_IMPORTED: Final = "Worker init failed: "
_EXITED: Final = "Error: Runtime exited"


def report_endings(engine: EngineRoom) -> None:
    """Once a process, before the first request."""
    _report_deaths(engine.part(_RUNTIME, "Worker"))
    execute = engine.part(_LAMBDA, "_execute_function_warm")

    def executed(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        result: dict[str, Any] = execute(func, event, request_id)
        body = result.get("body")
        said = body.get("errorMessage", "") if isinstance(body, dict) else ""
        if result.get("error") and said.startswith(_NOT_IMPORTED):
            return _not_imported(result, said, (func.get("config") or func).get("Handler", ""))
        if result.get("error") and said.startswith(f"RequestId: {request_id} {_EXITED}"):
            body = {"errorMessage": said, "errorType": "Runtime.ExitError"}
            return {**result, "body": body, "log": f"{result['log']}\nRuntime.ExitError"}
        return result

    engine.replace(_LAMBDA, "_execute_function_warm", executed)


def how_it_died(exit_code: int) -> str:
    """As Lambda's runtime says it, from a process's exit code as subprocess has it."""
    if exit_code < 0:
        name = signal.strsignal(-exit_code) or str(-exit_code)
        return f"{_EXITED} with error: signal: {name.lower()}"
    if exit_code:
        return f"{_EXITED} with error: exit status {exit_code}"
    return f"{_EXITED} without providing a reason"


def _report_deaths(worker: Any) -> None:
    spawn, invoke = worker._spawn, worker.invoke  # noqa: SLF001 - ministack's, and pinned

    @functools.wraps(spawn)
    def spawned(self: Any) -> None:
        spawn(self)
        self.begun = self._proc  # ministack forgets a process that has ended

    @functools.wraps(invoke)
    def invoked(self: Any, event: Any, request_id: str, **options: Any) -> dict[str, Any]:
        result: dict[str, Any] = invoke(self, event, request_id, **options)
        if result.get("error") in _DIED:
            exit_code = self.begun.wait()  # ministack has seen its end
            result["error"] = f"RequestId: {request_id} {how_it_died(exit_code)}"
        return result

    worker._spawn, worker.invoke = spawned, invoked  # noqa: SLF001 - as above


def _not_imported(result: dict[str, Any], said: str, handler: str) -> dict[str, Any]:
    kind, module = "Runtime.ImportModuleError", handler.rpartition(".")[0]
    text = f"Unable to import module '{module}': {said.removeprefix(_NOT_IMPORTED)}"
    body = {"errorMessage": text, "errorType": kind, "stackTrace": []}
    return {**result, "body": body, "log": f"[ERROR] {kind}: {text}"}
