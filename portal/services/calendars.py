"""Business hours and holidays in the database: loaded as core values, changed with a trace of who did it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.calendars import BusinessHours, Period, SpecialHours, Week, format_week
from portal.core.errors import DomainError
from portal.models import SITE_CALENDAR, BusinessPeriod, SpecialHoursRow, UnitOfWork
from portal.models.versions import Head, Versioned, load_site_state
from portal.services.audit import Change, record_change
from portal.services.holidays import load_closed_days

GONE = "This calendar is gone: somebody removed it meanwhile."
_known: Versioned[BusinessHours] = Versioned()


def list_calendars(session: Session) -> list[Head]:
    """The site's own first, then by name. One statement."""
    heads = load_site_state(session).calendars.values()
    return sorted(heads, key=lambda one: (one.id != SITE_CALENDAR, one.name.casefold()))


def find_calendar(session: Session, name: str) -> int | None:
    """The id of the calendar with this name, in whatever case, or else with this number; None when there is none."""
    wanted, known = " ".join(name.split()).casefold(), load_site_state(session).calendars.values()
    by_name = (one.id for one in known if one.name.casefold() == wanted)
    return next(by_name, None) or next((one.id for one in known if str(one.id) == wanted), None)


def load_week(session: Session, calendar_id: int = SITE_CALENDAR) -> Week:
    """The open periods of a calendar, the site's own unless named."""
    days: list[list[Period]] = [[] for _ in range(7)]
    own = select(BusinessPeriod).where(BusinessPeriod.calendar_id == calendar_id)
    for row in session.scalars(own.order_by(BusinessPeriod.opens)):
        days[row.weekday].append(Period(row.opens, row.closes))
    return Week(tuple(map(tuple, days)))


def save_week(
    uow: UnitOfWork, week: Week, *, change: Change, calendar_id: int = SITE_CALENDAR, seen: Week | None = None
) -> None:
    """Replace the open periods. What is the same already leaves no trace. Raises DomainError when the calendar is gone,
    or when its week is no longer the one that was `seen`: of two people who edit it, the later is told."""
    head = load_site_state(uow.session).calendars.get(calendar_id)
    if head is None:
        raise DomainError(GONE)
    before = load_week(uow.session, calendar_id)
    if before == week:
        return
    if seen is not None and seen != before:
        raise DomainError("Somebody else changed these hours meanwhile. Please look at them again.")
    for row in uow.session.scalars(select(BusinessPeriod).where(BusinessPeriod.calendar_id == calendar_id)):
        uow.session.delete(row)
    for weekday, periods in enumerate(week.days):
        for period in periods:
            uow.session.add(
                BusinessPeriod(calendar_id=calendar_id, weekday=weekday, opens=period.start, closes=period.end)
            )
    name = "" if calendar_id == SITE_CALENDAR else head.name
    record_change(uow, change, "hours.edit", name, before=format_week(before), after=format_week(week))


def load_hours(session: Session, calendar_id: int = SITE_CALENDAR) -> BusinessHours:
    """The week with accepted holidays and exceptions, ready for the questions of core/calendars.py. One statement
    while nothing in the calendar changes, five after a change. Raises DomainError when it is gone."""
    head = load_site_state(session).calendars.get(calendar_id)
    if head is None:
        raise DomainError(GONE)
    return _known.get(session, head.id, (head.version, head.zone.key), lambda: _load(session, head.id, head.zone))


def _load(session: Session, calendar_id: int, zone: ZoneInfo) -> BusinessHours:
    own = select(SpecialHoursRow).where(SpecialHoursRow.calendar_id == calendar_id).order_by(SpecialHoursRow.id)
    special = tuple(SpecialHours(row.starts, row.ends, row.is_open, row.name) for row in session.scalars(own))
    holidays, yearly = load_closed_days(session, calendar_id)
    return BusinessHours(zone, load_week(session, calendar_id), holidays, special, yearly)
