"""What a change would do to a roster: the schedule with it, and who is on call that was not before."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from portal.core.intervals import Interval, merge_intervals, subtract_intervals
from portal.core.roster import RosterDuty, Schedule
from portal.core.rotations import Rotation


@dataclass(frozen=True, order=True)
class RosterChange:
    """A stretch in which one person is on call only after a change (`is_on`), or only before it."""

    span: Interval
    person_id: int
    is_on: bool


def close_rotation(rotation: Rotation, wall: datetime) -> Rotation | None:
    """What is left of a rotation that ends at `wall`: the past stays; None when it has none."""
    if rotation.ends is not None and rotation.ends <= wall:
        return rotation
    return replace(rotation, ends=wall) if rotation.begins < wall else None


def change_rotation(schedule: Schedule, ids: Collection[int], *, new: Rotation | None, wall: datetime) -> Schedule:
    """The schedule in which the rotations `ids` end at `wall`; `new`, if any, comes instead and counts from then on."""
    closed = (close_rotation(one, wall) if one.id in ids else one for one in schedule.rotations)
    return replace(schedule, rotations=(*filter(None, closed), *filter(None, (new,))))


def compare_rosters(before: Iterable[RosterDuty], after: Iterable[RosterDuty]) -> tuple[RosterChange, ...]:
    """Who is on call only after or only before a change, in order of time. Why they are on call is no matter."""
    then, now = _times(before), _times(after)
    found = [
        RosterChange(left, person, is_on)
        for have, had, is_on in ((now, then, True), (then, now, False))
        for person, spans in have.items()
        for span in spans
        for left in subtract_intervals(span, had.get(person, ()))
    ]
    return tuple(sorted(found))


def next_change(duties: Iterable[RosterDuty], at: datetime) -> datetime | None:
    """The first instant after `at` at which other people are on call than at `at`. None: not within these duties."""
    duties = tuple(duties)
    edges = sorted({edge for one in duties for edge in (one.starts_at, one.ends_at) if edge > at})
    now = _people(duties, at)
    return next((edge for edge in edges if _people(duties, edge) != now), None)


def _people(duties: Iterable[RosterDuty], at: datetime) -> set[int]:
    return {one.person_id for one in duties if one.starts_at <= at < one.ends_at}


def _times(duties: Iterable[RosterDuty]) -> dict[int, tuple[Interval, ...]]:
    found: dict[int, list[Interval]] = {}
    for duty in duties:
        found.setdefault(duty.person_id, []).append(Interval(duty.starts_at, duty.ends_at))
    return {person: merge_intervals(spans) for person, spans in found.items()}
