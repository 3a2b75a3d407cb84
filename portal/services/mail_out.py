"""Mail to requesters: written into the outbox in the transaction of what it tells (`mail_outbox.py` sends it)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.settings import SiteSettings
from portal.core.threading import RANDOM_BYTES, make_message_id, make_token
from portal.core.work import MAIL_OUT
from portal.models import (
    Attachment,
    KnownMessageId,
    MailboxRow,
    MailLedger,
    Message,
    OutgoingMail,
    Requester,
    Ticket,
    UnitOfWork,
)
from portal.services.alarm_mail import EVENT as ALARM
from portal.services.context import Context
from portal.services.mail_facts import TOKEN_PURPOSE
from portal.services.mail_suspensions import find_suspended
from portal.services.mail_words import ANSWER, CONFIRMATION, RESOLVED, MailValues, render_mail
from portal.services.mailboxes import GRAPH, READ_KINDS, own_addresses
from portal.services.settings import load_settings

MAX_REFERENCES = 10
WATCH_MODE = "Watch mode: nothing is sent to requesters until you go live."


@dataclass(frozen=True)
class Draft:
    """A mail before its words are rendered. `dedupe_key` keeps it from being written twice."""

    event: str
    dedupe_key: str
    body: str = ""
    author: str = ""
    promise: str = ""
    link: str = ""
    cc: tuple[str, ...] = ()
    message_row_id: int | None = None
    attachment_ids: tuple[int, ...] = ()
    is_automatic: bool = True


def add_confirmation(
    context: Context, uow: UnitOfWork, ticket: Ticket, *, settings: SiteSettings, promise: str = "", link: str = ""
) -> OutgoingMail | None:
    """Tell the requester their number: once a ticket, never to a machine."""
    if ticket.is_automatic or ticket.is_imported or not settings.mail_confirm:
        return None
    draft = Draft(CONFIRMATION, f"confirmation:{ticket.id}", promise=promise, link=link)
    return add_mail(context, uow, ticket, draft, settings=settings)


def add_answer(
    context: Context,
    uow: UnitOfWork,
    ticket: Ticket,
    message: Message,
    *,
    settings: SiteSettings,
    cc: Sequence[str] = (),
) -> OutgoingMail | None:
    """Send a technician's public message, with its files."""
    files = uow.session.scalars(select(Attachment.id).where(Attachment.message_id == message.id)).all()
    draft = Draft(
        ANSWER,
        f"answer:{message.id}",
        body=message.body,
        author=message.author,
        cc=tuple(cc),
        message_row_id=message.id,
        attachment_ids=tuple(files),
        is_automatic=False,
    )
    return add_mail(context, uow, ticket, draft, settings=settings)


def add_resolved(
    context: Context, uow: UnitOfWork, ticket: Ticket, *, settings: SiteSettings, link: str = ""
) -> OutgoingMail | None:
    """Tell the requester that it is solved, and how. Once each time the ticket is resolved."""
    at = int(ticket.resolved_at.timestamp()) if ticket.resolved_at else 0
    if ticket.is_imported:
        return None
    draft = Draft(RESOLVED, f"resolved:{ticket.id}:{at}", body=ticket.resolution, link=link)
    return add_mail(context, uow, ticket, draft, settings=settings)


