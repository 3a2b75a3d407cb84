"""Business hours: a week of open periods on the wall clock of one zone, the holidays that close it, and exceptions.

One stream of open intervals in UTC answers every question, so that the form, the pager and the SLA clock agree.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo

from portal.core.errors import DomainError
from portal.core.holiday_rules import HolidayRule, dates_in
from portal.core.intervals import Interval, merge_intervals, subtract_intervals
from portal.core.wallclock import instant_of, interval_of, wall_of

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY = 24 * 60
REVIEW_MONTH = 9  # in autumn the shop plans the turn of the year
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BLOCK = timedelta(days=7)
HORIZON_BLOCKS = 10 * 366 // 7
_LONG = timedelta(days=366)
_TOO_RARE = "These business hours are open too rarely to hold that much working time."
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
class YearlyHoliday:
    """A day off of every year. On `except_on` something else was decided for one year, and the rule says nothing."""

    name: str
    rule: HolidayRule
    closed: Period = WHOLE_DAY
    except_on: frozenset[date] = frozenset()


@dataclass(frozen=True)
class SpecialHours:
    """A stretch of wall-clock time, naive and half-open, in which the shop is closed or open whatever else is said."""

    starts: datetime
    ends: datetime
    is_open: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        if self.ends <= self.starts:
            raise DomainError("It ends before it starts. For a night, give the next day as its end.")


@dataclass(frozen=True)
class BusinessHours:
    """When the shop is open. Times are wall-clock in `zone`; a holiday closes its date from midnight to midnight,
    also the part of a period that began the evening before. Closures close what week and holidays leave open, and
    extra openings open what all of these close: of two statements the more exact one holds."""

    zone: ZoneInfo
    week: Week
    holidays: tuple[Holiday, ...] = ()
    special: tuple[SpecialHours, ...] = ()
    yearly: tuple[YearlyHoliday, ...] = ()

    @cached_property
    def closures(self) -> dict[int, Mapping[date, Sequence[tuple[Interval, Holiday]]]]:
        """The holidays of each year that was asked for, by date. See `closures_on`."""
        return {}

    @cached_property
    def special_intervals(self) -> tuple[tuple[Interval, ...], tuple[Interval, ...]]:
        """The closures and the extra openings as instants."""
        spans = [(one, interval_of(one.starts, one.ends, zone=self.zone)) for one in self.special]
        closed, opened = ([span for one, span in spans if one.is_open is is_open] for is_open in (False, True))
        return merge_intervals(closed), merge_intervals(opened)

    @cached_property
    def blocks(self) -> dict[int, tuple[Interval, ...]]:
        """The open time of each block of days that was asked for. See `_block`."""
        return {}


@dataclass(frozen=True)
class HoursChange:
    """The time that a change of the hours opens, and the time it closes; both in order."""

    opens: tuple[Interval, ...]
    closes: tuple[Interval, ...]


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


def holidays_in(hours: BusinessHours, year: int) -> tuple[Holiday, ...]:
    """Every holiday of a year, also those of rules, in order of their dates; of one date as they were stored."""
    found = [one for one in hours.holidays if one.on.year == year]
    for yearly in hours.yearly:
        dates = (on for on in dates_in(yearly.rule, year) if on not in yearly.except_on)
        found += [Holiday(on, yearly.name, yearly.closed) for on in dates]
    return tuple(sorted(found, key=lambda one: one.on))


def closures_on(hours: BusinessHours, on: date) -> Sequence[tuple[Interval, Holiday]]:
    """The holidays of a date with the time they close. A year is worked out when it is first asked for."""
    known = hours.closures.get(on.year)
    if known is None:
        known = hours.closures[on.year] = _closures(hours, on.year)
    return known.get(on, ())


def holiday_at(hours: BusinessHours, at: datetime) -> Holiday | None:
    """The holiday that closes the shop at `at`, whatever the week says."""
    today = wall_of(at, zone=hours.zone).date()
    for day in (today, today - timedelta(days=1)):
        for closed, holiday in closures_on(hours, day):
            if at in closed:
                return holiday
    return None


def is_open(hours: BusinessHours, at: datetime) -> bool:
    """Whether the shop is open at `at`: true at the opening minute, false at the closing one."""
    return next_opening(hours, at) == at


def next_opening(hours: BusinessHours, at: datetime) -> datetime | None:
    """The first open instant at or after `at` (`at` itself while open). None when none comes within ten years."""
    return next((interval.starts_at for interval in _openings(hours, at)), None)


def next_closing(hours: BusinessHours, at: datetime) -> datetime | None:
    """When the shop that is open at `at` closes. None while it is closed, or when it stays open for a year."""
    end = at
    for interval in _openings(hours, at):
        if interval.starts_at > end:
            break
        end = interval.ends_at
        if end - at > _LONG:
            return None
    return end if end > at else None


def compare_hours(before: BusinessHours, after: BusinessHours, span: Interval) -> HoursChange:
    """What would be open in `span` that was not, and the other way round."""
    was, will = open_intervals(before, span), open_intervals(after, span)
    return HoursChange(
        opens=tuple(piece for one in will for piece in subtract_intervals(one, was)),
        closes=tuple(piece for one in was for piece in subtract_intervals(one, will)),
    )


def open_intervals(hours: BusinessHours, span: Interval) -> tuple[Interval, ...]:
    """The open time within `span`, in order, clipped to it and merged."""
    found = takewhile(lambda interval: interval.starts_at < span.ends_at, _openings(hours, span.starts_at))
    return merge_intervals(Interval(one.starts_at, min(one.ends_at, span.ends_at)) for one in found)


def add_working_time(hours: BusinessHours, at: datetime, *, minutes: float) -> datetime:
    """When `minutes` of open time have passed since `at`. What ends exactly at closing time is due then, not at the
    next opening. Raises DomainError for a negative amount, or when the hours do not hold so much in ten years."""
    left = _amount(minutes)
    for interval in _openings(hours, at):
        room = interval.ends_at - interval.starts_at
        if left <= room:
            return interval.starts_at + left
        left -= room
    raise DomainError(_TOO_RARE)


def subtract_working_time(hours: BusinessHours, at: datetime, *, minutes: float) -> datetime:
    """The latest instant from which `minutes` of open time pass until `at`; never at a closing time, so that it undoes
    `add_working_time` from any open instant. Raises DomainError as that does."""
    left = _amount(minutes)
    for interval in _openings_before(hours, at):
        room = interval.ends_at - interval.starts_at
        if timedelta() < left <= room:
            return interval.ends_at - left
        if not left:
            return at
        left -= room
    raise DomainError(_TOO_RARE)


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


def _amount(minutes: float) -> timedelta:
    if minutes < 0:
        raise DomainError("An amount of working time cannot be negative.")
    return timedelta(minutes=minutes)


def _openings(hours: BusinessHours, at: datetime) -> Iterator[Interval]:
    """The open time from `at` on, in order; an interval may be cut where two blocks meet."""
    first = _block_of(at)
    for number in range(first, first + HORIZON_BLOCKS) if _opens_ever(hours) else ():
        for interval in _block(hours, number):
            if interval.ends_at > at:
                yield Interval(max(interval.starts_at, at), interval.ends_at)


def _openings_before(hours: BusinessHours, at: datetime) -> Iterator[Interval]:
    """The open time up to `at`, latest first; an interval may be cut where two blocks meet."""
    last = _block_of(at)
    for number in range(last, last - HORIZON_BLOCKS, -1) if _opens_ever(hours) else ():
        for interval in reversed(_block(hours, number)):
            if interval.starts_at < at:
                yield Interval(interval.starts_at, min(interval.ends_at, at))


def _opens_ever(hours: BusinessHours) -> bool:
    return not hours.week.is_closed or any(one.is_open for one in hours.special)


def _block_of(at: datetime) -> int:
    return (at - _EPOCH) // _BLOCK


def _closures(hours: BusinessHours, year: int) -> dict[date, list[tuple[Interval, Holiday]]]:
    found: dict[date, list[tuple[Interval, Holiday]]] = {}
    for holiday in holidays_in(hours, year):
        start, end = (_wall(holiday.on, minute) for minute in (holiday.closed.start, holiday.closed.end))
        # A date ends where the next begins, and that is the first midnight where a change of the clock doubles it.
        ends_at = instant_of(end, zone=hours.zone, last=holiday.closed.end != DAY)
        found.setdefault(holiday.on, []).append((Interval(instant_of(start, zone=hours.zone), ends_at), holiday))
    return found


def _block(hours: BusinessHours, number: int) -> tuple[Interval, ...]:
    """The open time of one week of UTC, in order, disjoint. Worked out once: pages and clocks ask again and again."""
    known = hours.blocks.get(number)
    if known is None:
        span = Interval(_EPOCH + number * _BLOCK, _EPOCH + (number + 1) * _BLOCK)
        known = hours.blocks[number] = _work_out(hours, span)
    return known


def _work_out(hours: BusinessHours, span: Interval) -> tuple[Interval, ...]:
    closures, extra = hours.special_intervals
    # A period lasts at most 24 hours on the wall clock, so one that began three days ago is over.
    day = wall_of(span.starts_at, zone=hours.zone).date() - timedelta(days=2)
    last = wall_of(span.ends_at, zone=hours.zone).date()
    regular: list[Interval] = []
    while day <= last:
        closed = [closure for offset in (-1, 0, 1) for closure, _ in closures_on(hours, day + timedelta(offset))]
        for period in hours.week.days[day.weekday()]:
            opening = interval_of(_wall(day, period.start), _wall(day, period.end), zone=hours.zone)
            regular += subtract_intervals(opening, closed)
        day += timedelta(days=1)
    left = [piece for opening in merge_intervals(regular) for piece in subtract_intervals(opening, closures)]
    clipped = (Interval(max(one.starts_at, span.starts_at), min(one.ends_at, span.ends_at)) for one in (*left, *extra))
    return merge_intervals(clipped)
