"""What the pages of the business hours say, on the clock of a calendar."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from portal.core.calendars import (
    BusinessHours,
    SpecialHours,
    closures_on,
    holiday_at,
    next_closing,
    next_opening,
    open_intervals,
)
from portal.core.intervals import Interval
from portal.core.wallclock import instant_of, wall_of
from portal.web.formats import format_day, format_time, time_tag

DAY = timedelta(days=1)
SHOWN_DAYS = 7
PREVIEW_DAYS = 14


@dataclass(frozen=True)
class State:
    """Open or closed at a time; `until` is when that changes, None when it does not, `why` a holiday."""

    is_open: bool
    until: Markup | None
    why: str


@dataclass(frozen=True)
class DayHours:
    """What really holds on one date: its open periods, and the names of what makes it unlike its weekday."""

    on: date
    label: str
    periods: tuple[str, ...]
    why: str
    is_today: bool


def tell_state(hours: BusinessHours, at: datetime, *, now: datetime) -> State:
    """Whether the shop is open at `at`, until when, and why not."""
    closing, opening, holiday = next_closing(hours, at), next_opening(hours, at), holiday_at(hours, at)
    is_open = opening == at
    until = closing if is_open else opening
    return State(is_open, tell_time(until, hours.zone, now) if until else None, holiday.name if holiday else "")


def tell_time(at: datetime, zone: ZoneInfo, now: datetime) -> Markup:
    """As the filter `when`, but on the clock of the calendar."""
    return time_tag(at, format_time(at, zone, now), zone)


def tell_exactly(at: datetime, zone: ZoneInfo, now: datetime) -> Markup:
    """With the day, also today."""
    local = at.astimezone(zone)
    return time_tag(at, f"{format_day(local.date(), now.astimezone(zone).date())}, {local:%H:%M}", zone)


def list_days(hours: BusinessHours, *, now: datetime) -> list[DayHours]:
    """The hours of today and the days after it, with holidays and special hours."""
    today = wall_of(now, zone=hours.zone).date()
    return [_day(hours, today + number * DAY, today) for number in range(SHOWN_DAYS)]


def tell_spans(spans: Iterable[Interval], zone: ZoneInfo, *, now: datetime) -> list[str]:
    """Each as `Mon 23 Nov, 08:00-12:00`; a night names both days."""
    today = wall_of(now, zone=zone).date()
    return [_span(wall_of(one.starts_at, zone=zone), wall_of(one.ends_at, zone=zone), today) for one in spans]


def tell_special(special: SpecialHours, *, today: date) -> str:
    """When a closure or extra opening is: `Thu 31 Dec, 14:00-24:00`."""
    return _span(special.starts, special.ends, today)


def _day(hours: BusinessHours, on: date, today: date) -> DayHours:
    start, end = (instant_of(datetime.combine(day, time()), zone=hours.zone) for day in (on, on + DAY))
    span = Interval(start, end)
    periods = tuple(_clocks(one, hours.zone, on) for one in open_intervals(hours, span))
    reasons = [holiday.name for _, holiday in closures_on(hours, on)]
    reasons += [one.name or ("extra opening" if one.is_open else "closed") for one in _on(hours.special, on)]
    return DayHours(on, format_day(on, today), periods, ", ".join(dict.fromkeys(reasons)), on == today)


def _on(special: Iterable[SpecialHours], on: date) -> list[SpecialHours]:
    midnight = datetime.combine(on, time())
    return [one for one in special if one.starts < midnight + DAY and midnight < one.ends]


def _clocks(span: Interval, zone: ZoneInfo, on: date) -> str:
    starts, ends = wall_of(span.starts_at, zone=zone), wall_of(span.ends_at, zone=zone)
    return f"{starts:%H:%M}-{_end(ends, on)}"


def _span(starts: datetime, ends: datetime, today: date) -> str:
    first = f"{format_day(starts.date(), today)}, {starts:%H:%M}"
    if ends.date() == starts.date() or ends == datetime.combine(starts.date(), time()) + DAY:
        return f"{first}-{_end(ends, starts.date())}"
    return f"{first} to {format_day(ends.date(), today)}, {ends:%H:%M}"


def _end(ends: datetime, on: date) -> str:
    """24:00 where a day ends at midnight."""
    return "24:00" if ends.date() > on else f"{ends:%H:%M}"
