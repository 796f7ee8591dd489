"""What an injected fault does to a call that comes through the front door."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from streamctl.local.faults import Fault, Faults
from streamctl.local.faults.happenings import DROPPED
from streamctl.local.function_runtime import Caller, FunctionProcesses
from streamctl.local.http import Message, Request, Send
from streamctl.local.named import names_in
from streamctl.local.operations import modelled_error
from streamctl.local.service import ServiceFault

_MESSAGE: Final = "injected fault"


class Unanswered(Exception):
    """The caller is to hear nothing: its connection breaks, or it is dead."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """The fault that a call has met, if any, and the function that makes the call."""

    fault: Fault | None = None
    caller: Caller | None = None

    @property
    def stale_s(self) -> float:
        """How old the answer may be."""
        return self.fault.stale_s if self.fault else 0.0

    def telling(self, send: Send) -> Send:
        """`send`, or what kills the caller as soon as there is something to tell it."""
        if self.caller is None or self.fault is None or self.fault.kills != "after":
            return send
        return functools.partial(_tell_a_dead, self.caller)

    def before(self) -> None:
        """Raises ServiceFault or Unanswered where the call does not go through."""
        if self.caller and self.fault and self.fault.kills == "before":
            self.caller.kill()
            raise Unanswered
        if self.fault and self.fault.code == DROPPED:
            raise Unanswered
        if self.fault and self.fault.code:
            code, status = modelled_error(self.fault.operation, self.fault.code)
            raise ServiceFault(code, self.fault.message or _MESSAGE, self.fault.status or status)


async def meet(
    faults: Faults,
    functions: FunctionProcesses,
    request: Request,
    operation: Callable[[], str],
) -> Trouble:
    """Meet the fault that waits for this call, and be held by it.

    Raises ServiceFault or Unanswered where the call does not go through. `operation` is asked
    only while faults wait: telling it may read a service's model.
    """
    if not faults.listed() or not faults.expects(name := operation()):
        return Trouble()
    caller = functions.caller(request.headers.get("user-agent", ""))
    fault = faults.take(name, names_in(request), caller.name if caller else "")
    if fault is None:
        return Trouble()
    await faults.hold(fault, fault.delay_s)
    trouble = Trouble(fault, caller)
    trouble.before()
    return trouble


async def hang_up(send: Send) -> None:
    """Break a connection without an answer: the server closes what was begun and not ended.

    The answer to a HEAD request has no body that could be missing: it looks whole, and its caller
    must be told not to use the connection again.
    """
    headers = [(b"content-length", b"1"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 500, "headers": headers})


async def _tell_a_dead(caller: Caller, _message: Message) -> None:
    caller.kill()