def add_mail(
    context: Context, uow: UnitOfWork, ticket: Ticket, draft: Draft, *, settings: SiteSettings
) -> OutgoingMail | None:
    """Put one mail into the outbox. None: written before, or there is nobody to write to.

    A mail that must not leave (watch mode, a dead address, our own address) is kept as cancelled with the reason.
    """
    session, now = uow.session, context.clock.now()
    requester = session.get(Requester, ticket.requester_id) if ticket.requester_id else None
    written = session.scalar(select(OutgoingMail.id).where(OutgoingMail.dedupe_key == draft.dedupe_key))
    if written is not None or requester is None or not requester.email:
        return None
    mailbox = _mailbox_for(session, ticket)
    parents = _parent_ids(session, ticket)
    row = OutgoingMail(
        ticket_id=ticket.id,
        message_row_id=draft.message_row_id,
        mailbox_id=mailbox.id if mailbox else None,
        event=draft.event,
        dedupe_key=draft.dedupe_key,
        to=[requester.email],
        cc=list(draft.cc),
        subject="",
        text="",
        message_id="",
        in_reply_to=parents[-1] if parents else "",
        references=parents,
        is_automatic=draft.is_automatic,
        attachment_ids=list(draft.attachment_ids),
        created_at=now,
        state="pending",
        due_at=now,
    )
    session.add(row)
    session.flush()
    _write_words(context, uow, row, ticket, requester, draft, settings, mailbox)
    reason = _why_held_back(session, requester, mailbox, settings)
    if reason:
        row.state, row.due_at, row.last_error = "cancelled", None, reason
    else:
        uow.wake(MAIL_OUT)
    return row


def _write_words(
    context: Context,
    uow: UnitOfWork,
    row: OutgoingMail,
    ticket: Ticket,
    requester: Requester,
    draft: Draft,
    settings: SiteSettings,
    mailbox: MailboxRow | None,
) -> None:
    """The Message-ID is made here, kept for every retry, and known before the answer can come."""
    random = context.random.token(RANDOM_BYTES)
    token = make_token(
        ticket.id, row_id=row.id, random=random, mac=lambda message: context.box.mac(TOKEN_PURPOSE, message)
    )
    domain = mailbox.address.rpartition("@")[2] if mailbox else ""
    row.message_id = make_message_id(token, domain=domain or "nightdesk.invalid")
    uow.session.add(KnownMessageId(message_id=row.message_id, ticket_id=ticket.id, is_ours=True))
    words = render_mail(
        draft.event,
        values=MailValues(
            tag=f"[#{ticket.id}]",
            number=f"{settings.site_prefix}{ticket.id}",
            subject=ticket.subject,
            site_name=settings.site_name,
            ref=token,
            name=requester.name,
            body=draft.body,
            author=draft.author,
            promise=draft.promise,
            link=draft.link,
        ),
    )
    row.subject, row.text, row.html = words.subject, words.text, words.html


def _why_held_back(
    session: Session, requester: Requester | None, mailbox: MailboxRow | None, settings: SiteSettings
) -> str:
    if requester is None:
        return "The requester is gone."
    if find_suspended(session, [requester.email]):
        return f"Mail to {requester.email} came back, so nothing more is sent there."
    if requester.email in own_addresses(session):
        return f"{requester.email} is our own mailbox."
    if not settings.site_live:
        return WATCH_MODE
    return "" if mailbox else "No mailbox with a server for outgoing mail is set up."


def why_stopped(session: Session, row: OutgoingMail, mailbox: MailboxRow | None) -> str:
    """Asked again just before it leaves: watch mode may have been switched on, or the address have died, meanwhile."""
    if row.event == ALARM:
        return ""  # to the house itself
    ticket = session.get(Ticket, row.ticket_id) if row.ticket_id else None
    requester = session.get(Requester, ticket.requester_id) if ticket and ticket.requester_id else None
    return _why_held_back(session, requester, mailbox, load_settings(session))


def _mailbox_for(session: Session, ticket: Ticket) -> MailboxRow | None:
    """The mailbox it came in by, else the first that can send."""
    query = select(MailboxRow).where(MailboxRow.kind.in_(READ_KINDS)).order_by(MailboxRow.id)
    able = [row for row in session.scalars(query) if row.kind == GRAPH or row.options.get("smtp")]
    return next((row for row in able if row.id == ticket.mailbox_id), able[0] if able else None)


def _parent_ids(session: Session, ticket: Ticket) -> list[str]:
    """The requester's mails on this ticket, oldest first, for In-Reply-To and References."""
    query = select(MailLedger.message_id).where(
        MailLedger.ticket_id == ticket.id, MailLedger.verdict.in_(("ticket", "reply")), MailLedger.message_id != ""
    )
    return list(session.scalars(query.order_by(MailLedger.id.desc()).limit(MAX_REFERENCES)))[::-1]
