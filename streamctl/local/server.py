"""The local cloud's process: `python -m streamctl.local.server`.

Says on stdout, as one line of JSON, that it is ready and where, or why it is not; after that it
is silent there. Ends on SIGTERM, SIGINT, and with --owned when its stdin is closed: so it ends
with whoever started it, however that one ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import hypercorn.asyncio
import hypercorn.config

from streamctl.errors import AskedWrongly, StreamctlError
from streamctl.local.cloud import PROCESSING_AT_ONCE, Cloud, Timings
from streamctl.local.data_folder import data_folder, said_plainly
from streamctl.local.house import House
from streamctl.local.identity import DEFAULT_PORT, HOST
from streamctl.local.switches import Switches


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to end. Returns the exit code, that of the error if it cannot serve."""
    options = _options(arguments)
    try:
        asyncio.run(_serve(options))
    except StreamctlError as error:
        _say({"error": str(error), "hint": error.hint})
        return error.exit_code
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="streamctl.local.server", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free one")
    parser.add_argument("--data", type=Path, help="keep state here; default: forgotten at the end")
    parser.add_argument("--auth", action="store_true", help="enforce IAM policies")
    parser.add_argument("--owned", action="store_true", help="end when stdin is closed")
    parser.add_argument("--processors-at-once", type=int, default=PROCESSING_AT_ONCE)
    parser.add_argument("--switch", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--timing", action="append", default=[], metavar="NAME=SECONDS")
    return parser.parse_args(arguments)


def _pairs(given: Sequence[str]) -> dict[str, str]:
    return {name: value for name, _, value in (pair.partition("=") for pair in given)}


async def _serve(options: argparse.Namespace) -> None:
    ended = _ending(owned=options.owned)  # first: whoever ends us early, the folder goes with us
    main_socket, media_socket = _listen(options.port), _listen(0)
    port = main_socket.getsockname()[1]
    with data_folder(options.data, port) as data:
        cloud = Cloud(
            data=data,
            port=port,
            media_port=media_socket.getsockname()[1],
            switches=Switches.of(_pairs(options.switch)),
            timings=Timings.of(_pairs(options.timing)),
            processors_at_once=options.processors_at_once,
            auth=options.auth,
        )
        with said_plainly(data):
            persistent = options.data is not None
            house = House(cloud, ended, persistent=persistent, when_ready=_say_ready)
        await hypercorn.asyncio.serve(
            house.door,  # type: ignore[arg-type]  # hypercorn's own ASGI types are narrower than ASGI
            _hypercorn(main_socket, media_socket),
            shutdown_trigger=lambda: _until(ended, house),
        )
        if house.failed is not None:
            raise house.failed


async def _until(ended: asyncio.Event, house: House) -> None:
    await ended.wait()
    await house.stop()  # before hypercorn waits for connections: some of ours have no end


def _say_ready(cloud: Cloud) -> None:
    _say({"port": cloud.port, "media_port": cloud.media_port, "data": str(cloud.data)})


def _listen(port: int) -> socket.socket:
    """Raises StreamctlError where the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OverflowError as error:
        listener.close()
        raise AskedWrongly(
            f"{port} is no port", hint="a port is 0 to 65535; 0 takes a free one"
        ) from error
    except OSError as error:
        listener.close()
        raise StreamctlError(
            f"port {port} on {HOST} cannot be used: {error.strerror}",
            hint=f"stop what uses it (streamctl local stop --port {port}),"
            " or choose another with --port",
        ) from error
    return listener


def _hypercorn(*listeners: socket.socket) -> hypercorn.config.Config:
    config = hypercorn.config.Config()
    # The sockets are open already: nobody can take the ports between asking and serving.
    config.bind = [f"fd://{listener.detach()}" for listener in listeners]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.include_server_header = False
    config.loglevel = "WARNING"
    return config


def _ending(*, owned: bool) -> asyncio.Event:
    """Set when the server is told to end."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if owned:
        loop.add_reader(sys.stdin.fileno(), _abandon, loop, ended)
    return ended


def _abandon(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """Stdin is readable, which means closed, since nobody writes there; and it stays readable."""
    loop.remove_reader(sys.stdin.fileno())
    ended.set()


def _say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    sys.exit(main())
