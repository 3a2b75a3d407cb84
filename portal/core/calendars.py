"""Business hours: a week of open periods on the wall clock of one zone, and the holidays that close it.

One stream of open intervals in UTC answers every question, so that the form, the pager and the SLA clock agree.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

from portal.core.errors import DomainError
from portal.core.intervals import Interval, merge_intervals, subtract_intervals
from portal.core.wallclock import instant_of, interval_of, wall_of

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY = 24 * 60
HORIZON_DAYS = 10 * 366
REVIEW_MONTH = 9  # in autumn the shop plans the turn of the year
_PERIOD = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*(?:-|–|—|to)\s*(\d{1,2})(?::(\d{2}))?", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Period:
    """Minutes since local midnight of the day it begins on, half-open. An end over 1440 lies on the next day."""

    start: int
    end: int

    def __post_init__(self) -> None:
        # Round the clock is said by 00:00-24:00 only: 09:00-09:00 could as well mean nothing.
        whole = (self.start, self.end) == (0, DAY)
        if not (0 <= self.start < DAY and (whole or self.start < self.end < self.start + DAY)):
            raise DomainError(f"{self} is not a period of a day.")

    def __str__(self) -> str:
        end = self.end if self.end <= DAY else self.end - DAY
        return f"{format_minute(self.start)}-{format_minute(end)}"


WHOLE_DAY = Period(0, DAY)


@dataclass(frozen=True)
class Week:
    """The open periods of Monday to Sunday, in order. Refuses periods that overlap, also over midnight."""

    days: tuple[tuple[Period, ...], ...] = ((),) * 7

    def __post_init__(self) -> None:
        if len(self.days) != len(WEEKDAYS):
            raise DomainError("A week has seven days.")
        placed = [
            (number * DAY + period.start, number * DAY + period.end, WEEKDAY_NAMES[number], period)
            for number, periods in enumerate(self.days)
            for period in sorted(periods)
        ]
        if placed:
            start, end, day, period = placed[0]
            placed.append((start + 7 * DAY, end + 7 * DAY, day, period))
        for (_, end, day, earlier), (start, _, next_day, later) in pairwise(placed):
            if start < end:
                raise DomainError(f"{day} {earlier} and {next_day} {later} overlap.")

    @property
    def is_closed(self) -> bool:
        return not any(self.days)


@dataclass(frozen=True)
class Holiday:
    """A day on which the shop is closed; `closed` says which part of it (a half-day closes e.g. 13:00-24:00)."""

    on: date
    name: str
    closed: Period = WHOLE_DAY


@dataclass(frozen=True)
class BusinessHours:
    """When the shop is open. Times are wall-clock in `zone`; a holiday closes its date from midnight to midnight,
    also the part of a period that began the evening before."""

    zone: ZoneInfo
    week: Week
    holidays: tuple[Holiday, ...] = ()

    @cached_property
    def closures(self) -> Mapping[date, Sequence[tuple[Interval, Holiday]]]:
        """The holidays of a date with the time they close."""
        found: dict[date, list[tuple[Interval, Holiday]]] = {}
        for holiday in self.holidays:
            # Both borders are first occurrences: a date ends where the next begins, even in a doubled hour.
            start, end = (_wall(holiday.on, minute) for minute in (holiday.closed.start, holiday.closed.end))
            closed = Interval(instant_of(start, zone=self.zone), instant_of(end, zone=self.zone))
            found.setdefault(holiday.on, []).append((closed, holiday))
        return found


def format_minute(minute: int) -> str:
    """`HH:MM` of a minute since midnight; 1440 is 24:00."""
    return f"{minute // 60:02}:{minute % 60:02}"


def parse_period(text: str) -> Period:
    """`08:00-12:00`; an end before the start lies on the next day; `24:00` is the end of the day.

    Raises DomainError with a sentence for the form.
    """
    match = _PERIOD.fullmatch(text.strip())
    if not match:
        raise DomainError(f"“{text.strip()}” is not a period. Write it like 08:00-12:00.")
    start, end = _minute(match[1], match[2], text), _minute(match[3], match[4], text)
    if start == DAY:
        raise DomainError(f"“{text.strip()}” cannot begin at 24:00. Write 00:00 on the next day.")
    if start == end:
        raise DomainError(f"“{text.strip()}” has no length. Write 00:00-24:00 for the whole day.")
    return Period(start, end if end > start else end + DAY)


def parse_day(text: str) -> tuple[Period, ...]:
    """Periods with commas between, in order; an empty text is a closed day. Raises DomainError."""
    parts = [part for part in re.split(r"[,;\n]", text) if part.strip()]
    return tuple(sorted(parse_period(part) for part in parts))


def parse_week(data: Mapping[str, str | Sequence[str]]) -> Week:
    """`{"mon": ["08:00-12:00", "13:00-18:00"], "fri": "22:00-02:00"}`; a day left out is closed.

    Raises DomainError, naming the day.
    """
    unknown = sorted(set(data) - set(WEEKDAYS))
    if unknown:
        raise DomainError(f"“{unknown[0]}” is not a weekday. Use {', '.join(WEEKDAYS)}.")
    days = []
    for key, name in zip(WEEKDAYS, WEEKDAY_NAMES, strict=True):
        value = data.get(key, ())
        try:
            days.append(parse_day(value if isinstance(value, str) else ",".join(value)))
        except DomainError as error:
            raise DomainError(f"{name}: {error}") from None
    return Week(tuple(days))


def format_week(week: Week) -> dict[str, list[str]]:
    """What `parse_week` reads; closed days are left out."""
    return {
        key: [str(period) for period in periods] for key, periods in zip(WEEKDAYS, week.days, strict=True) if periods
    }


def holiday_at(hours: BusinessHours, at: datetime) -> Holiday | None:
    """The holiday that closes the shop at `at`, whatever the week says."""
    today = wall_of(at, zone=hours.zone).date()
    for day in (today, today - timedelta(days=1)):
        for closed, holiday in hours.closures.get(day, ()):
            if at in closed:
                return holiday
    return None


def is_open(hours: BusinessHours, at: datetime) -> bool:
    """Whether the shop is open at `at`: true at the opening minute, false at the closing one."""
    return next_opening(hours, at) == at


def next_opening(hours: BusinessHours, at: datetime) -> datetime | None:
    """The first open instant at or after `at` (`at` itself while open). None when none comes within ten years."""
    for interval in _openings(hours, at):
        if interval.ends_at > at:
            return max(interval.starts_at, at)
    return None


def open_intervals(hours: BusinessHours, span: Interval) -> tuple[Interval, ...]:
    """The open time within `span`, in order, clipped to it and merged."""
    found = []
    for interval in _openings(hours, span.starts_at):
        if interval.starts_at >= span.ends_at:
            break
        found.append(Interval(max(interval.starts_at, span.starts_at), min(interval.ends_at, span.ends_at)))
    return merge_intervals(found)


def add_working_time(hours: BusinessHours, at: datetime, *, minutes: float) -> datetime:
    """When `minutes` of open time have passed since `at`. What ends exactly at closing time is due then, not at the
    next opening. Raises DomainError for a negative amount, or when the hours do not hold so much in ten years."""
    left = timedelta(minutes=minutes)
    if left < timedelta():
        raise DomainError("Working time to add cannot be negative.")
    reached = at
    for interval in _openings(hours, at):
        # In a doubled hour two periods may overlap: what was counted once is not counted again.
        start = max(interval.starts_at, reached)
        room = interval.ends_at - start
        if room <= timedelta():
            continue
        if left <= room:
            return start + left
        left -= room
        reached = interval.ends_at
    raise DomainError("These business hours are open too rarely to hold that much working time.")


def working_minutes_between(hours: BusinessHours, starts_at: datetime, ends_at: datetime) -> int:
    """Whole minutes of open time from one instant to the other; 0 when the second is not later."""
    spans = open_intervals(hours, Interval(starts_at, ends_at))
    return sum((span.ends_at - span.starts_at for span in spans), timedelta()) // timedelta(minutes=1)


def year_to_review(today: date, reviewed: Collection[int]) -> int | None:
    """The year whose holidays nobody has looked through yet: this one, or from September on the next."""
    if today.year not in reviewed:
        return today.year
    return today.year + 1 if today.month >= REVIEW_MONTH and today.year + 1 not in reviewed else None


def _minute(hour: str, minute: str | None, text: str) -> int:
    total = int(hour) * 60 + int(minute or 0)
    if int(minute or 0) > 59 or total > DAY:
        raise DomainError(f"“{text.strip()}” holds a time that no clock shows.")
    return total


def _wall(day: date, minute: int) -> datetime:
    return datetime.combine(day, time()) + timedelta(minutes=minute)


def _openings(hours: BusinessHours, at: datetime) -> Iterator[Interval]:
    """Open intervals by their start, from those that may still hold `at` onwards."""
    if hours.week.is_closed:
        return
    # A period lasts at most 24 hours on the wall clock, so one that began three days ago is over.
    first = wall_of(at, zone=hours.zone).date() - timedelta(days=2)
    for number in range(HORIZON_DAYS):
        day = first + timedelta(days=number)
        around = [day + timedelta(days=offset) for offset in (-1, 0, 1)]
        for period in sorted(hours.week.days[day.weekday()]):
            opening = interval_of(_wall(day, period.start), _wall(day, period.end), zone=hours.zone)
            closed = [closure for touched in around for closure, _ in hours.closures.get(touched, ())]
            yield from subtract_intervals(opening, closed)
