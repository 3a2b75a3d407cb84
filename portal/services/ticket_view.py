"""Everything the ticket page shows of a ticket itself, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, BindParameter, Row, Select, String, and_, bindparam, cast, func, or_, select
from sqlalchemy.orm import Session, aliased

from portal.core.mail_display import has_remote_pictures, picture_ids, protection_of
from portal.core.quoting import Segment, mark_quotes
from portal.models import (
    Attachment,
    Category,
    Customer,
    MailSuspension,
    Message,
    OutgoingMail,
    Queue,
    Requester,
    SessionBlobStore,
    Ticket,
    TicketCopy,
    TicketEvent,
    User,
)
from portal.services.merged import with_merged

MESSAGES = 50  # newest ones on a page; earlier ones are a link away
EVENTS = 100
_MOST_INVITATIONS = 3
# Below, a picture in a mail is a logo.
_SCREENSHOT_BYTES = 12_000
_MOST_SCREENSHOTS = 10
_WANTED: BindParameter[int] = bindparam("wanted", type_=BigInteger())


@dataclass(frozen=True)
class FileView:
    """An attachment as the page links it. `content_id` is what the HTML of its mail calls it by."""

    id: int
    filename: str
    size: int
    content_type: str = ""
    content_id: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class MessageView:
    """One message. `parts` are its words with quotes and signature marked; `mail` is how its mail fares: "" when none,
    or pending, sending, sent, failed, cancelled, with `mail_error`. `delivery` is what came back for it: "", delayed or
    failed, as `delivery_text` says. `ticket_id` is another than the page's where a ticket was merged into it.

    `pictures` are the attachments its HTML shows, by content id, and `screenshots` those among them that are too large
    for logos: they belong to the words; `invitations` those that are calendar files.
    `protection` is "", signed or encrypted; `has_remote`: pictures from the internet were left out.
    """

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
    delivery: str = ""
    delivery_text: str = ""
    ticket_id: int = 0
    pictures: Mapping[str, int] = field(default_factory=dict)
    screenshots: tuple[FileView, ...] = ()
    invitations: tuple[int, ...] = ()
    protection: str = ""
    has_remote: bool = False


@dataclass(frozen=True)
class EventView:
    """One line of the history; `data` as stored."""

    at: datetime
    actor: str
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Relations:
    """Other tickets that point at this one: `merged` went into it, `suggested` may belong to it, `followed_by` go on
    from it. What it points at itself stands in its own row."""

    merged: tuple[int, ...] = ()
    suggested: tuple[int, ...] = ()
    followed_by: tuple[int, ...] = ()


@dataclass(frozen=True)
class TicketView:
    """A ticket with the names around it. `row` is the mapped ticket, for its plain columns; `copies` are the addresses
    its requester copied."""

    row: Ticket
    requester: Requester | None
    queue: str
    category: str
    assignee: str
    customer: str = ""
    is_suspended: bool = False
    copies: tuple[str, ...] = ()
    relations: Relations = field(default_factory=Relations)


@dataclass(frozen=True)
class Conversation:
    """Messages oldest first. `earlier` is the id to ask for what came before; None: this is the beginning."""

    messages: tuple[MessageView, ...]
    earlier: int | None


def load_ticket_view(session: Session, ticket_id: int) -> TicketView | None:
    """One statement. None when there is no such ticket."""
    found = session.execute(_ticket_select(), {"wanted": ticket_id}).one_or_none()
    if found is None:
        return None
    ticket, requester, queue, category, assignee, customer, suspended, copies, *pointing = found
    names = (queue or "", category or "", assignee or "", customer or "")
    relations = Relations(*(tuple(sorted(map(int, (ids or "").split()))) for ids in pointing))
    copied_to = tuple(sorted((copies or "").split()))
    return TicketView(ticket, requester, *names, suspended is not None, copied_to, relations)


@cache  # building a statement costs more than running this one
def _ticket_select() -> Select[Any]:
    copied = select(func.aggregate_strings(TicketCopy.address, " ")).where(TicketCopy.ticket_id == _WANTED)
    related = [_pointing(name).scalar_subquery() for name in ("merged_into_id", "maybe_of_id", "follows_id")]
    columns = (Ticket, Requester, Queue.name, Category.name, User.name, Customer.name, MailSuspension.address)
    return (
        select(*columns, copied.scalar_subquery(), *related)
        .outerjoin(Requester, Requester.id == Ticket.requester_id)
        .outerjoin(MailSuspension, MailSuspension.address == Requester.email)
        .outerjoin(Queue, Queue.id == Ticket.queue_id)
        .outerjoin(Category, Category.id == Ticket.category_id)
        .outerjoin(User, User.id == Ticket.assignee_id)
        .outerjoin(Customer, Customer.id == Ticket.customer_id)
        .where(Ticket.id == _WANTED)
    )


def _pointing(name: str) -> Select[Any]:
    """The ids of the tickets whose column `name` names the wanted one, in one text."""
    other = aliased(Ticket)
    return select(func.aggregate_strings(cast(other.id, String), " ")).where(getattr(other, name) == _WANTED)


def load_conversation(session: Session, ticket_id: int, *, before: int | None = None) -> Conversation:
    """The newest 50 messages, or those before message `before`, with those of the tickets that were merged into this
    one, in the order they were said. One statement, attachments and mails with it."""
    rows = session.execute(_messages(ticket_id, before)).all()
    by_message: dict[int, list[Row[Any]]] = {}
    for row in rows:
        by_message.setdefault(row.Message.id, []).append(row)
    newest = list(by_message.values())
    shown = _without_old_screenshots(_message(rows) for rows in reversed(newest[:MESSAGES]))
    return Conversation(tuple(shown), shown[0].id if len(newest) > MESSAGES else None)


def load_history(session: Session, ticket_id: int, *, most: int | None = EVENTS) -> tuple[EventView, ...]:
    """The newest events, newest first; `most` None gives all. One statement."""
    query = select(TicketEvent).where(TicketEvent.ticket_id == ticket_id).order_by(TicketEvent.id.desc()).limit(most)
    return tuple(EventView(row.at, row.actor, row.kind, row.data or {}) for row in session.scalars(query))


def find_attachment(session: Session, ticket_id: int, attachment_id: int) -> Attachment | None:
    """The attachment, if it belongs to this ticket."""
    query = select(Attachment).join(Message, Message.id == Attachment.message_id)
    return session.scalar(query.where(Attachment.id == attachment_id, Message.ticket_id.in_(with_merged(ticket_id))))


def read_attachment(session: Session, attachment: Attachment) -> Iterator[bytes]:
    """Its bytes in pieces of at most 1 MiB. Raises KeyError when the content is gone."""
    return SessionBlobStore(session).chunks(attachment.sha256)


def _messages(ticket_id: int, before: int | None) -> Any:
    chosen = select(Message.id).where(Message.ticket_id.in_(with_merged(ticket_id)))
    if before is not None:
        # A mail that came late stands where it belongs in time, so the time decides and the id only between equals.
        at = select(Message.at).where(Message.id == before).scalar_subquery()
        chosen = chosen.where(or_(Message.at < at, and_(Message.at == at, Message.id < before)))
    newest = chosen.order_by(Message.at.desc(), Message.id.desc()).limit(MESSAGES + 1).subquery()
    mail = and_(OutgoingMail.ticket_id == Message.ticket_id, OutgoingMail.message_row_id == Message.id)
    sent = (OutgoingMail.state, OutgoingMail.last_error, OutgoingMail.delivery, OutgoingMail.delivery_text)
    names = ("id", "filename", "size", "content_type", "content_id", "sha256")
    file = [getattr(Attachment, name) for name in names]
    return (
        select(Message, *file, *sent)
        .join(newest, newest.c.id == Message.id)
        .outerjoin(Attachment, Attachment.message_id == Message.id)
        .outerjoin(OutgoingMail, mail)
        .order_by(Message.at.desc(), Message.id.desc(), Attachment.id)
    )


def _message(rows: list[Row[Any]]) -> MessageView:
    first = rows[0]
    message: Message = first.Message
    files = tuple({row.id: _file(row) for row in rows if row.id is not None}.values())
    shown = picture_ids(message.html)
    pictures = {one.content_id: one.id for one in files if one.content_id in shown}
    return MessageView(
        id=message.id,
        kind=message.kind,
        is_public=message.is_public,
        author=message.author,
        at=message.at,
        parts=mark_quotes(message.body, subject=message.subject, for_page=True),
        html=message.html,
        files=tuple(one for one in files if one.id not in pictures.values()),
        mail=first.state or "",
        mail_error=first.last_error or "",
        delivery=first.delivery or "",
        delivery_text=first.delivery_text or "",
        ticket_id=message.ticket_id,
        pictures=pictures,
        screenshots=_screenshots(one for one in files if one.id in pictures.values()),
        invitations=tuple(one.id for one in files if one.content_type == "text/calendar")[:_MOST_INVITATIONS],
        protection=protection_of((one.content_type for one in files), text=message.body),
        has_remote=has_remote_pictures(message.html),
    )


def _screenshots(pictures: Iterable[FileView]) -> tuple[FileView, ...]:
    large = (one for one in pictures if one.size >= _SCREENSHOT_BYTES and one.content_type.startswith("image/"))
    return tuple(large)[:_MOST_SCREENSHOTS]


def _without_old_screenshots(messages: Iterable[MessageView]) -> list[MessageView]:
    """Answers bring the pictures of what they quote: each is shown where it came first."""
    seen: set[str] = set()
    shown = []
    for message in messages:
        new = tuple(one for one in message.screenshots if one.sha256 not in seen)
        seen.update(one.sha256 for one in new)
        shown.append(replace(message, screenshots=new) if new != message.screenshots else message)
    return shown


def _file(row: Row[Any]) -> FileView:
    return FileView(row.id, row.filename, row.size, row.content_type, row.content_id, row.sha256)
