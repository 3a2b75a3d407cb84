"""The months of the holiday page, small ones for a year and a large one."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from portal.core.calendars import Period, Week
from portal.core.holiday_rules import dates_in
from portal.services.holiday_rules import RuleEntry
from portal.services.holidays import ACCEPTED, IGNORED, HolidayEntry

RULE = "rule"


@dataclass(frozen=True)
class Mark:
    """Something that is said of a day: a decided or proposed day, or a rule (`state` is then "rule")."""

    on: date
    name: str
    state: str
    closed: Period
    is_half: bool
    entry: HolidayEntry | None = None
    rule: RuleEntry | None = None


@dataclass(frozen=True)
class DayCell:
    """One day of a month. `classes` are the design system's; `words` is what a screen reader says of it."""

    on: date
    classes: str
    marks: tuple[Mark, ...]
    words: str


@dataclass(frozen=True)
class MonthView:
    first: date
    weeks: tuple[tuple[DayCell, ...], ...]


def mark_days(year: int, entries: Iterable[HolidayEntry], rules: Iterable[RuleEntry]) -> list[Mark]:
    """What is said of the days of a year, in order; a rule says nothing of a day that was decided under its name."""
    marks = [Mark(one.on, one.name, one.state, one.closed, one.is_half, entry=one) for one in entries]
    decided = {(one.on, one.name) for one in marks if one.state in (ACCEPTED, IGNORED)}
    for rule in rules:
        name, closed = rule.yearly.name, rule.yearly.closed
        marks += [
            Mark(on, name, RULE, closed, str(closed) != "00:00-24:00", rule=rule)
            for on in dates_in(rule.yearly.rule, year)
            if (on, name) not in decided
        ]
    return sorted(marks, key=lambda mark: (mark.on, mark.state == RULE, mark.name))


def draw_year(year: int, marks: Sequence[Mark], *, week: Week, today: date) -> list[MonthView]:
    """Every month with its weeks."""
    return [draw_month(date(year, month, 1), marks, week=week, today=today) for month in range(1, 13)]


def draw_month(first: date, marks: Sequence[Mark], *, week: Week, today: date) -> MonthView:
    """The weeks of a month; days of its neighbours are marked as such and bare."""
    shown: dict[date, list[Mark]] = {}
    for mark in marks:
        shown.setdefault(mark.on, []).append(mark)
    weeks = Calendar().monthdatescalendar(first.year, first.month)
    return MonthView(first, tuple(tuple(_cell(day, first, shown, week, today) for day in days) for days in weeks))


def _cell(day: date, first: date, shown: dict[date, list[Mark]], week: Week, today: date) -> DayCell:
    marks = shown.get(day, []) if day.month == first.month else []
    closed = [mark for mark in marks if mark.state in (ACCEPTED, RULE)]
    proposed = [mark for mark in marks if mark.state not in (ACCEPTED, RULE, IGNORED)]
    is_half = bool(closed) and all(mark.is_half for mark in closed)
    flags = {
        "is-other": day.month != first.month,
        "is-closed": not week.days[day.weekday()],
        "is-today": day == today,
        "is-holiday": bool(closed) and not is_half,
        "is-half": is_half,
        "is-proposed": bool(proposed) and not closed,
    }
    words = ", ".join(_words(mark) for mark in (*closed, *proposed))
    return DayCell(day, " ".join(name for name, holds in flags.items() if holds), (*closed, *proposed), words)


def _words(mark: Mark) -> str:
    if mark.state not in (ACCEPTED, RULE):
        return f"{mark.name}, proposed"
    return f"{mark.name}, closed {mark.closed}" if mark.is_half else mark.name
