"""A security app's side of the queue: events one by one, each acknowledged once it was handled."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from streamctl.aws import queues
from streamctl.aws.session import Aws
from streamctl.core import heard
from streamctl.core.heard import Heard
from streamctl.errors import RecordError, Transient

REMEMBERED: Final = 10_000
"""So many ids: who listens for months must not grow with what is told."""

_WAIT_S: Final = 2
_AGAIN_S: Final = 1.0
_LOG: Final = logging.getLogger("streamctl")


class Handled:
    """The ids of the events that were handled last: one that comes again is passed over."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._ids

    def add(self, event_id: str) -> None:
        self._ids[event_id] = None
        if len(self._ids) > REMEMBERED:
            self._ids.popitem(last=False)


def consume(queue_url: str, stop: threading.Event, aws: Aws) -> Iterator[Heard]:
    """See streamctl.consume."""
    handled = Handled()
    while not stop.is_set():
        try:
            yield from _next(queue_url, aws, handled)
        except Transient as error:
            _LOG.warning("%s; trying again", error)
            stop.wait(_AGAIN_S)


def _next(queue_url: str, aws: Aws, handled: Handled) -> Iterator[Heard]:
    """What is there now, or comes within a moment: one event at most, since what waits behind a slow
    one would become visible to others meanwhile.
    """
    for message in queues.waiting(aws, queue_url, _WAIT_S, at_most=1):
        try:
            event = heard.read(message.body)
        except RecordError as error:
            # It stays, so that the queue's own dead-letter queue gets it in the end.
            _LOG.warning("message %s is left in the queue: %s", message.id, error)
            continue
        if event is not None and event.id not in handled:
            yield event
            handled.add(event.id)
        queues.acknowledge(aws, queue_url, message)
