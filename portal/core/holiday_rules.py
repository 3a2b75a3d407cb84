"""Days off that come back every year: on a date, on a weekday of a month, counted from Easter, or near a date."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, timedelta

from portal.core.errors import DomainError

LAST = -1
MAX_DAYS_FROM_EASTER = 150
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_NTH = {1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 5: "5th", LAST: "last"}
_NTH_WORDS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", LAST: "last"}
_LEAP_YEAR = 2000
# Twenty-eight years hold every weekday of every date, but for the turn of a century without a leap day.
_SEARCHED_YEARS = 41

_TH = "(?:st|nd|rd|th)?"
_DATE = (
    r"(?:(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    rf"|(?P<day_first>\d{{1,2}}){_TH} (?P<month_last>[a-z]+)|(?P<month_first>[a-z]+) (?P<day_last>\d{{1,2}}){_TH})"
)
_ON_DATE = re.compile(_DATE)
_ON_WEEKDAY = re.compile(r"(?P<nth>[a-z0-9]+) (?P<weekday>[a-z]+) (?P<month>[a-z]+)")
_FROM_EASTER = re.compile(
    r"(?P<orthodox>orthodox )?easter(?: sunday)?(?: ?(?P<sign>[+-]) ?(?P<days>\d{1,3})(?: days?)?)?"
)
_DAYS_FROM = re.compile(r"(?P<days>\d{1,3}) days? (?P<sign>before|after) (?P<orthodox>orthodox )?easter(?: sunday)?")
_NEAR_DATE = re.compile(rf"(?P<weekday>[a-z]+) (?P<on>on or )?(?P<way>before|after) {_DATE}")
_PLAIN = str.maketrans({"−": "-", ",": " ", ".": " "})
_FILLERS = re.compile(r"\b(?:the|of|in|every|each|year)\b")


@dataclass(frozen=True)
class OnDate:
    """The same date every year; the 29th of February in leap years only."""

    month: int
    day: int

    def __post_init__(self) -> None:
        if not 1 <= self.month <= len(_MONTHS):
            raise DomainError(f"There is no month {self.month}.")
        if not 1 <= self.day <= monthrange(_LEAP_YEAR, self.month)[1]:
            raise DomainError(f"{_MONTHS[self.month - 1]} has no day {self.day}.")

    def in_year(self, year: int) -> date | None:
        """None where the year has no such date."""
        try:
            return date(year, self.month, self.day)
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.month:02}-{self.day:02}"


@dataclass(frozen=True)
class OnWeekday:
    """The first to fifth, or `LAST`, of a weekday (0 is Monday) in a month. A fifth one is not in every year."""

    which: int
    weekday: int
    month: int

    def in_year(self, year: int) -> date | None:
        """None where the month has no fifth one."""
        first = date(year, self.month, 1)
        first += timedelta((self.weekday - first.weekday()) % 7)
        days = [first + timedelta(weeks=number) for number in range(5)]
        days = [day for day in days if day.month == self.month]
        if self.which == LAST:
            return days[-1]
        return days[self.which - 1] if self.which <= len(days) else None

    def __str__(self) -> str:
        return f"{_NTH[self.which]} {_short(_WEEKDAYS[self.weekday])} {_short(_MONTHS[self.month - 1])}"


@dataclass(frozen=True)
class FromEaster:
    """So many days after Easter Sunday; before it when negative."""

    days: int = 0
    is_orthodox: bool = False

    def __post_init__(self) -> None:
        if abs(self.days) > MAX_DAYS_FROM_EASTER:
            raise DomainError(f"Count at most {MAX_DAYS_FROM_EASTER} days from Easter.")

    def in_year(self, year: int) -> date | None:
        """In whatever year it falls, this is the one counted from the Easter of `year`."""
        return (_orthodox_easter(year) if self.is_orthodox else _easter(year)) + timedelta(self.days)

    def __str__(self) -> str:
        easter = "orthodox easter" if self.is_orthodox else "easter"
        return f"{easter} {self.days:+}" if self.days else easter


@dataclass(frozen=True)
class NearDate:
    """The weekday next before or after a date; `or_on`: the date itself counts too."""

    weekday: int
    anchor: OnDate
    is_after: bool
    or_on: bool

    def in_year(self, year: int) -> date | None:
        """Counted from the date in `year`, whatever year it then falls in."""
        start = self.anchor.in_year(year)
        if start is None:
            return None
        step = timedelta(1 if self.is_after else -1)
        day = start if self.or_on else start + step
        while day.weekday() != self.weekday:
            day += step
        return day

    def __str__(self) -> str:
        return f"{_short(_WEEKDAYS[self.weekday])} {self.way} {self.anchor}"

    @property
    def way(self) -> str:
        return ("on or " if self.or_on else "") + ("after" if self.is_after else "before")


YearlyDay = OnDate | OnWeekday | FromEaster | NearDate


@dataclass(frozen=True)
class HolidayRule:
    """A day of every year from `first_year` to `last_year`; None: without a border. Raises DomainError."""

    day: YearlyDay
    first_year: int | None = None
    last_year: int | None = None

    def __post_init__(self) -> None:
        if self.first_year is not None and self.last_year is not None and self.last_year < self.first_year:
            raise DomainError("The last year lies before the first.")


def dates_in(rule: HolidayRule, year: int) -> tuple[date, ...]:
    """The dates of `year` on which the rule holds, in order: one as a rule, none, or two where the Monday after the
    end of December falls into January."""
    if not MINYEAR < year < MAXYEAR:
        return ()
    if (rule.first_year or year) > year or (rule.last_year or year) < year:
        return ()
    found = (rule.day.in_year(near) for near in (year - 1, year, year + 1))
    return tuple(sorted({day for day in found if day is not None and day.year == year}))


def next_dates(rule: HolidayRule, start: date, *, count: int) -> tuple[date, ...]:
    """The first `count` dates on or after `start`; fewer when the rule ends or they are too rare."""
    years = range(max(start.year, rule.first_year or start.year), start.year + _SEARCHED_YEARS)
    found = (day for year in years for day in dates_in(rule, year) if day >= start)
    return tuple(day for _, day in zip(range(count), found, strict=False))


def parse_day_of_year(text: str) -> YearlyDay:
    """`12-24`, `4th thu nov`, `easter +1`, `wed before 11-23`; also in longer words: `24 December`, `last Monday of
    May`, `2 days before Orthodox Easter`, `Monday on or after May 1`. Raises DomainError with a sentence for the form.
    """
    words = " ".join(_FILLERS.sub(" ", text.strip().lower().translate(_PLAIN)).split())
    for pattern, build in _FORMS:
        match = pattern.fullmatch(words)
        day = build(match.groupdict()) if match else None
        if day is not None:
            return day
    raise DomainError(
        f"“{text.strip()}” is not a day of the year. Write it like 12-24, 4th thu nov, easter +1 or wed before 11-23."
    )


def format_day_of_year(day: YearlyDay) -> str:
    """The short text that `parse_day_of_year` reads; at most 30 characters."""
    return str(day)


def describe_day_of_year(day: YearlyDay) -> str:
    """In words, within a sentence: `24 December`, `the fourth Thursday of November`, `2 days before Easter`."""
    match day:
        case OnDate():
            return f"{day.day} {_MONTHS[day.month - 1]}"
        case OnWeekday():
            which, weekday = _NTH_WORDS[day.which], _WEEKDAYS[day.weekday]
            return f"the {which} {weekday} of {_MONTHS[day.month - 1]}"
        case FromEaster():
            easter = "Orthodox Easter" if day.is_orthodox else "Easter"
            if not day.days:
                return f"{easter} Sunday"
            days = "1 day" if abs(day.days) == 1 else f"{abs(day.days)} days"
            return f"{days} {'after' if day.days > 0 else 'before'} {easter}"
        case NearDate():
            return f"the {_WEEKDAYS[day.weekday]} {day.way} {describe_day_of_year(day.anchor)}"


def _read_date(found: dict[str, str | None]) -> OnDate | None:
    month, day = (next(filter(None, (found[f"{part}{place}"] for place in ("", "_first", "_last"))), "")
                  for part in ("month", "day"))  # fmt: skip
    number = int(month) if month.isdecimal() else _month(month)
    return OnDate(number, int(day)) if number and day else None


def _read_weekday(found: dict[str, str | None]) -> OnWeekday | None:
    nth, weekday, month = (found[name] or "" for name in ("nth", "weekday", "month"))
    which = next((number for number in _NTH if nth in (_NTH[number], _NTH_WORDS[number])), None)
    day, number = _weekday(weekday), _month(month)
    return OnWeekday(which, day, number) if which and day is not None and number else None


def _read_easter(found: dict[str, str | None]) -> FromEaster:
    days = int(found["days"] or 0)
    return FromEaster(-days if found["sign"] in ("-", "before") else days, bool(found["orthodox"]))


def _read_near(found: dict[str, str | None]) -> NearDate | None:
    weekday, near = _weekday(found["weekday"] or ""), _read_date(found)
    if weekday is None or near is None:
        return None
    return NearDate(weekday, near, found["way"] == "after", bool(found["on"]))


_FORMS = (
    (_FROM_EASTER, _read_easter), (_DAYS_FROM, _read_easter), (_NEAR_DATE, _read_near), (_ON_DATE, _read_date),
    (_ON_WEEKDAY, _read_weekday),
)  # fmt: skip


def _weekday(word: str) -> int | None:
    return next((n for n, name in enumerate(_WEEKDAYS) if _is_short_for(word, name)), None)


def _month(word: str) -> int | None:
    return next((n for n, name in enumerate(_MONTHS, 1) if _is_short_for(word, name)), None)


def _short(name: str) -> str:
    return name[:3].lower()


def _is_short_for(word: str, name: str) -> bool:
    """`thu`, `thur` and `thursday` are Thursday."""
    return len(word) >= 3 and name.lower().startswith(word)


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Jones, Butcher)."""
    golden, (century, rest) = year % 19, divmod(year, 100)
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _orthodox_easter(year: int) -> date:
    """Easter Sunday of the Julian calendar (Meeus), as a Gregorian date."""
    moon = (19 * (year % 19) + 15) % 30
    week = (2 * (year % 4) + 4 * (year % 7) - moon + 34) % 7
    month, day = divmod(moon + week + 114, 31)
    return date(year, month, day + 1) + timedelta(year // 100 - year // 400 - 2)
