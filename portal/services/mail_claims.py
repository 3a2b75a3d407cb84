"""Who has a mailbox in hand: one lane at a time, by a lease that is renewed while its server takes its time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from portal.core import retry
from portal.core.errors import DomainError
from portal.core.leases import LEASE_SECONDS, lease_end
from portal.core.ports import MailAccount
from portal.models import DatabaseBusyError, MailboxRow, MailFolder, UnitOfWork
from portal.services.context import Context
from portal.services.mail_tokens import open_account
from portal.services.mailboxes import MAX_INTERVAL_S, READ_KINDS, SENT

CHECK, RECONCILE, READ = "check", "reconcile", "read"
# A third of the lease, so that one renewal may fail. After a crash the mailbox is free when the lease is over.
RENEW_SECONDS = 20.0
# Nobody is asked to wait longer. A turn further off was planned before the clock went back: it counts as due.
_LONGEST = timedelta(seconds=max(MAX_INTERVAL_S, retry.MAX_ASKED_WAIT))
_LONGEST_LEASE = timedelta(seconds=2 * LEASE_SECONDS)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class FolderPlace:
    """Where reading stands in one folder, from when it is read, and when it last came to the end; None: not since it
    was begun anew."""

    id: int
    name: str
    cursor: str
    is_sent: bool
    read_from_at: datetime | None
    caught_up_at: datetime | None

    @property
    def is_catching_up(self) -> bool:
        """Whether what we have may be met again."""
        return self.caught_up_at is None


@dataclass(frozen=True)
class Claimed:
    """A mailbox that is ours until the lease ends. `task` is check, reconcile or read; `folders`: the one requests
    arrive in first."""

    id: int
    name: str
    owner: str
    task: str
    account: MailAccount
    folders: tuple[FolderPlace, ...]
    read_from_at: datetime | None
    at: datetime


def count_due_mailboxes(session: Session, *, now: datetime, lease_now: datetime) -> int:
    """How many mailboxes should be read, compared or tested now."""
    return session.scalar(select(func.count()).select_from(MailboxRow).where(_due(now, lease_now))) or 0


def claim_mailbox(context: Context) -> Claimed | None:
    """The next due mailbox that nobody has in hand; None when there is none. The first look costs no write lock."""
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
            account = open_account(row, context)
        except DomainError as error:
            _put_aside(row, str(error), context.clock.now())
            return None
        row.lease_owner, row.lease_until = context.random.token(8).hex(), lease_end(context.clock.lease_now())
        return _claimed(uow.session, row, account, context.clock.now())


def own_mailbox(uow: UnitOfWork, claimed: Claimed) -> MailboxRow | None:
    """The row, unless the lease was lost in the meantime, or given back."""
    row = uow.session.get_one(MailboxRow, claimed.id)
    return row if row.lease_owner == claimed.owner and row.lease_until is not None else None


@contextmanager
def keeping_mailbox(context: Context, claimed: Claimed, *, seconds: float = RENEW_SECONDS) -> Iterator[None]:
    """Renews the lease as long as the body runs: a slow server's mailbox must not be taken by a second lane, which
    would only wait for the first, and then by a third."""
    is_done = threading.Event()

    def renew() -> None:
        while not is_done.wait(seconds):
            try:
                with context.database.unit_of_work() as uow:
                    row = own_mailbox(uow, claimed)
                    if row is None:
                        return
                    row.lease_until = lease_end(context.clock.lease_now())
            except (DatabaseBusyError, OperationalError):
                log.warning("the database is busy; the lease of a mailbox was not renewed", mailbox=claimed.id)

    threading.Thread(target=renew, name="mailbox-lease", daemon=True).start()
    try:
        yield
    finally:
        is_done.set()


def load_places(session: Session, mailbox_id: int) -> tuple[FolderPlace, ...]:
    """The folders of a mailbox, those requests arrive in first."""
    query = select(MailFolder).where(MailFolder.mailbox_id == mailbox_id).order_by(MailFolder.role, MailFolder.id)
    return tuple(
        FolderPlace(one.id, one.name, one.cursor, one.role == SENT, one.read_from_at, one.caught_up_at)
        for one in session.scalars(query)
    )


def _due(now: datetime, lease_now: datetime) -> ColumnElement[bool]:
    until = MailboxRow.lease_until
    is_free = or_(until.is_(None), until <= lease_now, until > lease_now + _LONGEST_LEASE)
    is_time = or_(MailboxRow.next_at <= now, MailboxRow.next_at > now + _LONGEST)
    is_asked = and_(MailboxRow.is_enabled, or_(is_time, MailboxRow.reconcile_asked_at.is_not(None)))
    return and_(MailboxRow.kind.in_(READ_KINDS), is_free, or_(MailboxRow.check_asked_at.is_not(None), is_asked))


def _next_id(session: Session, context: Context) -> int | None:
    """Tests first: somebody waits for the answer. Comparing comes last, it may take minutes."""
    now = context.clock.now()
    is_later = and_(MailboxRow.next_at > now, MailboxRow.next_at <= now + _LONGEST)
    order = (MailboxRow.check_asked_at.is_(None), is_later, MailboxRow.next_at, MailboxRow.id)
    due = _due(now, context.clock.lease_now())
    return session.scalar(select(MailboxRow.id).where(due).order_by(*order).limit(1))


def _claimed(session: Session, row: MailboxRow, account: MailAccount, now: datetime) -> Claimed:
    if row.check_asked_at is not None:
        task = CHECK
    else:
        task = READ if not now < row.next_at <= now + _LONGEST else RECONCILE
    places = load_places(session, row.id)
    return Claimed(
        row.id, row.name, row.lease_owner, task, account, places, row.read_from_at, now
    )  # fmt: skip


def _put_aside(row: MailboxRow, words: str, now: datetime) -> None:
    """Only a person can help: shown, and tried again rarely."""
    row.last_error, row.failing_since_at = words, row.failing_since_at or now
    if row.check_asked_at is not None:
        row.check_asked_at, row.check_result, row.check_ok = None, words, False
    row.reconcile_asked_at = None
    row.next_at = now + timedelta(seconds=retry.MAILBOX.waits[-1])
