"""The zones of calendar files: known by name, or described by a VTIMEZONE (RFC 5545, section 3.6.5).

Not with icalendar's zones: it keeps what one file describes for the whole process, and two Outlooks mean different
zones by "Customized Time Zone".
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from portal.core.ical_lines import Component
from portal.core.ical_recur import list_days, parse_recurrence
from portal.core.intervals import Interval
from portal.core.wallclock import instant_of, wall_of

_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?")
_STAMP = "%Y%m%dT%H%M%S"
_BEFORE = timedelta(days=800)


@dataclass(frozen=True)
class NamedZone:
    """A zone of the tz database."""

    zone: ZoneInfo

    def instant_of(self, wall: datetime) -> datetime:
        """The UTC instant of a naive time, by the rule of core/wallclock.py."""
        return instant_of(wall, zone=self.zone)

    def wall_of(self, at: datetime) -> datetime:
        """What its clock shows, naive."""
        return wall_of(at, zone=self.zone)


@dataclass(frozen=True)
class DescribedZone:
    """A zone as a file describes it: the offset from each of its changes on, and before the first."""

    before: timedelta
    changes: tuple[tuple[datetime, timedelta], ...]

    def instant_of(self, wall: datetime) -> datetime:
        """The UTC instant of a naive time: in a doubled hour the first, in a missing one the first instant after."""
        offsets = {self.before, *(offset for _, offset in self.changes)}
        times = sorted(wall.replace(tzinfo=UTC) - offset for offset in offsets)
        for at in times:
            if self.wall_of(at) == wall:
                return at
        return next((at for at, _ in self.changes if times[0] < at <= times[-1]), times[0])

    def wall_of(self, at: datetime) -> datetime:
        """What its clock shows, naive."""
        number = bisect_right(self.changes, at, key=lambda change: change[0])
        offset = self.changes[number - 1][1] if number else self.before
        return (at + offset).replace(tzinfo=None)


AnyZone = NamedZone | DescribedZone


def find_zone(name: str) -> ZoneInfo | None:
    """The zone a TZID names: of the tz database, with or without a maker's prefix, or Windows' name for it."""
    name = name.strip().strip("/")
    parts = name.split("/")
    for wanted in (name, WINDOWS_TO_OLSON.get(name, ""), *("/".join(parts[-count:]) for count in (3, 2))):
        if wanted and len(wanted) < 64:
            try:
                return ZoneInfo(wanted)
            except (ValueError, KeyError, OSError):
                continue
    return None


def describe_zone(component: Component, *, window: Interval, spend: Callable[[int], None]) -> DescribedZone | None:
    """The zone of a VTIMEZONE, right within `window`; None when nothing can be made of it."""
    found: list[tuple[datetime, timedelta, timedelta]] = []
    for part in component.children:
        try:
            found.extend(_changes(part, window, spend))
        except (ValueError, OverflowError):
            return None
    if not found:
        return None
    found.sort()
    return DescribedZone(found[0][1], tuple((at, offset) for at, _, offset in found))


def _changes(
    part: Component, window: Interval, spend: Callable[[int], None]
) -> list[tuple[datetime, timedelta, timedelta]]:
    """(instant, offset before, offset from then on) of each change a STANDARD or DAYLIGHT part tells."""
    before, after = (_offset(part.text(name)) for name in ("TZOFFSETFROM", "TZOFFSETTO"))
    first = datetime.strptime(part.text("DTSTART")[:15], _STAMP)  # noqa: DTZ007 - on the wall
    walls = [first]
    for line in part.lines.get("RDATE", ()):
        walls += [datetime.strptime(one.strip()[:15], _STAMP) for one in line.value.split(",")]  # noqa: DTZ007
    rule_text = part.text("RRULE")
    if rule_text:
        rule = parse_recurrence(rule_text)
        since = first if rule.until or rule.count else max(first, window.starts_at.replace(tzinfo=None) - _BEFORE)
        days = list_days(rule, first.date(), since=since.date(), until=window.ends_at.date(), spend=spend)
        walls += [datetime.combine(day, first.time()) for day in days]
        if rule.until:
            last = datetime.strptime(f"{rule.until.rstrip('Z')}T235959"[:15], _STAMP)  # noqa: DTZ007
            walls = [wall for wall in walls if wall - (before if rule.until.endswith("Z") else timedelta()) <= last]
    return [(wall.replace(tzinfo=UTC) - before, before, after) for wall in sorted(set(walls))]


def _offset(text: str) -> timedelta:
    found = _OFFSET.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    size = timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
    return size if found[1] == "+" else -size
