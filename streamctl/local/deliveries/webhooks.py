"""One request to an API destination, and what its answer means.

The request is ministack's: connection, headers and parameters it puts together as EventBridge
does. What it makes of the answer is not.
"""

from __future__ import annotations

import copy
import json
import socket
import urllib.error
from typing import Any, Final

from streamctl.local.deliveries.lanes import Delivery
from streamctl.local.deliveries.retrying import Undelivered
from streamctl.local.engine_room import EngineRoom

_EVENTS: Final = "services.eventbridge"
# What may pass by itself (guide, API destinations); all else of 4xx is final.
_AGAIN: Final = frozenset({401, 407, 409, 429})
_SERVER_ERROR: Final = 500


class Webhooks:
    """Posts events to the endpoints of API destinations."""

    def __init__(self, engine: EngineRoom) -> None:
        self._destinations = engine.part(_EVENTS, "_api_destinations")
        self._connections = engine.part(_EVENTS, "_connections")
        self._parameters = engine.part(_EVENTS, "_resolve_http_parameters")
        self._request = engine.part(_EVENTS, "_build_api_destination_request")
        self._credentials = engine.part(_EVENTS, "_connection_auth_headers")
        self._forget_token = engine.part(_EVENTS, "_evict_oauth_token")
        self._exchange = engine.part(_EVENTS, "_api_destination_send_sync")

    def post(self, delivery: Delivery, arn: str) -> None:
        """Within the account and region of the delivery. Raises Undelivered."""
        name = arn.split("/")[1]
        destination = self._destinations.get(name)
        if destination is None:
            raise Undelivered("NO_RESOURCE", f"there is no API destination {name}", again=False)
        connection = self._connection(destination)
        given = delivery.target.get("HttpParameters") or {}
        parameters = self._parameters(given, json.loads(delivery.event))
        request = self._request(destination, connection, parameters, delivery.payload)
        key = (delivery.account, delivery.region, connection["Name"])
        try:
            status = self._exchange(request, self._credentials(connection, key))
        except OSError as error:
            raise _unreached(request["url"], error) from error
        if status in {401, 407}:
            self._forget_token(connection["Name"])
        _judge(request["url"], status)

    def _connection(self, destination: dict[str, Any]) -> dict[str, Any]:
        name = str(destination.get("ConnectionArn", "")).split("/")[1:2]
        connection = self._connections.get(name[0]) if name else None
        if connection is None:
            said = f"there is no connection for {destination['Name']}"
            raise Undelivered("NO_RESOURCE", said, again=False)
        if connection.get("ConnectionState") != "AUTHORIZED":
            said = f"connection {connection['Name']} is {connection.get('ConnectionState')}"
            raise Undelivered("SDK_CLIENT_ERROR", said, again=True)
        return copy.deepcopy(dict(connection))


def _unreached(url: str, error: OSError) -> Undelivered:
    """Nobody there: tried again, unless the name is nobody's (guide, Dead-letter queues)."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return Undelivered("TIMEOUT", f"{url} did not answer within 5 s", again=True)
    is_named = not isinstance(cause, socket.gaierror)
    return Undelivered("CONNECTION_FAILURE", f"{url}: {cause}", again=is_named)


def _judge(url: str, status: int) -> None:
    if 200 <= status < 300:
        return
    again = status in _AGAIN or status >= _SERVER_ERROR
    raise Undelivered("ERROR_FROM_TARGET", f"{url} answered {status}", again=again)
