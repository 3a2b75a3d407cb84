"""The MailSender port on SMTP (RFC 5321), with the headers that keep machines from answering machines (RFC 3834)."""

from __future__ import annotations

import base64
import contextlib
import re
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime

from portal.core.errors import GatewayError
from portal.core.ports import OutgoingAttachment, OutgoingMessage
from portal.integrations.server_words import words_of

SECURITY = ("tls", "starttls", "plain")
# Headers stay unfolded up to the limit of RFC 5322: folding would break up long ids. Bodies are 7 bit: every server
# takes them.
_POLICY = SMTP_POLICY.clone(max_line_length=998, cte_type="7bit")


@dataclass(frozen=True)
class SmtpSettings:
    """One account. `security` is tls, starttls or plain; an empty `user` sends without login. `access_token` gives a
    valid OAuth token, and is asked instead of the password."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    security: str = "starttls"
    timeout: float = 30.0
    ca_file: str | None = None
    access_token: Callable[[], str] | None = field(default=None, repr=False, compare=False)


class SmtpSender:
    """One connection a mail: mails are few, and a kept one dies unseen."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings

    def send(self, message: OutgoingMessage) -> None:
        """See MailSender.send. `maybe_done` is set when only the last answer got lost; `code` is "login" or
        "certificate" when the account and not the mail is the trouble, "sender" or the SMTP code otherwise."""
        try:
            data = build_message(message).as_bytes(policy=_POLICY)
        except (ValueError, MessageError) as error:  # tried again it would be no better
            raise GatewayError(f"This mail cannot be written: {error}", permanent=True, code="content") from error
        connection = self._open()
        try:
            self._transfer(connection, message, data)
        finally:
            _quit(connection)

    def was_sent(self, message_id: str) -> bool | None:
        """See MailSender.was_sent."""
        return None

    def check(self) -> str:
        """See MailSender.check."""
        _quit(self._open())
        return f"Logged in at {self._settings.host}." if self._settings.user else f"Connected to {self._settings.host}."

    def _open(self) -> smtplib.SMTP:
        settings = self._settings
        token = settings.access_token() if settings.access_token and settings.user else ""
        plain = settings.security == "plain"
        context = None if plain else ssl.create_default_context(cafile=settings.ca_file)
        connection: smtplib.SMTP | None = None
        try:
            if settings.security == "tls":
                connection = smtplib.SMTP_SSL(settings.host, settings.port, timeout=settings.timeout, context=context)
            else:
                connection = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout)
                if settings.security == "starttls":
                    connection.starttls(context=context)
            if settings.user:
                self._sign_in(connection, token)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            if connection is not None:
                connection.close()
            raise self._opening_failed(error) from error
        return connection

    def _sign_in(self, connection: smtplib.SMTP, token: str) -> None:
        user, password = self._settings.user, self._settings.password
        connection.ehlo_or_helo_if_needed()
        if self._settings.access_token:
            # XOAUTH2, as Google and Microsoft describe it. A refusal comes as a challenge, to be answered by nothing.
            answers = iter((f"user={user}\x01auth=Bearer {token}\x01\x01",))
            connection.auth("XOAUTH2", lambda challenge=None: next(answers, ""))
        elif (user + password).isascii():
            connection.login(user, password)
        else:  # smtplib knows ASCII only; PLAIN is UTF-8 (RFC 4616)
            plain = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
            code, words = connection.docmd("AUTH", f"PLAIN {plain}")
            if code not in (235, 503):
                raise smtplib.SMTPAuthenticationError(code, words)

    def _opening_failed(self, error: Exception) -> GatewayError:
        host = self._settings.host
        if isinstance(error, ssl.SSLCertVerificationError):
            words = f"The certificate of {host} cannot be trusted: {error.verify_message}"
            return GatewayError(words, permanent=True, code="certificate")
        if isinstance(error, smtplib.SMTPAuthenticationError):
            words = f"The mail server {host} refused the login: {self._words(error.smtp_error)}"
            return GatewayError(words, permanent=error.smtp_code >= 500, code="login")
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return GatewayError(
                f"The mail server {host} cannot do this: {self._words(error)}", permanent=True, code="login"
            )
        return GatewayError(f"The mail server {host} cannot be reached: {self._words(error)}")

    def _words(self, what: object) -> str:
        return words_of(what, user=self._settings.user, secret=self._settings.password)

    def _transfer(self, connection: smtplib.SMTP, message: OutgoingMessage, data: bytes) -> None:
        try:
            connection.ehlo_or_helo_if_needed()
            _expect(connection.mail(_in_ascii(message.sender)), "the sender", code="sender")
            for address in message.to:
                _expect(connection.rcpt(_in_ascii(address)), f"the recipient {address}")
            for address in message.cc:
                connection.rcpt(_in_ascii(address))  # a dead copy must not hold up the mail itself
            _expect(connection.docmd("DATA"), "the mail", wanted=354)
            connection.send(re.sub(rb"(?m)^\.", b"..", data) + b".\r\n")
        except (smtplib.SMTPException, OSError) as error:
            # The final dot is the last byte we send: before it is out, the server has nothing to deliver.
            raise GatewayError(f"The mail server {self._settings.host} broke off: {self._words(error)}") from error
        try:
            answer = connection.getreply()
        except (smtplib.SMTPException, OSError) as error:
            words = f"The mail server {self._settings.host} took the mail but did not confirm it: {self._words(error)}"
            raise GatewayError(words, maybe_done=True) from error
        _expect(answer, "the mail")


