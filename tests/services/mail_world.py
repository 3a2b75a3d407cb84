"""A shop with one mailbox, help@shop.example, at servers that do as they are told."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Any

from portal.core.errors import DomainError
from portal.models import MailboxRow
from portal.services.audit import Change
from portal.services.mailboxes import MailboxForm, Server, save_mailbox
from tests.services.fake_mail import FakeMailServers
from tests.services.runtime_world import NOW, make_world

__all__ = ["FORM", "NOW", "PlainBox", "add_mailbox", "load", "make_mail_world"]

FORM = MailboxForm(
    name="Help",
    address="Help@shop.example",
    imap=Server("imap.shop.example", 993, "tls", "help", "secret"),
    smtp=Server("smtp.shop.example", 587, "starttls", "help", "secret"),
    sender_name="Shop Help Desk",
)


class PlainBox:
    """The SecretBox port with seals that can be read."""

    def seal(self, plain: str) -> str:
        return f"sealed:{plain}"

    def open(self, sealed: str) -> str:
        if not sealed.startswith("sealed:"):
            raise DomainError("A stored secret cannot be opened with this key file. Please enter it again.")
        return sealed.removeprefix("sealed:")

    def mac(self, purpose: str, message: bytes) -> bytes:
        return hmac.new(purpose.encode(), message, hashlib.sha256).digest()


def make_mail_world(folder: Path) -> Any:
    """A Context as the mail services need it; `mail` are the fake servers."""
    world = make_world(folder)
    world.box, world.mail, world.site_url = PlainBox(), FakeMailServers(), ""
    return world


def add_mailbox(world: Any, **changes: Any) -> int:
    """A mailbox that is read; returns its id. Its host exists in the world."""
    form = MailboxForm(**{**vars(FORM), **changes})
    world.mail.add(form.imap.host)
    with world.database.unit_of_work() as uow:
        row = save_mailbox(uow, form, box=world.box, change=Change(None, world.clock.now()))
        return row.id


def load(world: Any, mailbox_id: int) -> MailboxRow:
    """The row as it stands now."""
    with world.database.read_session() as session:
        return session.get_one(MailboxRow, mailbox_id)
