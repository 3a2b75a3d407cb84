"""Carries out the verdict on a mail, inside the transaction that gives it."""

from __future__ import annotations

from sqlalchemy import insert, select

from portal.core import intake
from portal.core.intake import IntakePlan
from portal.core.mail import ParsedMail
from portal.core.mail_kinds import parse_report
from portal.core.threading import parent_ids
from portal.models import (
    Attachment,
    KnownMessageId,
    MailboxRow,
    MailLedger,
    Message,
    OutgoingMail,
    SessionBlobStore,
    Ticket,
    UnitOfWork,
)
from portal.services.context import Context
from portal.services.mail_suspensions import suspend
from portal.services.paging_rules import load_paging_rules
from portal.services.replies import take_reply
from portal.services.tickets import (
    AUTOMATIC,
    BOUNCE,
    REPLY,
    REQUEST,
    Actor,
    NewMessage,
    NewTicket,
    add_message,
    create_ticket,
    find_or_add_requester,
    record_event,
)

MAIL = Actor("Mail")
_MAX_KNOWN = 50


def apply_plan(
    context: Context, uow: UnitOfWork, row: MailLedger, mail: ParsedMail, *, plan: IntakePlan, html: str
) -> int | None:
    """Make the ticket, the reply or the note that the plan asks for. Returns the ticket the mail now belongs to.

    `html` is the sanitised body.
    """
    if plan.verdict == intake.TICKET:
        return _open(context, uow, row, mail, plan, html)
    ticket = uow.session.get(Ticket, plan.ticket_id) if plan.ticket_id else None
    if ticket is None:
        return None
    if plan.verdict == intake.REPLY:
        rules = load_paging_rules(uow.session, now=context.clock.now())
        message = take_reply(uow, ticket, _message(row, mail, html, REPLY), rules=rules, is_quiet=row.is_quiet)
    elif plan.verdict in (intake.AUTOMATIC, intake.BOUNCE):
        kind = AUTOMATIC if plan.verdict == intake.AUTOMATIC else BOUNCE
        new = _message(row, mail, html, kind)
        message = add_message(uow, ticket, new, now=context.clock.now(), touch=False)
        if plan.verdict == intake.BOUNCE:
            _note_bounce(context, uow, ticket, mail)
    else:
        return ticket.id
    _add_files(uow, message, mail)
    _learn_ids(uow, ticket.id, mail, with_parents=plan.verdict == intake.REPLY)
    return ticket.id


def _open(context: Context, uow: UnitOfWork, row: MailLedger, mail: ParsedMail, plan: IntakePlan, html: str) -> int:
    now = context.clock.now()
    queue_id = uow.session.scalar(select(MailboxRow.queue_id).where(MailboxRow.id == row.mailbox_id))
    sender = mail.sender
    requester = find_or_add_requester(uow, sender.email, now=now, name=sender.name) if sender else None
    new = NewTicket(
        subject=mail.subject,
        first=_message(row, mail, html, REQUEST),
        source="mail",
        requester_id=requester.id if requester else None,
        received_at=row.received_at,
        values={
            "mailbox_id": row.mailbox_id,
            "queue_id": queue_id,
            "is_automatic": plan.is_automatic,
            "is_imported": row.is_quiet,
        },
    )
    ticket, message = create_ticket(uow, new, actor=MAIL, now=now)
    _add_files(uow, message, mail)
    _learn_ids(uow, ticket.id, mail, with_parents=True)
    if plan.maybe is not None:
        record_event(uow, ticket, "may_belong", actor=MAIL, now=now, other=plan.maybe, reason=plan.reason)
    if plan.follows is not None:
        record_event(uow, ticket, "follows", actor=MAIL, now=now, other=plan.follows)
    return ticket.id


def _message(row: MailLedger, mail: ParsedMail, html: str, kind: str) -> NewMessage:
    sender = mail.sender
    author = f"{sender.name} <{sender.email}>" if sender and sender.name else mail.from_email
    body = mail.text
    if row.is_cut:
        body = (
            f"This mail is {row.size / 1_000_000:.0f} MB, too large to be fetched. "
            "Its text and its files are still in the mailbox."
        )
    return NewMessage(
        kind=kind,
        body=body,
        author=author,
        is_public=kind in (REQUEST, REPLY),
        subject=mail.subject,
        html=html,
        at=row.received_at,
        ledger_id=row.id,
    )


def _add_files(uow: UnitOfWork, message: Message, mail: ParsedMail) -> None:
    if not mail.attachments:
        return
    blobs = SessionBlobStore(uow.session)
    rows = [
        {
            "message_id": message.id,
            "filename": one.filename,
            "content_type": one.content_type[:100],
            "size": len(one.data),
            "sha256": blobs.put(one.data),
            "is_inline": one.is_inline,
            "content_id": one.content_id[:255],
        }
        for one in mail.attachments
    ]
    uow.session.execute(insert(Attachment), rows)


def _learn_ids(uow: UnitOfWork, ticket_id: int, mail: ParsedMail, *, with_parents: bool) -> None:
    """Remember the ids by which answers will come back: its own and, for a conversation begun elsewhere, those it
    answers. An id that belongs to a ticket already stays there."""
    parents = parent_ids(mail)[:_MAX_KNOWN] if with_parents else ()
    ids = list(dict.fromkeys(one for one in (mail.message_id, *parents) if one))
    if not ids:
        return
    known = set(uow.session.scalars(select(KnownMessageId.message_id).where(KnownMessageId.message_id.in_(ids))))
    fresh = [{"message_id": one, "ticket_id": ticket_id, "is_ours": False} for one in ids if one not in known]
    if fresh:
        uow.session.execute(insert(KnownMessageId), fresh)


def _note_bounce(context: Context, uow: UnitOfWork, ticket: Ticket, mail: ParsedMail) -> None:
    """Stop mail to an address that is dead, if the report returns a mail that we really sent there: anybody can write
    a report."""
    now = context.clock.now()
    query = select(OutgoingMail).where(
        OutgoingMail.ticket_id == ticket.id, OutgoingMail.message_id.in_(mail.returned_ids)
    )
    sent = list(uow.session.scalars(query)) if mail.returned_ids else []
    for report in parse_report(mail.report):
        for outgoing in sent:
            address = report.recipient.lower()
            if address not in (one.lower() for one in (*outgoing.to, *outgoing.cc)):
                continue
            outgoing.last_error = f"Came back from {address}: {report.action} {report.status} {report.diagnostic}"[:500]
            reason = f"Mail came back: {report.status} {report.diagnostic}".strip()
            if report.is_permanent and suspend(uow, address, reason=reason, now=now, ticket_id=ticket.id):
                record_event(uow, ticket, "address_suspended", actor=MAIL, now=now, address=address)
