"""Stage 1 of mail in (work kind `mail_fetch`): list a due mailbox, store the originals and their ledger rows.

The position is saved in the transaction that stores what was read, so a crash at any statement reads again and never
past. The unique key of the ledger makes reading twice harmless.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, func, insert, or_, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from portal.core import retry
from portal.core.errors import DomainError, GatewayError
from portal.core.ports import FetchedMail, MailAccount, MailBatch, Mailbox
from portal.core.work import MAIL_FETCH, MAIL_INTAKE
from portal.models import MailboxRow, MailFolder, MailLedger, SessionBlobStore, UnitOfWork
from portal.services.context import Context
from portal.services.mailboxes import IMAP, READ_KINDS, SENT, load_account

BATCH_MAILS = 50
BATCH_BYTES = 10_000_000
MAX_MAIL_BYTES = 40_000_000
# Longer than the slowest batch: several network time-outs of 30 s each.
LEASE = timedelta(minutes=3)
_RESET_OVERLAP = timedelta(days=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class FolderPlace:
    """Where reading stands in one folder."""

    id: int
    name: str
    cursor: str
    is_sent: bool


@dataclass(frozen=True)
class Claimed:
    """A mailbox that is ours until the lease ends. `folders`: the one requests arrive in first."""

    id: int
    owner: str
    account: MailAccount
    folders: tuple[FolderPlace, ...]
    read_from_at: datetime | None
    quiet_before_at: datetime | None
    last_ok_at: datetime | None
    is_check: bool
    at: datetime


def count_due_mailboxes(session: Session, *, now: datetime, lease_now: datetime) -> int:
    """How many mailboxes should be read or tested now."""
    return session.scalar(select(func.count()).select_from(MailboxRow).where(_due(now, lease_now))) or 0


def fetch_next(context: Context) -> bool:
    """Read one batch of one due mailbox, or test one whose test button was pressed. False: none is due."""
    claimed = _claim(context)
    if claimed is None:
        return False
    try:
        mailbox = context.mail.mailbox(claimed.account)
        if claimed.is_check:
            _save_check(context, claimed, _check(context, claimed, mailbox))
        else:
            _read(context, claimed, mailbox)
    except GatewayError as error:
        _save_failure(context, claimed, error)
    except OperationalError:
        _release(context, claimed)
        raise
    return True


def _due(now: datetime, lease_now: datetime) -> ColumnElement[bool]:
    is_free = or_(MailboxRow.lease_until.is_(None), MailboxRow.lease_until <= lease_now)
    wanted = or_(MailboxRow.check_asked_at.is_not(None), and_(MailboxRow.is_enabled, MailboxRow.next_at <= now))
    return and_(MailboxRow.kind.in_(READ_KINDS), is_free, wanted)


def _next_id(session: Session, context: Context) -> int | None:
    due = _due(context.clock.now(), context.clock.lease_now())
    order = (MailboxRow.check_asked_at.is_(None), MailboxRow.next_at, MailboxRow.id)
    return session.scalar(select(MailboxRow.id).where(due).order_by(*order).limit(1))


def _claim(context: Context) -> Claimed | None:
    """One lane per mailbox at a time. The first look costs no write lock."""
    with context.database.read_session() as session:
        if _next_id(session, context) is None:
            return None
    with context.database.unit_of_work() as uow:
        row_id = _next_id(uow.session, context)
        if row_id is None:
            return None
        row = uow.session.get_one(MailboxRow, row_id)
        if row.lease_until is not None and not context.clock.may_take_over():
            return None
        try:
            account = load_account(row, context.box)
        except DomainError as error:
            row.last_error, row.check_asked_at, row.check_result, row.check_ok = str(error), None, str(error), False
            row.next_at = context.clock.now() + timedelta(seconds=retry.MAILBOX.waits[-1])
            return None
        row.lease_owner, row.lease_until = context.random.token(8).hex(), context.clock.lease_now() + LEASE
        return Claimed(
            row.id,
            row.lease_owner,
            account,
            _load_folders(uow.session, row.id),
            row.read_from_at,
            row.quiet_before_at,
            row.last_ok_at,
            row.check_asked_at is not None,
            context.clock.now(),
        )


def _load_folders(session: Session, mailbox_id: int) -> tuple[FolderPlace, ...]:
    query = select(MailFolder).where(MailFolder.mailbox_id == mailbox_id).order_by(MailFolder.role, MailFolder.id)
    return tuple(FolderPlace(one.id, one.name, one.cursor, one.role == SENT) for one in session.scalars(query))


def _read(context: Context, claimed: Claimed, mailbox: Mailbox) -> None:
    """One batch of each folder. The lease is given back with the last."""
    has_more = False
    for place in claimed.folders:
        batch = _read_batch(context, claimed, place, mailbox)
        has_more = has_more or batch.has_more
        if not _save_batch(context, claimed, place, batch):
            return
    _finish(context, claimed, has_more=has_more)


def _read_batch(context: Context, claimed: Claimed, place: FolderPlace, mailbox: Mailbox) -> MailBatch:
    if not place.cursor:
        # Mail that was sent by hand before we came answers nothing that we know.
        since = None if place.is_sent else claimed.read_from_at
        return MailBatch((), mailbox.start(place.name, since), has_more=True)
    batch = mailbox.fetch(place.name, place.cursor, limit=BATCH_MAILS, byte_limit=BATCH_BYTES, max_size=MAX_MAIL_BYTES)
    if not batch.was_reset:
        return batch
    # The server numbered the folder anew. What we have is recognised by its content; older mail stays left alone.
    since = max(filter(None, (claimed.read_from_at, (claimed.last_ok_at or context.clock.now()) - _RESET_OVERLAP)))
    log.warning("a mailbox was renumbered", mailbox=claimed.id, folder=place.name)
    return MailBatch((), mailbox.start(place.name, since), has_more=True)


def _own(uow: UnitOfWork, claimed: Claimed) -> MailboxRow | None:
    """The row, unless the lease was lost in the meantime."""
    row = uow.session.get_one(MailboxRow, claimed.id)
    return row if row.lease_owner == claimed.owner else None


def _save_batch(context: Context, claimed: Claimed, place: FolderPlace, batch: MailBatch) -> bool:
    """False: the lease was lost, or the mailbox was changed to another place in the meantime."""
    now = context.clock.now()
    with context.database.unit_of_work() as uow:
        row, folder = _own(uow, claimed), uow.session.get(MailFolder, place.id)
        if row is None or folder is None or folder.cursor != place.cursor:
            return False
        if not place.cursor and not place.is_sent:
            # From before the connection: what arrives while it is made pages like any other.
            row.quiet_before_at = row.quiet_before_at or claimed.at
            row.read_from_at = row.read_from_at or claimed.at
        folder.cursor = batch.cursor
        if not batch.has_more:
            folder.caught_up_at = now
        if store_mails(uow, row, batch.mails, now=now, is_sent=place.is_sent):
            uow.wake(MAIL_INTAKE)
        return True


def _finish(context: Context, claimed: Claimed, *, has_more: bool) -> None:
    now = context.clock.now()
    with context.database.unit_of_work() as uow:
        row = _own(uow, claimed)
        if row is None:
            return
        row.last_ok_at, row.last_error, row.tries, row.failing_since_at, row.lease_until = now, "", 0, None, None
        row.next_at = now if has_more else now + timedelta(seconds=row.interval_s)


def store_mails(
    uow: UnitOfWork,
    mailbox: MailboxRow,
    mails: Sequence[FetchedMail],
    *,
    now: datetime,
    is_quiet: bool = False,
    is_found_late: bool = False,
    is_sent: bool = False,
) -> int:
    """Originals and ledger rows of mails not known yet, in the caller's transaction. Gives how many were new."""
    blobs = SessionBlobStore(uow.session)
    known = _known_ids(uow.session, mailbox.id, mails)
    rows = []
    for mail in mails:
        if (mail.folder, mail.provider_id) in known:
            continue
        known.add((mail.folder, mail.provider_id))
        received_at = min(mail.received_at, now)
        quiet_before = mailbox.quiet_before_at
        rows.append(
            {
                "mailbox_id": mailbox.id,
                "folder": mail.folder,
                "provider_id": mail.provider_id,
                "size": mail.size,
                "received_at": received_at,
                "listed_at": now,
                "sha256": blobs.put(mail.header if mail.raw is None else mail.raw),
                "state": "stored",
                "due_at": now,
                "is_cut": mail.raw is None,
                "is_quiet": is_quiet or (quiet_before is not None and received_at < quiet_before),
                "is_found_late": is_found_late,
                "is_sent": is_sent,
                "conversation_id": mail.conversation_id[:300],
            }
        )
    if rows:
        uow.session.execute(insert(MailLedger), rows)
    return len(rows)


