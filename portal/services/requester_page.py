"""What a requester sees of a ticket by the private link, and what they may do there.

Only what was said to them or by them: no notes, no triage, no corrections, no names of queues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, literal, select, union_all
from sqlalchemy.orm import Session

from portal.core import tickets as statuses
from portal.core.errors import DomainError
from portal.core.paging import Cause
from portal.core.quoting import Segment, mark_quotes
from portal.core.uploads import Upload
from portal.models import Attachment, Message, Notification, Page, Ticket, UnitOfWork
from portal.services.context import Context
from portal.services.form import DECLARED
from portal.services.form_posts import find_earlier_post, note_post, once_key
from portal.services.merged import current_ticket
from portal.services.page_endings import end_ticket_pages, tell_owner_of_emergency
from portal.services.paging import LIVE, Event, decide_for_ticket
from portal.services.paging_rules import load_paging_rules
from portal.services.replies import rate_ticket, take_reply
from portal.services.settings import load_settings
from portal.services.team_notices import tell_team
from portal.services.tickets import (
    ANSWER,
    REPLY,
    REQUEST,
    Actor,
    NewMessage,
    NewTicket,
    create_ticket,
    record_event,
    set_status,
    sort_ticket,
)
from portal.services.uploads import add_uploads

EMERGENCY_PRIORITY = 2  # at least; triage says the same of a ticket that was declared from the start
TELLING, TOLD, TAKEN = "telling", "told", "taken"
WORKS_AGAIN = "It works again."
_SHOWN = (REQUEST, REPLY, ANSWER)
_MOST = 200  # messages on the page, the newest


@dataclass(frozen=True)
class PublicFile:
    """A file as the page links it."""

    id: int
    filename: str
    size: int


@dataclass(frozen=True)
class PublicMessage:
    """One message; `is_ours` when a member of the shop wrote it. `parts` are its words with quotes marked."""

    id: int
    is_ours: bool
    author: str
    at: datetime
    parts: tuple[Segment, ...]
    files: tuple[PublicFile, ...]


@dataclass(frozen=True)
class Reply:
    """More words by the link. `key` and `sender` as in the form."""

    key: str
    sender: str
    body: str
    files: tuple[Upload, ...] = ()


def load_public_messages(session: Session, ticket_id: int) -> tuple[PublicMessage, ...]:
    """Oldest first, the newest 200 at most. One statement."""
    chosen = select(Message.id).where(Message.ticket_id.in_(_own_tickets(ticket_id)), *_PUBLIC)
    newest = chosen.order_by(Message.id.desc()).limit(_MOST).subquery()
    query: Any = (
        select(Message, Attachment.id, Attachment.filename, Attachment.size)
        .join(newest, newest.c.id == Message.id)
        .outerjoin(Attachment, and_(Attachment.message_id == Message.id))
        .order_by(Message.at, Message.id, Attachment.id)
    )
    rows: Sequence[Row[Any]] = session.execute(query).all()
    grouped: dict[int, list[Row[Any]]] = {}
    for row in rows:
        grouped.setdefault(row.Message.id, []).append(row)
    return tuple(_message(rows) for rows in grouped.values())


_PUBLIC = (Message.is_public, Message.kind.in_(_SHOWN))


def find_public_file(session: Session, ticket_id: int, file_id: int) -> Attachment | None:
    """A file of a message that the requester may see."""
    query = select(Attachment).join(Message, Message.id == Attachment.message_id)
    return session.scalar(
        query.where(Attachment.id == file_id, Message.ticket_id.in_(_own_tickets(ticket_id)), *_PUBLIC)
    )


def _own_tickets(ticket_id: int) -> Any:
    """The ticket, and what was merged into it of the same requester; what others said stays theirs."""
    whose = select(Ticket.requester_id).where(Ticket.id == ticket_id).scalar_subquery()
    merged = select(Ticket.id).where(Ticket.merged_into_id == ticket_id, Ticket.requester_id == whose)
    return union_all(select(literal(ticket_id)), merged)  # no OR: SQLite would read a whole index for one


def find_waking(session: Session, ticket_id: int) -> str:
    """How far waking somebody is: telling, told, taken, or "" when nobody is woken (or watch mode holds it back)."""
    query = select(Page.state, Notification.state).outerjoin(Notification, Notification.page_id == Page.id)
    rows = session.execute(query.where(Page.ticket_id == ticket_id, Page.state.in_(LIVE))).all()
    if any(page == "acknowledged" for page, _ in rows):
        return TAKEN
    sent = {state for _, state in rows}
    if sent & {"accepted", "delivered"}:
        return TOLD
    return TELLING if sent & {"pending", "sending"} else ""


def may_reply(ticket: Ticket, *, reopen_days: int, now: datetime) -> bool:
    """Whether words still join this ticket; later they open a new one that follows it, as mail does."""
    return ticket.closed_at is None or now - ticket.closed_at <= timedelta(days=reopen_days)


def reply_by_link(context: Context, uow: UnitOfWork, ticket: Ticket, reply: Reply) -> Ticket:
    """Add the requester's words; what had ended is open again, or long after, a new ticket follows it.

    Returns the ticket they went to. Raises DomainError for an empty reply and TooManyPostsError.
    """
    if not reply.body.strip() and not reply.files:
        raise DomainError("Write a few words first.")
    now = context.clock.now()
    key = once_key(reply.key, str(ticket.id), reply.body, files=reply.files)
    earlier = find_earlier_post(uow, key, sender=reply.sender, now=now)
    if earlier is not None:
        return uow.session.get_one(Ticket, earlier)
    author = _author(uow.session, ticket)
    body = reply.body.strip() or "See the attached " + ("file." if len(reply.files) == 1 else "files.")
    joins = current_ticket(uow.session, ticket)
    if may_reply(joins, reopen_days=load_settings(uow.session).mail_reopen_days, now=now):
        rules = load_paging_rules(uow.session, now=now)
        message = take_reply(uow, joins, NewMessage(REPLY, body, author=author), rules=rules)
        tell_team(context, uow, joins, message)
        goes_to = ticket  # whose link it is: the one it was merged into may be somebody else's
    else:
        first = NewMessage(REQUEST, body, author=author)
        new = NewTicket(
            ticket.subject, first, "form", ticket.requester_id, now,
            {"asset": ticket.asset, "phone": ticket.phone, "follows_id": ticket.id},
            {"follows": {"other": ticket.id}},
        )  # fmt: skip
        goes_to, message = create_ticket(uow, new, actor=Actor(author), now=now)
    add_uploads(uow, message, reply.files)
    note_post(uow, goes_to, key, sender=reply.sender, now=now)
    return goes_to


def close_by_link(context: Context, uow: UnitOfWork, ticket: Ticket) -> None:
    """It works again: resolved in the requester's name, without a mail to them; pages end. Twice is once."""
    if not ticket.is_open:
        return
    now = context.clock.now()
    actor = Actor(_author(uow.session, ticket))
    set_status(uow, ticket, statuses.RESOLVED, actor=actor, now=now, resolution=WORKS_AGAIN)
    end_ticket_pages(uow, ticket.id, by=None, rules=load_paging_rules(uow.session, now=now))


