"""The twelve months of the holiday page."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from portal.core.calendars import Week
from portal.services.holidays import ACCEPTED, PROPOSED, HolidayEntry


@dataclass(frozen=True)
class DayCell:
    """One day of a small month. `classes` are the design system's; `entry` is the holiday on it, if any."""

    on: date
    classes: str
    entry: HolidayEntry | None


@dataclass(frozen=True)
class MonthView:
    first: date
    weeks: tuple[tuple[DayCell, ...], ...]


def draw_year(year: int, entries: Sequence[HolidayEntry], *, week: Week, today: date) -> list[MonthView]:
    """Every month with its weeks. An accepted day hides a proposal on the same date; ignored days do not show."""
    shown: dict[date, HolidayEntry] = {}
    for entry in entries:
        known = shown.get(entry.on)
        if entry.state == ACCEPTED or (entry.state == PROPOSED and known is None):
            shown[entry.on] = entry
    return [_month(date(year, month, 1), shown, week, today) for month in range(1, 13)]


def _month(first: date, shown: dict[date, HolidayEntry], week: Week, today: date) -> MonthView:
    weeks = Calendar().monthdatescalendar(first.year, first.month)
    return MonthView(first, tuple(tuple(_cell(day, first, shown, week, today) for day in days) for days in weeks))


def _cell(day: date, first: date, shown: dict[date, HolidayEntry], week: Week, today: date) -> DayCell:
    entry = shown.get(day) if day.month == first.month else None
    flags = {
        "is-other": day.month != first.month,
        "is-closed": not week.days[day.weekday()],
        "is-today": day == today,
        "is-holiday": entry is not None and entry.state == ACCEPTED,
        "is-proposed": entry is not None and entry.state == PROPOSED,
    }
    return DayCell(day, " ".join(name for name, holds in flags.items() if holds), entry)
