"""The roster: who is on call when, out of shifts, rotations, holidays and overrides. The one engine that says so.

At any instant: of all shifts and rotations that hold it, those of the highest level count, together. What the shop
decided for a holiday comes instead. Overrides come last, in the order they were made. All of it is wall-clock time of
one zone; an instant is made of it by `core/wallclock.py` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from portal.core.calendars import BusinessHours, open_intervals
from portal.core.errors import DomainError
from portal.core.intervals import Interval, subtract_intervals
from portal.core.rotations import Rotation, list_turns
from portal.core.shifts import Shift, check_years
from portal.core.wallclock import instant_of, interval_of, wall_of

# No zone is further than 15 hours from UTC, no change of the clock longer than a day.
_MARGIN = timedelta(days=2)


class SourceKind(StrEnum):
    """Why somebody is on call."""

    SHIFT = "shift"
    ROTATION = "rotation"
    HOLIDAY = "holiday"
    OVERRIDE = "override"


@dataclass(frozen=True, order=True)
class Source:
    """The row that puts somebody on call."""

    kind: SourceKind
    id: int


class OverrideKind(StrEnum):
    """What an override does to the people on call in its time."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"


@dataclass(frozen=True)
class Override:
    """An exception on the wall clock. `person_id` is on call too (add), is not (remove), or stands in for `instead_of`
    while that one would be on call, None: for everybody (replace). Raises DomainError when it has no length, or lies
    in a year nobody means."""

    id: int
    kind: OverrideKind
    starts: datetime
    ends: datetime
    person_id: int
    instead_of: int | None = None

    def __post_init__(self) -> None:
        if self.ends <= self.starts:
            raise DomainError("It ends before it starts. For a night, give the next day as its end.")
        check_years(self.starts, self.ends)


class HolidayPolicy(StrEnum):
    """Who is on call on a holiday. With NOBODY, what rings goes to the managers (`core/paging.py`)."""

    NORMAL = "normal"
    PERSON = "person"
    EVERYONE = "everyone"
    NOBODY = "nobody"


@dataclass(frozen=True)
class HolidayDuty:
    """What was decided for a holiday: its date from midnight to midnight. `person_id` with PERSON. Raises DomainError
    for a year nobody means."""

    id: int
    on: date
    policy: HolidayPolicy
    person_id: int | None = None

    def __post_init__(self) -> None:
        check_years(self.on)


@dataclass(frozen=True)
class Absence:
    """Time in which somebody cannot be on call, in UTC; without an end until further notice."""

    person_id: int
    starts_at: datetime
    ends_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether the person is away at `at`."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


@dataclass(frozen=True)
class Schedule:
    """Everything that says who is on call. `members`: who EVERYONE is. What is said of somebody who is away says
    nothing: their turns fall to the next in order, their shifts hide nobody, and nobody gives way to them."""

    zone: ZoneInfo
    shifts: tuple[Shift, ...] = ()
    rotations: tuple[Rotation, ...] = ()
    overrides: tuple[Override, ...] = ()
    holidays: tuple[HolidayDuty, ...] = ()
    members: tuple[int, ...] = ()
    absences: tuple[Absence, ...] = ()


@dataclass(frozen=True)
class RosterDuty:
    """One person on call for one reason, without a break: `[starts_at, ends_at)` in UTC."""

    person_id: int
    starts_at: datetime
    ends_at: datetime
    source: Source


@dataclass(frozen=True)
class Claim:
    """A stretch for which a shift or a rotation names somebody; it counts at its level."""

    span: Interval
    level: int
    person_id: int
    source: Source


_People = dict[int, Source]
Held = TypeVar("Held")
_Rule = tuple[Interval, Callable[[_People], _People]]


def make_roster(schedule: Schedule, span: Interval) -> tuple[RosterDuty, ...]:
    """Who is on call within `span`, cut to it, in order of time. What this says is what rings."""
    found: list[RosterDuty] = []
    for piece, away in _pieces(schedule.absences, span):
        found = _joined(found, _roster_of(schedule, piece, away), at=piece.starts_at)
    return tuple(sorted(found, key=lambda duty: (duty.starts_at, duty.source, duty.person_id)))


