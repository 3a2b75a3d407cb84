"""Who is on call: shifts on the wall clock of one zone, and the one function that answers every page and the pager."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal.core.calendars import BusinessHours, open_intervals
from portal.core.errors import DomainError
from portal.core.intervals import Interval, subtract_intervals
from portal.core.wallclock import interval_of

YEARS = range(2000, 2200)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Shift:
    """One person on call. `starts` and `ends` are what the clock on the wall shows: naive, half-open.

    Raises DomainError when it has no length, ends before it starts, or lies in a year nobody means.
    """

    id: int
    person_id: int
    starts: datetime
    ends: datetime
    note: str = ""

    def __post_init__(self) -> None:
        if self.starts.year not in YEARS or self.ends.year not in YEARS:
            raise DomainError("The year of a shift must lie between 2000 and 2199.")
        if self.ends == self.starts:
            raise DomainError("The shift has no length: it ends at the minute it starts.")
        if self.ends < self.starts:
            raise DomainError("The shift ends before it starts. For a night, give the next day as its end.")


@dataclass(frozen=True)
class Duty:
    """A shift as instants: `[starts_at, ends_at)` in UTC."""

    person_id: int
    shift_id: int
    starts_at: datetime
    ends_at: datetime
    note: str = ""


@dataclass(frozen=True)
class Piece:
    """The part of a shift that lies on one date: minutes since local midnight, `end` at most 1440."""

    shift: Shift
    on: date
    start: int
    end: int

    @property
    def is_first(self) -> bool:
        return self.shift.starts.date() == self.on

    @property
    def is_last(self) -> bool:
        return self.shift.ends <= datetime.combine(self.on, time()) + _DAY


@dataclass(frozen=True)
class Lane:
    """One person's row: for each day asked for, the pieces on it by their start."""

    person_id: int
    days: tuple[tuple[Piece, ...], ...]


def shift_interval(shift: Shift, *, zone: ZoneInfo) -> Interval:
    """The shift in UTC. In a doubled hour it starts at the first and ends at the last occurrence, in a missing hour at
    the first instant after (product.md 3)."""
    return interval_of(shift.starts, shift.ends, zone=zone)


def who_is_on_call(shifts: Iterable[Shift], *, zone: ZoneInfo, at: datetime) -> tuple[Duty, ...]:
    """Everyone on call at `at`, each person once (with the shift that lasts longest), in the order they came on duty.

    The roster shown is the roster used: nothing else may answer this question.
    """
    latest: dict[int, Duty] = {}
    for shift in shifts:
        span = shift_interval(shift, zone=zone)
        duty = Duty(shift.person_id, shift.id, span.starts_at, span.ends_at, shift.note)
        known = latest.get(shift.person_id)
        if at in span and (known is None or _longevity(duty) > _longevity(known)):
            latest[shift.person_id] = duty
    return tuple(sorted(latest.values(), key=lambda duty: (duty.starts_at, duty.shift_id)))


def coverage_gaps(
    shifts: Iterable[Shift], *, zone: ZoneInfo, span: Interval, hours: BusinessHours | None = None
) -> tuple[Interval, ...]:
    """The time within `span` when nobody is on call. With `hours`, only time when the shop is closed counts."""
    taken = [shift_interval(shift, zone=zone) for shift in shifts]
    if hours is not None:
        taken.extend(open_intervals(hours, span))
    return subtract_intervals(span, taken)


def plan_lanes(shifts: Iterable[Shift], *, days: Sequence[date], person_ids: Sequence[int]) -> tuple[Lane, ...]:
    """A row per person for a week or a month; a shift past midnight is cut into one piece a day.

    Rows stand in the order of `person_ids`; people who have a shift on these days but are not listed follow.
    """
    by_person: dict[int, list[Shift]] = {person_id: [] for person_id in person_ids}
    for shift in sorted(shifts, key=lambda shift: (shift.starts, shift.id)):
        if any(_piece(shift, day) for day in days):
            by_person.setdefault(shift.person_id, []).append(shift)
    return tuple(
        Lane(person_id, tuple(tuple(filter(None, (_piece(shift, day) for shift in own))) for day in days))
        for person_id, own in by_person.items()
    )


def _longevity(duty: Duty) -> tuple[datetime, int]:
    return duty.ends_at, -duty.shift_id


def _piece(shift: Shift, day: date) -> Piece | None:
    midnight = datetime.combine(day, time())
    start, end = max(shift.starts, midnight), min(shift.ends, midnight + _DAY)
    if start >= end:
        return None
    minute = timedelta(minutes=1)
    return Piece(shift, day, (start - midnight) // minute, (end - midnight) // minute)
