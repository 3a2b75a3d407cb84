"""Whether a shop is open at each minute, the slow and simple way: written apart from the engine, to hold it against."""

from datetime import datetime, time, timedelta

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
    for holiday in calendar.holidays:
        begins = datetime.combine(holiday.on, time()) + MINUTE * holiday.closed.start
        stops = datetime.combine(holiday.on, time()) + MINUTE * holiday.closed.end
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
