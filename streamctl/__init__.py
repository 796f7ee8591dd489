"""Run face search on live video, and trust it to stop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamctl.core.heard import Heard

__version__ = "0.1.0"


def consume(queue_url: str, *, stop: threading.Event | None = None) -> Iterator[Heard]:
    """Events from a queue that a rule of the platform's bus sends to, as they come, without end.

        for event in streamctl.consume(queue_url):
            open_the_door(event)

    An event is acknowledged once the next one is asked for: if handling it fails, or the process
    dies over it, it comes again after the queue's visibility timeout, and goes to the queue's
    dead-letter queue in the end. One that comes again after it was handled is passed over, as far
    as this process knows. To end, set `stop`, in a signal handler for example: what is in hand is
    handled and acknowledged first.

    Each is a SightingEvent or a ProcessorEvent (streamctl.core.heard). Settings are boto3's own.
    Raises NotFound for no such queue, NotAllowed where it may not be read.
    """
    # Not at the top: the command line imports this module, and must not wait for boto3.
    from streamctl.aws.session import Aws  # noqa: PLC0415
    from streamctl.ops import consuming  # noqa: PLC0415

    return consuming.consume(queue_url, stop or threading.Event(), Aws())
