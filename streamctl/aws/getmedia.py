"""Watching a camera: GetMedia, read as it comes and given up when the time is over."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from streamctl.aws import wire
from streamctl.aws.kinesisvideo import named, short, with_endpoint
from streamctl.aws.session import Aws

_ANSWER_S: Final = 5.0
"""How long a refusal is waited for while the endpoint can still be asked for anew."""


def watch(
    aws: Aws, camera: str, *, since: datetime | None = None, earliest: bool = False, within: float
) -> Iterator[bytes]:
    """What GetMedia sends for up to `within` seconds: from the fragment that holds server time
    `since`, from the `earliest` one stored, or from now on.

    Ends early where the service ends. One of three connections that a camera allows (quotas);
    closed when the iterator is. Raises NotFound, NotAllowed, Throttled, Unreachable, all of them
    only once the first bytes are asked for.
    """
    deadline = time.monotonic() + within
    body = json.dumps({**named(camera), "StartSelector": _selector(since, earliest=earliest)})
    exchange = with_endpoint(
        aws, "GET_MEDIA", camera, lambda url: _asked(aws, url, camera, body.encode(), within)
    )
    with exchange:
        while (left := deadline - time.monotonic()) > 0:
            data = exchange.read(left)
            if data:
                yield data
            elif exchange.over:
                return


def _asked(aws: Aws, url: str, camera: str, body: bytes, within: float) -> wire.Exchange:
    """GetMedia has been asked for; its answer may already be a refusal, or be yet to come."""
    url = f"{url.rstrip('/')}/getMedia"
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    request = wire.signed(aws, url, headers, body)
    exchange = wire.connect(url, "GetMedia", f"reading camera {short(camera)}")
    try:
        exchange.begin(request)
        exchange.write(body)
        exchange.end()
        exchange.await_continue(min(_ANSWER_S, within))
    except BaseException:
        exchange.close()
        raise
    return exchange


def _selector(since: datetime | None, *, earliest: bool) -> dict[str, Any]:
    if earliest:
        return {"StartSelectorType": "EARLIEST"}
    if since is None:
        return {"StartSelectorType": "NOW"}
    return {"StartSelectorType": "SERVER_TIMESTAMP", "StartTimestamp": since.timestamp()}
