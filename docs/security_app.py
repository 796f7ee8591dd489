"""A security app: opens for those who are allowed now, and calls for help where the rules say so.

Run: python security_app.py QUEUE_URL (docs/events.md). SIGTERM and Ctrl-C let it end cleanly.
"""

import signal
import sys
import threading
from datetime import UTC, datetime, timedelta

import streamctl.errors
from streamctl.core.heard import ProcessorEvent, SightingEvent

FRESH = timedelta(seconds=15)  # whoever stood there longer ago may be gone, and somebody else there


def unlock(camera: str, person: str) -> None:
    print(f"{camera}: open for {person}", flush=True)


def alarm(camera: str, whom: str) -> None:
    print(f"{camera}: ALARM: {whom}", flush=True)


def operator(message: str) -> None:
    print(f"operator: {message}", flush=True)


def who(event: SightingEvent) -> str:
    return event.person or f"{event.at_once} whom nobody knows"


def handle(event: SightingEvent | ProcessorEvent, now: datetime) -> None:
    match event:
        case SightingEvent(what="started", attention="allow", person=str(person)):
            if abs(now - event.time) <= FRESH:  # the queue keeps what was told while this was off
                unlock(event.camera, person)
        case SightingEvent(what="started", attention="alert"):
            alarm(event.camera, who(event))
        case SightingEvent(what="ended", late=True):
            operator(f"{who(event)} was at {event.camera}, which is only known now")
        case ProcessorEvent(what="Processor Failed"):
            operator(f"{event.processor}: {event.detail['cause']}; {event.detail['cure']}")


def main(queue_url: str) -> None:
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    for event in streamctl.consume(queue_url, stop=stop):
        handle(event, datetime.now(UTC))


if __name__ == "__main__":
    queue = sys.argv[1] if len(sys.argv) == 2 else sys.exit("usage: security_app.py QUEUE_URL")
    try:
        main(queue)
    except streamctl.errors.StreamctlError as error:
        sys.exit(str(error))
