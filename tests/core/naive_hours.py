"""Whether a shop is open at each minute, the slow and simple way: written apart from the engine, to hold it against."""

from datetime import date, datetime, time, timedelta

from dateutil.easter import EASTER_ORTHODOX, EASTER_WESTERN, easter

from portal.core.holiday_rules import FromEaster, NearDate, OnDate, OnWeekday
from tests.core.naive_roster import DAY, MINUTE, minutes_of


def walk_hours(calendar, start: datetime, end: datetime) -> list[bool]:
    """Open or not, minute by minute. Nothing may depend on what lies more than three days outside."""
    known = minutes_of(calendar.zone, start - 3 * DAY, end + 3 * DAY)
    is_open = [False] * len(known.at)

    def mark(places, value: bool) -> None:
        for place in places:
            is_open[place] = value

    day = known.low.date()
    while day <= known.high.date():
        for period in calendar.week.days[day.weekday()]:
            midnight = datetime.combine(day, time())
            mark(known.stretch(midnight + MINUTE * period.start, midnight + MINUTE * period.end), True)
        day += timedelta(days=1)
    closed = [(one.on, one.closed) for one in calendar.holidays]
    closed += [(on, one.closed) for one in calendar.yearly for on in days_of(known) if is_day_of(one, on)]
    for on, part in closed:
        begins = datetime.combine(on, time()) + MINUTE * part.start
        stops = datetime.combine(on, time()) + MINUTE * part.end
        stretch = known.stretch(begins, stops)
        if stops.time() == time() and stops in known.first:
            stretch = range(stretch.start, known.first[stops])
        mark(stretch, False)
    for value in (False, True):
        for one in calendar.special:
            if one.is_open is value:
                mark(known.stretch(one.starts, one.ends), value)
    offset = 3 * DAY // MINUTE
    return is_open[offset:-offset]


def days_of(known) -> set[date]:
    return {wall.date() for wall in known.shown}


def is_day_of(yearly, on: date) -> bool:
    """Whether a rule closes this date."""
    first, last = yearly.rule.first_year or 0, yearly.rule.last_year or 9999
    return first <= on.year <= last and on not in yearly.except_on and is_meant(yearly.rule.day, on)


def is_meant(rule, on: date) -> bool:
    """Whether a rule means this date, asked of the date alone."""
    match rule:
        case OnDate():
            return (on.month, on.day) == (rule.month, rule.day)
        case OnWeekday():
            is_last = (on + DAY * 7).month != on.month
            fits = is_last if rule.which == -1 else (on.day + 6) // 7 == rule.which
            return fits and (on.month, on.weekday()) == (rule.month, rule.weekday)
        case FromEaster():
            sunday = on - DAY * rule.days
            return sunday == easter(sunday.year, EASTER_ORTHODOX if rule.is_orthodox else EASTER_WESTERN)
        case NearDate():
            back = DAY * (-1 if rule.is_after else 1)
            near = [on + back * number for number in range(0 if rule.or_on else 1, 7 if rule.or_on else 8)]
            return on.weekday() == rule.weekday and any(is_meant(rule.anchor, one) for one in near)
    raise AssertionError(rule)


def walk_on(is_open: list[bool], place: int, minutes: int) -> int | None:
    """How many minutes after the start the last of so many open minutes ends; None when there are not so many."""
    while minutes and place < len(is_open):
        minutes -= is_open[place]
        place += 1
    return None if minutes else place


def walk_back(is_open: list[bool], place: int, minutes: int) -> int | None:
    """The same backwards: how many minutes after the start the first of so many open minutes begins."""
    while minutes and place:
        place -= 1
        minutes -= is_open[place]
    return None if minutes else place
