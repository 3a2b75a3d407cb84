"""Nobody's password goes to a server that cannot show a good certificate, or that offers no encryption at all."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal.core.errors import GatewayError
from portal.integrations.imap.adapter import ImapMailbox, ImapSettings
from portal.integrations.smtp.adapter import SmtpSender, SmtpSettings

SECRET = "hunter2-and-more"


class Shop:
    """A certificate authority, and what it or somebody else signed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key, self.name = ec.generate_private_key(ec.SECP256R1()), self._named("Shop CA")
        self.ca_file = str(self._write("ca", self._sign(self.name, self.key, self.key, is_ca=True), self.key))

    def certificate(self, *, days: int = 10, address: str = "127.0.0.1", by_itself: bool = False) -> str:
        """A file with certificate and key; `days`: until it ends."""
        key = ec.generate_private_key(ec.SECP256R1())
        signer = key if by_itself else self.key
        subject = self._named("mail.shop.example")
        signed = self._sign(subject, key, signer, days=days, address=address, by_itself=by_itself)
        return str(self._write(f"{days}-{address}-{by_itself}", signed, key))

    def _sign(self, subject, key, signer, *, days=10, address="127.0.0.1", is_ca=False, by_itself=False):
        now = dt.datetime.now(dt.UTC)
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if is_ca or by_itself else self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=20))
            .not_valid_after(now + dt.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        return (builder if is_ca else builder.add_extension(names, critical=False)).sign(signer, hashes.SHA256())

    def _write(self, name, certificate, key) -> Path:
        file = self.folder / f"{name}.pem"
        kind = serialization.PrivateFormat.PKCS8
        plain = serialization.NoEncryption()
        pem = serialization.Encoding.PEM
        file.write_bytes(certificate.public_bytes(pem) + key.private_bytes(pem, kind, plain))
        return file

    @staticmethod
    def _named(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def say(protocol: str, line: bytes) -> bytes:
    """What a server answers before the encryption begins."""
    if protocol == "imap":
        tag, _, command = line.partition(b" ")
        lines = b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" if command.startswith(b"CAPABILITY") else b""
        return lines + tag + b" OK done\r\n"
    return b"220 go on\r\n" if line.startswith(b"STARTTLS") else b"250-mail\r\n250 STARTTLS\r\n"


class Server:
    """Waits for TLS at once, or for STARTTLS, with this certificate; notes whatever it is told."""

    def __init__(self, protocol: str, security: str, certificate: str) -> None:
        self.protocol, self.security = protocol, security
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.heard = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            client, _ = self._listener.accept()
            with client:
                if self.security == "starttls":
                    self._talk(client)
                with self.context.wrap_socket(client, server_side=True) as wrapped:
                    if self.security == "tls":
                        wrapped.sendall(b"* BYE not today\r\n" if self.protocol == "imap" else b"421 not today\r\n")
                    self.heard += wrapped.recv(4096)

    def _talk(self, client: socket.socket) -> None:
        client.sendall(b"* OK ready\r\n" if self.protocol == "imap" else b"220 ready\r\n")
        while b"STARTTLS" not in self.heard:
            line = client.recv(4096)
            if not line:
                return
            self.heard += line
            client.sendall(say(self.protocol, line.upper()))


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Shop:
    return Shop(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def begin(*args: str) -> Server:
        servers.append(Server(*args))
        return servers[-1]

    yield begin
    for one in servers:
        one.close()


def ask(server: Server, ca_file: str | None) -> None:
    values = {"host": "127.0.0.1", "port": server.port, "user": "help", "password": SECRET, "timeout": 5.0}
    if server.protocol == "imap":
        ImapMailbox(ImapSettings(**values, security=server.security, ca_file=ca_file)).count("INBOX")
    else:
        SmtpSender(SmtpSettings(**values, security=server.security, ca_file=ca_file)).check()


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("protocol", ["imap", "smtp"])
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"by_itself": True}, "self-signed certificate"),
        ({"address": "127.0.0.2"}, "not valid for '127.0.0.1'"),
        ({"days": -1}, "certificate has expired"),
    ],
)
def test_a_bad_certificate_ends_the_talk_before_anything_is_said(shop, serve, protocol, security, fault, words):
    server = serve(protocol, security, shop.certificate(**fault))
    with pytest.raises(GatewayError, match=words) as caught:
        ask(server, shop.ca_file)
    assert caught.value.permanent and caught.value.code == "certificate" and "cannot be trusted" in str(caught.value)
    assert SECRET.encode() not in server.heard and SECRET not in str(caught.value)


@pytest.mark.parametrize("protocol", ["imap", "smtp"])
def test_a_certificate_that_only_the_shop_signed_is_not_trusted_by_itself(shop, serve, protocol):
    server = serve(protocol, "tls", shop.certificate())
    with pytest.raises(GatewayError, match="unable to get local issuer certificate"):
        ask(server, None)


@pytest.mark.parametrize("protocol", ["imap", "smtp"])
def test_a_good_certificate_is_taken(shop, serve, protocol):
    """Else the tests above would prove nothing."""
    server = serve(protocol, "tls", shop.certificate())
    with pytest.raises(GatewayError, match="not today"):
        ask(server, shop.ca_file)


@pytest.mark.parametrize("greeting", [b"* OK ready\r\n", b"* PREAUTH welcome\r\n"])
def test_a_server_whose_starttls_somebody_took_away_hears_no_password(greeting):
    heard = b""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def strip() -> None:
            nonlocal heard
            client, _ = listener.accept()
            with client, client.makefile("rb") as lines, contextlib.suppress(OSError):
                client.sendall(greeting)
                for line in lines:
                    heard += line
                    tag = line.split()[0]
                    client.sendall(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n" + tag + b" OK done\r\n")

        thread = threading.Thread(target=strip, daemon=True)
        thread.start()
        values = {"host": "127.0.0.1", "port": listener.getsockname()[1], "user": "help", "password": SECRET}
        with pytest.raises(GatewayError, match="STARTTLS") as caught:
            ImapMailbox(ImapSettings(**values, security="starttls", timeout=5.0)).count("INBOX")
        thread.join(5)
    assert caught.value.permanent and b"LOGIN" not in heard and SECRET.encode() not in heard
