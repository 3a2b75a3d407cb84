"""Carries out the verdict on a mail, inside the transaction that gives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select

from portal.core import intake
from portal.core.intake import IntakePlan
from portal.core.mail import MailAttachment, ParsedMail
from portal.core.mail_voices import ANSWER, REQUESTER
from portal.core.threading import parent_ids
from portal.models import (
    Attachment,
    KnownMessageId,
    MailboxRow,
    MailLedger,
    Message,
    Requester,
    SessionBlobStore,
    Ticket,
    TicketEvent,
    UnitOfWork,
    User,
)
from portal.services.context import Context
from portal.services.copies import keep_copies
from portal.services.mail_deliveries import confirm_sent, note_bounce
from portal.services.mail_out import add_answer
from portal.services.own_answers import files_to_send, take_own_words
from portal.services.paging_rules import load_paging_rules
from portal.services.replies import take_reply
from portal.services.settings import load_settings
from portal.services.team_notices import tell_team
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
# Built once: asked for each mail.
_KNOWN = select(KnownMessageId).where(KnownMessageId.message_id.in_(bindparam("ids", expanding=True)))
_QUEUE = select(MailboxRow.queue_id).where(MailboxRow.id == bindparam("mailbox"))
_APART = ("kept_apart", "unmerged")  # somebody said that two tickets are not one


def apply_plan(
    context: Context, uow: UnitOfWork, row: MailLedger, mail: ParsedMail, *, plan: IntakePlan, html: str
) -> int | None:
    """Make the ticket, the reply or the note that the plan asks for. Returns the ticket the mail now belongs to.

    `html` is the sanitised body.
    """
    if plan.verdict == intake.TICKET:
        return _open(context, uow, row, mail, plan, html)
    if plan.verdict == intake.IGNORED and row.is_sent and mail.message_id:
        confirm_sent(uow, mail.message_id, at=row.received_at)
    ticket = uow.session.get(Ticket, plan.ticket_id) if plan.ticket_id else None
    if ticket is None:
        return None
    if plan.verdict == intake.REPLY:
        _join(context, uow, ticket, row, mail, plan, html)
    elif plan.verdict in (intake.AUTOMATIC, intake.BOUNCE):
        kind = AUTOMATIC if plan.verdict == intake.AUTOMATIC else BOUNCE
        new = _message(row, mail, html, kind)
        _add_files(uow, add_message(uow, ticket, new, now=context.clock.now(), touch=False), mail.attachments)
        if plan.verdict == intake.BOUNCE:
            note_bounce(context, uow, ticket, mail)
        _learn_ids(uow, ticket.id, mail, with_parents=False)
    elif plan.verdict == intake.DUPLICATE:
        _note_other_way(context, uow, ticket, row, mail)
    return ticket.id


def _join(
    context: Context, uow: UnitOfWork, ticket: Ticket, row: MailLedger, mail: ParsedMail, plan: IntakePlan, html: str
) -> None:
    now = context.clock.now()
    is_parent = _learn_ids(uow, ticket.id, mail, with_parents=True)
    new = _message(row, mail, html, REPLY)
    if is_parent and mail.date:
        new = replace(new, at=min(row.received_at, mail.date))  # before what answered it, which came first
    if plan.voice == REQUESTER:
        rules = load_paging_rules(uow.session, now=now)
        message = take_reply(
            uow,
            ticket,
            new,
            rules=rules,
            is_quiet=row.is_quiet,
            command=plan.command,
            may_declare=plan.may_declare,
        )
        _add_files(uow, message, mail.attachments)
        if mail.sender and mail.sender.key == _requester_address(uow, ticket):
            keep_copies(context, uow, ticket, mail)
        if not row.is_quiet:
            tell_team(context, uow, ticket, message)
    else:
        _speak_ourselves(context, uow, ticket, row, mail, plan, new)
    for other in plan.also:
        _may_belong(uow, other, ticket, now=now)


def _requester_address(uow: UnitOfWork, ticket: Ticket) -> str:
    requester = uow.session.get(Requester, ticket.requester_id) if ticket.requester_id else None
    return requester.email if requester else ""


def _speak_ourselves(
    context: Context,
    uow: UnitOfWork,
    ticket: Ticket,
    row: MailLedger,
    mail: ParsedMail,
    plan: IntakePlan,
    new: NewMessage,
) -> None:
    by = _own_actor(uow, row, mail)
    message = take_own_words(context, uow, ticket, new, voice=plan.voice, by=by)
    is_sent_on = plan.voice == ANSWER
    _add_files(uow, message, files_to_send(mail) if is_sent_on else mail.attachments)
    if is_sent_on and not row.is_quiet:
        add_answer(context, uow, ticket, message, settings=load_settings(uow.session))


def _own_actor(uow: UnitOfWork, row: MailLedger, mail: ParsedMail) -> Actor:
    """The member who wrote; for mail sent by hand from the mailbox only its name is known."""
    sender = mail.sender.key if mail.sender else ""
    if not row.is_sent:
        member = uow.session.scalar(select(User).where(User.email == sender))
        return Actor(member.name, member.id) if member else MAIL
    mailbox = uow.session.get_one(MailboxRow, row.mailbox_id)
    return Actor((mail.sender.name if mail.sender else "") or mailbox.sender_name or mailbox.name)


def _may_belong(uow: UnitOfWork, other_id: int, ticket: Ticket, *, now: datetime) -> None:
    """Two tickets turn out to be one thread: the weaker is offered to be put into the other, unless that was said
    already, in either direction, or refused."""
    other = uow.session.get(Ticket, other_id)
    if other is None or other.maybe_of_id or ticket.maybe_of_id == other_id:
        return
    if other.follows_id == ticket.id or ticket.follows_id == other_id:
        return
    query = select(TicketEvent).where(TicketEvent.ticket_id.in_((ticket.id, other_id)), TicketEvent.kind.in_(_APART))
    if any({event.ticket_id, event.data.get("other")} == {ticket.id, other_id} for event in uow.session.scalars(query)):
        return
    reason = f"a mail on #{ticket.id} belongs to the same thread"
    other.maybe_of_id, other.maybe_reason = ticket.id, reason
    record_event(uow, other, "may_belong", actor=MAIL, now=now, other=ticket.id, reason=reason)


def _note_other_way(context: Context, uow: UnitOfWork, ticket: Ticket, row: MailLedger, mail: ParsedMail) -> None:
    """The same mail came through another mailbox: said once on the ticket, which tells who else was asked."""
    before = select(MailLedger.mailbox_id).where(MailLedger.content_hash == mail.content_hash, MailLedger.id != row.id)
    if row.mailbox_id in set(uow.session.scalars(before)):
        return  # the mailbox was read anew
    mailbox = uow.session.get_one(MailboxRow, row.mailbox_id)
    record_event(uow, ticket, "duplicate", actor=MAIL, now=context.clock.now(), mailbox=mailbox.name)


def _open(context: Context, uow: UnitOfWork, row: MailLedger, mail: ParsedMail, plan: IntakePlan, html: str) -> int:
    now = context.clock.now()
    queue_id = uow.session.scalar(_QUEUE, {"mailbox": row.mailbox_id})
    sender = mail.sender
    requester = find_or_add_requester(uow, sender.email, now=now, name=sender.name) if sender else None
    why_maybe = plan.reason.removeprefix("new ticket: ") if plan.maybe is not None else ""
    events: dict[str, dict[str, Any]] = {}
    if plan.maybe is not None:
        events["may_belong"] = {"other": plan.maybe, "reason": why_maybe}
    if plan.follows is not None:
        events["follows"] = {"other": plan.follows}
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
            "maybe_of_id": plan.maybe,
            "maybe_reason": why_maybe,
            "follows_id": plan.follows,
        },
        events=events,
    )
    ticket, message = create_ticket(uow, new, actor=MAIL, now=now)
    _add_files(uow, message, mail.attachments)
    _learn_ids(uow, ticket.id, mail, with_parents=True)
    if not plan.is_automatic:
        keep_copies(context, uow, ticket, mail)
    return ticket.id


def _message(row: MailLedger, mail: ParsedMail, html: str, kind: str) -> NewMessage:
    sender = mail.sender
    author = f"{sender.name} <{sender.email}>" if sender and sender.name else mail.from_email
    body = mail.text
    if row.is_cut:
        why = (
            f"is {row.size / 1_000_000:.0f} MB, too large to be fetched"
            if row.size
            else "is not handed over by its server"
        )
        body = f"This mail {why}. Its text and its files are still in the mailbox."
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


def _add_files(uow: UnitOfWork, message: Message, files: Sequence[MailAttachment]) -> None:
    if not files:
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
        for one in files
    ]
    uow.session.execute(insert(Attachment), rows)


def _learn_ids(uow: UnitOfWork, ticket_id: int, mail: ParsedMail, *, with_parents: bool) -> bool:
    """Remember the ids by which answers will come back: its own and, for a conversation begun elsewhere, those it
    answers. An id of a mail that came belongs to its ticket and stays there.

    True: mails that came before already referred to this one.
    """
    parents = parent_ids(mail)[:_MAX_KNOWN] if with_parents else ()
    ids = list(dict.fromkeys(one for one in (mail.message_id, *parents) if one))
    if not ids:
        return False
    known = {one.message_id: one for one in uow.session.scalars(_KNOWN, {"ids": ids})}
    own = known.get(mail.message_id)
    is_parent = own is not None and not own.is_seen
    if own is not None and is_parent:
        own.ticket_id, own.is_seen = ticket_id, True
    line = {"ticket_id": ticket_id, "is_ours": False}
    fresh = [{**line, "message_id": one, "is_seen": one == mail.message_id} for one in ids if one not in known]
    if fresh:
        uow.session.execute(insert(KnownMessageId), fresh)
    return is_parent
