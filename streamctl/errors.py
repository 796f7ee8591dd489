"""Every error that streamctl raises on purpose.

StreamctlError            1   message = what failed and why; hint = what to do next
├─ AskedWrongly           2   an argument that cannot be meant
├─ AnswerIsNo             3   the question was answered: no
├─ NotFound               4
├─ GaveUpWaiting          5   .last_seen says what it last saw
├─ NotAllowed             6   credentials, permission, or a region without the service
├─ Unsuitable             1   exists, but cannot be used this way (video not h.264, no retention)
├─ ProcessorFailed        1   AWS says FAILED; carries StatusMessage
├─ MediaError             1   unreadable media
├─ RecordError            1   one record cannot be decoded: report that one, keep the batch
├─ Missing                1   an optional part of the installation is absent
└─ Transient              1   worth trying again, as it is
   ├─ Throttled
   ├─ Busy                    the resource is changing state, or another has the name
   ├─ Unreachable             no answer from the endpoint
   └─ Lost                    somebody saved a newer version first
"""

from __future__ import annotations


class StreamctlError(Exception):
    """Something failed. `str(error)` is one line: what failed, and why.

    `hint` is what to do next; `exit_code` is what the command line ends with.
    """

    exit_code = 1
    retryable = False

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class AskedWrongly(StreamctlError):
    exit_code = 2


class AnswerIsNo(StreamctlError):
    exit_code = 3


class NotFound(StreamctlError):
    exit_code = 4


class GaveUpWaiting(StreamctlError):
    """A deadline passed. `last_seen` is the last state that was observed."""

    exit_code = 5

    def __init__(self, message: str, hint: str = "", *, last_seen: str = "") -> None:
        super().__init__(message, hint)
        self.last_seen = last_seen


class NotAllowed(StreamctlError):
    exit_code = 6


class Unsuitable(StreamctlError):
    """It exists, but cannot be used as asked."""


class ProcessorFailed(StreamctlError):
    """Rekognition reports FAILED. `status_message` is its StatusMessage, as given."""

    def __init__(self, message: str, hint: str = "", *, status_message: str = "") -> None:
        super().__init__(message, hint)
        self.status_message = status_message


class MediaError(StreamctlError):
    """The media cannot be read (media that can be read but not used is Unsuitable)."""


class RecordError(StreamctlError):
    """One record cannot be decoded. Its neighbours still count."""


class Missing(StreamctlError):
    """An optional part of the installation is absent; the hint says how to install it."""


class Transient(StreamctlError):
    """The same request may succeed later."""

    retryable = True


class Throttled(Transient):
    """The service asked for fewer requests."""


class Busy(Transient):
    """The resource is changing state or in use (AWS: ResourceInUseException)."""


class Unreachable(Transient):
    """The endpoint gave no answer."""


class Lost(Transient):
    """A newer version was saved first: somebody else is doing this work."""
