"""One request whose answer is read while its body is sent, however the other end behaves.

The other end is a socket that follows a script. Against a whole local cloud, signatures included,
see test_putmedia.py and test_getmedia.py; encrypted, test_tls.py; signed, test_signing.py.
"""

from __future__ import annotations

import socket
import threading

import h11
import pytest

from streamctl import errors
from streamctl.aws import wire

DOING = "sending video to camera door"


def all_of(exchange):
    """The answer's body to its end."""
    body = b""
    while not exchange.over or body == b"":
        body += exchange.read(10)
    return body


def write_much(exchange):
    """More than any network holds on its way."""
    for _ in range(100):
        exchange.write(b"\0" * 1_000_000)


def answered(status, body=b"{}", **headers):
    """A script that answers so, at once."""

    def script(connection):
        connection.request()
        connection.answer(status, body, connection="close", **headers)

    return script


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "ResourceNotFoundException", errors.NotFound),
        (403, "AccessDeniedException", errors.NotAllowed),
        (401, "NotAuthorizedException", errors.NotAllowed),
        (403, "InvalidSignatureException:http://internal.amazon.com/", errors.NotAllowed),
        (400, "ConnectionLimitExceededException", errors.Throttled),
        (400, "ClientLimitExceededException", errors.Throttled),
        (400, "InvalidArgumentException", errors.AskedWrongly),
        (500, "InternalFailure", errors.Transient),
        (503, None, errors.Transient),
    ],
)
def test_a_refusal_is_the_error_it_stands_for(begun, scripted, status, code, kind):
    """By its code, in the header that AWS uses, before any video is sent."""
    named = {"x_amzn_errortype": code} if code else {}
    script = answered(status, b'{"Message": "it is so"}', **named)
    with scripted(script) as server, pytest.raises(kind) as refused:
        begun(server)
    assert str(refused.value).startswith(DOING)
    assert "it is so" in str(refused.value)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"no"', b"[" * 100_000])
def test_a_refusal_with_any_body_is_told(begun, scripted, body):
    """By its status, where that is all there is to go by. AWS names what is not found."""
    with scripted(answered(404, body)) as server, pytest.raises(errors.StreamctlError) as refused:
        begun(server)
    assert "not AWS, nor a local cloud (HTTP 404)" in str(refused.value)
    assert not isinstance(refused.value, errors.NotFound)


@pytest.mark.parametrize("operation", ["PutMedia", "GetMedia"])
def test_a_refusal_names_the_permission_that_is_missing(begun, scripted, operation):
    """The operation that was asked for, whichever it is."""
    script = answered(403, x_amzn_errortype="AccessDeniedException")
    with scripted(script) as server, pytest.raises(errors.NotAllowed) as refused:
        begun(server, operation=operation)
    assert refused.value.hint == f"the caller needs permission for {operation}"


def test_a_header_of_any_bytes_is_read(begun, scripted):
    """HTTP allows bytes that are no UTF-8, and proxies send them."""
    script = answered(404, x_amzn_errortype="ResourceNotFoundException", via=b"\xe9\xff")
    with scripted(script) as server, pytest.raises(errors.NotFound):
        begun(server)


def test_what_is_no_http_is_unreachable(begun, scripted):
    """Something else listens there."""

    def script(connection):
        connection.request()
        connection.socket.sendall(b"SSH-2.0-OpenSSH_9.6\r\n" * 10)

    with scripted(script) as server, pytest.raises(errors.Unreachable, match=DOING):
        begun(server)


def test_a_refusal_in_the_middle_of_the_body_is_told(begun, scripted):
    """An answer may come at any moment."""

    def script(connection):
        connection.request()
        connection.send(h11.InformationalResponse(status_code=100, headers=[]))
        connection.next()
        connection.answer(
            404, b"{}", x_amz_errortype="ResourceNotFoundException", connection="close"
        )

    with scripted(script) as server:
        exchange = begun(server)
        exchange.write(b"video")
        with pytest.raises(errors.NotFound):
            exchange.read(10)


def test_a_connection_that_drops_while_sending_is_unreachable(begun, scripted):
    """With the bytes of a large frame still to go."""

    def script(connection):
        connection.welcome()
        connection.next()
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with scripted(script) as server:
        exchange = begun(server)
        with pytest.raises(errors.Unreachable, match=DOING):
            write_much(exchange)


def test_a_connection_closed_without_an_answer_is_unreachable(begun, scripted):
    """As a service does that restarts."""
    script = lambda connection: connection.request()  # noqa: E731 - a name says what it is
    with scripted(script) as server, pytest.raises(errors.Unreachable):
        begun(server)


def test_nobody_listening_is_unreachable_with_a_hint(begun, scripted):
    """The local cloud may simply not be running."""
    closed = scripted(None)
    closed.listener.close()
    with pytest.raises(errors.Unreachable, match="no connection") as refused:
        begun(closed)
    assert "streamctl local status" in refused.value.hint


def test_a_server_that_takes_nothing_is_given_up(begun, scripted, monkeypatch):
    """The service would have closed a connection that idles for so long."""
    monkeypatch.setattr(wire, "_STALLED_S", 0.2)
    done = threading.Event()

    def script(connection):
        connection.welcome()
        done.wait(10)

    with scripted(script) as server:
        exchange = begun(server)
        with pytest.raises(errors.Unreachable, match="nothing was taken"):
            write_much(exchange)
        done.set()


def test_a_slow_server_is_waited_for(begun, scripted):
    """Every byte arrives, however little the network takes at a time."""

    def script(connection):
        connection.welcome()
        return len(connection.rest())

    with scripted(script) as server:
        server.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        exchange = begun(server)
        for _ in range(50):
            exchange.write(b"\0" * 80_000)
        exchange.end()
        server.thread.join(20)
    assert server.seen == 4_000_000


def test_what_comes_faster_than_it_is_read_waits_in_the_network(begun, scripted, monkeypatch):
    """Else a camera's whole archive would pile up in memory. All of it is read in the end."""
    monkeypatch.setattr(wire, "_UNREAD", 50_000)
    monkeypatch.setattr(wire, "_RECEIVED", 10_000)
    sent = threading.Event()

    def script(connection):
        connection.welcome()
        connection.send(h11.Data(data=b"\0" * 500_000))  # fits into the network
        connection.send(h11.EndOfMessage())
        sent.set()
        connection.rest()

    with scripted(script) as server:
        exchange = begun(server)
        assert sent.wait(10)
        exchange.end()
        pieces = [exchange.read(10)]
        while not exchange.over:
            pieces.append(exchange.read(10))
    assert sum(map(len, pieces)) == 500_000
    assert max(map(len, pieces)) <= 60_000


def test_a_body_can_be_sent_though_the_answer_is_not_read(begun, scripted, monkeypatch):
    """Acknowledgements that nobody reads must not keep video from going out."""
    monkeypatch.setattr(wire, "_UNREAD", 1000)

    def script(connection):
        connection.welcome()
        connection.send(h11.Data(data=b"\0" * 5000))
        size = len(connection.rest())
        connection.send(h11.EndOfMessage())
        return size

    with scripted(script) as server:
        exchange = begun(server)
        for _ in range(20):
            exchange.write(b"\0" * 100_000)
        exchange.end()
        assert len(all_of(exchange)) == 5000
    assert server.seen == 2_000_000
