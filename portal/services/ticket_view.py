"""Everything the ticket page shows of a ticket itself, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, select
from sqlalchemy.orm import Session

from portal.core.quoting import Segment, mark_quotes
from portal.models import (
    Attachment,
    Category,
    MailSuspension,
    Message,
    OutgoingMail,
    Queue,
    Requester,
    SessionBlobStore,
    Ticket,
    TicketEvent,
    User,
)

MESSAGES = 50  # newest ones on a page; earlier ones are a link away
EVENTS = 100


@dataclass(frozen=True)
class FileView:
    """An attachment as the page links it."""

    id: int
    filename: str
    size: int


@dataclass(frozen=True)
class MessageView:
    """One message. `parts` are its words with quotes and signature marked; `mail` is how its mail fares: "" when none,
    or pending, sending, sent, failed, cancelled, with `mail_error`."""

    id: int
    kind: str
    is_public: bool
    author: str
    at: datetime
    parts: tuple[Segment, ...]
    html: str
    files: tuple[FileView, ...]
    mail: str
    mail_error: str


@dataclass(frozen=True)
class EventView:
    """One line of the history; `data` as stored."""

    at: datetime
    actor: str
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True)
class TicketView:
    """A ticket with the names around it. `row` is the mapped ticket, for its plain columns."""

    row: Ticket
    requester: Requester | None
    queue: str
    category: str
    assignee: str
    is_suspended: bool = False


@dataclass(frozen=True)
class Conversation:
    """Messages oldest first. `earlier` is the id to ask for what came before; None: this is the beginning."""

    messages: tuple[MessageView, ...]
    earlier: int | None


def load_ticket_view(session: Session, ticket_id: int) -> TicketView | None:
    """One statement. None when there is no such ticket."""
    query = (
        select(Ticket, Requester, Queue.name, Category.name, User.name, MailSuspension.address)
        .outerjoin(Requester, Requester.id == Ticket.requester_id)
        .outerjoin(MailSuspension, MailSuspension.address == Requester.email)
        .outerjoin(Queue, Queue.id == Ticket.queue_id)
        .outerjoin(Category, Category.id == Ticket.category_id)
        .outerjoin(User, User.id == Ticket.assignee_id)
        .where(Ticket.id == ticket_id)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    ticket, requester, queue, category, assignee, suspended = found
    return TicketView(ticket, requester, queue or "", category or "", assignee or "", suspended is not None)


def load_conversation(session: Session, ticket_id: int, *, before: int | None = None) -> Conversation:
    """The newest 50 messages, or those before message `before`. One statement, attachments and mails with it."""
    rows = session.execute(_messages(ticket_id, before)).all()
    by_message: dict[int, list[Row[Any]]] = {}
    for row in rows:
        by_message.setdefault(row.Message.id, []).append(row)
    newest = list(by_message.values())
    shown = [_message(rows) for rows in reversed(newest[:MESSAGES])]
    return Conversation(tuple(shown), shown[0].id if len(newest) > MESSAGES else None)


def load_history(session: Session, ticket_id: int) -> tuple[EventView, ...]:
    """The newest 100 events, newest first. One statement."""
    query = select(TicketEvent).where(TicketEvent.ticket_id == ticket_id).order_by(TicketEvent.id.desc()).limit(EVENTS)
    return tuple(EventView(row.at, row.actor, row.kind, row.data or {}) for row in session.scalars(query))


def find_attachment(session: Session, ticket_id: int, attachment_id: int) -> Attachment | None:
    """The attachment, if it belongs to this ticket."""
    query = select(Attachment).join(Message, Message.id == Attachment.message_id)
    return session.scalar(query.where(Attachment.id == attachment_id, Message.ticket_id == ticket_id))


def read_attachment(session: Session, attachment: Attachment) -> Iterator[bytes]:
    """Its bytes in pieces of at most 1 MiB. Raises KeyError when the content is gone."""
    return SessionBlobStore(session).chunks(attachment.sha256)


def _messages(ticket_id: int, before: int | None) -> Any:
    chosen = select(Message.id).where(Message.ticket_id == ticket_id)
    if before is not None:
        chosen = chosen.where(Message.id < before)
    newest = chosen.order_by(Message.id.desc()).limit(MESSAGES + 1).subquery()
    mail = and_(OutgoingMail.ticket_id == ticket_id, OutgoingMail.message_row_id == Message.id)
    return (
        select(
            Message, Attachment.id, Attachment.filename, Attachment.size, OutgoingMail.state, OutgoingMail.last_error
        )
        .join(newest, newest.c.id == Message.id)
        .outerjoin(Attachment, and_(Attachment.message_id == Message.id, Attachment.is_inline.is_(False)))
        .outerjoin(OutgoingMail, mail)
        .order_by(Message.id.desc(), Attachment.id)
    )


def _message(rows: list[Row[Any]]) -> MessageView:
    first = rows[0]
    message: Message = first.Message
    files = {row.id: FileView(row.id, row.filename, row.size) for row in rows if row.id is not None}
    return MessageView(
        id=message.id,
        kind=message.kind,
        is_public=message.is_public,
        author=message.author,
        at=message.at,
        parts=mark_quotes(message.body),
        html=message.html,
        files=tuple(files.values()),
        mail=first.state or "",
        mail_error=first.last_error or "",
    )
