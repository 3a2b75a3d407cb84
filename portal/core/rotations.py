"""People who take turns: whose turn it is on the wall clock, by the calendar or by shift. `core/roster.py` uses it."""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import count

from portal.core.calendars import DAY, WHOLE_DAY, Period, Week
from portal.core.errors import DomainError
from portal.core.shifts import check_years

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
        check_years(self.starts, self.ends, self.since)

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


def turn_begins(rotation: Rotation, number: int) -> datetime:
    """When turn `number` begins, also before the first (negative): by the calendar, or with the first of its shifts."""
    if not rotation.by_shift:
        return hand_off(rotation, number)
    week = _week(rotation)
    starts = sorted(timedelta(days=day, minutes=one.start) for day, periods in enumerate(week.days) for one in periods)
    weeks, place = divmod(_place(week, rotation.starts) + number * rotation.every, len(starts))
    return _MONDAY + weeks * _WEEK + starts[place]


def turn_number(rotation: Rotation, wall: datetime) -> int:
    """The number of the turn that holds `wall`, from 0; negative before the first hand-off."""
    if not rotation.by_shift:
        return _turn_at(rotation, wall)
    week = _week(rotation)
    begun = _place(week, wall + timedelta.resolution) - 1
    return (begun - _place(week, rotation.starts)) // rotation.every


def next_hand_off(rotation: Rotation, wall: datetime) -> tuple[datetime, tuple[int, ...]]:
    """The first hand-off at or after `wall`, and the people in the order of their turns from then on.

    Of months the first that is long enough, so that a rotation on the 31st stays one.
    """
    soonest = max(0, turn_number(rotation, wall - timedelta.resolution) + 1)
    number = _with_its_day(rotation, range(soonest, soonest + 13))
    first = number % len(rotation.people)
    return turn_begins(rotation, number), rotation.people[first:] + rotation.people[:first]


def reach_back(rotation: Rotation, wall: datetime) -> Rotation:
    """The same turns, counted from a hand-off at or before `wall`, so that there is a turn that holds it."""
    if turn_begins(rotation, 0) <= wall:
        return rotation
    rounds = -(turn_number(rotation, wall) // len(rotation.people))
    numbers = range(-rounds * len(rotation.people), (-rounds - 13) * len(rotation.people), -len(rotation.people))
    return replace(rotation, starts=turn_begins(rotation, _with_its_day(rotation, numbers)))


def takes_two_turns(old: Rotation, new: Rotation, wall: datetime) -> int | None:
    """Who would be on call for longer than a turn because `old` gives way to `new` at `wall`; None: nobody is."""
    if len(set(new.people)) == 1 or turn_begins(new, 0) > wall or not old.begins < wall <= (old.ends or wall):
        return None
    last, first = turn_number(old, wall - timedelta.resolution), turn_number(new, wall)
    person = new.people[first % len(new.people)]
    held = turn_begins(new, first + 1) - turn_begins(old, last)
    usual = max(turn_begins(one, n + 1) - turn_begins(one, n) for one, n in ((old, last), (new, first)))
    return person if person == old.people[last % len(old.people)] and held > usual else None


def closed_periods(week: Week) -> Week:
    """The time that the open periods of `week` leave: nights whole, longer stretches cut at midnight."""
    whole = len(week.days) * DAY
    opens = sorted(
        (day * DAY + one.start, day * DAY + one.end) for day, periods in enumerate(week.days) for one in periods
    )
    if not opens:
        return Week(((WHOLE_DAY,),) * 7)
    days: list[list[Period]] = [[] for _ in week.days]
    for (_, start), (end, _) in zip(opens, [*opens[1:], (opens[0][0] + whole, 0)], strict=True):
        while start < end:
            until = end if end - start < DAY else (start // DAY + 1) * DAY
            day = start // DAY
            days[day % len(days)].append(Period(start - day * DAY, until - day * DAY))
            start = until
    return Week(tuple(tuple(sorted(day)) for day in days))


def _week(rotation: Rotation) -> Week:
    assert rotation.week is not None  # Rotation sees to it where turns are counted by shift
    return rotation.week


def _with_its_day(rotation: Rotation, numbers: range) -> int:
    """The first of these turns whose hand-off has the day of the month of the first one; the first where none has."""
    if rotation.by_shift or rotation.unit is not Unit.MONTH:
        return numbers[0]
    return next((one for one in numbers if hand_off(rotation, one).day == rotation.starts.day), numbers[0])


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
    return number - 1 if hand_off(rotation, number) > wall else number


def _shifts(rotation: Rotation, starts: datetime, ends: datetime) -> Iterator[tuple[int, datetime, datetime]]:
    week = _week(rotation)
    first = _place(week, rotation.starts)
    for start, end in _periods(week, max(starts, rotation.starts), ends):
        if start >= rotation.starts:
            yield (_place(week, start) - first) // rotation.every, start, end


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
