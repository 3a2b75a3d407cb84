"""Calendar files (.ics, RFC 5545) as others write them, read into plain events: for shift import and holiday feeds."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from portal.core.ical_events import YEARS, BrokenEventError, EventReader, EventTime, PlannedEvent
from portal.core.ical_lines import Component, Line, read_calendars, unescape_text
from portal.core.ical_recur import Recurrence, list_days, parse_recurrence, times_of_day
from portal.core.ical_zones import NamedZone, describe_zone
from portal.core.intervals import Interval

MAX_OCCURRENCES = 5_000
MAX_DAYS = 1_000_000
_DATE_COSTS = 20  # days that are looked at while one date is read
_DAY = timedelta(days=1)
_COMMA = re.compile(r"(?<!\\),")


@dataclass(frozen=True)
class ReadEvent:
    """One event, or one occurrence of an event that repeats.

    Attributes:
        uid: the event's own, made up from its content where the file gives none.
        occurrence: which one of an event that repeats, by the day it was first planned for (`20261121`); "" for others.
            `(uid, occurrence)` names one event of a file, and stays when its time or text is changed.
        starts_at, ends_at: UTC, half-open. An all-day event runs from midnight to midnight in the zone asked for.
        first_on, until_on: the days of an all-day event, the second not included; None for others.
        people: those invited who did not decline: the mail address, lower-case, or the name of one who has none.
        organizer: the same of the one who invites.
    """

    uid: str
    occurrence: str
    summary: str
    description: str
    starts_at: datetime
    ends_at: datetime
    first_on: date | None = None
    until_on: date | None = None
    people: tuple[str, ...] = ()
    organizer: str = ""
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadResult:
    """What a file says within a window, in order of time; cancelled events are left out.

    `faults`: a sentence for everything that could not be read. Only without faults may one conclude that an event which
    is not there was taken out; a file that is no calendar at all has one fault and no events. `notes`: what was cut
    (an event that repeats without end), for a person to know. `cancelled`: (uid, occurrence) of what the file says does
    not take place (STATUS, METHOD:CANCEL, EXDATE); with "" for the occurrence all of that event.
    """

    events: tuple[ReadEvent, ...]
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cancelled: frozenset[tuple[str, str]] = frozenset()


def read_events(data: bytes, *, window: Interval, zone: ZoneInfo, endless_until: datetime | None = None) -> ReadResult:
    """The events of a calendar file that touch `window`. `zone` is meant by times without one, and by whole days. What
    repeats without end is read until `endless_until`, or to the end of the window.

    Never raises: what is broken becomes a sentence in `faults`.
    """
    calendars, faults = read_calendars(data)
    reader = _Reader(window, NamedZone(zone), min(endless_until or window.ends_at, window.ends_at))
    reader.faults.extend(faults)
    try:
        for calendar in calendars:
            reader.read(calendar)
    except _TooMuchError as error:
        reader.faults.append(f"{error} The rest was not read.")
    events = sorted(reader.events, key=lambda one: (one.starts_at, one.ends_at, one.uid, one.occurrence))
    cancelled = reader.cancelled - {(one.uid, one.occurrence) for one in events}
    return ReadResult(tuple(events), tuple(dict.fromkeys(reader.faults)), tuple(reader.notes), frozenset(cancelled))


class _TooMuchError(Exception):
    """The budget is spent; the text says on what."""


class _Reader:
    def __init__(self, window: Interval, clock: NamedZone, endless_until: datetime) -> None:
        self.window, self.clock, self.endless_until = window, clock, endless_until
        self.events: list[ReadEvent] = []
        self.faults: list[str] = []
        self.notes: list[str] = []
        self.cancelled: set[tuple[str, str]] = set()
        self._is_cancelled = False
        self._events = EventReader(clock, {})
        self._left = MAX_DAYS

    def spend(self, days: int) -> None:
        """Count the work, and stop when it is too much."""
        self._left -= days
        if self._left < 0:
            raise _TooMuchError("The events of this file repeat too often.")

    def read(self, calendar: Component) -> None:
        """Add the events of one VCALENDAR."""
        described = {
            one.text("TZID").strip("/"): describe_zone(one, window=self.window, spend=self.spend)
            for one in calendar.children
            if one.name == "VTIMEZONE"
        }
        self._events = EventReader(self.clock, described)
        self._is_cancelled = calendar.text("METHOD").upper() == "CANCEL"
        planned = [self._plan(one) for one in calendar.children if one.name == "VEVENT"]
        series: dict[str, list[PlannedEvent]] = {}
        for one in planned:
            if one is not None:
                series.setdefault(one.uid, []).append(one)
        for parts in series.values():
            self._add_series(parts)

    def _plan(self, component: Component) -> PlannedEvent | None:
        try:
            return self._events.plan(component)
        except BrokenEventError as error:
            self._fault(component, str(error))
            return None

    def _fault(self, component: Component, words: str) -> None:
        name = component.text("SUMMARY")[:60] or component.text("UID")[:60] or "without a name"
        self.faults.append(f"Event “{name}” {words}.")

    def _add_series(self, parts: list[PlannedEvent]) -> None:
        """One UID: the event, and the occurrences of it that were changed by themselves."""
        masters = [one for one in parts if one.original is None]
        master = max(masters, key=_newness) if masters else None
        if master is not None and self._is_off(master):
            self.cancelled.add((master.uid, ""))
            return
        changed: dict[datetime, PlannedEvent] = {}
        for one in sorted((one for one in parts if one.original is not None), key=_newness):
            assert one.original is not None  # told apart above
            changed[one.original.at] = one
            if master is None and _changes_all_that_follow(one.component):
                self._fault(one.component, "changes all that follow (THISANDFUTURE), which are not in the file")
        names = self._add_occurrences(master, changed) if master else {}
        for at, one in changed.items():
            assert one.original is not None
            clock = master.starts.clock if master else one.original.clock
            wall = one.original.wall if one.original.is_day else clock.wall_of(at)
            self._add(one, one.starts, names.get(wall, f"{wall:%Y%m%d}"))

    def _add_occurrences(self, master: PlannedEvent, changed: dict[datetime, PlannedEvent]) -> dict[datetime, str]:
        """Those that were not changed by themselves. Returns the name of each, by its time on the wall."""
        component = master.component
        if "RRULE" not in component.lines and "RDATE" not in component.lines:
            self._add(master, master.starts, "")
            return {}
        try:
            planned = self._occurrences(master)
            left_out = [
                one
                for line in component.lines.get("EXDATE", ())
                if line.value.strip()
                for one in self._events.times(self._paid(line))
            ]
        except BrokenEventError as error:
            self._fault(component, str(error))
            return {}
        gone = {one.at for one in left_out if not one.is_day} | changed.keys()
        left_out += [one.original for one in changed.values() if one.original]
        gone_days = {one.wall.date() for one in left_out if one.is_day}
        starts = [replace(master.starts, wall=wall) for wall in sorted(planned)]
        names = _names(starts)
        following = [at for at in sorted(changed) if _changes_all_that_follow(changed[at].component)]
        for one in starts:
            if one.at in gone or one.wall.date() in gone_days:
                self.cancelled.add((master.uid, names[one.wall]))  # but for one that was changed: see `read_events`
            else:
                before = bisect_left(following, one.at)
                change = _moved(changed[following[before - 1]], one) if before else (planned[one.wall], one)
                self._add(*change, names[one.wall])
        return names

    def _occurrences(self, master: PlannedEvent) -> dict[datetime, PlannedEvent]:
        """The occurrences that may touch the window: when they start on the wall, and how long they last."""
        component, starts = master.component, master.starts
        found = {starts.wall: master}
        for line in component.lines.get("RDATE", ()):
            if "/" in line.value:
                for one, exact in self._events.periods(self._paid(line)):
                    found[_on_clock_of(starts, one)] = replace(master, length=timedelta(), exact=exact)
            elif line.value.strip():
                found.update((_on_clock_of(starts, one), master) for one in self._events.times(self._paid(line)))
        for line in component.lines.get("RRULE", ()):
            rule = _rule(line.value)
            found.update((wall, master) for wall in self._walls(rule, master))
            if _is_endless(rule):
                self._note(component)
        for line in component.lines.get("EXRULE", ()):  # RFC 2445; still written by some
            for wall in self._walls(_rule(line.value), master):
                found.pop(wall, None)
        return found

    def _paid(self, line: Line) -> Line:
        """A line of dates, each of which is work, too."""
        self.spend(_DATE_COSTS * (line.value.count(",") + 1))
        return line

    def _walls(self, rule: Recurrence, master: PlannedEvent) -> list[datetime]:
        """When the occurrences of a rule start that may touch the window."""
        starts = master.starts
        around = master.length + (master.exact or timedelta()) + 2 * _DAY
        since, until = self.window.starts_at - around, self.window.ends_at + around
        times = (starts.wall.time(),) if starts.is_day else times_of_day(rule, starts.wall.time())
        first, last = starts.wall.date(), self.clock.wall_of(self.endless_until) if _is_endless(rule) else until
        if len(times) == 1:
            days = list_days(rule, first, since=since.date(), until=last.date(), spend=self.spend)
        else:  # COUNT counts times, not days
            by_day = replace(rule, count=None)
            begins = first if rule.count else since.date()
            days = list_days(by_day, first, since=begins, until=last.date(), spend=lambda days: self.spend(days * 24))
        walls = [datetime.combine(day, at) for day in days for at in times]
        if len(times) > 1:
            walls = [wall for wall in walls if wall >= starts.wall][: rule.count]
        return self._until(rule.until, starts, walls) if rule.until else walls

    def _until(self, text: str, starts: EventTime, walls: list[datetime]) -> list[datetime]:
        """Those at or before UNTIL, which may be a day, a time on the same clock or an instant."""
        limit = self._events.times(Line(text))[0]
        if limit.is_day:
            return [wall for wall in walls if wall.date() <= limit.wall.date()]
        if not text.endswith("Z"):
            return [wall for wall in walls if wall <= limit.wall]
        if starts.is_day:
            return [wall for wall in walls if wall.date() <= limit.wall.date()]
        return [wall for wall in walls if starts.clock.instant_of(wall) <= limit.at]

    def _is_off(self, planned: PlannedEvent) -> bool:
        return self._is_cancelled or planned.component.text("STATUS").upper() == "CANCELLED"

    def _note(self, component: Component) -> None:
        last = self.clock.wall_of(self.endless_until)
        name = component.text("SUMMARY")[:60] or "without a name"
        self.notes.append(f"Event “{name}” repeats without end. It was read until {last.day} {last:%B %Y}.")

    def _add(self, planned: PlannedEvent, starts: EventTime, occurrence: str) -> None:
        component = planned.component
        if self._is_off(planned):
            self.cancelled.add((planned.uid, occurrence))
            return
        starts_at, ends_at = starts.at, planned.ends_at(starts)
        is_inside = starts_at < self.window.ends_at and self.window.starts_at < ends_at
        if not is_inside and not (starts_at == ends_at and starts_at in self.window):
            return
        if len(self.events) >= MAX_OCCURRENCES:
            raise _TooMuchError(f"These are more than {MAX_OCCURRENCES:,} events.")
        organizer = component.first("ORGANIZER")
        first_on, until_on = starts.wall.date(), (starts.wall + planned.length).date()
        self.events.append(
            ReadEvent(
                planned.uid,
                occurrence,
                component.text("SUMMARY"),
                component.text("DESCRIPTION"),
                starts_at,
                ends_at,
                first_on=first_on if starts.is_day else None,
                until_on=until_on if starts.is_day else None,
                people=_people(component),
                organizer=_person(organizer) if organizer else "",
                categories=_categories(component),
            )
        )


def _names(starts: list[EventTime]) -> dict[datetime, str]:
    """The day names an occurrence, so that it stays the same when all of them move to another hour; of several on one
    day, those after the first need their hour."""
    names: dict[datetime, str] = {}
    days: set[date] = set()
    for one in starts:
        names[one.wall] = f"{one.wall:%Y%m%d}" if one.wall.date() not in days else f"{one.wall:%Y%m%dT%H%M}"
        days.add(one.wall.date())
    return names


def _rule(text: str) -> Recurrence:
    try:
        rule = parse_recurrence(text)
    except ValueError as error:
        raise BrokenEventError(str(error)) from None
    is_never = rule.until[:4].isdecimal() and int(rule.until[:4]) not in YEARS  # 99991231T235959Z
    return replace(rule, until="") if is_never else rule


def _is_endless(rule: Recurrence) -> bool:
    return not rule.until and rule.count is None


def _moved(change: PlannedEvent, one: EventTime) -> tuple[PlannedEvent, EventTime]:
    """An occurrence that follows one whose change holds for all that follow (RANGE=THISANDFUTURE): it moves as far."""
    assert change.original is not None  # or it would change nothing
    wall = change.original.wall if change.original.is_day else one.clock.wall_of(change.original.at)
    moved = change.starts.wall + (one.wall - wall)
    if change.original.is_day and not one.is_day:
        moved = datetime.combine(moved.date(), change.starts.wall.time())
    return change, replace(change.starts, wall=moved)


def _changes_all_that_follow(component: Component) -> bool:
    return any("RANGE" in line.parameters for line in component.lines.get("RECURRENCE-ID", ()))


def _on_clock_of(starts: EventTime, added: EventTime) -> datetime:
    """An added time on the clock of its event; an added day has the event's time of day."""
    if added.is_day:
        return datetime.combine(added.wall.date(), starts.wall.time())
    return starts.clock.wall_of(added.at)


def _newness(planned: PlannedEvent) -> tuple[int, str]:
    """Of two events with one UID, the newer counts."""
    component = planned.component
    sequence = component.text("SEQUENCE")
    number = int(sequence) if sequence.isascii() and sequence.isdecimal() and len(sequence) < 12 else 0
    return number, component.text("LAST-MODIFIED") or component.text("DTSTAMP")


def _person(line: Line) -> str:
    address = (line.parameters.get("EMAIL") or line.value).strip().lower().removeprefix("mailto:")
    return address if "@" in address else line.parameters.get("CN", "").strip()


def _people(component: Component) -> tuple[str, ...]:
    lines = (
        one for one in component.lines.get("ATTENDEE", ()) if one.parameters.get("PARTSTAT", "").upper() != "DECLINED"
    )
    return tuple(dict.fromkeys(filter(None, map(_person, lines))))


def _categories(component: Component) -> tuple[str, ...]:
    texts = (line.value for line in component.lines.get("CATEGORIES", ()))
    return tuple(unescape_text(one).strip() for text in texts for one in _COMMA.split(text) if one.strip())
