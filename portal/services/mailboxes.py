"""Mailboxes as administrators set them up: loaded, saved with a trace, and asked for a test."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.ports import MailAccount, SecretBox
from portal.models import MailboxRow, MailFolder, UnitOfWork
from portal.services.audit import Change, record_change

IMAP, GRAPH, FILES = "imap", "graph", "files"
READ_KINDS = (IMAP, GRAPH)
INBOX, SENT = "inbox", "sent"  # roles of folders
SECURITY = ("tls", "starttls", "plain")
MIN_INTERVAL_S, MAX_INTERVAL_S = 5, 3600
_ADDRESS = re.compile(r"[^\s@<>\"(),;:]+@[^\s@<>\"(),;:]+")


@dataclass(frozen=True)
class Server:
    """One server of a mailbox. An empty host means there is none; an empty password keeps the stored one."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class MailboxForm:
    """What the mailbox page and the settings file set."""

    name: str
    address: str
    imap: Server
    smtp: Server
    sender_name: str = ""
    queue_id: int | None = None
    folder: str = "INBOX"
    sent_folder: str = ""
    interval_s: int = 20
    is_enabled: bool = True
    read_from_at: datetime | None = None


def list_mailboxes(session: Session) -> Sequence[MailboxRow]:
    """Every mailbox that is read, by name."""
    return session.scalars(select(MailboxRow).where(MailboxRow.kind.in_(READ_KINDS)).order_by(MailboxRow.name)).all()


def load_account(row: MailboxRow, box: SecretBox) -> MailAccount:
    """What the adapters need, with opened secrets. Raises DomainError when the key file is another one."""
    return MailAccount(key=str(row.id), kind=row.kind, imap=_server(row, "imap", box), smtp=_server(row, "smtp", box))


def save_mailbox(
    uow: UnitOfWork, form: MailboxForm, *, box: SecretBox, change: Change, mailbox_id: int | None = None
) -> MailboxRow:
    """Add a mailbox, or change one; it is read again at once. Raises DomainError with what is wrong with the form."""
    row = uow.session.get(MailboxRow, mailbox_id) if mailbox_id else None
    if mailbox_id and row is None:
        raise DomainError("This mailbox is gone.")
    _check(uow.session, form, row)
    if row is None:
        row = MailboxRow(kind=IMAP, options={}, secrets={}, read_from_at=form.read_from_at)
        uow.session.add(row)
    elif _place(row.options) != (form.imap.host, form.imap.user, form.folder):
        # Another place: what was read says nothing about it. Its first connection is quiet again.
        uow.session.execute(delete(MailFolder).where(MailFolder.mailbox_id == row.id))
        row.quiet_before_at, row.read_from_at = None, form.read_from_at
    row.name, row.address, row.sender_name = form.name.strip(), form.address.strip(), form.sender_name.strip()
    row.queue_id, row.interval_s, row.is_enabled = form.queue_id, form.interval_s, form.is_enabled
    row.options = {
        "folder": form.folder,
        "sent_folder": form.sent_folder,
        "imap": _public(form.imap),
        "smtp": _public(form.smtp),
    }
    row.secrets = {
        name: box.seal(server.password) if server.password else row.secrets.get(name, "")
        for name, server in (("imap", form.imap), ("smtp", form.smtp))
    }
    row.next_at, row.tries, row.last_error, row.check_result = change.at, 0, "", ""
    uow.session.flush()
    _keep_folders(uow.session, row.id, {form.folder: INBOX, form.sent_folder: SENT})
    record_change(uow, change, "mailbox.edit" if mailbox_id else "mailbox.add", row.name, options=row.options)
    uow.wake("mail_fetch")
    return row


def delete_mailbox(uow: UnitOfWork, mailbox_id: int, *, change: Change) -> None:
    """Stop reading a mailbox for good. Its row stays, because the ledger refers to it; its secrets go."""
    row = uow.session.get(MailboxRow, mailbox_id)
    if row is None or row.kind not in READ_KINDS:
        raise DomainError("This mailbox is gone.")
    record_change(uow, change, "mailbox.delete", row.name)
    row.name, row.kind, row.is_enabled = f"{row.name[:70]} (removed {row.id})", "removed", False
    row.options, row.secrets, row.lease_until = {}, {}, None


