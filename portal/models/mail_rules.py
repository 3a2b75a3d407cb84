"""What administrators say about mail (rules, words), and what keeps mail from going round in circles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Pk, UtcDateTime


class MailRule(Base):
    """One rule for mail as it comes in, for one mailbox or (`mailbox_id` NULL) for all.

    `action` is take, ignore, quarantine, automatic or monitor; `core/mail_rules.py` says what `conditions` and
    `options` hold. The first that fits decides.
    """

    __tablename__ = "mail_rule"
    id: Mapped[Pk]
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    mailbox_id: Mapped[int | None] = mapped_column(ForeignKey("mailbox.id"))
    is_enabled: Mapped[bool] = mapped_column(default=True)
    conditions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    action: Mapped[str] = mapped_column(String(20))
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)


class MonitorKey(Base):
    """The ticket that is open for what a monitoring system calls `key`: the next mail about it joins, the all-clear
    closes."""

    __tablename__ = "monitor_key"
    id: Mapped[Pk]
    rule_id: Mapped[int] = mapped_column(ForeignKey("mail_rule.id"))
    key: Mapped[str] = mapped_column(String(300))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    __table_args__ = (UniqueConstraint("rule_id", "key"),)


class MailSuspension(Base):
    """An address (lower case) that nothing is sent to, because mail to it came back or a person said so."""

    __tablename__ = "mail_suspension"
    address: Mapped[str] = mapped_column(String(254), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(Text)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))


class AutomaticMail(Base):
    """One automatic mail that we wrote: what the circuit breaker counts (`core/breaker.py`).

    `sign` says whether what it answers looked like an answer of a machine to the one before: "", slow or quick;
    `depth` is the how many-th quick one to this address it is; where somebody else of the company said the same, 2 if
    quick and 1 if slow;
    `words` is the fingerprint of what was answered. `address` is without a +tag.
    """

    __tablename__ = "automatic_mail"
    id: Mapped[Pk]
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    words: Mapped[str] = mapped_column(String(32), default="")
    address: Mapped[str] = mapped_column(String(254))
    domain: Mapped[str] = mapped_column(String(254))
    sign: Mapped[str] = mapped_column(String(10), default="")
    depth: Mapped[int] = mapped_column(default=0)
    __table_args__ = tuple(Index(f"ix_automatic_mail_{name}", name, "at") for name in ("words", "address", "domain"))


class BreakerTrip(Base):
    """The circuit breaker spoke: nothing automatic is sent for this `scope` (thread, address, words, domain, total)
    and `value` until somebody resumes it."""

    __tablename__ = "breaker_trip"
    id: Mapped[Pk]
    scope: Mapped[str] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(String(254), default="")
    reason: Mapped[str] = mapped_column(Text)
    tripped_at: Mapped[datetime] = mapped_column(UtcDateTime)
    resumed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resumed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    held_back: Mapped[int] = mapped_column(default=0)
    __table_args__ = (Index("ix_breaker_trip_open", "resumed_at", "scope", "value"),)


class MailTemplate(Base):
    """The shop's own words for an event (`core/mail_templates.py`). No row: the words we ship."""

    __tablename__ = "mail_template"
    event: Mapped[str] = mapped_column(String(30), primary_key=True)
    language: Mapped[str] = mapped_column(String(10), primary_key=True)
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=1)
