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
"""Ids of events that were handled: one that comes again is acknowledged and passed over."""

_WAIT_S: Final = 2
_AGAIN_S: Final = 1.0
_LOG: Final = logging.getLogger("streamctl")


def consume(queue_url: str, stop: threading.Event, aws: Aws) -> Iterator[Heard]:
    """See streamctl.consume."""
    handled: OrderedDict[str, None] = OrderedDict()
    while not stop.is_set():
        try:
            yield from _batch(queue_url, stop, aws, handled)
        except Transient as error:
            _LOG.warning("%s; trying again", error)
            stop.wait(_AGAIN_S)


def _batch(
    queue_url: str, stop: threading.Event, aws: Aws, handled: OrderedDict[str, None]
) -> Iterator[Heard]:
    """What is there now, or comes within a moment. One at a time: what waits behind a slow one would
    become visible to others meanwhile.
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
            handled[event.id] = None
            if len(handled) > REMEMBERED:
                handled.popitem(last=False)
        queues.acknowledge(aws, queue_url, message)
        if stop.is_set():
            return
