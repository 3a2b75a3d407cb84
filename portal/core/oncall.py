"""Who is on call: shifts on the wall clock of one zone, and the one function that answers every page and the pager."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal.core.calendars import DAY, BusinessHours, open_intervals
from portal.core.errors import DomainError
from portal.core.intervals import Interval, subtract_intervals
from portal.core.wallclock import interval_of

YEARS = range(2000, 2200)


@dataclass(frozen=True)
class Shift:
    """One person on call. `starts` and `ends` are what the clock on the wall shows: naive, half-open. Of what overlaps
    only the highest `level` counts (core/roster.py).

    Raises DomainError when it has no length, ends before it starts, or lies in a year nobody means.
    """

    id: int
    person_id: int
    starts: datetime
    ends: datetime
    note: str = ""
    level: int = 0

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
class Bar:
    """The part of a shift that is seen in a calendar: minutes on the wall clock since the midnight it begins with."""

    shift: Shift
    start: int
    end: int


@dataclass(frozen=True)
class Lane:
    """One person's row. It has several tracks only where shifts of the same person overlap."""

    person_id: int
    tracks: tuple[tuple[Bar, ...], ...]


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


def plan_lanes(shifts: Iterable[Shift], *, first: date, days: int, person_ids: Sequence[int] = ()) -> tuple[Lane, ...]:
    """A row per person for `days` days from `first`, in the order of `person_ids`.

    People who have a shift on these days but are not listed follow; the listed ones have a row even without a shift.
    """
    tracks: dict[int, list[list[Bar]]] = {person_id: [] for person_id in person_ids}
    for shift in sorted(shifts, key=lambda shift: (shift.starts, shift.id)):
        bar = _bar(shift, first=first, days=days)
        if bar is None:
            continue
        own = tracks.setdefault(shift.person_id, [])
        free = next((track for track in own if track[-1].end <= bar.start), None)
        if free is None:
            own.append([bar])
        else:
            free.append(bar)
    return tuple(Lane(person_id, tuple(map(tuple, own))) for person_id, own in tracks.items())


def _longevity(duty: Duty) -> tuple[datetime, int]:
    return duty.ends_at, -duty.shift_id


def _bar(shift: Shift, *, first: date, days: int) -> Bar | None:
    midnight, minute = datetime.combine(first, time()), timedelta(minutes=1)
    start = max(0, (shift.starts - midnight) // minute)
    end = min(days * DAY, (shift.ends - midnight) // minute)
    return Bar(shift, start, end) if start < end else None
