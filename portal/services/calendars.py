"""Business hours and holidays in the database: loaded as core values, changed with a trace of who did it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.calendars import BusinessHours, Holiday, Period, SpecialHours, Week, format_week
from portal.core.errors import DomainError
from portal.models import SITE_CALENDAR, BusinessPeriod, HolidayRow, SpecialHoursRow, UnitOfWork
from portal.models.versions import Versioned, load_site_state
from portal.services.audit import Change, record_change
from portal.services.holidays import ACCEPTED

_known: Versioned[BusinessHours] = Versioned()


def load_week(session: Session, calendar_id: int = SITE_CALENDAR) -> Week:
    """The open periods of a calendar, the site's own unless named."""
    days: list[list[Period]] = [[] for _ in range(7)]
    own = select(BusinessPeriod).where(BusinessPeriod.calendar_id == calendar_id)
    for row in session.scalars(own.order_by(BusinessPeriod.opens)):
        days[row.weekday].append(Period(row.opens, row.closes))
    return Week(tuple(map(tuple, days)))


def save_week(uow: UnitOfWork, week: Week, *, change: Change, calendar_id: int = SITE_CALENDAR) -> None:
    """Replace the open periods. What is the same already leaves no trace."""
    before = load_week(uow.session, calendar_id)
    if before == week:
        return
    for row in uow.session.scalars(select(BusinessPeriod).where(BusinessPeriod.calendar_id == calendar_id)):
        uow.session.delete(row)
    for weekday, periods in enumerate(week.days):
        for period in periods:
            uow.session.add(
                BusinessPeriod(calendar_id=calendar_id, weekday=weekday, opens=period.start, closes=period.end)
            )
    record_change(uow, change, "hours.edit", before=format_week(before), after=format_week(week))


def load_hours(session: Session, calendar_id: int = SITE_CALENDAR) -> BusinessHours:
    """The week with accepted holidays and exceptions, ready for the questions of core/calendars.py. One statement
    while nothing in the calendar changes, five after a change. Raises DomainError when it is gone."""
    head = load_site_state(session).calendars.get(calendar_id)
    if head is None:
        raise DomainError("This calendar is gone: somebody removed it meanwhile.")
    return _known.get(session, head.id, (head.version, head.zone.key), lambda: _load(session, head.id, head.zone))


def _load(session: Session, calendar_id: int, zone: ZoneInfo) -> BusinessHours:
    accepted = select(HolidayRow).where(HolidayRow.calendar_id == calendar_id, HolidayRow.state == ACCEPTED)
    holidays = tuple(
        Holiday(row.observed_on, row.name, Period(row.closes_from, row.closes_until))
        for row in session.scalars(accepted.order_by(HolidayRow.observed_on, HolidayRow.id))
    )
    own = select(SpecialHoursRow).where(SpecialHoursRow.calendar_id == calendar_id).order_by(SpecialHoursRow.id)
    special = tuple(SpecialHours(row.starts, row.ends, row.is_open, row.name) for row in session.scalars(own))
    return BusinessHours(zone, load_week(session, calendar_id), holidays, special)
