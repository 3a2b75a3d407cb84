"""The outbox of mail (work kind `mail_out`): claim, send, record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from portal.core import retry
from portal.core.errors import DomainError, GatewayError
from portal.core.ports import MailAccount, OutgoingAttachment, OutgoingMessage
from portal.core.work import MAIL_OUT
from portal.models import Attachment, MailboxRow, OutgoingMail, SessionBlobStore, UnitOfWork
from portal.services.context import Context
from portal.services.mail_out import why_stopped
from portal.services.mail_tokens import open_account

LEASE = timedelta(minutes=3)
# The account is the trouble and not the mail: the mail waits until a person has mended it.
ACCOUNT_CODES = frozenset({"login", "certificate"})
# What is due later than any try is planned, or leased for longer than any lease, is from before the clock went back.
_LONGEST = timedelta(seconds=retry.MAIL.waits[-1])
_ACCOUNT_WAIT = timedelta(minutes=5)
# Without its copies the mail would be refused all the same.
_OF_THE_FILES = frozenset({"size", "right", "id"})
_NO_COPIES = "Sent without copies"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Claimed:
    id: int
    owner: str
    account: MailAccount
    message: OutgoingMessage
    file_ids: tuple[int, ...]
    is_again: bool  # an earlier try may have reached the server


def count_due_outgoing(session: Session, *, now: datetime, lease_now: datetime) -> int:
    """Mails that should be sent now."""
    return session.scalar(select(func.count()).select_from(OutgoingMail).where(_due(now, lease_now))) or 0


def send_next(context: Context) -> bool:
    """Send one due mail. False: none is due.

    Before a second try the server is asked whether it took the first. SMTP cannot say, so there a mail whose answer got
    lost goes out again with the same Message-ID, by which recipients drop the second (decisions.md 6).
    """
    claimed = _claim(context)
    if claimed is None:
        return False
    try:
        sender = context.mail.sender(claimed.account)
        if not (claimed.is_again and sender.was_sent(claimed.message.message_id)):
            sender.send(claimed.message)
    except GatewayError as error:
        _record_failure(context, claimed, error)
    except Exception as error:  # one mail with a bug behind it is tried as often as any other, and then shown
        log.exception("a mail could not be sent", mail=claimed.id)
        words = f"Sending failed with {type(error).__name__}. The log says more."
        _record_failure(context, claimed, GatewayError(words, maybe_done=True))
    else:
        _record_sent(context, claimed)
    return True


def _due(now: datetime, lease_now: datetime) -> ColumnElement[bool]:
    is_time = or_(OutgoingMail.due_at <= now, OutgoingMail.due_at > now + _LONGEST)
    is_left = or_(OutgoingMail.lease_until <= lease_now, OutgoingMail.lease_until > lease_now + 2 * LEASE)
    return or_(and_(OutgoingMail.state == "pending", is_time), and_(OutgoingMail.state == "sending", is_left))


def _next_id(session: Session, context: Context) -> int | None:
    due = _due(context.clock.now(), context.clock.lease_now())
    if not context.clock.may_take_over():
        due = and_(due, OutgoingMail.state != "sending")  # whose it is cannot be known now; what waits goes on
    return session.scalar(select(OutgoingMail.id).where(due).order_by(OutgoingMail.due_at, OutgoingMail.id).limit(1))


def _claim(context: Context) -> _Claimed | None:
    """The next mail that may leave; those that must not any more are put aside on the way."""
    with context.database.read_session() as session:
        if _next_id(session, context) is None:
            return None
    while True:
        with context.database.unit_of_work() as uow:
            row_id = _next_id(uow.session, context)
            row = uow.session.get_one(OutgoingMail, row_id) if row_id else None
            if row is None:
                return None
            claimed = _take(context, uow.session, row)
        if claimed is not None:
            with context.database.read_session() as session:
                files = _load_files(session, claimed.file_ids)
            return replace(claimed, message=replace(claimed.message, attachments=files))


def _take(context: Context, session: Session, row: OutgoingMail) -> _Claimed | None:
    now = context.clock.now()
    mailbox = session.get(MailboxRow, row.mailbox_id) if row.mailbox_id else None
    reason = why_stopped(session, row, mailbox)
    if reason or mailbox is None:
        row.state, row.due_at, row.last_error = "cancelled", None, reason
        return None
    try:
        account = open_account(mailbox, context)
    except DomainError as error:
        row.state, row.due_at, row.last_error = "pending", now + _ACCOUNT_WAIT, str(error)
        return None
    is_again = row.state == "sending" or row.tries > 0
    row.state, row.tries = "sending", row.tries + 1
    row.lease_owner, row.lease_until = context.random.token(8).hex(), context.clock.lease_now() + LEASE
    message = _message(row, mailbox, now)
    return _Claimed(row.id, row.lease_owner, account, message, tuple(row.attachment_ids), is_again)


def _message(row: OutgoingMail, mailbox: MailboxRow, now: datetime) -> OutgoingMessage:
    return OutgoingMessage(
        message_id=row.message_id,
        sender=mailbox.address,
        sender_name=mailbox.sender_name,
        to=tuple(row.to),
        cc=tuple(row.cc),
        subject=row.subject,
        text=row.text,
        html=row.html,
        in_reply_to=row.in_reply_to,
        references=tuple(row.references),
        is_automatic=row.is_automatic,
        date=now,
    )


def _load_files(session: Session, ids: Sequence[int]) -> tuple[OutgoingAttachment, ...]:
    blobs = SessionBlobStore(session)
    rows = session.scalars(select(Attachment).where(Attachment.id.in_(ids)).order_by(Attachment.id)) if ids else ()
    return tuple(OutgoingAttachment(row.filename, row.content_type, blobs.get(row.sha256)) for row in rows)


def _own(uow: UnitOfWork, claimed: _Claimed) -> OutgoingMail | None:
    row = uow.session.get_one(OutgoingMail, claimed.id)
    return row if row.lease_owner == claimed.owner and row.state == "sending" else None


def _record_sent(context: Context, claimed: _Claimed) -> None:
    with context.database.unit_of_work() as uow:
        row = _own(uow, claimed)
        if row is not None:
            row.state, row.sent_at, row.due_at, row.lease_until = "sent", context.clock.now(), None, None
            row.last_error = row.last_error if row.last_error.startswith(_NO_COPIES) else ""


def _record_failure(context: Context, claimed: _Claimed, error: GatewayError) -> None:
    now = context.clock.now()
    log.warning("a mail was not taken", mail=claimed.id, code=error.code, error=error.message)
    with context.database.unit_of_work() as uow:
        row = _own(uow, claimed)
        if row is None:
            return
        row.last_error, row.lease_until = error.message, None
        if error.code in ACCOUNT_CODES:
            row.state, row.due_at, row.tries = "pending", now + _ACCOUNT_WAIT, row.tries - 1
            return
        if error.permanent and row.cc and error.code not in _OF_THE_FILES:
            # Perhaps it is a copy that the server does not like: the requester gets the mail all the same.
            row.last_error = f"{_NO_COPIES} to {', '.join(row.cc)}: {error.message}"[:500]
            row.state, row.due_at, row.cc = "pending", now, []
            uow.wake(MAIL_OUT)
            return
        plan = retry.plan_retry(
            retry.MAIL, tries=row.tries, now=now, permanent=error.permanent, retry_after=error.retry_after
        )
        row.state, row.due_at = ("pending", plan.due_at) if plan.due_at else ("failed", None)
