"""Holds a mailbox against the ledger: whatever lies there and has no row is taken in, oldest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError, GatewayError
from portal.core.ports import FetchedMail, Mailbox
from portal.core.work import MAIL_INTAKE
from portal.models import MailboxRow, MailFolder, MailLedger
from portal.services.context import Context
from portal.services.mail_fetch import MAX_MAIL_BYTES, store_mails
from portal.services.mailboxes import INBOX, list_mailboxes, load_account

_AT_ONCE = 500
NOT_READ_YET = "not read yet"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class MailboxCheck:
    """What a look at one mailbox found. `error` is one sentence, "" when it could be read."""

    name: str
    listed: int = 0
    missing: int = 0
    error: str = ""


def check_mailboxes(context: Context, *, days: int) -> list[MailboxCheck]:
    """Check every mailbox that is read. One that cannot be reached is named and does not stop the others."""
    with context.database.read_session() as session:
        rows = [row for row in list_mailboxes(session) if row.is_enabled]
    return [check_mailbox(context, row, days=days) for row in rows]


def check_mailbox(context: Context, row: MailboxRow, *, days: int) -> MailboxCheck:
    """Take in what arrived since the mailbox was set up, at most `days` ago, and has no row."""
    with context.database.read_session() as session:
        query = select(MailFolder).where(MailFolder.mailbox_id == row.id, MailFolder.role == INBOX)
        place = session.scalar(query)
    if place is None or not place.cursor:
        return MailboxCheck(row.name, error=NOT_READ_YET)
    now = context.clock.now()
    since = max(now - timedelta(days=days), row.quiet_before_at or now, row.read_from_at or now)
    try:
        mailbox = context.mail.mailbox(load_account(row, context.box))
        listed = mailbox.list_ids(place.name, since)
        passed = [pair for pair in listed if not mailbox.is_ahead(pair[0], place.cursor)]
        missing = _missing(context, place, passed)
        for provider_id in missing:
            _take_in(context, row, place.name, mailbox, provider_id)
    except (GatewayError, DomainError) as error:
        return MailboxCheck(row.name, error=str(error))
    if missing:
        log.warning("mails had been missed", mailbox=row.id, count=len(missing))
    return MailboxCheck(row.name, len(listed), len(missing))


def _missing(context: Context, place: MailFolder, passed: Sequence[tuple[str, datetime]]) -> list[str]:
    """What reading has passed and the ledger does not know, oldest first. What lies ahead is read in its turn."""
    ids = [one for one, _ in sorted(passed, key=lambda pair: pair[1])]
    known: set[str] = set()
    with context.database.read_session() as session:
        for start in range(0, len(ids), _AT_ONCE):
            known |= _known(session, place.mailbox_id, place.name, ids[start : start + _AT_ONCE])
    return [one for one in ids if one not in known]


def _known(session: Session, mailbox_id: int, folder: str, ids: Sequence[str]) -> set[str]:
    query = select(MailLedger.provider_id).where(
        MailLedger.mailbox_id == mailbox_id, MailLedger.folder == folder, MailLedger.provider_id.in_(ids)
    )
    return set(session.scalars(query))


def _take_in(context: Context, row: MailboxRow, folder: str, mailbox: Mailbox, provider_id: str) -> None:
    mail = mailbox.fetch_one(folder, provider_id)
    if mail is None:
        return  # moved or deleted meanwhile
    if mail.raw is not None and mail.size > MAX_MAIL_BYTES:
        header = mail.raw.split(b"\r\n\r\n", 1)[0] + b"\r\n\r\n"
        mail = FetchedMail(mail.provider_id, folder, mail.received_at, mail.size, None, header)
    with context.database.unit_of_work() as uow:
        fresh = uow.session.get_one(MailboxRow, row.id)
        if store_mails(uow, fresh, [mail], now=context.clock.now(), is_found_late=True):
            uow.wake(MAIL_INTAKE)