def is_left_to_managers(schedule: Schedule, at: datetime) -> bool:
    """Whether `at` lies on a holiday of which the shop decided that nobody is on call: the managers are asked then."""
    today = wall_of(at, zone=schedule.zone).date()
    return any(one.on == today and one.policy is HolidayPolicy.NOBODY for one in schedule.holidays)


def coverage_gaps(
    duties: Iterable[RosterDuty], *, span: Interval, hours: BusinessHours | None = None
) -> tuple[Interval, ...]:
    """The time within `span` when nobody is on call. With `hours`, only time when the shop is closed counts."""
    taken = [Interval(duty.starts_at, duty.ends_at) for duty in duties]
    if hours is not None:
        taken.extend(open_intervals(hours, span))
    return subtract_intervals(span, taken)


def _pieces(absences: tuple[Absence, ...], span: Interval) -> Iterable[tuple[Interval, frozenset[int]]]:
    """The span, cut where somebody leaves or comes back."""
    borders = {at for one in absences for at in (one.starts_at, one.ends_at) if at is not None and at in span}
    for starts_at, ends_at in pairwise([*sorted(borders | {span.starts_at}), span.ends_at]):
        yield Interval(starts_at, ends_at), frozenset(one.person_id for one in absences if one.holds(starts_at))


def _joined(earlier: list[RosterDuty], later: list[RosterDuty], *, at: datetime) -> list[RosterDuty]:
    """Both, in which a duty that goes on at `at` is one."""
    going_on = {(duty.person_id, duty.source): duty for duty in earlier if duty.ends_at == at}
    found = []
    for duty in later:
        before = going_on.pop((duty.person_id, duty.source), None) if duty.starts_at == at else None
        found.append(replace(duty, starts_at=before.starts_at) if before else duty)
    return [duty for duty in earlier if duty.ends_at != at] + list(going_on.values()) + found


def _roster_of(schedule: Schedule, span: Interval, away: frozenset[int]) -> list[RosterDuty]:
    claims = list_claims(schedule, span, away)
    rules = [*_holiday_rules(schedule, away), *_override_rules(schedule, span, away)]
    rules = [(held, rule) for held, rule in rules if held.starts_at < span.ends_at and span.starts_at < held.ends_at]
    edges = sorted({edge for held in (span, *(one.span for one in claims), *(held for held, _ in rules))
                    for edge in (held.starts_at, held.ends_at) if span.starts_at <= edge <= span.ends_at})  # fmt: skip
    found: list[RosterDuty] = []
    running: dict[tuple[int, Source], datetime] = {}
    walk_claims, walk_rules = _Walk(claims, lambda one: one.span), _Walk(rules, lambda one: one[0])
    for edge in edges:
        people: _People = {}
        if edge < span.ends_at:
            people = _highest(walk_claims.at(edge))
            for _, rule in walk_rules.at(edge):
                people = rule(people)
        now = set(people.items())
        for key in [key for key in running if key not in now]:
            found.append(RosterDuty(key[0], running.pop(key), edge, key[1]))
        for key in now:
            running.setdefault(key, edge)
    return found


class _Walk(Generic[Held]):
    """What holds an instant, asked with instants that only grow. In the order it was given."""

    def __init__(self, held: Iterable[Held], span_of: Callable[[Held], Interval]) -> None:
        self._coming = sorted(
            ((span_of(one), n, one) for n, one in enumerate(held)), key=lambda row: row[:2], reverse=True
        )
        self._now: list[tuple[Interval, int, Held]] = []

    def at(self, at: datetime) -> list[Held]:
        """Everything whose stretch holds `at`."""
        self._now = [row for row in self._now if row[0].ends_at > at]
        while self._coming and self._coming[-1][0].starts_at <= at:
            row = self._coming.pop()
            if row[0].ends_at > at:
                self._now.append(row)
        return [one for _, _, one in sorted(self._now, key=lambda row: row[1])]


