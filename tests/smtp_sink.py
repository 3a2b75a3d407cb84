"""A real SMTP server for tests that keeps what it is given and can be told to fail."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from tests.ports import free_port


@dataclass
class SinkMail:
    """One mail as it came over the wire."""

    sender: str
    recipients: list[str]
    data: bytes = field(repr=False)

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed by the standard library and not by us."""
        return message_from_bytes(self.data, policy=default)  # type: ignore[return-value]

    @property
    def text(self) -> str:
        """The text part."""
        part = self.message.get_body(("plain",))
        return part.get_content() if part else ""


class SmtpSink:
    """`mails` holds what was accepted; `answer_next` and `drop_next` break what follows."""

    def __init__(self) -> None:
        self.mails: list[SinkMail] = []
        self.port = 0
        self.token = ""
        self._answers: dict[str, list[str]] = {"MAIL": [], "RCPT": [], "DATA": []}
        self._drops: list[str] = []

    def answer_next(self, command: str, answer: str) -> None:
        """Answer the next MAIL, RCPT or DATA with this line, such as "451 later"."""
        self._answers[command].append(answer)

    def drop_next(self, moment: str) -> None:
        """Break the connection "before" the mail is kept, or "after" it was kept but before the answer."""
        self._drops.append(moment)

    def to(self, address: str) -> list[SinkMail]:
        """What one recipient got."""
        return [mail for mail in self.mails if address in mail.recipients]

    async def auth_XOAUTH2(self, server: Any, args: list[str]) -> AuthResult:
        """A refusal is a challenge first, as Google and Microsoft send it, to be answered by an empty line."""
        said = base64.b64decode(args[1]).decode()
        if self.token and f"auth=Bearer {self.token}\x01" in said:
            return AuthResult(success=True)
        answer = await server.challenge_auth(base64.b64encode(b'{"status":"400"}').decode(), encode_to_b64=False)
        assert answer == b"", "the challenge must be answered by nothing"
        return AuthResult(success=False, handled=False)

    async def handle_MAIL(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._answers["MAIL"]:
            return self._answers["MAIL"].pop(0)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._answers["RCPT"].pop(0) if self._answers["RCPT"] else "250 OK"
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        if self._answers["DATA"]:
            return self._answers["DATA"].pop(0)
        moment = self._drops.pop(0) if self._drops else ""
        if moment != "before":
            self.mails.append(
                SinkMail(envelope.mail_from or "", list(envelope.rcpt_tos), bytes(envelope.content or b""))
            )
        if moment:
            server.transport.abort()
            await asyncio.sleep(0)
        return "250 OK"


def _authenticate(server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and data.password in (b"secret", "geheimnis-ü".encode())
    return AuthResult(success=is_right, handled=False)


@contextmanager
def running_smtp_sink() -> Iterator[SmtpSink]:
    """Start on a free port, stop at the end. Takes logins with the password "secret", and mail without a login."""
    sink = SmtpSink()
    sink.port = free_port()
    controller = Controller(
        sink,
        hostname="127.0.0.1",
        port=sink.port,
        authenticator=_authenticate,
        auth_require_tls=False,
        data_size_limit=10**8,
    )
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()
