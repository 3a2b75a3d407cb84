"""People who take turns: whose turn it is on the wall clock, by the calendar or by shift. `core/roster.py` uses it."""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import count

from portal.core.calendars import Period, Week
from portal.core.errors import DomainError

_WEEK = timedelta(days=7)
_MONDAY = datetime.combine(date(1900, 1, 1), time())


class Unit(StrEnum):
    """What a turn is measured in."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


_STEPS = {Unit.HOUR: timedelta(hours=1), Unit.DAY: timedelta(days=1), Unit.WEEK: _WEEK}


@dataclass(frozen=True)
class Rotation:
    """People who take turns. Times are what the clock on the wall shows: naive, half-open.

    Attributes:
        people: ids in the order of their turns; the same person may come up several times.
        starts: the first hand-off. Every later one has its time of day, and its weekday or day of the month (in a month
            too short for it, the last day).
        every: a turn lasts so many units; with `by_shift`, so many periods of `week`.
        ends: when it stops; None for never.
        week: when, within a turn, its person is on call; None for always.
        by_shift: each period of `week` is a shift, and turns are counted in shifts, not by the calendar.
        level: where several overlap, only the highest level counts (`core/roster.py`).
        since: nothing before counts; None for all of it. What a rotation that was changed while it ran says from then
            on keeps its own first hand-off, so its turns are counted as ever.

    Raises DomainError with a sentence for the form.
    """

    id: int
    people: tuple[int, ...]
    starts: datetime
    unit: Unit = Unit.WEEK
    every: int = 1
    ends: datetime | None = None
    week: Week | None = None
    by_shift: bool = False
    level: int = 0
    since: datetime | None = None

    def __post_init__(self) -> None:
        if not self.people:
            raise DomainError("Nobody takes turns here. Add at least one person.")
        if not 1 <= self.every <= 366:
            raise DomainError("A turn lasts between 1 and 366 units.")
        if self.ends is not None and self.ends <= self.begins:
            raise DomainError("The rotation ends before it starts.")
        if self.week is not None and self.week.is_closed:
            raise DomainError("Give at least one period of the week, or leave the week empty for always.")
        if self.by_shift and self.week is None:
            raise DomainError("Turns by shift need the periods of the week that are shifts.")

    @property
    def begins(self) -> datetime:
        """When anybody is on call by it at the earliest."""
        return max(self.starts, self.since or self.starts)


@dataclass(frozen=True)
class Turn:
    """One person's time, on the wall clock."""

    person_id: int
    starts: datetime
    ends: datetime


def list_turns(rotation: Rotation, starts: datetime, ends: datetime, *, away: Collection[int] = ()) -> tuple[Turn, ...]:
    """The time people are on call by this rotation within `[starts, ends)` on the wall clock, in order, not cut there.

    The turn of somebody who is away falls to the next in order who is not: the turns of all others stay where they are.
    """
    starts, until = max(starts, rotation.begins), min(ends, rotation.ends or ends)
    if until <= starts:
        return ()
    pieces = _shifts(rotation, starts, until) if rotation.by_shift else _calendar_turns(rotation, starts, until)
    found = []
    for number, begins, stops in pieces:
        person = _person(rotation, number, away)
        begins, stops = max(begins, rotation.begins), min(stops, rotation.ends or stops)
        if person is not None and begins < stops:
            found.append(Turn(person, begins, stops))
    return tuple(found)


def hand_off(rotation: Rotation, number: int) -> datetime:
    """When turn `number` (from 0) begins, by the calendar."""
    if rotation.unit is not Unit.MONTH:
        return rotation.starts + number * rotation.every * _STEPS[rotation.unit]
    month = rotation.starts.month - 1 + number * rotation.every
    year, month = rotation.starts.year + month // 12, month % 12 + 1
    day = min(rotation.starts.day, calendar.monthrange(year, month)[1])
    return rotation.starts.replace(year=year, month=month, day=day)


def _person(rotation: Rotation, number: int, away: Collection[int]) -> int | None:
    turns = len(rotation.people)
    in_order = (rotation.people[(number + offset) % turns] for offset in range(turns))
    return next((person for person in in_order if person not in away), None)


def _calendar_turns(rotation: Rotation, starts: datetime, ends: datetime) -> Iterator[tuple[int, datetime, datetime]]:
    for number in count(max(0, _turn_at(rotation, starts))):
        begins, stops = hand_off(rotation, number), hand_off(rotation, number + 1)
        if begins >= ends:
            return
        if rotation.week is None:
            yield number, begins, stops
            continue
        for start, end in _periods(rotation.week, max(begins, starts), min(stops, ends)):
            yield number, max(start, begins), min(end, stops)


def _turn_at(rotation: Rotation, wall: datetime) -> int:
    """The number of the turn that holds `wall`; negative before the first."""
    if rotation.unit is not Unit.MONTH:
        return (wall - rotation.starts) // (rotation.every * _STEPS[rotation.unit])
    months = (wall.year - rotation.starts.year) * 12 + wall.month - rotation.starts.month
    number = months // rotation.every
    return number - 1 if number >= 0 and hand_off(rotation, number) > wall else number


def _shifts(rotation: Rotation, starts: datetime, ends: datetime) -> Iterator[tuple[int, datetime, datetime]]:
    assert rotation.week is not None  # Rotation sees to it
    first = _place(rotation.week, rotation.starts)
    for start, end in _periods(rotation.week, max(starts, rotation.starts), ends):
        if start >= rotation.starts:
            yield (_place(rotation.week, start) - first) // rotation.every, start, end


def _place(week: Week, wall: datetime) -> int:
    """How many periods begin before `wall`, counted from a Monday long ago."""
    weeks, rest = divmod(wall - _MONDAY, _WEEK)
    begins = (timedelta(days=day, minutes=one.start) for day, periods in enumerate(week.days) for one in periods)
    return weeks * sum(map(len, week.days)) + sum(begin < rest for begin in begins)


def _periods(week: Week, starts: datetime, ends: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The periods of the week that touch `[starts, ends)`, in order."""
    day = datetime.combine(starts.date(), time()) - timedelta(days=1)
    while day < ends:
        for period in sorted(week.days[day.weekday()]):
            start, end = _at(day, period)
            if start < ends and end > starts:
                yield start, end
        day += timedelta(days=1)


def _at(midnight: datetime, period: Period) -> tuple[datetime, datetime]:
    return midnight + timedelta(minutes=period.start), midnight + timedelta(minutes=period.end)
