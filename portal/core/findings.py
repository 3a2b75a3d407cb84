"""What a look at the next twelve months of a roster can find, and how much of it is shown at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from portal.core.calendars import BusinessHours
from portal.core.intervals import Interval
from portal.core.roster import Schedule
from portal.core.wallclock import wall_of


class Severity(StrEnum):
    """BAD: a page would reach nobody. WARN: somebody should look. INFO: good to know."""

    BAD = "bad"
    WARN = "warn"
    INFO = "info"


class Kind(StrEnum):
    """What was found, worst first."""

    ENDS = "ends"
    GAP = "gap"
    NOBODY = "nobody"
    PHONE = "phone"
    GONE = "gone"
    HOLIDAY = "holiday"
    HIDDEN = "hidden"
    OVERLAP = "overlap"
    IDLE = "idle"
    LONG = "long"
    CLOCK = "clock"


TITLES: Mapping[Kind, str] = {
    Kind.ENDS: "The roster ends",
    Kind.GAP: "Nobody is on call",
    Kind.NOBODY: "Turns of nobody",
    Kind.PHONE: "No ready phone",
    Kind.GONE: "People who left",
    Kind.HOLIDAY: "Holidays to decide",
    Kind.HIDDEN: "Never comes into play",
    Kind.OVERLAP: "Two at a time, perhaps unintended",
    Kind.IDLE: "Exceptions that change nothing",
    Kind.LONG: "Too long without a rest",
    Kind.CLOCK: "The clock changes",
}


class PhoneState(StrEnum):
    """Whether somebody can be woken. UNPROVEN: there is a number, but no page was ever answered from it."""

    READY = "ready"
    UNPROVEN = "unproven"
    STOPPED = "stopped"
    NONE = "none"


@dataclass(frozen=True)
class Worker:
    """A person of the roster. `may_be_on_call` is false when their role does not allow it."""

    name: str
    is_active: bool = True
    may_be_on_call: bool = True
    phone: PhoneState = PhoneState.READY


@dataclass(frozen=True)
class Limits:
    """Without 24 hours off for more than `days`, or without any break for more than `hours`, is too long."""

    days: int = 14
    hours: int = 192


@dataclass(frozen=True)
class LintFacts:
    """Everything the findings are made of.

    Attributes:
        hours: of the schedule's calendar; pages ring while it is closed.
        rotations: id -> name, "" for none.
        proposals: undecided holidays of that calendar.
        year_to_review: the year whose holidays nobody has looked through, None when all is well.
    """

    schedule: Schedule
    hours: BusinessHours
    people: Mapping[int, Worker]
    rotations: Mapping[int, str] = field(default_factory=dict)
    proposals: tuple[tuple[date, str], ...] = ()
    year_to_review: int | None = None
    limits: Limits = Limits()

    @property
    def zone(self) -> ZoneInfo:
        """The clock of the schedule."""
        return self.schedule.zone

    def name(self, person_id: int) -> str:
        """What somebody is called."""
        known = self.people.get(person_id)
        return known.name if known else "Somebody who is gone"

    def rotation(self, rotation_id: int) -> str:
        """How a sentence speaks of a rotation."""
        name = self.rotations.get(rotation_id, "")
        return f"The rotation “{name}”" if name else "A rotation"


@dataclass(frozen=True)
class Place:
    """Where something can be done about it. `area` is schedule, shift, rotation, override, person or holidays."""

    area: str
    id: int = 0
    on: date | None = None


@dataclass(frozen=True)
class Finding:
    """One thing, in one plain sentence. `span` is when it holds; `people` are ids."""

    kind: Kind
    severity: Severity
    text: str
    span: Interval
    place: Place
    people: tuple[int, ...] = ()


@dataclass(frozen=True)
class FindingGroup:
    """Findings of one kind: the first few are `shown`, the others `more`."""

    kind: Kind
    severity: Severity
    shown: tuple[Finding, ...]
    more: tuple[Finding, ...]

    @property
    def title(self) -> str:
        """What they have in common."""
        return TITLES[self.kind]


def group_findings(findings: Iterable[Finding], *, shown: int = 3) -> tuple[FindingGroup, ...]:
    """By kind, worst first; within a kind worst first too, and in order of time."""
    by_kind: dict[Kind, list[Finding]] = {}
    ranks, kinds = list(Severity), list(Kind)
    for finding in sorted(findings, key=lambda one: (ranks.index(one.severity), one.span, one.text)):
        by_kind.setdefault(finding.kind, []).append(finding)
    groups = [
        FindingGroup(kind, found[0].severity, tuple(found[:shown]), tuple(found[shown:]))
        for kind, found in by_kind.items()
    ]
    return tuple(sorted(groups, key=lambda group: (ranks.index(group.severity), kinds.index(group.kind))))


def select_news(findings: Iterable[Finding], *, now: datetime) -> tuple[Finding, ...]:
    """What is worth a mail: everything to be looked at, and of what is only good to know that of the next two weeks."""
    soon = now + timedelta(days=14)
    return tuple(one for one in findings if one.severity is not Severity.INFO or one.span.starts_at < soon)


def say_time(at: datetime, *, zone: ZoneInfo) -> str:
    """`Sat 26 Dec 2026 18:00` on the clock of the schedule."""
    wall = wall_of(at, zone=zone)
    return f"{say_day(wall.date())} {wall:%H:%M}"


def say_day(day: date) -> str:
    """`Sat 26 Dec 2026`."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def say_span(span: Interval, *, zone: ZoneInfo) -> str:
    """`from Sat 26 Dec 2026 18:00 to Sun 27 Dec 2026 08:00`."""
    return f"from {say_time(span.starts_at, zone=zone)} to {say_time(span.ends_at, zone=zone)}"


def say_length(length: timedelta) -> str:
    """`1 hour`, `30 minutes`, `9 days`."""
    minutes = length // timedelta(minutes=1)
    for size, word in ((24 * 60, "day"), (60, "hour")):
        if minutes and minutes % size == 0:
            return f"{minutes // size} {word}{'' if minutes == size else 's'}"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"
