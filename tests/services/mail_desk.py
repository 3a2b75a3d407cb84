"""A shop whose mail is taken in one by one: what comes, what lies among the sent, what we send."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select

from portal.core.ports import FetchedMail
from portal.models import MailboxRow, MailLedger, OutgoingMail, Requester, Ticket, User
from portal.services.mail_intake import take_next
from portal.services.mail_out import add_answer
from portal.services.mail_store import Arrival, store_mails
from portal.services.settings import load_settings
from portal.services.tickets import ANSWER, Actor, NewMessage, add_message, set_status
from tests.mails import mail_bytes
from tests.services.mail_world import NOW, add_mailbox, make_mail_world

DANA, EVE, MALLORY = "Dana Reyes <dana@customer.example>", "Eve <eve@other.example>", "mallory@evil.example"
BOB = "Bob Builder <bob@a.example>"
OURS = "Shop Help Desk <help@shop.example>"


class MailDesk:
    """`take` gives a mail its verdict and returns its ledger row; the world's clock is `world.clock`."""

    def __init__(self, folder: Path) -> None:
        self.world = make_mail_world(folder)
        self.database = self.world.database
        self.mailbox_id = add_mailbox(self.world)
        self._uid = 0

    def take(
        self,
        text: str | bytes = "The printer is on fire.",
        *,
        mailbox_id: int | None = None,
        is_sent: bool = False,
        is_quiet: bool = False,
        conversation_id: str = "",
        message_id: str = "",
        answers: str = "",
        headers: Mapping[str, str] | None = None,
        raw: bytes = b"",
        **parts: str,
    ) -> MailLedger:
        """One mail of a fresh Message-ID, from Dana unless `sender` says otherwise."""
        self._uid += 1
        extra = {**({"In-Reply-To": answers} if answers else {}), **(headers or {})}
        parts = {"sender": DANA, "message_id": message_id or f"<m{self._uid}@customer.example>", **parts}
        raw = raw or mail_bytes(text, extra=extra, **parts)
        folder = "Sent" if is_sent else "INBOX"
        mail = FetchedMail(
            f"7:{self._uid}", folder, self.world.clock.now(), len(raw), raw, conversation_id=conversation_id
        )
        with self.database.unit_of_work() as uow:
            mailbox = uow.session.get_one(MailboxRow, mailbox_id or self.mailbox_id)
            now = self.world.clock.now()
            arrival = Arrival(is_sent=is_sent, is_quiet=is_quiet)
            store_mails(uow, mailbox, [mail], now=now, arrival=arrival)
        assert take_next(self.world, pause=lambda seconds: None)
        return self.last(MailLedger)

    def sent(self, text: str = "Please try again.", *, to: str = DANA, **options: Any) -> MailLedger:
        """A mail that somebody wrote by hand from the mailbox itself."""
        return self.take(text, is_sent=True, sender=OURS, to=to, **options)

    def answer(self, ticket_id: int, text: str = "We are on it.") -> OutgoingMail:
        """Our answer on the page, as it waits in the outbox."""
        with self.database.unit_of_work() as uow:
            ticket = uow.session.get_one(Ticket, ticket_id)
            message = add_message(uow, ticket, NewMessage(ANSWER, text, author="Bob"), now=self.world.clock.now())
            made = add_answer(self.world, uow, ticket, message, settings=load_settings(uow.session))
            assert made is not None
        return self.last(OutgoingMail)

    def move(self, ticket_id: int, *statuses: str) -> None:
        with self.database.unit_of_work() as uow:
            for status in statuses:
                ticket = uow.session.get_one(Ticket, ticket_id)
                set_status(uow, ticket, status, actor=Actor("Bob", 2), now=self.world.clock.now(), resolution="done")

    def ticket(self, ticket_id: int) -> Ticket:
        with self.database.read_session() as session:
            return session.get_one(Ticket, ticket_id)

    def last(self, model: Any) -> Any:
        with self.database.read_session() as session:
            return session.scalar(select(model).order_by(model.id.desc()).limit(1))

    def every(self, model: Any, **where: Any) -> list[Any]:
        with self.database.read_session() as session:
            return list(session.scalars(select(model).filter_by(**where).order_by(model.id)))

    def change(self, model: Any, row_id: int, **values: Any) -> None:
        with self.database.unit_of_work() as uow:
            row = uow.session.get_one(model, row_id)
            for name, value in values.items():
                setattr(row, name, value)


__all__ = ["BOB", "DANA", "EVE", "MALLORY", "NOW", "OURS", "MailDesk", "Requester", "User"]
