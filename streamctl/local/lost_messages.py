"""Messages that a queue takes, and never delivers: the fault sqs.Message."""

from __future__ import annotations

from typing import Any, Final

from streamctl.local.engine_room import EngineRoom
from streamctl.local.faults import MESSAGE, Faults

_SQS: Final = "services.sqs"
_HIDDEN_S: Final = 900  # the longest delay that there is


def lose_messages(engine: EngineRoom, faults: Faults) -> None:
    """Let faults take messages away. Once a process, before the first request."""
    send = engine.part(_SQS, "_act_send_message")
    queue_at = engine.part(_SQS, "_get_q")

    def losing(data: dict[str, Any], url: str) -> dict[str, Any]:
        named = str(data.get("QueueUrl", url))
        if faults.take(MESSAGE, [named]) is None:
            return dict(send(data, url))
        result: dict[str, Any] = send(_hidden(data, named), url)
        messages = queue_at(named, "sqs:SendMessage")["messages"]
        messages[:] = [each for each in messages if each["id"] != result["MessageId"]]
        return result

    engine.replace(_SQS, "_act_send_message", losing)
    engine.part(_SQS, "_HANDLERS")["SendMessage"] = losing


def _hidden(data: dict[str, Any], queue: str) -> dict[str, Any]:
    """The message, delayed so that nobody receives it before it is taken away."""
    if queue.endswith(".fifo"):  # there a message has no delay of its own
        return data
    return {**data, "DelaySeconds": max(_HIDDEN_S, int(data.get("DelaySeconds") or 0))}
