"""imaplib's client with what it lacks: a socket that can be cut from outside, long lines, a limit for literals, sign-in
by OAuth, and failures as GatewayError."""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from portal.core.errors import GatewayError
from portal.integrations.server_words import words_of

_LONGEST_LINE = 50_000_000  # a SEARCH answer over a million messages; imaplib stops at 1 MB
_LARGEST_LITERAL = 250_000_000  # above what any server takes in; a server that says more is not to be believed
# RFC 5530: the server's trouble, and not a wrong password.
_PASSING = re.compile(r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\]|too many|try again|temporar", re.IGNORECASE)


@dataclass(frozen=True)
class ImapSettings:
    """One account. `security` is tls, starttls or plain; `ca_file` replaces the system's certificates.

    `timeout` (seconds) is how long the server may be silent, `deadline` how long one call may take in all: a server
    that trickles is never silent. `access_token` gives a valid OAuth token, and is asked instead of the password.
    """

    host: str
    port: int
    user: str
    password: str = field(default="", repr=False)
    security: str = "tls"
    timeout: float = 30.0
    deadline: float = 600.0
    ca_file: str | None = None
    access_token: Callable[[], str] | None = field(default=None, repr=False, compare=False)


class Client(imaplib.IMAP4):
    """One connection. `on_socket` is told the socket as soon as there is one, so that another thread can cut it."""

    def __init__(self, settings: ImapSettings, on_socket: Callable[[socket.socket], None]) -> None:
        self._on_socket = on_socket
        self._security = settings.security
        self._ca_file = settings.ca_file
        super().__init__(settings.host, settings.port, settings.timeout)

    def secure(self) -> None:
        """STARTTLS, where it is asked for. Never goes on without it."""
        if self._security != "starttls":
            return
        if "STARTTLS" not in self.capabilities:
            raise GatewayError(
                f"The mail server {self.host} offers no STARTTLS: nothing was sent.", permanent=True, code="security"
            )
        self.starttls(self._tls())
        self._on_socket(self.sock)

    def _tls(self) -> ssl.SSLContext:
        """Made only where it is asked for: it reads every certificate of the system."""
        return ssl.create_default_context(cafile=self._ca_file)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        context = self._tls() if self._security == "tls" else None
        plain = super()._create_socket(timeout)  # type: ignore[misc]
        self._on_socket(plain)
        if context is None:
            return plain  # type: ignore[no-any-return]
        wrapped = context.wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
        self._on_socket(wrapped)
        try:
            wrapped.do_handshake()
        except OSError:
            wrapped.close()
            raise
        return wrapped

    def readline(self) -> bytes:
        return self.file.readline(_LONGEST_LINE)  # type: ignore[return-value]

    def read(self, size: int) -> bytes:
        if size > _LARGEST_LITERAL:
            raise self.abort(f"the server announced {size} bytes")
        return super().read(size)


def connect(settings: ImapSettings, on_socket: Callable[[socket.socket], None]) -> Client:
    """A connection that is signed in. Raises GatewayError where only a person can help, imaplib's errors otherwise."""
    token = settings.access_token() if settings.access_token else ""
    try:
        client = Client(settings, on_socket)
        try:
            client.secure()
            _sign_in(client, settings, token)
        except (imaplib.IMAP4.error, OSError, GatewayError):
            shut(client)
            raise
    except ssl.SSLCertVerificationError as error:
        raise GatewayError(
            f"The certificate of {settings.host} cannot be trusted: {error.verify_message}",
            permanent=True,
            code="certificate",
        ) from error
    return client


def shut(client: imaplib.IMAP4) -> None:
    """Close without a word."""
    with contextlib.suppress(OSError):
        client.shutdown()


def _sign_in(client: Client, settings: ImapSettings, token: str) -> None:
    try:
        if settings.access_token:
            _sign_in_by_token(client, settings.user, token)
        elif (settings.user + settings.password).isascii():
            client.login(settings.user, settings.password)
        else:  # LOGIN knows ASCII only; PLAIN is UTF-8 (RFC 4616)
            client.authenticate("PLAIN", lambda _: f"\0{settings.user}\0{settings.password}".encode())
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        words = words_of(error, user=settings.user, secret=token or settings.password)
        message = f"The mail server {settings.host} refused the login: {words}"
        raise GatewayError(message, permanent=not _PASSING.search(words), code="login") from error


def _sign_in_by_token(client: Client, user: str, token: str) -> None:
    """XOAUTH2, as Google and Microsoft describe it. A refusal comes as a challenge, to be answered by nothing."""
    answers = iter((f"user={user}\x01auth=Bearer {token}\x01\x01".encode(),))
    client.authenticate("XOAUTH2", lambda _: next(answers, b""))
