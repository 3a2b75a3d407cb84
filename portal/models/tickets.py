"""Tickets, what was said on them, and what they are sorted into."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DDL, ForeignKey, Index, String, Text, UniqueConstraint, event, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Pk, UtcDateTime


class Queue(Base):
    """A team's pile of tickets. Its hours and its roster are the site's where none are named."""

    __tablename__ = "queue"
    id: Mapped[Pk]
    name: Mapped[str] = mapped_column(String(100), unique=True)
    position: Mapped[int] = mapped_column(default=0)
    calendar_id: Mapped[int | None] = mapped_column(ForeignKey("calendar.id", ondelete="SET NULL"))
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("schedule.id", ondelete="SET NULL"))


class Category(Base):
    """What a ticket is about. `queue_id` is where its tickets go unless a rule says otherwise."""

    __tablename__ = "category"
    id: Mapped[Pk]
    name: Mapped[str] = mapped_column(String(100), unique=True)
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id"))
    position: Mapped[int] = mapped_column(default=0)


class LexiconTerm(Base):
    """A word or phrase that speaks for a category (`aspect` "category") or for urgency (scope, blockage ...)."""

    __tablename__ = "lexicon_term"
    id: Mapped[Pk]
    term: Mapped[str] = mapped_column(String(100))
    aspect: Mapped[str] = mapped_column(String(20))
    target: Mapped[str] = mapped_column(String(100))
    weight: Mapped[float]
    __table_args__ = (UniqueConstraint("aspect", "target", "term"),)


class RuleRow(Base):
    """An administrator's rule (core/rules.py says what `conditions` and `actions` hold)."""

    __tablename__ = "rule"
    id: Mapped[Pk]
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    is_enabled: Mapped[bool] = mapped_column(default=True)
    conditions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    actions: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Requester(Base):
    """Somebody who asks for help. No account. `email` is lower-case; empty for a caller without one."""

    __tablename__ = "requester"
    id: Mapped[Pk]
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(200), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    department: Mapped[str] = mapped_column(String(100), default="")
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    __table_args__ = (
        Index(
            "uq_requester_email",
            "email",
            unique=True,
            sqlite_where=text("email <> ''"),
            postgresql_where=text("email <> ''"),
        ),
    )


_LIST_FILTERS = (
    "is_open", "status", "queue_id", "category_id", "priority", "assignee_id", "customer_id", "source", "requester_id",
)  # fmt: skip


class Ticket(Base):
    """One request. The number people see is `id`.

    `is_open` follows `status` (core/tickets.py). `emergency` is "", "declared" or "declined" (the form's question).
    `is_imported` tickets never page. `phone` is the number given with this request. `link_version` goes up to revoke
    the requester's private link. `maybe_of_id` is a ticket it may belong to by weak evidence, until somebody decides;
    `follows_id` a closed one that it goes on from; `rating` is 1 (bad) to 5, 0 for none.
    """

    __tablename__ = "ticket"
    id: Mapped[Pk]
    subject: Mapped[str] = mapped_column(String(300))
    status: Mapped[str] = mapped_column(String(30))
    is_open: Mapped[bool]
    priority: Mapped[int]
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id"))
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"))
    requester_id: Mapped[int | None] = mapped_column(ForeignKey("requester.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id", ondelete="SET NULL"))
    source: Mapped[str] = mapped_column(String(20))
    mailbox_id: Mapped[int | None] = mapped_column(ForeignKey("mailbox.id"))
    emergency: Mapped[str] = mapped_column(String(10), default="")
    is_automatic: Mapped[bool] = mapped_column(default=False)
    is_imported: Mapped[bool] = mapped_column(default=False)
    asset: Mapped[str] = mapped_column(String(100), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    triaged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    triage: Mapped[dict[str, Any] | None]
    resolution: Mapped[str] = mapped_column(Text, default="")
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_response_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    link_version: Mapped[int] = mapped_column(default=1)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    follows_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    maybe_of_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    maybe_reason: Mapped[str] = mapped_column(Text, default="")
    rating: Mapped[int] = mapped_column(default=0)
    rated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rating_text: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
    __table_args__ = (
        Index("ix_ticket_changed", "changed_at", "id"),
        *(Index(f"ix_ticket_{name}_newest", name, "id") for name in _LIST_FILTERS),
        *(Index(f"ix_ticket_{name}_changed", name, "changed_at", "id") for name in _LIST_FILTERS[:-1]),
        Index(
            "ix_ticket_untriaged",
            "is_imported",
            "priority",
            "id",
            sqlite_where=text("triaged_at IS NULL"),
            postgresql_where=text("triaged_at IS NULL"),
        ),
    )


class Message(Base):
    """One thing said on a ticket. `kind`: request, reply (requester), answer (ours), note (inside), automatic, bounce.

    `body` is the sender's own words and never changes; `corrected` and `corrections` stand beside it.
    """

    __tablename__ = "message"
    id: Mapped[Pk]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    is_public: Mapped[bool]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    author: Mapped[str] = mapped_column(String(300), default="")
    subject: Mapped[str] = mapped_column(String(300), default="")
    body: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text, default="")
    corrected: Mapped[str] = mapped_column(Text, default="")
    corrections: Mapped[list[Any]] = mapped_column(default=list)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ledger_id: Mapped[int | None] = mapped_column(ForeignKey("mail_ledger.id"))


