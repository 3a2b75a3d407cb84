"""Calendars themselves: added, named, put into a zone, removed; and which queue goes by which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.names import check_name
from portal.models import (
    SITE_CALENDAR,
    BusinessPeriod,
    Calendar,
    Customer,
    HolidayFeed,
    HolidayRow,
    HolidayRuleRow,
    Queue,
    ScheduleRow,
    SpecialHoursRow,
    UnitOfWork,
)
from portal.models.versions import load_site_state
from portal.services.alarms import end_alarm
from portal.services.audit import Change, record_change
from portal.services.calendars import GONE
from portal.services.holiday_feeds import alarm_key

LONGEST_NAME = 80
_COPIED: tuple[Any, ...] = (BusinessPeriod, SpecialHoursRow, HolidayRow, HolidayRuleRow)


@dataclass(frozen=True)
class CalendarUsers:
    """Names of the queues, schedules and customers that go by a calendar. Who names none goes by the site's and is not
    listed."""

    queues: tuple[tuple[int, str], ...]
    schedules: tuple[str, ...]
    customers: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (
            *(f"the queue {name}" for _, name in self.queues),
            *(f"the schedule {name}" for name in self.schedules),
            *self.customers,
        )


def load_users(session: Session, calendar_id: int) -> CalendarUsers:
    """Who goes by a calendar, by name. Three statements."""
    queues = select(Queue.id, Queue.name).where(Queue.calendar_id == calendar_id).order_by(Queue.name)
    schedules = select(ScheduleRow.name).where(ScheduleRow.calendar_id == calendar_id).order_by(ScheduleRow.name)
    customers = select(Customer.name).where(Customer.calendar_id == calendar_id).order_by(Customer.name)
    return CalendarUsers(
        tuple((row.id, row.name) for row in session.execute(queues)),
        tuple(session.scalars(schedules)),
        tuple(session.scalars(customers)),
    )


def add_calendar(uow: UnitOfWork, name: str, *, change: Change, zone: str = "", copy_of: int | None = None) -> int:
    """A new calendar; an empty `zone` follows the site's. Returns its id.

    `copy_of`: the calendar whose week, special hours, holidays and yearly rules it begins with; without one it is
    always closed. Raises DomainError for a name that is missing, too long or taken, or a zone that does not exist.
    """
    row = Calendar(name=_checked_name(uow.session, name), zone=_checked_zone(zone), changed_at=change.at)
    uow.session.add(row)
    uow.session.flush()
    if copy_of is not None:
        _existing(uow.session, copy_of)
        _copy(uow.session, copy_of, row.id)
    record_change(uow, change, "calendar.add", row.name, **({"zone": row.zone} if row.zone else {}))
    return row.id


def edit_calendar(
    uow: UnitOfWork, calendar_id: int, *, name: str, zone: str, change: Change, seen: tuple[str, str] | None = None
) -> bool:
    """Rename it or put it into another zone ("": the site's). Returns whether anything changed.

    Raises DomainError as `add_calendar` does, or when name and zone are no longer those `seen`: of two people who edit
    it, the later is told. The site's calendar is always in the site's zone.
    """
    row = _existing(uow.session, calendar_id)
    name, zone = _checked_name(uow.session, name, but=calendar_id), _checked_zone(zone)
    before = (row.name, row.zone)
    if before == (name, zone):
        return False
    if seen is not None and seen != before:
        raise DomainError("Somebody else changed this calendar meanwhile. Please look at it again.")
    if calendar_id == SITE_CALENDAR and zone:
        raise DomainError("These are the site’s own hours: their zone is set on the settings page.")
    row.name, row.zone, row.changed_at = name, zone, change.at
    record_change(uow, change, "calendar.edit", name, before={"name": before[0], "zone": before[1]}, zone=zone)
    return True


def remove_calendar(uow: UnitOfWork, calendar_id: int, *, change: Change) -> CalendarUsers:
    """Remove it with all that is in it. Returns who went by it: they go by the site's hours from now on, customers by
    those of the queue.

    Raises DomainError for the site's own, or when it is gone already.
    """
    row = _existing(uow.session, calendar_id)
    if calendar_id == SITE_CALENDAR:
        raise DomainError("The site’s own hours cannot be removed.")
    users = load_users(uow.session, calendar_id)
    for queue in uow.session.scalars(select(Queue).where(Queue.calendar_id == calendar_id)):
        queue.calendar_id = None
    for schedule in uow.session.scalars(select(ScheduleRow).where(ScheduleRow.calendar_id == calendar_id)):
        schedule.calendar_id = None
    for customer in uow.session.scalars(select(Customer).where(Customer.calendar_id == calendar_id)):
        customer.calendar_id = None
    for feed_id in uow.session.scalars(select(HolidayFeed.id).where(HolidayFeed.calendar_id == calendar_id)):
        end_alarm(uow, alarm_key(feed_id), now=change.at)
    uow.session.flush()
    names = {
        "queues": [name for _, name in users.queues],
        "schedules": list(users.schedules),
        "customers": list(users.customers),
    }
    record_change(uow, change, "calendar.remove", row.name, **{key: value for key, value in names.items() if value})
    uow.session.delete(row)
    return users


def choose_queue_calendar(uow: UnitOfWork, queue_id: int, calendar_id: int | None, *, change: Change) -> bool:
    """Let a queue go by this calendar; None or the site's own: by the site's hours. Returns whether anything changed.

    Raises DomainError when the queue or the calendar is gone.
    """
    row = uow.session.get(Queue, queue_id)
    if row is None:
        raise DomainError("This queue is gone: somebody removed it meanwhile.")
    own = None if calendar_id == SITE_CALENDAR else calendar_id
    name = _existing(uow.session, own).name if own is not None else ""
    if row.calendar_id == own:
        return False
    row.calendar_id = own
    record_change(uow, change, "queue.calendar", row.name, calendar=name)
    return True


def _existing(session: Session, calendar_id: int) -> Calendar:
    row = session.get(Calendar, calendar_id)
    if row is None:
        raise DomainError(GONE)
    return row


def _checked_name(session: Session, name: str, *, but: int = 0) -> str:
    others = (one.name for one in load_site_state(session).calendars.values() if one.id != but)
    return check_name(name, noun="calendar", longest=LONGEST_NAME, taken=others)


def _checked_zone(zone: str) -> str:
    zone = zone.strip()
    if zone and zone not in available_timezones():
        raise DomainError(f"“{zone}” is not a time zone. Use a name like Europe/Berlin.")
    return zone


def _copy(session: Session, source: int, target: int) -> None:
    for model in _COPIED:
        keys = [column.key for column in model.__table__.columns if column.key not in ("id", "calendar_id")]
        for row in session.scalars(select(model).where(model.calendar_id == source).order_by(model.id)).all():
            session.add(model(calendar_id=target, **{key: getattr(row, key) for key in keys}))
