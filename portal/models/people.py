"""The people who work here: accounts, phones, one-time links, sign-in throttle, audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.base import Base, Pk, UtcDateTime


class User(Base):
    """A member of the shop. `email` is stored lower-case. `session_epoch` goes up to sign out everywhere."""

    __tablename__ = "user"
    id: Mapped[Pk]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str] = mapped_column(String(300), default="")
    is_active: Mapped[bool] = mapped_column(default=True)
    session_epoch: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    phones: Mapped[list[Phone]] = relationship(order_by="Phone.position", lazy="raise", cascade="all, delete-orphan")


class Phone(Base):
    """A number of a member, E.164. `position` 0 is tried first."""

    __tablename__ = "phone"
    id: Mapped[Pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    number: Mapped[str] = mapped_column(String(20), index=True)
    position: Mapped[int] = mapped_column(default=0)
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_stopped: Mapped[bool] = mapped_column(default=False)  # its owner texted STOP


class OneTimeLink(Base):
    """An invitation or a password reset. Only the hash of the token is kept."""

    __tablename__ = "one_time_link"
    id: Mapped[Pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(20))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SignInAttempt(Base):
    """Failed sign-ins by account and by address: the throttle's memory."""

    __tablename__ = "sign_in_attempt"
    id: Mapped[Pk]
    subject: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    __table_args__ = (Index(None, "subject", "at"),)


class AuditEvent(Base):
    """Who changed what, when. `actor_id` is empty for the program itself."""

    __tablename__ = "audit_event"
    id: Mapped[Pk]
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(200), default="")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    note: Mapped[str] = mapped_column(Text, default="")
