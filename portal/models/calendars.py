"""Business hours: calendars, their open periods and exceptions, holidays, and where holidays come from."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import DDL, Date, DateTime, ForeignKey, Index, String, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import NO_ID_TWICE, Base, Pk, UtcDateTime

SITE_CALENDAR = 1
SITE_CALENDAR_SQL = "INSERT INTO calendar (name, zone, version, changed_at) VALUES ('Business hours', '', 1, 0)"


class Calendar(Base):
    """Business hours of the site (the first row, always there), of a queue or of customers.

    `zone` is empty for the site's own. `version` goes up with every change of anything in the calendar.
    """

    __tablename__ = "calendar"
    id: Mapped[Pk]
    name: Mapped[str] = mapped_column(String(80), unique=True)
    zone: Mapped[str] = mapped_column(String(64), default="")
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    __table_args__ = (NO_ID_TWICE,)


event.listen(Calendar.__table__, "after_create", DDL(SITE_CALENDAR_SQL))  # type: ignore[no-untyped-call]


class BusinessPeriod(Base):
    """One open period of a weekday (0 is Monday), minutes since its midnight; `closes` above 1440: the next day."""

    __tablename__ = "business_period"
    id: Mapped[Pk]
    calendar_id: Mapped[int] = mapped_column(
        ForeignKey("calendar.id", ondelete="CASCADE"), index=True, default=SITE_CALENDAR
    )
    weekday: Mapped[int]
    opens: Mapped[int]
    closes: Mapped[int]


class SpecialHoursRow(Base):
    """A stretch of wall-clock time in which the shop is closed or open whatever else is said."""

    __tablename__ = "special_hours"
    id: Mapped[Pk]
    calendar_id: Mapped[int] = mapped_column(
        ForeignKey("calendar.id", ondelete="CASCADE"), index=True, default=SITE_CALENDAR
    )
    starts: Mapped[datetime] = mapped_column(DateTime)
    ends: Mapped[datetime] = mapped_column(DateTime)
    is_open: Mapped[bool]
    name: Mapped[str] = mapped_column(String(200), default="")


class HolidayRow(Base):
    """A day off, or the proposal of one. `state`: proposed, accepted or ignored; `source`: manual, a list or a feed.

    Minutes `closes_from` to `closes_until` of it are closed: 0 to 1440 but for half-days.
    """

    __tablename__ = "holiday"
    id: Mapped[Pk]
    calendar_id: Mapped[int] = mapped_column(ForeignKey("calendar.id", ondelete="CASCADE"), default=SITE_CALENDAR)
    observed_on: Mapped[date] = mapped_column(Date)
    name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(40), default="manual")
    kind: Mapped[str] = mapped_column(String(40), default="")
    region: Mapped[str] = mapped_column(String(40), default="")
    closes_from: Mapped[int] = mapped_column(default=0)
    closes_until: Mapped[int] = mapped_column(default=1440)
    __table_args__ = (UniqueConstraint("calendar_id", "observed_on", "name"), Index(None, "state", "observed_on"))


class HolidayRuleRow(Base):
    """A day off of every year. `rule` is what core/holiday_rules.py reads; an ignored holiday of its date and name is
    the exception of one year."""

    __tablename__ = "holiday_rule"
    id: Mapped[Pk]
    calendar_id: Mapped[int] = mapped_column(
        ForeignKey("calendar.id", ondelete="CASCADE"), index=True, default=SITE_CALENDAR
    )
    name: Mapped[str] = mapped_column(String(200))
    rule: Mapped[str] = mapped_column(String(80))
    closes_from: Mapped[int] = mapped_column(default=0)
    closes_until: Mapped[int] = mapped_column(default=1440)
    first_year: Mapped[int | None]
    last_year: Mapped[int | None]


class HolidayFeed(Base):
    """An iCal address that proposes holidays. What it says is never taken over by itself.

    `state` is "" or asked (somebody pressed "Read now"); `lease_until` says that a worker reads it; `failing_since` is
    the first failure after the last success.
    """

    __tablename__ = "holiday_feed"
    id: Mapped[Pk]
    calendar_id: Mapped[int] = mapped_column(
        ForeignKey("calendar.id", ondelete="CASCADE"), index=True, default=SITE_CALENDAR
    )
    name: Mapped[str] = mapped_column(String(80))
    url: Mapped[str] = mapped_column(String(2000))
    is_enabled: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(String(10), default="")
    etag: Mapped[str] = mapped_column(String(200), default="")
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(Text, default="")
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class HolidayFeedDay(Base):
    """What a feed said last, a row a day: the page shows where that differs from what was accepted."""

    __tablename__ = "holiday_feed_day"
    id: Mapped[Pk]
    feed_id: Mapped[int] = mapped_column(ForeignKey("holiday_feed.id", ondelete="CASCADE"))
    observed_on: Mapped[date] = mapped_column(Date)
    name: Mapped[str] = mapped_column(String(200))
    __table_args__ = (UniqueConstraint("feed_id", "observed_on", "name"),)
