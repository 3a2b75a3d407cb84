"""What a decision about days off would change, worked out before anybody takes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.orm import Session

from portal.core.calendars import BusinessHours
from portal.core.holiday_effects import DayChange, compare_days, duties_on
from portal.core.intervals import Interval
from portal.core.roster import HolidayPolicy, coverage_gaps
from portal.core.wallclock import wall_of
from portal.models import SITE_CALENDAR
from portal.services.calendars import load_hours
from portal.services.deadlines import MovedDeadlines, load_moved_deadlines
from portal.services.schedules import StoredSchedule, list_schedules, load_schedule


@dataclass(frozen=True)
class Stretch:
    """Wall-clock time on the calendar's clock."""

    starts: datetime
    ends: datetime


@dataclass(frozen=True)
class DutyOnDay:
    """Somebody on call on the day. `schedule` is empty while there is only one."""

    person: str
    when: Stretch
    schedule: str


@dataclass(frozen=True)
class Gap:
    """Time on the day when the shop is closed and nobody is on call. `schedule` as above."""

    when: Stretch
    schedule: str


@dataclass(frozen=True)
class DayEffect:
    """What becomes of one day: what closes, what opens, and who is on call on it.

    `managers`: the schedules in which nobody is on call by decision; "" while there is only one.
    """

    on: date
    names: tuple[str, ...]
    closes: tuple[Stretch, ...]
    opens: tuple[Stretch, ...]
    duties: tuple[DutyOnDay, ...]
    gaps: tuple[Gap, ...]
    managers: tuple[str, ...]


@dataclass(frozen=True)
class Effects:
    """What becomes of the days, and of the deadlines of tickets that go by the calendar."""

    days: tuple[DayEffect, ...] = ()
    deadlines: MovedDeadlines = field(default_factory=MovedDeadlines)


def load_effects(
    session: Session,
    after: BusinessHours,
    days: Iterable[tuple[date, str]],
    *,
    now: datetime,
    calendar_id: int = SITE_CALENDAR,
) -> Effects:
    """Compare the hours as they are with those of `after` on these days (date and name), say who is on call in the
    schedules that go by this calendar, and whose deadlines move. Two statements while nothing changes."""
    before = load_hours(session, calendar_id)
    changes = compare_days(before, after, days)
    heads = [head for head in list_schedules(session) if (head.calendar_id or SITE_CALENDAR) == calendar_id]
    schedules = [load_schedule(session, head.id) for head in heads]
    moved = load_moved_deadlines(session, after, calendar_id=calendar_id, now=now)
    return Effects(tuple(_effect(change, after, schedules) for change in changes), moved)


def _effect(change: DayChange, hours: BusinessHours, schedules: list[StoredSchedule]) -> DayEffect:
    duties: list[DutyOnDay] = []
    gaps: list[Gap] = []
    managers = []
    for stored in schedules:
        name = stored.head.name if len(schedules) > 1 else ""
        found = duties_on(stored.roster, change.day)
        for duty in found:
            when = _wall(hours, Interval(duty.starts_at, duty.ends_at))
            duties.append(DutyOnDay(stored.names[duty.person_id], when, name))
        if any(one.on == change.on and one.policy == HolidayPolicy.NOBODY for one in stored.roster.holidays):
            managers.append(name)
        else:
            gaps += [Gap(_wall(hours, one), name) for one in coverage_gaps(found, span=change.day, hours=hours)]
    return DayEffect(
        change.on,
        change.names,
        tuple(_wall(hours, one) for one in change.closes),
        tuple(_wall(hours, one) for one in change.opens),
        tuple(duties),
        tuple(gaps),
        tuple(managers),
    )


def _wall(hours: BusinessHours, span: Interval) -> Stretch:
    return Stretch(wall_of(span.starts_at, zone=hours.zone), wall_of(span.ends_at, zone=hours.zone))
