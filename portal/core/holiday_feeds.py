"""Holidays out of an iCal file: its days, what they would propose, and where they differ from what was accepted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from portal.core.calendars import DAY, WHOLE_DAY, Period
from portal.core.ical_read import ReadEvent, ReadResult
from portal.core.intervals import Interval
from portal.core.wallclock import wall_of

# What nobody means: a calendar of appointments is no calendar of holidays.
MAX_DAYS = 400
LONGEST_EVENT = 31
_YEARS_AHEAD = 3
_UNNAMED = "Day off"
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, order=True)
class FeedDay:
    """A day off as a file says it."""

    on: date
    name: str
    closed: Period = WHOLE_DAY
    kind: str = ""

    @property
    def key(self) -> tuple[date, str]:
        """What makes it the same day another time."""
        return self.on, self.name


@dataclass(frozen=True)
class Reading:
    """What came of reading a file. `is_whole`: everything in it was understood, so what is not there was taken out.

    `error` is what a person must know; with an error there may still be days. `left_out`: events that are no days off.
    """

    days: tuple[FeedDay, ...]
    is_whole: bool
    error: str = ""
    left_out: int = 0


class Kind(StrEnum):
    """How a file differs from an accepted day."""

    MOVED = "moved"
    RENAMED = "renamed"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Followed:
    """A day that was accepted as a file said it then."""

    id: int
    on: date
    name: str


@dataclass(frozen=True)
class Difference:
    """What the file says now instead: another date, another name, or nothing (`on` and `name` are then the old)."""

    day: Followed
    kind: Kind
    on: date
    name: str


def window_of(today: date) -> Interval:
    """What is read of a file: this year and those after it; a day more at each end, for any zone."""
    first, last = date(today.year, 1, 1), date(today.year + _YEARS_AHEAD, 1, 1)
    borders = (datetime.combine(day, time(), tzinfo=UTC) for day in (first, last))
    starts_at, ends_at = borders
    return Interval(starts_at - timedelta(days=1), ends_at)


def read_days(result: ReadResult, *, zone: ZoneInfo) -> Reading:
    """The days off of a file. A file that holds none, or far too many, is an error and gives no day."""
    found: dict[tuple[date, str], FeedDay] = {}
    left_out = 0
    for event in result.events:
        days = _days_of(event, zone)
        left_out += not days
        for day in days:
            found.setdefault(day.key, day)
    if len(found) > MAX_DAYS:
        return Reading((), False, f"It holds {len(found)} days in three years: that is no calendar of holidays.")
    if not found:
        return Reading((), False, result.faults[0] if result.faults else "It holds no days off.", left_out)
    error = f"A part of it could not be read: {result.faults[0]}" if result.faults else ""
    return Reading(tuple(sorted(found.values())), not result.faults, error, left_out)


def find_differences(
    followed: Sequence[Followed], said: Iterable[tuple[date, str]], *, known: Collection[tuple[date, str]]
) -> list[Difference]:
    """Where a file no longer says what was accepted. `known`: days that stand in the calendar, in whatever state.

    A day of the same date is the same under another name; else one of the same name in that year, the nearest, is the
    same on another date.
    """
    said = set(said)
    free = said - set(known)
    found = []
    for day in followed:
        if (day.on, day.name) in said:
            continue
        renamed = sorted(name for on, name in free if on == day.on)
        moved = sorted((abs(on - day.on), on) for on, name in free if name == day.name and on.year == day.on.year)
        if renamed:
            difference = Difference(day, Kind.RENAMED, day.on, renamed[0])
        elif moved:
            difference = Difference(day, Kind.MOVED, moved[0][1], day.name)
        else:
            difference = Difference(day, Kind.DROPPED, day.on, day.name)
        free.discard((difference.on, difference.name))
        found.append(difference)
    return found


def _days_of(event: ReadEvent, zone: ZoneInfo) -> list[FeedDay]:
    """None for what is no day off: longer than a month, or with times over more than a day and a night."""
    name = " ".join(event.summary.split())[:200] or _UNNAMED
    kind = event.categories[0][:40].lower() if event.categories else ""
    if event.first_on is not None and event.until_on is not None:
        length = max(1, (event.until_on - event.first_on).days)
        days = (event.first_on + timedelta(days=number) for number in range(length))
        return [FeedDay(on, name, WHOLE_DAY, kind) for on in days] if length <= LONGEST_EVENT else []
    starts, ends = (wall_of(at, zone=zone) for at in (event.starts_at, event.ends_at))
    midnight = datetime.combine(starts.date(), time())
    first, last = (starts - midnight) // _MINUTE, (ends - midnight) // _MINUTE
    if (first, last) == (0, DAY) or first < last < first + DAY:
        return [FeedDay(starts.date(), name, Period(first, last), kind)]
    return []
