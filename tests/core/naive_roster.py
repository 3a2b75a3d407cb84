"""Who is on call at each minute, the slow and simple way: written apart from the engine, to hold it against.

Where every border falls on a quarter of an hour, looking at each quarter (`step`) sees all that there is to see.
"""

from datetime import datetime, time, timedelta
from functools import lru_cache

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
HOLIDAY_CHANGES = {
    "nobody": lambda people, holiday, members: set(),
    "everyone": lambda people, holiday, members: set(members) or people,
    "person": lambda people, holiday, members: {holiday.person_id},
    "normal": lambda people, holiday, members: people,
}


class Minutes:
    """The minutes from `start` to `end`, and what a clock on the wall of the zone shows at each."""

    def __init__(self, zone, start: datetime, end: datetime, step: timedelta = MINUTE) -> None:
        self.step = step
        self.at = [start + step * number for number in range((end - start) // step)]
        self.shown = [minute.astimezone(zone).replace(tzinfo=None) for minute in self.at]
        self.low, self.high = min(self.shown), max(self.shown)
        self.first: dict[datetime, int] = {}
        self.last: dict[datetime, int] = {}
        for number, wall in enumerate(self.shown):
            self.first.setdefault(wall, number)
            self.last[wall] = number

    def stretch(self, starts: datetime, ends: datetime) -> range:
        """From the first minute that shows the start to the last that shows the end; if none shows it (a missing hour),
        from or to the first minute that shows more."""
        return range(self._place(starts, self.first), self._place(ends, self.last))

    def _place(self, wall: datetime, places: dict[datetime, int]) -> int:
        if wall <= self.low:
            return 0
        while wall <= self.high:
            if wall in places:
                return places[wall]
            wall += self.step
            places = self.first
        return len(self.at)


minutes_of = lru_cache(maxsize=40)(Minutes)


def walk_rotation(rotation, until: datetime):
    """Whose turn by number, walked from the first hand-off: (number, starts, ends)."""
    if rotation.by_shift:
        day, number = datetime.combine(rotation.starts.date(), time()), 0
        while day < until:
            for period in sorted(rotation.week.days[day.weekday()]):
                if day + MINUTE * period.start >= rotation.starts:
                    yield number // rotation.every, day + MINUTE * period.start, day + MINUTE * period.end
                    number += 1
            day += DAY
        return
    number, begins = 0, rotation.starts
    while begins < until:
        stops = turn_after(rotation, begins)
        if rotation.week is None:
            yield number, begins, stops
        else:
            day = datetime.combine(begins.date(), time()) - DAY
            while day < stops:
                for period in rotation.week.days[day.weekday()]:
                    yield number, max(begins, day + MINUTE * period.start), min(stops, day + MINUTE * period.end)
                day += DAY
        number, begins = number + 1, stops


def turn_after(rotation, wall: datetime) -> datetime:
    """The next hand-off, one unit after the other."""
    for _ in range(rotation.every):
        if rotation.unit == "month":
            wall = next_month(wall, rotation.starts.day)
        else:
            wall += {"hour": timedelta(hours=1), "day": DAY, "week": 7 * DAY}[rotation.unit]
    return wall


def next_month(wall: datetime, day: int) -> datetime:
    first = (wall.replace(day=1) + 32 * DAY).replace(day=1)
    while day > 28:
        try:
            return first.replace(day=day)
        except ValueError:
            day -= 1
    return first.replace(day=day)


def walk_roster(schedule, start: datetime, end: datetime, step: timedelta = MINUTE) -> list[set[int]]:
    """The people on call at each minute from `start` to `end`."""
    minutes = minutes_of(schedule.zone, start - 3 * DAY, end + 3 * DAY, step)
    away = [frozenset(one.person_id for one in schedule.absences if one.holds(at)) for at in minutes.at]
    rosters = {those: walk_without(schedule, minutes, those) for those in set(away)}
    roster = [rosters[those][number] for number, those in enumerate(away)]
    around = 3 * DAY // step
    return roster[around : len(roster) - around]


def walk_without(schedule, minutes: Minutes, away: frozenset[int]) -> list[set[int]]:
    """The people on call at each minute if these had always been away."""
    levels: list[dict[int, set[int]]] = [{} for _ in minutes.at]

    def paint(starts: datetime, ends: datetime, level: int, person: int) -> None:
        for number in minutes.stretch(starts, ends) if starts < ends else ():
            levels[number].setdefault(level, set()).add(person)

    for shift in schedule.shifts:
        if shift.person_id not in away:
            paint(shift.starts, shift.ends, shift.level, shift.person_id)
    for rotation in schedule.rotations:
        people = rotation.people
        for number, starts, ends in walk_rotation(rotation, minutes.shown[-1] + DAY):
            there = [p for p in (people * 2)[number % len(people) :][: len(people)] if p not in away]
            if there:
                starts = max(starts, rotation.since or starts)
                paint(starts, min(ends, rotation.ends or ends), rotation.level, there[0])
    roster = [found[max(found)] if found else set() for found in levels]
    for holiday in schedule.holidays:
        policy = "normal" if holiday.policy == "person" and holiday.person_id in (*away, None) else holiday.policy
        for number, wall in enumerate(minutes.shown):
            if wall.date() == holiday.on:
                roster[number] = HOLIDAY_CHANGES[policy](roster[number], holiday, set(schedule.members) - away)
    for override in sorted(schedule.overrides, key=lambda one: one.id):
        for number in minutes.stretch(override.starts, override.ends) if override.person_id not in away else ():
            roster[number] = overridden(roster[number], override)
    return roster


def overridden(people: set[int], override) -> set[int]:
    if override.kind == "add":
        return people | {override.person_id}
    if override.kind == "remove":
        return people - {override.person_id}
    if override.instead_of is None:
        return {override.person_id}
    if override.instead_of in people:
        return people - {override.instead_of} | {override.person_id}
    return people
