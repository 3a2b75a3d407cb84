"""One event of a calendar file: when it starts, how long it lasts, on whose clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from hashlib import sha256

from icalendar import vDuration

from portal.core.ical_lines import Component, Line
from portal.core.ical_zones import AnyZone, DescribedZone, NamedZone, find_zone

YEARS = range(1900, 2300)
_DAY, _LONGEST = timedelta(days=1), timedelta(days=3660)
_UTC = DescribedZone(timedelta(), ())
_DATE = re.compile(r"\d{8}")


class BrokenEventError(Exception):
    """This event cannot be read; the text goes on after its name."""


@dataclass(frozen=True)
class EventTime:
    """A date or time as the file has it: on the clock of a zone."""

    wall: datetime
    clock: AnyZone
    is_day: bool

    @property
    def at(self) -> datetime:
        """The instant."""
        return self.clock.instant_of(self.wall)


@dataclass(frozen=True)
class PlannedEvent:
    """A VEVENT with the times it has. `length` is on the wall where `exact` is None."""

    component: Component
    uid: str
    starts: EventTime
    length: timedelta
    exact: timedelta | None
    original: EventTime | None

    def ends_at(self, starts: EventTime) -> datetime:
        """When an occurrence that starts then ends."""
        if self.exact is not None:
            moved = starts.clock.instant_of(starts.wall + self.length) if self.length else starts.at
            return moved + self.exact
        return starts.clock.instant_of(starts.wall + self.length)


class EventReader:
    """Reads the events of one calendar. `clock` is meant by times without a zone; `described` are its VTIMEZONEs."""

    def __init__(self, clock: NamedZone, described: Mapping[str, AnyZone | None]) -> None:
        self._clock, self._described = clock, described

    def plan(self, component: Component) -> PlannedEvent:
        """A VEVENT with its times. Raises BrokenEventError."""
        first = component.first("DTSTART")
        if first is None:
            raise BrokenEventError("has no start")
        starts = self._time(first)
        length, exact = self._length(component, starts)
        if abs(length) > _LONGEST or (exact is not None and abs(exact) > _LONGEST):
            raise BrokenEventError("lasts longer than anybody means")
        if length < timedelta() or (exact is not None and length + exact < timedelta()):
            raise BrokenEventError("ends before it starts")
        if component.text("X-MICROSOFT-CDO-ALLDAYEVENT").upper() == "TRUE" and exact is None:
            is_whole = starts.wall.time() == time() and length and not length % _DAY
            starts = replace(starts, is_day=True, clock=self._clock) if is_whole else starts
        original = component.first("RECURRENCE-ID")
        return PlannedEvent(
            component, component.text("UID") or _made_up_uid(component), starts, length, exact,
            self._time(original) if original else None,
        )  # fmt: skip

    def _length(self, component: Component, starts: EventTime) -> tuple[timedelta, timedelta | None]:
        """On the wall, and exactly: a whole number of days keeps its time of day when the clock changes."""
        last, duration = component.first("DTEND"), component.first("DURATION")
        if last is not None:
            ends = self._time(last)
            if ends.is_day or ends.clock == starts.clock:
                length = ends.wall - starts.wall
                return (_DAY if starts.is_day and not length else length), None
            return timedelta(), ends.at - starts.at
        if duration is not None:
            size, days = _duration(duration.text.upper())
            return (max(_DAY, days), None) if starts.is_day else (days, size - days)
        return (_DAY if starts.is_day else timedelta()), None

    def _time(self, line: Line) -> EventTime:
        return self.times(line)[0]

    def times(self, line: Line) -> list[EventTime]:
        """The dates or times of a line. Raises BrokenEventError."""
        name = line.parameters.get("TZID", "")
        clock: AnyZone | None = self._clock
        if name:
            named = find_zone(name)
            clock = NamedZone(named) if named else self._described.get(name.strip("/"))
        found = []
        for text in line.value.split(","):
            text = text.strip().upper()
            try:
                is_day = _DATE.fullmatch(text) is not None
                wall = datetime.strptime(text.removesuffix("Z"), "%Y%m%d" if is_day else "%Y%m%dT%H%M%S")  # noqa: DTZ007
            except ValueError:
                raise BrokenEventError(f"has a time that is not understood: {text[:40]}") from None
            if wall.year not in YEARS:
                raise BrokenEventError("has a year nobody means")
            meant = self._clock if is_day else _UTC if text.endswith("Z") else clock
            if meant is None:
                raise BrokenEventError(f"is in a zone that is not known: {name[:60]}")
            found.append(EventTime(wall, meant, is_day))
        return found

    def periods(self, line: Line) -> list[tuple[EventTime, timedelta]]:
        """The starts and exact lengths of a line of periods (RFC 5545, section 3.3.9). Raises BrokenEventError."""
        found = []
        for text in line.value.split(","):
            start, _, end = text.strip().upper().partition("/")
            starts = self._time(replace(line, value=start))
            is_length = end.lstrip("+-").startswith("P")
            exact = _duration(end)[0] if is_length else self._time(replace(line, value=end)).at - starts.at
            if not timedelta() <= exact <= _LONGEST:
                raise BrokenEventError("has a period that ends before it starts, or later than anybody means")
            found.append((starts, exact))
        return found


def _duration(text: str) -> tuple[timedelta, timedelta]:
    """All of a DURATION, and what of it are days and weeks: those keep the time of day."""
    try:
        parts = (vDuration.from_ical(part) for part in (text, text.partition("T")[0]))  # type: ignore[no-untyped-call]
        size, days = parts
    except (ValueError, OverflowError):
        raise BrokenEventError("has a length that is not understood") from None
    return size, days


def _made_up_uid(component: Component) -> str:
    parts = [component.text(name) for name in ("SUMMARY", "DTSTART", "DTEND", "DURATION")]
    return f"{sha256(chr(0).join(parts).encode()).hexdigest()[:32]}@no-uid"
