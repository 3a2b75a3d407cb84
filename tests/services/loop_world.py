"""Installations that write to each other and to robots, on one clock that jumps from mail to mail."""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from pathlib import Path

from sqlalchemy import select

from portal.core.ports import OutgoingMessage
from portal.integrations.smtp.adapter import build_message
from portal.models import BreakerTrip, OutgoingMail, SettingRow
from portal.services import mail_fetch, mail_intake, mail_outbox, triage
from tests.mails import mail_bytes
from tests.services.fake_mail import FakeMailServers
from tests.services.mail_world import FORM, add_mailbox, make_mail_world
from tests.services.runtime_world import Times

DAYS = 30
_AFTER = timedelta(seconds=30)
# (seconds until it leaves, the mail): what somebody does with a mail.
Answers = Iterable[tuple[float, bytes]]
Correspondent = Callable[[EmailMessage], Answers]
Strip = Callable[[EmailMessage], None]


class Post:
    """Carries mail between addresses. `people` by address or by domain; "*" is
    everybody else; who is nobody gets it and is silent."""

    def __init__(self) -> None:
        self.clock = Times()
        self.people: dict[str, Correspondent] = {}
        self.installations: list[Installation] = []
        self._due: list[tuple[datetime, int, str, bytes]] = []
        self._number = count()

    def post(self, to: str, raw: bytes, *, seconds: float = 0) -> None:
        at = self.clock.now() + timedelta(seconds=seconds)
        heapq.heappush(self._due, (at, next(self._number), to.lower(), raw))

    def carry(self, message: OutgoingMessage, strip: Strip) -> None:
        """What an installation has sent, as the wire has it."""
        mail = message_from_bytes(build_message(message).as_bytes(), policy=policy.default)
        strip(mail)
        for to in (*message.to, *message.cc):
            self.post(to, mail.as_bytes(), seconds=2)

    def run(self, days: int = DAYS) -> None:
        """Until nobody has anything to say any more, or the days are over."""
        until = self.clock.now() + timedelta(days=days)
        while self._due and self._due[0][0] <= until:
            at, _, to, raw = heapq.heappop(self._due)
            self._move(max(at, self.clock.now()))
            shop = next((one for one in self.installations if one.address == to), None)
            if shop is not None:
                shop.deliver(raw)
                self._move(self.clock.now() + _AFTER)
                shop.work()
            else:
                for seconds, answer in self._ask(to, raw):
                    reader = message_from_bytes(answer, policy=policy.default)["To"]
                    self.post(str(reader), answer, seconds=seconds)

    def _ask(self, to: str, raw: bytes) -> Answers:
        person = self.people.get(to) or self.people.get(to.rpartition("@")[2]) or self.people.get("*")
        return person(message_from_bytes(raw, policy=policy.default)) if person else ()

    def _move(self, at: datetime) -> None:
        self.clock.move((at - self.clock.now()).total_seconds())


class _Servers(FakeMailServers):
    def __init__(self, post: Post, strip: Strip) -> None:
        super().__init__()
        self._post, self._strip = post, strip

    def send(self, message: OutgoingMessage) -> None:
        super().send(message)
        self._post.carry(message, self._strip)


class Installation:
    """A whole Nightdesk, live, that wakes nobody but for emergencies."""

    def __init__(
        self, post: Post, folder: Path, address: str, *, strip: Strip | None = None, ahead: timedelta = timedelta()
    ) -> None:
        """`ahead`: of ours, the clock of its mail server."""
        folder.mkdir()
        self._ahead = ahead
        self.address, self.world = address, make_mail_world(folder)
        self.world.clock = post.clock
        self.world.mail = _Servers(post, strip or (lambda mail: None))
        add_mailbox(self.world, address=address)
        with self.world.database.unit_of_work() as uow:
            for key, value in {"site.live": True, "paging.wake_for": "emergencies"}.items():
                uow.session.merge(SettingRow(key=key, value=json.dumps(value)))
        self.box = self.world.mail.mailboxes[FORM.imap.host]
        self.work()  # the first look: what comes from now on is new
        post.installations.append(self)

    def deliver(self, raw: bytes) -> None:
        self.box.deliver(raw, at=self.world.clock.now() + self._ahead)

    def work(self) -> None:
        world = self.world
        while any(
            (
                mail_fetch.fetch_next(world), mail_intake.take_next(world, pause=lambda s: None),
                triage.triage_next(world, pause=lambda s: None), mail_outbox.send_next(world),
            )
        ):  # fmt: skip
            pass

    @property
    def automatic(self) -> list[OutgoingMail]:
        """Automatic mails that really left, but for alarms to the house."""
        with self.world.database.read_session() as session:
            sent = select(OutgoingMail).where(OutgoingMail.state == "sent", OutgoingMail.is_automatic)
            return list(session.scalars(sent.where(OutgoingMail.event != "alarm").order_by(OutgoingMail.id)))

    @property
    def trips(self) -> list[BreakerTrip]:
        with self.world.database.read_session() as session:
            return list(session.scalars(select(BreakerTrip).order_by(BreakerTrip.id)))


def answer_by(
    sender: str,
    text: Callable[[int, EmailMessage], str],
    *,
    seconds: float = 5,
    subject: Callable[[int, str], str] = lambda number, subject: f"Re: {subject}",
    headers: dict[str, str] | None = None,
    refers: bool = True,
) -> Correspondent:
    """A robot that answers everything. `{n}` in the sender is the number of the answer."""
    numbers = count(1)

    def answer(mail: EmailMessage) -> Answers:
        number = next(numbers)
        parents = {"In-Reply-To": str(mail["Message-ID"]), "References": str(mail["Message-ID"])} if refers else {}
        raw = mail_bytes(
            text(number, mail),
            sender=sender.format(n=number),
            to=str(mail["From"].addresses[0].addr_spec),
            subject=subject(number, str(mail["Subject"])),
            message_id=f"<{number}.{re.sub('[^a-z]', '', sender)}@robot.example>",
            date="",
            extra={**parents, **(headers or {})},
        )
        yield seconds, raw

    return answer


def bounce_by(sender: str) -> Correspondent:
    """A server that gives everything back, properly (RFC 3464)."""
    numbers = count(1)

    def answer(mail: EmailMessage) -> Answers:
        to = str(mail["To"].addresses[0].addr_spec)
        parts = (
            f"--b\r\nContent-Type: text/plain\r\n\r\nNo such user.\r\n"
            f"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
            f"Final-Recipient: rfc822; {to}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
            f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {mail['Message-ID']}\r\n\r\n--b--\r\n"
        )
        raw = mail_bytes(
            parts.replace("\r\n", "\n"), sender=sender, to=str(mail["From"].addresses[0].addr_spec),
            subject="Undelivered Mail Returned to Sender", message_id=f"<b{next(numbers)}@mx.example>", date="",
            extra={
                "Return-Path": "<>", "Auto-Submitted": "auto-replied", "MIME-Version": "1.0",
                "Content-Type": "multipart/report; report-type=delivery-status; boundary=b",
            },
        )  # fmt: skip
        yield 3, raw

    return answer


def without_signs(mail: EmailMessage) -> None:
    """A gateway that drops whatever says that a mail is automatic, and what it answers."""
    for name in ("Auto-Submitted", "Precedence", "X-Auto-Response-Suppress", "In-Reply-To", "References"):
        del mail[name]
