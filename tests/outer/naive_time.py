"""Who is on call and when the shop is open, minute by minute, from the text of a settings file alone.

Written apart from the program, and imports nothing of it: what it says is held against the command line.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def wall(text) -> datetime:
    return datetime.fromisoformat(str(text))


@lru_cache(maxsize=100_000)
def instants(shown: datetime, zone: str) -> tuple[datetime, ...]:
    """Every instant at which the clock on the wall shows this, by trying each quarter of an hour of offset."""
    tries = (
        shown.replace(tzinfo=UTC) - timedelta(minutes=15 * number) for number in range(15 * 4 + 1, -12 * 4 - 1, -1)
    )
    return tuple(at for at in tries if at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == shown)


def begin(shown: datetime, zone: str) -> datetime:
    """The first time it is shown; in a missing hour the first minute after."""
    while not instants(shown, zone):
        shown += MINUTE
    return min(instants(shown, zone))


def end(shown: datetime, zone: str) -> datetime:
    """The last time it is shown; in a missing hour the first minute after."""
    return max(instants(shown, zone)) if instants(shown, zone) else begin(shown, zone)


def periods(week: dict, first: datetime, last: datetime):
    """The periods of a week that begin between two days, as walls, in order."""
    day = datetime.combine(first.date(), time())
    while day <= last:
        texts = week.get(WEEKDAYS[day.weekday()]) or []
        for text in sorted([texts] if isinstance(texts, str) else texts):
            opens, closes = (timedelta(hours=int(one[:2]), minutes=int(one[3:])) for one in text.split("-"))
            yield day + opens, day + (closes if closes > opens else closes + DAY)
        day += DAY


class Roster:
    """One schedule of the file. `active`: who is not disabled, of `everyone` who can be on call."""

    def __init__(self, entry: dict, *, zone: str, everyone: list[str], active: set[str]) -> None:
        self.entry, self.zone, self.active = entry, zone, active
        members = entry.get("members") or everyone
        self.members = {one for one in members if one in active}

    def pieces(self, first: datetime, last: datetime) -> list[tuple[datetime, datetime, int, str]]:
        """(begins, ends, level, person) of shifts and turns that may matter between two walls."""
        found = []
        for one in self.entry.get("shifts", ()):
            found.append((wall(one["starts"]), wall(one["ends"]), one.get("level", 0), one["person"]))
        for rotation in self.entry.get("rotations", ()):
            found += [(a, b, rotation.get("level", 0), person) for a, b, person in self.turns(rotation, first, last)]
        return [
            (begin(a, self.zone), end(b, self.zone), level, person)
            for a, b, level, person in found
            if a < b and a < last and b > first and person in self.active
        ]

    def turns(self, rotation: dict, first: datetime, last: datetime):
        starts, week = wall(rotation["starts"]), rotation.get("week")
        stop = wall(rotation["ends"]) if "ends" in rotation else wall("9999-12-31")
        spans = self.shifts(rotation, starts, week, last) if rotation.get("by_shift") else self.calendar(rotation, last)
        for number, a, b in spans:
            if b <= first - DAY:
                continue
            pieces = [(a, b)]
            if week and not rotation.get("by_shift"):
                pieces = [(max(a, c), min(b, d)) for c, d in periods(week, max(a, first - 2 * DAY) - DAY, min(b, last))]
            for c, d in pieces:
                person = self.whose(rotation["people"], number)
                if person and max(c, starts) < min(d, stop):
                    yield c, min(d, stop), person

    def whose(self, people: list[str], number: int) -> str | None:
        for step in range(len(people)):
            person = people[(number + step) % len(people)]
            if person in self.active:
                return person
        return None

    def calendar(self, rotation: dict, last: datetime):
        """One hand-off after the other, from the first."""
        starts, unit, every = wall(rotation["starts"]), rotation.get("unit", "week"), rotation.get("every", 1)
        number, a = 0, starts
        while a < last:
            if unit == "month":
                months = starts.year * 12 + starts.month - 1 + (number + 1) * every
                year, month = months // 12, months % 12 + 1
                b = starts.replace(year=year, month=month, day=min(starts.day, monthrange(year, month)[1]))
            else:
                b = a + every * {"hour": HOUR, "day": DAY, "week": 7 * DAY}[unit]
            yield number, a, b
            number, a = number + 1, b

    def shifts(self, rotation: dict, starts: datetime, week: dict, last: datetime):
        """Each period is a shift, counted from the first that does not begin before the rotation."""
        coming = [(a, b) for a, b in periods(week, starts, last) if a >= starts]
        for number, (a, b) in enumerate(coming):
            yield number // rotation.get("every", 1), a, b

    def minutes(self, start: datetime, stop: datetime) -> list[set[str]]:
        """Who is on call at each minute of `[start, stop)`."""
        here = ZoneInfo(self.zone)
        first, last = (one.astimezone(here).replace(tzinfo=None) for one in (start - 3 * DAY, stop + 3 * DAY))
        pieces = self.pieces(first, last)
        days = [(wall(one["date"]), one["policy"], one.get("person")) for one in self.entry.get("holidays", ())]
        holidays = [(begin(on, self.zone), begin(on + DAY, self.zone), policy, who) for on, policy, who in days]
        overrides = [
            (begin(wall(one["starts"]), self.zone), end(wall(one["ends"]), self.zone), one)
            for one in self.entry.get("overrides", ())
            if one["person"] in self.active
        ]
        found, at = [], start
        while at < stop:
            found.append(self.at(at, pieces, holidays, overrides))
            at += MINUTE
        return found

    def at(self, at: datetime, pieces, holidays, overrides) -> set[str]:
        running = [(level, person) for a, b, level, person in pieces if a <= at < b]
        top = max((level for level, _ in running), default=0)
        people = {person for level, person in running if level == top}
        for a, b, policy, who in holidays:
            if a <= at < b:
                people = {
                    "normal": people,
                    "nobody": set(),
                    "everyone": self.members or people,
                    "person": {who} if who in self.active else people,
                }[policy]
        for a, b, one in overrides:
            if a <= at < b:
                people = self.changed(people, one)
        return people

    def changed(self, people: set[str], one: dict) -> set[str]:
        if one["kind"] == "add":
            return people | {one["person"]}
        if one["kind"] == "remove":
            return people - {one["person"]}
        other = one.get("instead_of")
        if other is None:
            return {one["person"]}
        return people - {other} | {one["person"]} if other in people else people


class Shop:
    """The hours of one calendar of the file: `entry` is it, `holidays` are its own."""

    def __init__(self, entry: dict, holidays: list[dict], *, zone: str) -> None:
        self.entry, self.holidays, self.zone = entry, holidays, zone

    def minutes(self, start: datetime, stop: datetime) -> list[bool]:
        """Whether the shop is open at each minute of `[start, stop)`."""
        here = ZoneInfo(self.zone)
        first, last = (one.astimezone(here).replace(tzinfo=None) for one in (start - 3 * DAY, stop + 3 * DAY))
        opened = [
            (begin(a, self.zone), end(b, self.zone)) for a, b in periods(self.entry.get("hours", {}), first, last)
        ]
        closed = [self.closed(one) for one in self.holidays if one.get("state", "accepted") == "accepted"]
        special = [
            (begin(wall(one["from"]), self.zone), end(wall(one["to"]), self.zone), one.get("kind", "closed"))
            for one in self.entry.get("special_hours", ())
        ]
        found, at = [], start
        while at < stop:
            said = {kind for a, b, kind in special if a <= at < b}
            is_open = any(a <= at < b for a, b in opened) and not any(a <= at < b for a, b in closed)
            found.append("open" in said or (is_open and "closed" not in said))
            at += MINUTE
        return found

    def closed(self, holiday: dict) -> tuple[datetime, datetime]:
        """Like every stretch, but that a date ends where the next begins."""
        on = datetime.combine(date.fromisoformat(str(holiday["date"])), time())
        first, last = holiday.get("closed", "00:00-24:00").split("-")
        a, b = (on + timedelta(hours=int(one[:2]), minutes=int(one[3:])) for one in (first, last))
        return begin(a, self.zone), begin(b, self.zone) if last == "24:00" else end(b, self.zone)
