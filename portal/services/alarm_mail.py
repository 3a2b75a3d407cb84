"""An alarm as mail to managers and admins: texts may be the very thing that does not work."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from portal.core.work import MAIL_OUT
from portal.models import Alarm, MailboxRow, OutgoingMail, UnitOfWork, User
from portal.services.mailboxes import can_send
from portal.services.recipients import MANAGER_ROLES

EVENT = "alarm"
# An alarm that comes and goes is mailed once in this time.
_QUIET = timedelta(hours=1)


def add_alarm_mail(uow: UnitOfWork, alarm: Alarm, *, site_name: str, now: datetime) -> bool:
    """One mail to all managers and admins. False where no mailbox can send, or the same alarm was mailed lately.

    Not held back in watch mode: it goes to the house itself.
    """
    session = uow.session
    # One that is read well first: the alarm may be about the sign-in of another.
    order = (MailboxRow.failing_since_at.is_not(None), MailboxRow.id)
    boxes = session.scalars(select(MailboxRow).where(MailboxRow.is_enabled).order_by(*order))
    mailbox = next((box for box in boxes if can_send(box.options)), None)
    people = select(User.email).where(User.role.in_(MANAGER_ROLES), User.is_active).order_by(User.id)
    to = list(session.scalars(people))
    lately = select(Alarm.id).where(Alarm.key == alarm.key, Alarm.id != alarm.id, Alarm.raised_at > now - _QUIET)
    if mailbox is None or not to or session.scalar(lately) is not None:
        return False
    session.add(
        OutgoingMail(
            mailbox_id=mailbox.id,
            event=EVENT,
            dedupe_key=f"alarm:{alarm.id}",
            to=to,
            subject=f"Alarm from {site_name}: {alarm.text}"[:200],
            text=f"{alarm.text}\n\nThe Paging page of {site_name} shows it, and what can be done.\n",
            message_id=f"<nd.alarm.{alarm.id}.{int(now.timestamp())}@{mailbox.address.rpartition('@')[2]}>",
            created_at=now,
            state="pending",
            due_at=now,
        )
    )
    uow.wake(MAIL_OUT)
    return True
