"""Mail that we send: written into the outbox in the transaction of what it tells (`mail_outbox.py` sends it)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.mail_phrases import phrases_of
from portal.core.mail_templates import AFTER_HOURS, ANSWER, CONFIRMATION, RESOLVED, TEAM_NOTICE, UPDATE
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
    User,
)
from portal.services.alarm_mail import EVENT as ALARM
from portal.services.breaker import pass_breaker
from portal.services.context import Context
from portal.services.copies import list_copies
from portal.services.links import private_link
from portal.services.mail_facts import TOKEN_PURPOSE
from portal.services.mail_suspensions import find_suspended
from portal.services.mail_words import Letter, language_of, render_letter
from portal.services.mailboxes import READ_KINDS, can_send, own_addresses
from portal.services.settings import load_settings
from portal.services.tickets import Actor, record_event

MAX_REFERENCES = 10
WATCH_MODE = "Watch mode: nothing is sent to requesters until you go live."


@dataclass(frozen=True)
class Draft:
    """A mail before its words are rendered.

    Attributes:
        dedupe_key: keeps it from being written twice.
        more: the places of its event (core/mail_templates.py).
        language: "" is the requester's.
        to: an address other than the requester's, for mail to the team; `link` goes with it.
        is_automatic: says so in its headers, so that no robot answers.
        is_asked_for: a person here did something that sends it: the circuit breaker lets it pass, uncounted.
    """

    event: str
    dedupe_key: str
    more: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    to: str = ""
    link: str = ""
    cc: tuple[str, ...] = ()
    message_row_id: int | None = None
    attachment_ids: tuple[int, ...] = ()
    is_automatic: bool = True
    is_asked_for: bool = False


def add_confirmation(
    context: Context,
    uow: UnitOfWork,
    ticket: Ticket,
    *,
    settings: SiteSettings,
    promise: str = "",
    asks_urgency: bool = False,
) -> OutgoingMail | None:
    """Tell the requester their number: once a ticket, never to a machine.

    `asks_urgency`: nobody is woken, and a reply with the word URGENT would: the after-hours question goes instead,
    also where confirmations are switched off.
    """
    asks_urgency = asks_urgency and settings.mail_after_hours
    if ticket.is_automatic or ticket.is_imported or not (settings.mail_confirm or asks_urgency):
        return None
    event = AFTER_HOURS if asks_urgency else CONFIRMATION
    draft = Draft(event, f"confirmation:{ticket.id}", {"promise": promise, "price": settings.form_price})
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
    """Send a technician's public message, with its files. `cc` are addresses beside those the requester copied."""
    files = uow.session.scalars(select(Attachment.id).where(Attachment.message_id == message.id)).all()
    draft = Draft(
        ANSWER,
        f"answer:{message.id}",
        {"words": message.body, "author": message.author},
        cc=(*cc, *(list_copies(uow.session, ticket) if settings.mail_copies else ())),
        message_row_id=message.id,
        attachment_ids=tuple(files),
        is_automatic=False,
        is_asked_for=True,
    )
    return add_mail(context, uow, ticket, draft, settings=settings)


def add_update(context: Context, uow: UnitOfWork, ticket: Ticket, *, settings: SiteSettings) -> OutgoingMail | None:
    """Tell the requester the ticket's new status, because a technician wants them to know."""
    if ticket.is_imported:
        return None
    language = language_of(uow.session, ticket, settings)
    draft = Draft(
        UPDATE,
        f"update:{ticket.id}:{ticket.version}",
        {"status": phrases_of(language).statuses[ticket.status]},
        language=language,
        is_asked_for=True,
    )
    return add_mail(context, uow, ticket, draft, settings=settings)


def add_resolved(context: Context, uow: UnitOfWork, ticket: Ticket, *, settings: SiteSettings) -> OutgoingMail | None:
    """Tell the requester that it is solved, and how. Once each time the ticket is resolved."""
    at = int(ticket.resolved_at.timestamp()) if ticket.resolved_at else 0
    if ticket.is_imported:
        return None
    draft = Draft(
        RESOLVED,
        f"resolved:{ticket.id}:{at}",
        {"words": ticket.resolution},
        cc=list_copies(uow.session, ticket) if settings.mail_copies else (),
        is_asked_for=True,
    )
    return add_mail(context, uow, ticket, draft, settings=settings)


