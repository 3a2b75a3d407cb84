"""A small roster in Berlin, for the tests of its lint: Bob and Carol take nights, the shop is open on workdays."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from portal.core.calendars import BusinessHours, parse_week
from portal.core.findings import LintFacts, PhoneState, Worker
from portal.core.intervals import Interval
from portal.core.roster import Absence, Schedule
from portal.core.rotations import Rotation
from portal.core.shifts import Shift

BERLIN = ZoneInfo("Europe/Berlin")
ALICE, BOB, CAROL, MALLORY = 1, 2, 3, 4
NOW = datetime(2026, 11, 2, 7, tzinfo=UTC)  # Monday, 08:00 in Berlin
YEAR = Interval(NOW, NOW + timedelta(days=365))
HOURS = BusinessHours(BERLIN, parse_week(dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-18:00")))
PEOPLE = {ALICE: Worker("Alice"), BOB: Worker("Bob"), CAROL: Worker("Carol"), MALLORY: Worker("Mallory")}
WEEKS = Rotation(1, (BOB, CAROL), datetime(2026, 11, 2, 9))


def wall(month: int, day: int, hour: float = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day) + timedelta(hours=hour)


def instant(at: datetime) -> datetime:
    return at.replace(tzinfo=BERLIN).astimezone(UTC)


def held(starts: datetime, ends: datetime) -> Interval:
    return Interval(instant(starts), instant(ends))


def shift(person: int, starts: datetime, ends: datetime, *, id: int = 1, level: int = 0) -> Shift:
    return Shift(id, person, starts, ends, level=level)


def make_facts(*, people=None, hours=HOURS, **parts) -> LintFacts:
    """Facts of a schedule with these `parts`; `gone` are people who are away for good."""
    outside = {name: parts.pop(name) for name in ("rotations_named", "proposals", "year_to_review", "limits")
               if name in parts}  # fmt: skip
    gone = parts.pop("gone", ())
    absences = tuple(Absence(person, NOW - timedelta(days=3)) for person in gone)
    known = {**PEOPLE, **{person: Worker(PEOPLE[person].name, is_active=False) for person in gone}, **(people or {})}
    rotations = outside.pop("rotations_named", {})
    schedule = Schedule(BERLIN, members=(BOB, CAROL), absences=absences, **parts)
    return LintFacts(schedule, hours, known, rotations, **outside)


def with_phone(person: int, state: PhoneState) -> dict[int, Worker]:
    return {person: Worker(PEOPLE[person].name, phone=state)}
