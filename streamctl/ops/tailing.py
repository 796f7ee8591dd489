"""Listening to a platform for a while: a rule and a queue of one's own, gone when that is over."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Final

from streamctl.aws import bus, queues
from streamctl.aws.queues import Queue
from streamctl.aws.session import Aws
from streamctl.core import chronicle, heard, names
from streamctl.core.heard import Heard
from streamctl.errors import NotFound, RecordError, StreamctlError
from streamctl.ops import inventory
from streamctl.ops.consuming import Handled
from streamctl.ops.inventory import Platform

_WAIT_S: Final = 1


def tail(
    aws: Aws, platform: str, camera: str | None = None, person: str | None = None
) -> Generator[Heard | None]:
    """What the platform tells from now on, without end; None while it tells nothing.

    Of one camera, of one person, if asked for. Others who listen notice nothing of it. Raises
    NotFound where there is no such platform or camera, which would be silent for ever, NotAllowed
    where no queue or rule may be made.
    """
    if person is not None:
        names.person(person)
    base = inventory.usable_platform(aws, platform)
    if camera is not None:
        inventory.usable_camera(aws, platform, camera)
    handled = Handled()
    with _listening(aws, base) as queue:
        yield None  # it listens by now
        while True:
            for event in _batch(aws, queue):
                if event.id not in handled and chronicle.is_wanted(event, camera, person):
                    yield event
                handled.add(event.id)
            yield None


@contextlib.contextmanager
def _listening(aws: Aws, base: Platform) -> Iterator[Queue]:
    name = f"streamctl-{base.name}-tail-{uuid.uuid4().hex[:12]}"
    queue = queues.create(aws, name, base.outputs["BusArn"])
    why: StreamctlError | None = None
    try:
        bus.subscribe(aws, base.outputs["BusName"], name, queue.arn)
        yield queue
    except StreamctlError as error:
        why = error
        raise
    finally:
        failed = _removed(
            lambda: bus.unsubscribe(aws, base.outputs["BusName"], name),
            lambda: queues.delete(aws, queue),
        )
        _tell(failed, why, name)


def _removed(*removals: Callable[[], None]) -> list[StreamctlError]:
    """Each by itself, so that one that fails does not keep the others; what failed."""
    failed: list[StreamctlError] = []
    for remove in removals:
        try:
            remove()
        except NotFound:
            continue  # somebody else removed it
        except StreamctlError as error:
            failed.append(error)
    return failed


def _tell(failed: Sequence[StreamctlError], why: StreamctlError | None, name: str) -> None:
    """Raise the first failure, unless something ended the listening before: that is what is told."""
    if not failed:
        return
    if why is None:
        raise failed[0]
    left = f"rule and queue {name} may be left, to be deleted"
    why.hint = f"{why.hint}; {left}" if why.hint else left


def _batch(aws: Aws, queue: Queue) -> Iterator[Heard]:
    for message in queues.waiting(aws, queue.url, _WAIT_S):
        with contextlib.suppress(RecordError):  # of a newer version, perhaps: nobody asked for it
            event = heard.read(message.body)
            if event is not None:
                yield event
        queues.acknowledge(aws, queue.url, message)
