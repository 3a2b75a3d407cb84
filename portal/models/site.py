"""The site itself: settings, escalation, jobs, leases, alarms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Pk, UtcDateTime


class SettingRow(Base):
    """One setting that differs from its default (core/settings.py). Secrets are sealed."""

    __tablename__ = "setting"
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class EscalationStepRow(Base):
    """One step of every page to come: text the target, again `repeats` times, `after_minutes` apart, then go on.

    `target` is on_call, fallback, managers or person (`user_id`).
    """

    __tablename__ = "escalation_step"
    id: Mapped[Pk]
    position: Mapped[int]
    after_minutes: Mapped[int]
    repeats: Mapped[int] = mapped_column(default=1)
    target: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))


class Job(Base):
    """A scheduled job. `next_at` is when it is due, `is_asked` that somebody pressed "Run now"; the lease says which
    worker runs it now."""

    __tablename__ = "job"
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    interval_s: Mapped[int]
    is_enabled: Mapped[bool] = mapped_column(default=True)
    is_asked: Mapped[bool] = mapped_column(default=False)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    lease_owner: Mapped[str] = mapped_column(String(80), default="")
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class JobRun(Base):
    """One run of a job. `error` is empty when it went well."""

    __tablename__ = "job_run"
    id: Mapped[Pk]
    job: Mapped[str] = mapped_column(String(60))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    result: Mapped[str] = mapped_column(Text, default="")
    error: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (Index(None, "job", "id"),)


class Lease(Base):
    """Who does a thing that only one may do at a time. Machine time."""

    __tablename__ = "lease"
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80))
    until: Mapped[datetime] = mapped_column(UtcDateTime)


class RestartRequest(Base):
    """Somebody pressed "Restart". `state` is asked, running, done or failed; `data` holds the steps for the page."""

    __tablename__ = "restart_request"
    id: Mapped[Pk]
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_by: Mapped[str] = mapped_column(String(254), default="")
    state: Mapped[str] = mapped_column(String(20), default="asked")
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Alarm(Base):
    """Something a person must look at now: the red banner. `key` keeps one alarm of a kind open at a time."""

    __tablename__ = "alarm"
    id: Mapped[Pk]
    key: Mapped[str] = mapped_column(String(100), index=True)
    text: Mapped[str] = mapped_column(Text)
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[str] = mapped_column(String(254), default="")
    __table_args__ = (Index(None, "ended_at", "id"),)


class Check(Base):
    """Something a person asked a worker to try, because no web request calls outside: "sms" is the account.

    `state` is asked, running or done; `result` is one line about what was found.
    """

    __tablename__ = "check"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    is_ok: Mapped[bool] = mapped_column(default=False)
    result: Mapped[str] = mapped_column(Text, default="")
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
