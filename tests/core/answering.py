"""Somebody who answers what the core asks of the world, one request after the other."""

from streamctl.errors import StreamctlError


def follow(steps, answer):
    """Take these steps: each request is answered, or refused where `answer` raises. What they come to."""
    try:
        request = next(steps)
        while True:
            try:
                found = answer(request)
            except StreamctlError as error:
                request = steps.throw(error)
            else:
                request = steps.send(found)
    except StopIteration as over:
        return over.value