def _highest(claims: list[Claim]) -> _People:
    """The people of the highest level; of two reasons for one person, the one that lasts longer."""
    top = max((claim.level for claim in claims), default=0)
    counted = (claim for claim in claims if claim.level == top)
    best: dict[int, Claim] = {}
    for claim in counted:
        known = best.get(claim.person_id)
        if known is None or claim.span.ends_at > known.span.ends_at:
            best[claim.person_id] = claim
    return {person: claim.source for person, claim in best.items()}


def list_claims(schedule: Schedule, span: Interval, away: frozenset[int]) -> list[Claim]:
    """What shifts and rotations say of the time around `span`, not cut to it, before levels and exceptions count."""
    starts, ends = _walls(schedule, span)
    found = [
        Claim(interval_of(shift.starts, shift.ends, zone=schedule.zone), shift.level, shift.person_id,
               Source(SourceKind.SHIFT, shift.id))
        for shift in schedule.shifts
        if shift.starts < ends and starts < shift.ends and shift.person_id not in away
    ]  # fmt: skip
    for rotation in schedule.rotations:
        source = Source(SourceKind.ROTATION, rotation.id)
        for turn in list_turns(rotation, starts, ends, away=away):
            held = interval_of(turn.starts, turn.ends, zone=schedule.zone)
            found.append(Claim(held, rotation.level, turn.person_id, source))
    return [
        one for one in found if one.span and one.span.starts_at < span.ends_at and span.starts_at < one.span.ends_at
    ]


def _walls(schedule: Schedule, span: Interval) -> tuple[datetime, datetime]:
    """Wall-clock times that lie before and after all of `span`, whatever the clock does."""
    starts, ends = (wall_of(at, zone=schedule.zone) for at in (span.starts_at, span.ends_at))
    return starts - _MARGIN, ends + _MARGIN


def _holiday_rules(schedule: Schedule, away: frozenset[int]) -> Iterable[_Rule]:
    for holiday in schedule.holidays:
        # Both borders are first occurrences: a date ends where the next begins, even in a doubled hour.
        first, last = (
            instant_of(datetime.combine(day, time()), zone=schedule.zone)
            for day in (holiday.on, holiday.on + timedelta(days=1))
        )
        yield Interval(first, last), _holiday_rule(holiday, [one for one in schedule.members if one not in away], away)


def _holiday_rule(holiday: HolidayDuty, members: list[int], away: frozenset[int]) -> Callable[[_People], _People]:
    source = Source(SourceKind.HOLIDAY, holiday.id)
    match holiday.policy:
        case HolidayPolicy.NORMAL:
            return lambda people: people
        case HolidayPolicy.NOBODY:
            return lambda people: {}
        case HolidayPolicy.EVERYONE:
            return lambda people: dict.fromkeys(members, source) or people
        case HolidayPolicy.PERSON:
            person = holiday.person_id
            if person is None or person in away:
                return lambda people: people
            return lambda people: {person: source}


def _override_rules(schedule: Schedule, span: Interval, away: frozenset[int]) -> Iterable[_Rule]:
    starts, ends = _walls(schedule, span)
    near = (one for one in schedule.overrides if one.starts < ends and starts < one.ends)
    for override in sorted(near, key=lambda one: one.id):
        if override.person_id not in away:
            yield interval_of(override.starts, override.ends, zone=schedule.zone), _override_rule(override)


def _override_rule(override: Override) -> Callable[[_People], _People]:
    source, person, other = Source(SourceKind.OVERRIDE, override.id), override.person_id, override.instead_of

    def add(people: _People) -> _People:
        return {**people, person: people.get(person, source)}

    def remove(people: _People) -> _People:
        return {one: why for one, why in people.items() if one != person}

    def replace(people: _People) -> _People:
        if other is None:
            return {person: source}
        if other not in people:
            return people
        return {**{one: why for one, why in people.items() if one != other}, person: people.get(person, source)}

    return {OverrideKind.ADD: add, OverrideKind.REMOVE: remove, OverrideKind.REPLACE: replace}[override.kind]