def rate_by_link(context: Context, uow: UnitOfWork, ticket: Ticket, rating: int) -> None:
    """How content the requester is, 1 (bad) to 5. Pressing the same number again changes nothing; words that came with
    a rating by mail stay.

    Raises DomainError while the ticket is open.
    """
    if ticket.is_open:
        raise DomainError("Please rate this once it is solved.")
    if ticket.rating != rating:
        by = Actor(_author(uow.session, ticket))
        rate_ticket(uow, ticket, rating, text=ticket.rating_text, actor=by, now=context.clock.now())


def declare_emergency(context: Context, uow: UnitOfWork, ticket: Ticket, *, price: str) -> None:
    """The requester says afterwards that it cannot wait, and agrees to the price shown. Twice is once.

    Raises DomainError when the ticket has ended.
    """
    if ticket.emergency == DECLARED:
        return
    if not ticket.is_open:
        raise DomainError("This request has ended. Please reopen it first.")
    now = context.clock.now()
    actor = Actor(_author(uow.session, ticket))
    ticket.emergency = DECLARED
    record_event(uow, ticket, "emergency", actor=actor, now=now, answer=DECLARED, price=price)
    if ticket.triaged_at is None:
        return  # triage will see it, and decides with it
    urgent = min(ticket.priority, EMERGENCY_PRIORITY)
    sort_ticket(uow, ticket, actor=actor, now=now, priority=urgent)
    rules = load_paging_rules(uow.session, now=now)
    decide_for_ticket(uow, ticket, Event(Cause.EMERGENCY, at=now, asked_by=actor.name), rules=rules)
    tell_owner_of_emergency(uow, ticket.id, actor.name, rules=rules)


def _author(session: Session, ticket: Ticket) -> str:
    """As the first message says it: who has the link need not be who the address book knows."""
    first = select(Message.author).where(Message.ticket_id == ticket.id, Message.kind == REQUEST).order_by(Message.id)
    return session.scalar(first.limit(1)) or "Requester"


def _message(rows: Sequence[Row[Any]]) -> PublicMessage:
    message: Message = rows[0].Message
    files = tuple(PublicFile(row.id, row.filename, row.size) for row in rows if row.id is not None)
    name = message.author.split("<")[0].strip() or message.author.strip("<>")
    parts = mark_quotes(message.body, subject=message.subject, for_page=True)
    return PublicMessage(message.id, message.kind == ANSWER, name, message.at, parts, files=files)
