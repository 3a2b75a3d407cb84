"""Events that repeat (RRULE, RFC 5545 section 3.3.10), by the day; the times of a day are the caller's.

Not with dateutil's rrule: a rule that never comes true ("every day that is 30 February") keeps it busy to the year
9999, and it cannot be told to stop; of "the second Friday and every Tuesday" it makes nothing. Here the window bounds
the work. The tests hold both against each other.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from itertools import product
from math import prod

_WEEKDAYS = {name: number for number, name in enumerate(("MO", "TU", "WE", "TH", "FR", "SA", "SU"))}
_BY_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_LIMITS = {"BYMONTH": 12, "BYMONTHDAY": 31, "BYYEARDAY": 366, "BYWEEKNO": 53, "BYSETPOS": 366}
_CLOCK = {"BYHOUR": 23, "BYMINUTE": 59, "BYSECOND": 59}
_KNOWN = {*_LIMITS, *_CLOCK, "FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY"}
MAX_TIMES = 24  # of a day
_ONE = timedelta(days=1)


@dataclass(frozen=True)
class Recurrence:
    """A rule that was understood. Weekdays are (which one, 0 for every, and 0 for Monday to 6); `until` is the text.
    `hours`, `minutes` and `seconds` are empty where the first occurrence says them."""

    frequency: str
    interval: int = 1
    count: int | None = None
    until: str = ""
    week_start: int = 0
    weekdays: tuple[tuple[int, int], ...] = ()
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    places: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    seconds: tuple[int, ...] = ()


def parse_recurrence(text: str) -> Recurrence:
    """The value of an RRULE line. Raises ValueError with a part of a sentence when it is not one we can follow."""
    parts: dict[str, str] = {}
    for part in text.strip().strip(";").split(";"):
        name, _, value = part.partition("=")
        parts[name.strip().upper()] = value.strip().upper()
    frequency = parts.get("FREQ", "")
    if frequency not in _FREQUENCIES:
        raise ValueError("repeats more often than daily" if frequency else "repeats by a rule without FREQ")
    unknown = sorted(parts.keys() - _KNOWN - {""})
    if unknown:
        raise ValueError(f"repeats by a rule with {unknown[0]}, which is not understood")
    limits = {**_LIMITS, **_CLOCK}
    numbers = {name: _numbers(name, parts[name], limit) for name, limit in limits.items() if name in parts}
    times = prod(len(numbers[name]) for name in _CLOCK if name in numbers)
    if times > MAX_TIMES:
        raise ValueError("repeats more often than hourly")
    if times > 1 and "BYSETPOS" in numbers:
        raise ValueError("repeats by a rule with BYSETPOS for times of day, which is not understood")
    return Recurrence(
        frequency,
        interval=_positive(parts.get("INTERVAL", "1")),
        count=_positive(parts["COUNT"]) if "COUNT" in parts else None,
        until=parts.get("UNTIL", ""),
        week_start=_WEEKDAYS.get(parts.get("WKST", "MO"), 0),
        weekdays=_weekdays(parts["BYDAY"]) if "BYDAY" in parts else (),
        months=numbers.get("BYMONTH", ()),
        month_days=numbers.get("BYMONTHDAY", ()),
        year_days=numbers.get("BYYEARDAY", ()),
        weeks=numbers.get("BYWEEKNO", ()),
        places=numbers.get("BYSETPOS", ()),
        hours=numbers.get("BYHOUR", ()),
        minutes=numbers.get("BYMINUTE", ()),
        seconds=numbers.get("BYSECOND", ()),
    )


def times_of_day(rule: Recurrence, first: time) -> tuple[time, ...]:
    """When on a day of the rule it happens, in order. What the rule leaves out, the first occurrence says."""
    clock = product(rule.hours or (first.hour,), rule.minutes or (first.minute,), rule.seconds or (first.second,))
    return tuple(time(*one) for one in clock)


def list_days(
    rule: Recurrence, first: date, *, since: date, until: date, spend: Callable[[int], None] = lambda days: None
) -> Iterator[date]:
    """The days of the rule from `first` on that lie within [since, until], in order; COUNT counts from `first`.

    UNTIL is left to the caller, who knows the zone it is meant in. `spend` is told how many days are looked at, and may
    raise to stop.
    """
    rule_days = _with_defaults(rule, first)
    left = -1 if rule.count is None else rule.count
    begins = first if rule.count is not None else max(first, since)
    for days in _periods(rule_days, first, begins, until, spend):
        for day in _chosen(days, rule.places):
            if day < first:
                continue
            if day > until or left == 0:
                return
            left -= 1
            if day >= since:
                yield day
        if left == 0:
            return


def _numbers(name: str, text: str, limit: int) -> tuple[int, ...]:
    try:
        found = tuple(sorted({int(one) for one in text.split(",")}))
    except ValueError:
        raise ValueError(f"repeats by a rule with a broken {name}") from None
    is_broken = any((one == 0 and name not in _CLOCK) or abs(one) > limit for one in found)
    if is_broken or (name in ("BYMONTH", *_CLOCK) and found[0] < 0):
        raise ValueError(f"repeats by a rule with a broken {name}")
    return found


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 6 or int(text) == 0:
        raise ValueError("repeats by a rule with a broken number")
    return int(text)


def _weekdays(text: str) -> tuple[tuple[int, int], ...]:
    found = [_BY_DAY.fullmatch(one.strip()) for one in text.split(",")]
    if not all(found):
        raise ValueError("repeats by a rule with a broken BYDAY")
    return tuple((int(one[1] or 0), _WEEKDAYS[one[2]]) for one in found if one)


def _with_defaults(rule: Recurrence, first: date) -> Recurrence:
    """What the rule leaves out, the first day says."""
    if rule.weekdays or rule.month_days or rule.year_days or rule.weeks:
        return rule
    changes: dict[str, object] = {}
    if rule.frequency == "WEEKLY":
        changes = {"weekdays": ((0, first.weekday()),)}
    if rule.frequency == "MONTHLY":
        changes = {"month_days": (first.day,)}
    if rule.frequency == "YEARLY":
        changes = {"month_days": (first.day,), "months": rule.months or (first.month,)}
    return Recurrence(**{**rule.__dict__, **changes})


def _periods(
    rule: Recurrence, first: date, begins: date, until: date, spend: Callable[[int], None]
) -> Iterator[list[date]]:
    """The matching days of each period of the rule, from the one that holds `begins`."""
    number = max(0, _period_of(rule, first, begins) // rule.interval)
    while True:
        try:
            start, end = _period(rule, first, number * rule.interval)
        except (ValueError, OverflowError):
            return
        if start > until:
            return
        days = list(_days(rule, start, end))
        spend(len(days) + 1)
        yield [day for day in days if _matches(rule, day)]
        number += 1


def _period_of(rule: Recurrence, first: date, day: date) -> int:
    """How many periods lie between that of `first` and that of `day`."""
    match rule.frequency:
        case "DAILY":
            return (day - first).days
        case "WEEKLY":
            return (day - _week_begin(first, rule.week_start)).days // 7
        case "MONTHLY":
            return (day.year - first.year) * 12 + day.month - first.month
        case _:
            return day.year - first.year


def _period(rule: Recurrence, first: date, number: int) -> tuple[date, date]:
    """The days of a period, the second not included."""
    match rule.frequency:
        case "DAILY":
            start = first + number * _ONE
            return start, start + _ONE
        case "WEEKLY":
            start = _week_begin(first, rule.week_start) + number * 7 * _ONE
            return start, start + 7 * _ONE
        case "MONTHLY":
            month = first.month - 1 + number
            start = date(first.year + month // 12, month % 12 + 1, 1)
            return start, start + calendar.monthrange(start.year, start.month)[1] * _ONE
        case _:
            return date(first.year + number, 1, 1), date(first.year + number + 1, 1, 1)


def _week_begin(day: date, week_start: int) -> date:
    return day - (day.weekday() - week_start) % 7 * _ONE


def _days(rule: Recurrence, start: date, end: date) -> Iterator[date]:
    """The days of a period; only of the months of the rule, where it names some."""
    while start < end:
        if rule.months and start.month not in rule.months:
            start = (start.replace(day=1) + 31 * _ONE).replace(day=1)
        else:
            yield start
            start += _ONE


def _matches(rule: Recurrence, day: date) -> bool:
    if rule.month_days:
        length = calendar.monthrange(day.year, day.month)[1]
        if day.day not in rule.month_days and day.day - length - 1 not in rule.month_days:
            return False
    if rule.year_days:
        length, number = 365 + calendar.isleap(day.year), day.timetuple().tm_yday
        if number not in rule.year_days and number - length - 1 not in rule.year_days:
            return False
    if rule.weeks and not _is_in_weeks(rule, day):
        return False
    return not rule.weekdays or any(_is_weekday(rule, day, which, weekday) for which, weekday in rule.weekdays)


def _is_in_weeks(rule: Recurrence, day: date) -> bool:
    """Weeks begin on `week_start`; the first of a year has at least four days of it. dateutil lets a week belong to the
    year its days lie in, so does this."""
    first = _first_week(day.year, rule.week_start)
    length = (_first_week(day.year + 1, rule.week_start) - first).days // 7
    number = (day - first).days // 7 + 1
    if number < 1:
        before = _first_week(day.year - 1, rule.week_start)
        last = (first - before).days // 7
        return last in rule.weeks or -1 in rule.weeks
    if number > length:
        return 1 in rule.weeks
    return number in rule.weeks or number - length - 1 in rule.weeks


def _first_week(year: int, week_start: int) -> date:
    return _week_begin(date(year, 1, 4), week_start)


def _is_weekday(rule: Recurrence, day: date, which: int, weekday: int) -> bool:
    if day.weekday() != weekday:
        return False
    if which == 0 or rule.frequency in ("DAILY", "WEEKLY"):
        return True
    if rule.frequency == "MONTHLY" or rule.months:
        place, length = day.day, calendar.monthrange(day.year, day.month)[1]
    else:
        place, length = day.timetuple().tm_yday, 365 + calendar.isleap(day.year)
    return which == (place - 1) // 7 + 1 if which > 0 else -which == (length - place) // 7 + 1


def _chosen(days: list[date], places: tuple[int, ...]) -> list[date]:
    if not places:
        return days
    return sorted({days[place - (place > 0)] for place in places if -len(days) <= place - (place > 0) < len(days)})