class TicketCopy(Base):
    """Somebody the requester copied (`core/copies.py`), who is copied on our answers. `address` is lower-case."""

    __tablename__ = "ticket_copy"
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True, autoincrement=False)
    address: Mapped[str] = mapped_column(String(254), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Attachment(Base):
    """A file on a message; its bytes are a blob. `content_type` is what the sender said: never trusted when served."""

    __tablename__ = "attachment"
    id: Mapped[Pk]
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), index=True)
    filename: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(ForeignKey("blob.sha256"))
    is_inline: Mapped[bool] = mapped_column(default=False)
    content_id: Mapped[str] = mapped_column(String(255), default="")


class TicketEvent(Base):
    """The ticket's history. `kind` names what happened; `data` holds the before and after, and reasons."""

    __tablename__ = "ticket_event"
    id: Mapped[Pk]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    actor: Mapped[str] = mapped_column(String(200), default="")
    kind: Mapped[str] = mapped_column(String(40))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class TicketCount(Base):
    """How many tickets stand where. `queue_id` 0 is "no queue". Changed last in a transaction, in key order."""

    __tablename__ = "ticket_count"
    queue_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[str] = mapped_column(String(30), primary_key=True)
    priority: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(default=0)


class SearchDocument(Base):
    """The search tokens of one message (core/search.py). SQLite indexes them by FTS5, PostgreSQL by a tsvector."""

    __tablename__ = "search_document"
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), primary_key=True, autoincrement=False)
    ticket_id: Mapped[int] = mapped_column(index=True)
    tokens: Mapped[str] = mapped_column(Text)


# `detail=none`: we never ask for phrases, and the index stays small. core/search.py has folded and split the tokens;
# "ascii" then splits at spaces only, whatever the script.
SEARCH_SQLITE = (
    "CREATE VIRTUAL TABLE message_search USING fts5(tokens, content='search_document', content_rowid='message_id', "
    "detail=none, columnsize=0, tokenize='ascii')"
)
# The index follows the table by itself: nobody can write the one and forget the other.
SEARCH_TRIGGER = (
    "CREATE TRIGGER search_document_added AFTER INSERT ON search_document BEGIN "
    "INSERT INTO message_search(rowid, tokens) VALUES (new.message_id, new.tokens); END"
)
SEARCH_POSTGRESQL = (
    "CREATE INDEX ix_search_document_tokens ON search_document "
    "USING gin (array_to_tsvector(string_to_array(tokens, ' ')))"
)
event.listen(SearchDocument.__table__, "after_create", DDL(SEARCH_SQLITE).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]
event.listen(SearchDocument.__table__, "after_create", DDL(SEARCH_TRIGGER).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]
event.listen(SearchDocument.__table__, "after_create", DDL(SEARCH_POSTGRESQL).execute_if(dialect="postgresql"))  # type: ignore[no-untyped-call]


class FormPost(Base):
    """A form that was sent once: a second post with the same key shows the first ticket instead of making another.

    `sender` is the address it came from: the throttle counts by it.
    """

    __tablename__ = "form_post"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    sender: Mapped[str] = mapped_column(String(64), default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    __table_args__ = (Index(None, "sender", "at"),)