def _known_ids(session: Session, mailbox_id: int, mails: Sequence[FetchedMail]) -> set[tuple[str, str]]:
    ids = [mail.provider_id for mail in mails]
    query = select(MailLedger.folder, MailLedger.provider_id).where(
        MailLedger.mailbox_id == mailbox_id, MailLedger.provider_id.in_(ids)
    )
    return {(folder, provider_id) for folder, provider_id in session.execute(query)} if ids else set()


def _save_failure(context: Context, claimed: Claimed, error: GatewayError) -> None:
    """Shown on the mailbox; asked again soon, or less often when only a person can mend it."""
    now = context.clock.now()
    log.warning("a mailbox could not be read", mailbox=claimed.id, code=error.code, error=error.message)
    with context.database.unit_of_work() as uow:
        row = _own(uow, claimed)
        if row is None:
            return
        row.lease_until = None
        if claimed.is_check:
            row.check_asked_at, row.check_result, row.check_ok = None, error.message, False
            return
        row.tries, row.last_error = row.tries + 1, error.message
        row.failing_since_at = row.failing_since_at or now
        plan = retry.plan_retry(retry.MAILBOX, tries=row.tries, now=now, retry_after=error.retry_after)
        slow = now + timedelta(seconds=retry.MAILBOX.waits[-1])
        row.next_at = slow if error.permanent or plan.due_at is None else plan.due_at


def _check(context: Context, claimed: Claimed, mailbox: Mailbox) -> str:
    lines = [f"Reading works: {mailbox.count(one.name):,} messages in {one.name}." for one in claimed.folders]
    if claimed.account.smtp.get("host") or claimed.account.kind != IMAP:
        lines.append(f"Sending works: {context.mail.sender(claimed.account).check()}")
    else:
        lines.append("This mailbox sends nothing: no server for outgoing mail is entered.")
    return " ".join(lines)


def _save_check(context: Context, claimed: Claimed, result: str) -> None:
    with context.database.unit_of_work() as uow:
        row = _own(uow, claimed)
        if row is not None:
            row.check_asked_at, row.check_result, row.check_ok, row.lease_until = None, result, True, None
            row.next_at = min(row.next_at, context.clock.now())
            uow.wake(MAIL_FETCH)


def _release(context: Context, claimed: Claimed) -> None:
    """The database refused what was read (a full disk): the mailbox is free again at once, its position unchanged."""
    with context.database.unit_of_work() as uow:
        row = _own(uow, claimed)
        if row is not None:
            row.lease_until = None
            row.next_at = context.clock.now() + timedelta(seconds=retry.MAILBOX.waits[1])
