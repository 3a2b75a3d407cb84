"""A shop that reads the mailbox of a small scripted server; everything else is real."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from portal.integrations.mail_transport import MailServers
from portal.models import MailboxRow, MailLedger, SessionBlobStore
from portal.services.mail_fetch import fetch_next
from portal.services.mail_reconcile import check_mailboxes
from portal.services.mailboxes import Server, save_mailbox
from tests.integrations.imap.scripted import ScriptedImap
from tests.mails import mail_bytes
from tests.services.mail_world import FORM, make_mail_world
from tests.services.runtime_world import by_alice

NIGHT = datetime(2025, 12, 25, 2, 10, tzinfo=UTC)


def letter(name: str) -> bytes:
    return mail_bytes(name, message_id=f"<{name.replace(' ', '.')}@customer.example>")


class House:
    """A shop that reads the mailbox of a scripted server."""

    def __init__(self, folder, server: ScriptedImap) -> None:
        self.server = server
        self.world = make_mail_world(folder)
        self.world.clock.product = NIGHT - timedelta(minutes=1)
        self.world.mail = MailServers()
        self.form = replace(FORM, imap=self.at(server), smtp=Server("", 0, "tls"))
        self.mailbox_id: int | None = None
        self.save()

    @staticmethod
    def at(server: ScriptedImap, user: str = "help") -> Server:
        return Server("127.0.0.1", server.port, "plain", user, "secret")

    def save(self, **changes) -> None:
        """The settings as they are, but for the changes; then a look."""
        self.form = replace(self.form, **changes)
        with self.world.database.unit_of_work() as uow:
            self.mailbox_id = save_mailbox(
                uow, self.form, box=self.world.box, change=by_alice(self.world), mailbox_id=self.mailbox_id
            ).id
        self.poll()

    def poll(self) -> None:
        self.world.clock.move(60)
        for _ in range(50):
            if not fetch_next(self.world):
                return
        raise AssertionError("it never ends")

    def compare(self, *, days: int = 2):
        (check,) = check_mailboxes(self.world, days=days)
        return check

    def deliver(self, *names: str, at: datetime = NIGHT, server: ScriptedImap | None = None) -> None:
        server = server or self.server
        for name in names:
            uid = server.next_uid()
            server.mails[uid], server.dates[uid] = letter(name), at

    def row(self) -> MailboxRow:
        with self.world.database.read_session() as session:
            return session.scalars(select(MailboxRow)).one()

    def taken(self, *, verdict: str = "") -> list[str]:
        """The names of the mails that have a row, oldest row first."""
        with self.world.database.read_session() as session:
            rows = session.scalars(select(MailLedger).where(MailLedger.verdict == verdict).order_by(MailLedger.id))
            return [self._name(session, row) for row in rows]

    @staticmethod
    def _name(session, row: MailLedger) -> str:
        """By its header: of some mails the server hands over no more."""
        found = re.search(r"Message-ID: <(.*)@customer", SessionBlobStore(session).get(row.sha256).decode())
        assert found, "a row without its mail"
        return found.group(1).replace(".", " ")
