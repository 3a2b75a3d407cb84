"""Pages: the decision, the demand, each text, and each answer (decisions.md 6)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Pk, UtcDateTime
from portal.models.claims import Claim


class PageDecisionRow(Base):
    """Decided once per cause. `cause`: created, reopened:<event id>, raised, emergency, manual:<event id>."""

    __tablename__ = "page_decision"
    id: Mapped[Pk]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    cause: Mapped[str] = mapped_column(String(60))
    verdict: Mapped[str] = mapped_column(String(10))
    reasons: Mapped[list[Any]] = mapped_column(default=list)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    page_id: Mapped[int | None] = mapped_column(ForeignKey("page.id"))
    __table_args__ = (
        UniqueConstraint("ticket_id", "cause"),
        Index("ix_page_decision_waiting", "verdict", "page_id"),
    )


class Page(Claim, Base):
    """A demand that somebody acknowledges. `state` is open, acknowledged, resolved or expired; `due_at` the next step.

    `kind` is ticket, digest, test or alarm. `policy` is frozen at the start; `step` and `round` say how far it came.
    """

    __tablename__ = "page"
    id: Mapped[Pk]
    kind: Mapped[str] = mapped_column(String(10))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))  # a digest or test has one receiver
    text: Mapped[str] = mapped_column(Text, default="")
    policy: Mapped[dict[str, Any]] = mapped_column(default=dict)
    step: Mapped[int] = mapped_column(default=0)
    round: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (
        Index("ix_page_due", "state", "due_at"),
        Index(
            "uq_page_open_ticket",
            "ticket_id",
            unique=True,
            sqlite_where=sql("state IN ('open', 'acknowledged') AND ticket_id IS NOT NULL"),
            postgresql_where=sql("state IN ('open', 'acknowledged') AND ticket_id IS NOT NULL"),
        ),
    )


class PageTicket(Base):
    """The tickets that a digest lists."""

    __tablename__ = "page_ticket"
    page_id: Mapped[int] = mapped_column(ForeignKey("page.id"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)


class PageCode(Base):
    """The short number by which one person answers one page; free again when the page is closed (`is_open` False)."""

    __tablename__ = "page_code"
    id: Mapped[Pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    page_id: Mapped[int] = mapped_column(ForeignKey("page.id"), index=True)
    code: Mapped[int]
    is_open: Mapped[bool] = mapped_column(default=True)
    __table_args__ = (
        UniqueConstraint("user_id", "page_id"),
        Index(
            "uq_page_code_open",
            "user_id",
            "code",
            unique=True,
            sqlite_where=sql("is_open"),
            postgresql_where=sql("is_open"),
        ),
    )


class Notification(Claim, Base):
    """One text to one number. `state` as in decisions.md 6: pending, sending, accepted, delivered, undelivered, failed,
    cancelled. UNIQUE(dedupe_key) keeps one text for each page, person and step. `kind` is page, reply or info."""

    __tablename__ = "notification"
    id: Mapped[Pk]
    dedupe_key: Mapped[str] = mapped_column(String(120), unique=True)
    page_id: Mapped[int | None] = mapped_column(ForeignKey("page.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    number: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text)
    provider: Mapped[str] = mapped_column(String(20), default="")
    provider_id: Mapped[str] = mapped_column(String(80), default="", index=True)
    error_code: Mapped[str] = mapped_column(String(20), default="")
    is_requested: Mapped[bool] = mapped_column(default=False)  # asked for by hand: watch mode does not hold it back
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sending_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (Index("ix_notification_due", "state", "due_at"),)


class InboundText(Base):
    """A text somebody sent to us, stored before it is understood, handled once. No `user_id`: an unknown number."""

    __tablename__ = "inbound_text"
    id: Mapped[Pk]
    provider: Mapped[str] = mapped_column(String(20))
    provider_id: Mapped[str] = mapped_column(String(80))
    sender: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    stored_at: Mapped[datetime] = mapped_column(UtcDateTime)
    handled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    page_id: Mapped[int | None] = mapped_column(ForeignKey("page.id"))
    outcome: Mapped[str] = mapped_column(Text, default="")
    undo: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what UNDO needs to take it back
    __table_args__ = (UniqueConstraint("provider", "provider_id"), Index(None, "handled_at", "id"))
