"""A mail to one of our own people that is about no ticket: a swap, a hand-over. It goes through the outbox."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from portal.core.work import MAIL_OUT
from portal.models import MailboxRow, OutgoingMail, UnitOfWork, User
from portal.services.context import Context
from portal.services.mail_out import why_stopped
from portal.services.mailboxes import can_send


@dataclass(frozen=True)
class StaffMail:
    """The words of one mail. `key` is unique: the same key twice is one mail."""

    event: str
    key: str
    subject: str
    text: str


def add_staff_mail(context: Context, uow: UnitOfWork, user: User, mail: StaffMail) -> bool:
    """Put it into the outbox; in watch mode, or to a dead address, as cancelled with the reason.

    False where no mailbox can send, or it was written before.
    """
    session, now = uow.session, context.clock.now()
    # One that is read well first: a mailbox in trouble may not send either.
    order = (MailboxRow.failing_since_at.is_not(None), MailboxRow.id)
    boxes = session.scalars(select(MailboxRow).where(MailboxRow.is_enabled).order_by(*order))
    mailbox = next((box for box in boxes if can_send(box.options)), None)
    known = session.scalar(select(OutgoingMail.id).where(OutgoingMail.dedupe_key == mail.key))
    if mailbox is None or known is not None:
        return False
    mark = f"nd.{mail.event}.{context.random.token(10).hex()}"
    row = OutgoingMail(
        mailbox_id=mailbox.id,
        event=mail.event,
        dedupe_key=mail.key,
        to=[user.email],
        subject=mail.subject[:400],
        text=mail.text,
        message_id=f"<{mark}@{mailbox.address.rpartition('@')[2]}>",
        created_at=now,
        state="pending",
        due_at=now,
    )
    session.add(row)
    if reason := why_stopped(session, row, mailbox):
        row.state, row.due_at, row.last_error = "cancelled", None, reason
    else:
        uow.wake(MAIL_OUT)
    return True
