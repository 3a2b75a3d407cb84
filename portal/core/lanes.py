"""The roster drawn as lanes: a row a person, the bars of a row on the wall clock of the schedule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal.core.calendars import DAY
from portal.core.roster import RosterDuty
from portal.core.wallclock import wall_of


@dataclass(frozen=True)
class Bar:
    """The part of a duty that is seen: minutes on the wall clock since the midnight the calendar begins with.

    `starts` and `ends` are those of the whole duty, as far as it was asked for.
    """

    duty: RosterDuty
    starts: datetime
    ends: datetime
    start: int
    end: int


@dataclass(frozen=True)
class Lane:
    """One person's row, in order of time."""

    person_id: int
    bars: tuple[Bar, ...]


def plan_lanes(
    duties: Iterable[RosterDuty], *, zone: ZoneInfo, first: date, days: int, person_ids: Sequence[int] = ()
) -> tuple[Lane, ...]:
    """A row per person for `days` days from `first`, in the order of `person_ids`.

    People who are on call on these days but are not listed follow; the listed ones have a row in any case.
    """
    lanes: dict[int, list[Bar]] = {person_id: [] for person_id in person_ids}
    for duty in sorted(duties, key=lambda duty: (duty.starts_at, duty.source)):
        own = lanes.get(duty.person_id, [])
        # In a doubled hour the clock on the wall goes back: what comes later is drawn behind what came before.
        bar = _bar(duty, zone=zone, first=first, days=days, free=own[-1].end if own else 0)
        if bar is not None:
            lanes.setdefault(duty.person_id, own).append(bar)
    return tuple(Lane(person_id, tuple(bars)) for person_id, bars in lanes.items())


def _bar(duty: RosterDuty, *, zone: ZoneInfo, first: date, days: int, free: int) -> Bar | None:
    midnight, minute = datetime.combine(first, time()), timedelta(minutes=1)
    starts, ends = wall_of(duty.starts_at, zone=zone), wall_of(duty.ends_at, zone=zone)
    start = max(free, (starts - midnight) // minute)
    end = min(days * DAY, (ends - midnight) // minute)
    return Bar(duty, starts, ends, start, end) if start < end else None