def ask_check(uow: UnitOfWork, mailbox_id: int, *, change: Change) -> None:
    """The test button: a worker looks at both servers, since no web request calls outside."""
    row = uow.session.get(MailboxRow, mailbox_id)
    if row is None or row.kind not in READ_KINDS:
        raise DomainError("This mailbox is gone.")
    row.check_asked_at, row.check_result, row.check_ok = change.at, "", False
    uow.wake("mail_fetch")


def own_addresses(session: Session) -> frozenset[str]:
    """The addresses we send from, in lower case."""
    addresses = session.scalars(select(MailboxRow.address).where(MailboxRow.kind.in_(READ_KINDS)))
    return frozenset(address.lower() for address in addresses)


def _keep_folders(session: Session, mailbox_id: int, wanted: Mapping[str, str]) -> None:
    """A row for each folder that is read; what was read of a folder that stays is not forgotten."""
    rows = {one.name: one for one in session.scalars(select(MailFolder).where(MailFolder.mailbox_id == mailbox_id))}
    for name, role in wanted.items():
        if name and name not in rows:
            session.add(MailFolder(mailbox_id=mailbox_id, name=name, role=role))
    for name, row in rows.items():
        if name not in wanted:
            session.delete(row)
    session.flush()


def _server(row: MailboxRow, name: str, box: SecretBox) -> Mapping[str, Any]:
    server = dict(row.options.get(name, {}))
    sealed = row.secrets.get(name, "")
    return {**server, "password": box.open(sealed)} if server and sealed else server


def _public(server: Server) -> dict[str, Any]:
    if not server.host.strip():
        return {}
    return {
        "host": server.host.strip(), "port": server.port, "security": server.security, "user": server.user.strip(),
    }  # fmt: skip


def _place(options: Mapping[str, Any]) -> tuple[str, str, str]:
    imap = options.get("imap", {})
    return imap.get("host", ""), imap.get("user", ""), options.get("folder", "")


def _check(session: Session, form: MailboxForm, row: MailboxRow | None) -> None:
    if not form.name.strip() or len(form.name) > 90:
        raise DomainError("Please give the mailbox a name of at most 90 letters.")
    twin = session.scalar(select(MailboxRow.id).where(MailboxRow.name == form.name.strip()))
    if twin is not None and (row is None or row.id != twin):
        raise DomainError(f"There is a mailbox named {form.name.strip()} already.")
    if not _ADDRESS.fullmatch(form.address.strip()):
        raise DomainError("Please enter the mail address of the mailbox, such as help@example.com.")
    if not form.imap.host.strip() or not form.imap.user.strip():
        raise DomainError("Please enter the server and the user name for reading.")
    if not MIN_INTERVAL_S <= form.interval_s <= MAX_INTERVAL_S:
        raise DomainError(f"The interval must be {MIN_INTERVAL_S} to {MAX_INTERVAL_S} seconds.")
    for server in (form.imap, form.smtp):
        if server.host.strip() and (server.security not in SECURITY or not 0 < server.port < 65536):
            raise DomainError(f"Please check the port and the security of {server.host.strip()}.")
    for name, server in (("imap", form.imap), ("smtp", form.smtp)):
        _check_password(name, server, row)


def _check_password(name: str, server: Server, row: MailboxRow | None) -> None:
    """A stored password goes to the server it was entered for and to no other."""
    if not server.host.strip() or not server.user.strip() or server.password:
        return
    before = row.options.get(name, {}) if row else {}
    if not (row and row.secrets.get(name)):
        raise DomainError(f"Please enter the password for {server.host.strip()}.")
    if (before.get("host"), before.get("user")) != (server.host.strip(), server.user.strip()):
        raise DomainError(f"Please enter the password for {server.host.strip()} again: server or user changed.")