def add_mail(
    context: Context, uow: UnitOfWork, ticket: Ticket, draft: Draft, *, settings: SiteSettings
) -> OutgoingMail | None:
    """Put one mail into the outbox. None: written before, or there is nobody to write to.

    A mail that must not leave (watch mode, a dead address, our own address, the circuit breaker) is kept as cancelled
    with the reason.
    """
    session, now = uow.session, context.clock.now()
    requester = session.get(Requester, ticket.requester_id) if ticket.requester_id else None
    to = draft.to or (requester.email if requester else "")
    written = session.scalar(select(OutgoingMail.id).where(OutgoingMail.dedupe_key == draft.dedupe_key))
    if written is not None or not to:
        return None
    mailbox = _mailbox_for(session, ticket)
    parents = _parent_ids(session, ticket, is_team=draft.event == TEAM_NOTICE)
    row = OutgoingMail(
        ticket_id=ticket.id,
        message_row_id=draft.message_row_id,
        mailbox_id=mailbox.id if mailbox else None,
        event=draft.event,
        dedupe_key=draft.dedupe_key,
        to=[to],
        cc=[one for one in dict.fromkeys(draft.cc) if one.lower() != to.lower()],
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
    _write_words(context, uow, row, ticket, draft, settings, mailbox)
    reason = _why_held_back(session, row, mailbox, settings)
    if not reason and draft.is_automatic and not draft.is_asked_for and draft.event != TEAM_NOTICE:
        reason = pass_breaker(uow, ticket, to, now=now)
        if reason:
            record_event(uow, ticket, "held_back", actor=Actor("Mail"), now=now, event=draft.event, reason=reason)
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
    requester = uow.session.get(Requester, ticket.requester_id) if ticket.requester_id else None
    link = draft.link if draft.to else private_link(ticket, box=context.box, site_url=context.site_url)
    letter = Letter(
        event=draft.event,
        language=draft.language or language_of(uow.session, ticket, settings),
        ticket=ticket,
        settings=settings,
        ref=token,
        name=requester.name if requester else "",
        link=link,
        signature=mailbox.signature if mailbox else "",
        more=draft.more,
    )
    words = render_letter(uow.session, letter)
    row.subject, row.text, row.html = words.subject, words.text, words.html


def _why_held_back(session: Session, row: OutgoingMail, mailbox: MailboxRow | None, settings: SiteSettings) -> str:
    """Why a mail may not go to whom it is for; "" when it may."""
    if find_suspended(session, row.to):
        return f"Mail to {row.to[0]} came back or was stopped by hand, so nothing more is sent there."
    if row.to[0].lower() in own_addresses(session):
        return f"{row.to[0]} is our own mailbox."
    if not settings.site_live:
        return WATCH_MODE
    return "" if mailbox else "No mailbox with a server for outgoing mail is set up."


def why_stopped(session: Session, row: OutgoingMail, mailbox: MailboxRow | None) -> str:
    """Asked again just before it leaves: watch mode may have been switched on, or the address have died, meanwhile.

    Copies that must not get it any more are dropped from the row: one bad copy never stops the mail itself.
    """
    if row.event == ALARM:
        return ""  # to the house itself
    if row.event == TEAM_NOTICE or row.ticket_id is None:  # to one of our own
        member = select(User.id).where(User.email == row.to[0].lower(), User.is_active)
        if session.scalar(member) is None:
            return f"{row.to[0]} does not work here any more."
    elif row.ticket_id and session.scalar(select(Ticket.requester_id).where(Ticket.id == row.ticket_id)) is None:
        return "The requester is gone."
    if row.cc:
        left_out = find_suspended(session, row.cc) | own_addresses(session)
        row.cc = [one for one in row.cc if one.lower() not in left_out]
    return _why_held_back(session, row, mailbox, load_settings(session))


def _mailbox_for(session: Session, ticket: Ticket) -> MailboxRow | None:
    """The mailbox it came in by, else the first that can send."""
    query = select(MailboxRow).where(MailboxRow.kind.in_(READ_KINDS)).order_by(MailboxRow.id)
    able = [row for row in session.scalars(query) if can_send(row.options)]
    return next((row for row in able if row.id == ticket.mailbox_id), able[0] if able else None)


def _parent_ids(session: Session, ticket: Ticket, *, is_team: bool) -> list[str]:
    """For In-Reply-To and References, oldest first: the requester's mails on this ticket; where they wrote none, or for
    the team, our own earlier ones of the same kind."""
    query = select(MailLedger.message_id).where(
        MailLedger.ticket_id == ticket.id,
        MailLedger.verdict.in_(("ticket", "reply")),
        MailLedger.message_id != "",
        MailLedger.is_sent.is_(False),
    )
    theirs = [] if is_team else session.scalars(query.order_by(MailLedger.id.desc()).limit(MAX_REFERENCES)).all()
    if theirs:
        return list(theirs)[::-1]
    is_notice = OutgoingMail.event == TEAM_NOTICE
    ours = select(OutgoingMail.message_id).where(
        OutgoingMail.ticket_id == ticket.id,
        OutgoingMail.state != "cancelled",
        OutgoingMail.message_id != "",
        is_notice if is_team else ~is_notice,
    )
    return list(session.scalars(ours.order_by(OutgoingMail.id.desc()).limit(MAX_REFERENCES)))[::-1]
