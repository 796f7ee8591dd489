"""Connections to AWS are encrypted, and to nobody else."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import h11
import pytest

from streamctl import errors
from streamctl.aws import wire


def all_of(exchange):
    """The answer's body to its end."""
    body = b""
    while not exchange.over or body == b"":
        body += exchange.read(10)
    return body


def test_it_speaks_tls(begun, scripted, monkeypatch, tmp_path):
    """AWS speaks nothing else. Large pieces both ways, as TLS cuts them anew."""
    context = _certified(tmp_path / "certificate.pem")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "certificate.pem"))

    def script(connection):
        connection.welcome()
        size = len(connection.rest())
        connection.send(h11.Data(data=bytes(range(250)) * 400))
        connection.send(h11.EndOfMessage())
        return size

    with scripted(script, context) as server:
        exchange = begun(server, "https", "localhost")
        for _ in range(5):
            exchange.write(b"\0" * 1_000_000)
        exchange.end()
        assert all_of(exchange) == bytes(range(250)) * 400
    assert server.seen == 5_000_000


def test_what_tls_holds_back_is_not_waited_for(begun, scripted, monkeypatch, tmp_path):
    """It decrypts whole records, of which the network knows nothing more: select() sees no bytes."""
    context = _certified(tmp_path / "certificate.pem")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "certificate.pem"))
    monkeypatch.setattr(wire, "_UNREAD", 1000)
    monkeypatch.setattr(wire, "_RECEIVED", 1000)

    def script(connection):
        connection.welcome()
        connection.send(h11.Data(data=b"\0" * 8000))  # one record
        connection.rest()

    with scripted(script, context) as server:
        exchange = begun(server, "https", "localhost")
        pieces = []
        while sum(map(len, pieces)) < 8000:
            pieces.append(exchange.read(5))
            assert pieces[-1]
        exchange.end()


def test_a_certificate_that_nobody_vouches_for_is_refused(begun, scripted, tmp_path):
    """Video of people goes to nobody else."""
    context = _certified(tmp_path / "certificate.pem")
    with (
        scripted(lambda connection: None, context) as server,
        pytest.raises(errors.Unreachable, match=r"(?i)certificate"),
    ):
        begun(server, "https", "localhost")


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_authorities_that_cannot_be_read_are_asked_wrongly(monkeypatch, tmp_path, content):
    """It is the setting that is wrong, not the network; nothing is connected to."""
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    with pytest.raises(errors.AskedWrongly, match="AWS_CA_BUNDLE"):
        wire.connect("https://127.0.0.1:1/operation", "PutMedia", "sending video")


def _certified(path):
    """A server's TLS context for localhost, its certificate (self-signed) also at `path`."""
    x509 = pytest.importorskip("cryptography.x509", reason="needs cryptography, which moto brings")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC).replace(tzinfo=None)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(certificate.public_bytes(pem))
    path.with_suffix(".key").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, path.with_suffix(".key"))
    return context