def build_message(message: OutgoingMessage) -> EmailMessage:
    """The mail as it goes over the wire. Automatic ones say so, so that no robot answers (RFC 3834 section 5)."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = _address(message.sender, message.sender_name)
    mail["To"] = [_address(address) for address in message.to]
    if message.cc:
        mail["Cc"] = [_address(address) for address in message.cc]
    mail["Subject"] = " ".join(message.subject.split())
    mail["Date"] = format_datetime(message.date or datetime.now(UTC))
    mail["Message-ID"] = message.message_id
    if message.in_reply_to:
        mail["In-Reply-To"] = message.in_reply_to
    if message.references:
        mail["References"] = " ".join(message.references)
    if message.is_automatic:
        mail["Auto-Submitted"] = "auto-replied" if message.in_reply_to else "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        mail["Precedence"] = "bulk"
    mail.set_content(message.text)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
    for one in message.attachments:
        kind, subtype = media_type(one)
        mail.add_attachment(one.data, maintype=kind, subtype=subtype, filename=one.filename)
    return mail


def media_type(file: OutgoingAttachment) -> tuple[str, str]:
    """As what a file goes out: one that is a mail of its own would be taken apart on the way."""
    kind, _, subtype = file.content_type.partition("/")
    return ("application", "octet-stream") if kind in ("message", "multipart") or not subtype else (kind, subtype)


def _address(address: str, name: str = "") -> Address:
    try:
        return Address(display_name=" ".join(name.split()), addr_spec=_in_ascii(address))
    except (ValueError, IndexError, MessageError) as error:
        raise GatewayError(f"{address!r} is no mail address.", permanent=True, code="address") from error


def _in_ascii(address: str) -> str:
    """A domain with other letters as every server knows it (RFC 5891)."""
    local, at, domain = address.rpartition("@")
    return address if address.isascii() else f"{local}{at}{domain.encode('idna').decode()}"


def _expect(answer: tuple[int, bytes], what: str, *, wanted: int = 250, code: str = "") -> None:
    number, text = answer
    if number == wanted or (wanted == 250 and number in (251, 252)):
        return
    words = f"The mail server refused {what}: {number} {words_of(text)}"
    raise GatewayError(words, permanent=number >= 500, code=code or str(number))


def _quit(connection: smtplib.SMTP) -> None:
    with contextlib.suppress(smtplib.SMTPException, OSError):
        connection.quit()
    connection.close()
