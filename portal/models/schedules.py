"""Who is on call: schedules and what they are made of. All times named `starts` and `ends` are wall-clock, half-open,
on the clock of the schedule's zone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import DDL, Date, DateTime, ForeignKey, Index, String, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import NO_ID_TWICE, Base, Pk, UtcDateTime

SITE_SCHEDULE = 1
SITE_SCHEDULE_SQL = "INSERT INTO schedule (name, zone, members, version, changed_at) VALUES ('On call', '', '[]', 1, 0)"


class ScheduleRow(Base):
    """A roster. The first row, always there, is the site's own. `zone` is empty for the site's.

    `members` are the ids of those who are "everyone"; empty for all who can be on call. `version` goes up with every
    change of anything in the schedule; `calendar_id` says when the shop is open, None: the site's hours.
    """

    __tablename__ = "schedule"
    id: Mapped[Pk]
    name: Mapped[str] = mapped_column(String(80), unique=True)
    zone: Mapped[str] = mapped_column(String(64), default="")
    calendar_id: Mapped[int | None] = mapped_column(ForeignKey("calendar.id", ondelete="SET NULL"))
    members: Mapped[list[Any]] = mapped_column(default=list)
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    __table_args__ = (NO_ID_TWICE,)


event.listen(ScheduleRow.__table__, "after_create", DDL(SITE_SCHEDULE_SQL))  # type: ignore[no-untyped-call]


class ShiftRow(Base):
    """A person on call. `uid` is the event's in the iCal file it came from."""

    __tablename__ = "shift"
    id: Mapped[Pk]
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id", ondelete="CASCADE"), default=SITE_SCHEDULE)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    starts: Mapped[datetime] = mapped_column(DateTime)
    ends: Mapped[datetime] = mapped_column(DateTime)
    level: Mapped[int] = mapped_column(default=0)
    note: Mapped[str] = mapped_column(String(200), default="")
    uid: Mapped[str] = mapped_column(String(300), default="")
    version: Mapped[int] = mapped_column(default=1)
    __table_args__ = (Index(None, "schedule_id", "ends"), NO_ID_TWICE)


class RotationRow(Base):
    """People who take turns (core/rotations.py). `people`: ids in order; `week`: periods by weekday, None for always.

    `series_id` is the id of the first row of one rotation that was changed while it ran: the row before ends at the
    minute of the change, the new one counts `since` then and keeps its own `starts`.
    """

    __tablename__ = "rotation"
    id: Mapped[Pk]
    schedule_id: Mapped[int] = mapped_column(
        ForeignKey("schedule.id", ondelete="CASCADE"), index=True, default=SITE_SCHEDULE
    )
    series_id: Mapped[int | None]
    name: Mapped[str] = mapped_column(String(80), default="")
    people: Mapped[list[Any]]
    starts: Mapped[datetime] = mapped_column(DateTime)
    ends: Mapped[datetime | None] = mapped_column(DateTime)
    since: Mapped[datetime | None] = mapped_column(DateTime)
    unit: Mapped[str] = mapped_column(String(10))
    every: Mapped[int] = mapped_column(default=1)
    week: Mapped[dict[str, Any] | None]
    by_shift: Mapped[bool] = mapped_column(default=False)
    level: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    __table_args__ = (NO_ID_TWICE,)


class OverrideRow(Base):
    """An exception: `kind` is add, remove or replace (`instead_of_id`, None for everybody)."""

    __tablename__ = "override"
    id: Mapped[Pk]
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id", ondelete="CASCADE"), default=SITE_SCHEDULE)
    kind: Mapped[str] = mapped_column(String(10))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    instead_of_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    starts: Mapped[datetime] = mapped_column(DateTime)
    ends: Mapped[datetime] = mapped_column(DateTime)
    note: Mapped[str] = mapped_column(String(200), default="")
    swap_id: Mapped[int | None] = mapped_column(ForeignKey("swap.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    version: Mapped[int] = mapped_column(default=1)
    __table_args__ = (Index(None, "schedule_id", "ends"), NO_ID_TWICE)


class HolidayPolicyRow(Base):
    """What was decided for a holiday: `policy` is normal, person, everyone or nobody (core/roster.py)."""

    __tablename__ = "holiday_policy"
    id: Mapped[Pk]
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id", ondelete="CASCADE"), default=SITE_SCHEDULE)
    observed_on: Mapped[date] = mapped_column(Date)
    policy: Mapped[str] = mapped_column(String(10))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    __table_args__ = (UniqueConstraint("schedule_id", "observed_on"), NO_ID_TWICE)


class Swap(Base):
    """Somebody asks a colleague to take their duty from `starts` to `ends`, and may offer one of the colleague's in
    return (`back_starts`, `back_ends`). `state`: asked, accepted, declined, withdrawn or expired.

    Only the hash of the link's token is kept. `code` is what a text answers with.
    """

    __tablename__ = "swap"
    id: Mapped[Pk]
    schedule_id: Mapped[int] = mapped_column(
        ForeignKey("schedule.id", ondelete="CASCADE"), index=True, default=SITE_SCHEDULE
    )
    from_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    to_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    starts: Mapped[datetime] = mapped_column(DateTime)
    ends: Mapped[datetime] = mapped_column(DateTime)
    back_starts: Mapped[datetime | None] = mapped_column(DateTime)
    back_ends: Mapped[datetime | None] = mapped_column(DateTime)
    note: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(10), default="asked")
    code: Mapped[str] = mapped_column(String(10), default="")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_how: Mapped[str] = mapped_column(String(10), default="")
    __table_args__ = (Index(None, "state", "to_id"),)


class Absence(Base):
    """Time in which a member was disabled: nobody's history changes because somebody left or came back."""

    __tablename__ = "absence"
    id: Mapped[Pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CalendarFeed(Base):
    """A secret address under which a calendar program reads a roster: of `user_id`, or the whole of `schedule_id`.

    The token is found by its hash and sealed beside it, so that its owner can copy the address again.
    """

    __tablename__ = "calendar_feed"
    id: Mapped[Pk]
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("schedule.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    token_sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class HandOff(Base):
    """The card of one shift change: written once for each person who comes on duty. `text_due_at` while a text about
    it is still to be written."""

    __tablename__ = "hand_off"
    id: Mapped[Pk]
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id", ondelete="CASCADE"), default=SITE_SCHEDULE)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)
    text_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    __table_args__ = (UniqueConstraint("schedule_id", "user_id", "at"),)
