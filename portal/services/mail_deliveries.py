"""What became of the mails we sent, as mail tells it: bounces and delays that come back, copies among the sent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select

from portal.core.bounces import DELAYED, FAILED, DeliveryReport, read_bounce
from portal.core.mail import ParsedMail
from portal.core.threading import read_tokens
from portal.models import OutgoingMail, Ticket, UnitOfWork
from portal.services.context import Context
from portal.services.mail_facts import TOKEN_PURPOSE
from portal.services.mail_suspensions import suspend
from portal.services.tickets import Actor, record_event

MAIL = Actor("Mail")
_WAITING = ("pending", "sending", "failed")


def note_bounce(context: Context, uow: UnitOfWork, ticket: Ticket, mail: ParsedMail) -> None:
    """Keep at the mails it answers what a delivery report says of them, and stop mail to an address that is dead.

    Only a report that returns the id of a mail that we really sent, or our signed token, and only for an address that
    we sent it to: anybody can write a report. A delay suspends nobody.
    """
    for outgoing in _answered_mails(context, uow, mail):
        recipients = {one.lower() for one in (*outgoing.to, *outgoing.cc)}
        for report in read_bounce(mail, recipients=recipients):
            _note(context, uow, ticket, outgoing, report)


def confirm_sent(uow: UnitOfWork, message_id: str, *, at: datetime) -> bool:
    """A mail of ours lies among the sent: it went out, whatever its sender was told. False: nothing waited for that."""
    query = select(OutgoingMail).where(OutgoingMail.message_id == message_id, OutgoingMail.state.in_(_WAITING))
    row = uow.session.scalar(query)
    if row is None:
        return False
    row.state, row.sent_at, row.due_at, row.lease_until, row.last_error = "sent", at, None, None, ""
    return True


def _answered_mails(context: Context, uow: UnitOfWork, mail: ParsedMail) -> list[OutgoingMail]:
    text = "\n".join((*mail.returned_ids, mail.report, mail.text))
    tokens = read_tokens(text, mac=lambda message: context.box.mac(TOKEN_PURPOSE, message))
    ids = {token.row_id for token in tokens[:20]}
    if not mail.returned_ids and not ids:
        return []
    mine = or_(OutgoingMail.message_id.in_(mail.returned_ids), OutgoingMail.id.in_(ids))
    return list(uow.session.scalars(select(OutgoingMail).where(mine).order_by(OutgoingMail.id)))


def _note(context: Context, uow: UnitOfWork, ticket: Ticket, outgoing: OutgoingMail, report: DeliveryReport) -> None:
    if report.action not in (FAILED, DELAYED) or (report.action == DELAYED and outgoing.delivery == FAILED):
        return  # "delivered" and "relayed" are good news that nobody waits for
    now, address = context.clock.now(), report.recipient.lower()
    outgoing.delivery, outgoing.delivery_at = report.action, now
    outgoing.delivery_text = f"{address}: {report.words}"[:500]
    if report.action == FAILED:
        outgoing.last_error = f"Came back from {address}: {report.words}"[:500]
    words = {"address": address, "action": report.action, "reason": report.words}
    record_event(uow, ticket, "delivery", actor=MAIL, now=now, **words)
    reason = f"Mail came back: {report.status} {report.diagnostic}".strip()
    if report.is_permanent and suspend(uow, address, reason=reason, now=now, ticket_id=ticket.id):
        record_event(uow, ticket, "address_suspended", actor=MAIL, now=now, address=address)
