"""Who carried how much of a roster: time by kind, and pages, per person; and the same as a spreadsheet for pay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.fairness import Load, Night, Part, Tally, average_load, list_stretches, share_load, split_time
from portal.core.intervals import Interval
from portal.core.pay_sheet import PaySheet, make_pay_sheet
from portal.core.roster import make_roster
from portal.core.shifts import YEARS
from portal.core.wallclock import instant_of, wall_of
from portal.models import SITE_CALENDAR, Notification, Page, UnitOfWork
from portal.models.versions import Head, load_site_state
from portal.services.audit import Change, record_change
from portal.services.calendars import load_hours
from portal.services.page_texts import PAGE
from portal.services.schedules import load_schedule
from portal.services.settings import load_settings
from portal.services.ticket_times import pages_of_schedule

LONGEST = timedelta(days=3 * 366)
_DAY = timedelta(days=1)
# Those may have rung; what was held back, or given up before it left, rang nobody.
_LEFT = ("sending", "accepted", "delivered", "undelivered")


@dataclass(frozen=True)
class Days:
    """From the first day to the last, both whole."""

    first: date
    last: date

    def span(self, zone: ZoneInfo) -> Interval:
        """Their time on the clock of a zone."""
        begins, ends = (datetime.combine(day, time()) for day in (self.first, self.last + _DAY))
        return Interval(instant_of(begins, zone=zone), instant_of(ends, zone=zone))


@dataclass(frozen=True)
class Fairness:
    """What the page shows. `calendar` names the hours that say what is open and what is a holiday."""

    head: Head
    calendar: str
    days: Days
    night: Night
    loads: tuple[Load, ...]
    average: Tally
    names: Mapping[int, str]


def check_days(first: date | None, last: date | None, *, today: date) -> Days:
    """The days asked for; without any, the twelve months up to today. Raises DomainError with a sentence."""
    for day in filter(None, (first, last)):
        if day.year not in YEARS:
            raise DomainError("The years must lie between 2000 and 2199.")
    last = last or today
    first = first or _year_before(last)
    if last < first:
        raise DomainError("It ends before it starts.")
    if last - first > LONGEST:
        raise DomainError("Choose at most three years.")
    return Days(first, last)


def today_of(session: Session, schedule_id: int, *, now: datetime) -> date:
    """The day on the clock of a schedule. Raises DomainError when it is gone."""
    return wall_of(now, zone=load_schedule(session, schedule_id).roster.zone).date()


def load_fairness(session: Session, schedule_id: int, days: Days) -> Fairness:
    """Everybody's share of the roster as it was, or as it is planned. Three statements while nothing in it changes.
    Raises DomainError when it is gone."""
    stored = load_schedule(session, schedule_id)
    span = days.span(stored.roster.zone)
    parts, night = _parts(session, stored.head, span)
    rung, answered = _load_pages(session, schedule_id, span)
    loads = share_load(make_roster(stored.roster, span), parts, rung=rung, answered=answered)
    calendar = load_site_state(session).calendars[_calendar_of(stored.head)].name
    return Fairness(stored.head, calendar, days, night, loads, average_load(loads), stored.names)


def build_pay_sheet(session: Session, schedule_id: int, days: Days, *, now: datetime) -> tuple[str, bytes]:
    """A file name and an .xlsx file. Raises DomainError when the schedule is gone."""
    stored = load_schedule(session, schedule_id)
    zone, head = stored.roster.zone, stored.head
    span = days.span(zone)
    parts, night = _parts(session, head, span)
    pay = PaySheet(
        site=load_settings(session).site_name,
        schedule=head.name,
        calendar=load_site_state(session).calendars[_calendar_of(head)].name,
        zone=zone,
        span=span,
        night=night,
        names=stored.names,
        stretches=list_stretches(make_roster(stored.roster, span)),
        parts=parts,
        made_at=now,
    )
    return f"on-call-{days.first}-to-{days.last}.xlsx", make_pay_sheet(pay)


def note_pay_sheet(uow: UnitOfWork, schedule_id: int, days: Days, *, change: Change) -> None:
    """Leave a trace of who took the hours of everybody, before they get it."""
    name = load_schedule(uow.session, schedule_id).head.name
    record_change(uow, change, "schedule.pay", name, first=str(days.first), last=str(days.last))


def _year_before(day: date) -> date:
    """The day after the same day of the year before: twelve months, and no day twice."""
    is_leap_day = (day.month, day.day) == (2, 29)
    return (day.replace(year=day.year - 1, day=28) if is_leap_day else day.replace(year=day.year - 1)) + _DAY


def _calendar_of(head: Head) -> int:
    return head.calendar_id or SITE_CALENDAR


def _parts(session: Session, head: Head, span: Interval) -> tuple[Sequence[Part], Night]:
    settings = load_settings(session)
    night = Night(settings.oncall_night_starts, settings.oncall_night_ends)
    return split_time(span, hours=load_hours(session, _calendar_of(head)), zone=head.zone, night=night), night


def _load_pages(session: Session, schedule_id: int, span: Interval) -> tuple[list[int], list[int]]:
    """Whom each page of this schedule's queues reached, and who took it. Tests are no pages."""
    within = (Page.opened_at >= span.starts_at, Page.opened_at < span.ends_at)
    rung = select(Notification.user_id, Page.id).join(Page, Page.id == Notification.page_id)
    rung = rung.where(Notification.kind == PAGE, Notification.state.in_(_LEFT), Notification.user_id.is_not(None))
    taken = select(Page.acknowledged_by).where(Page.acknowledged_by.is_not(None))
    reached = session.execute(pages_of_schedule(rung.where(*within), schedule_id).distinct())
    answered = session.execute(pages_of_schedule(taken.where(*within), schedule_id))
    return [row[0] or 0 for row in reached], [row[0] or 0 for row in answered]
