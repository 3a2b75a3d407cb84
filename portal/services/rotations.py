"""Rotations in the database. What has been stays: a change ends the old row and opens a new one of the same series."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.calendars import format_week
from portal.core.errors import DomainError
from portal.core.intervals import Interval
from portal.core.roster import RosterDuty, Schedule, make_roster
from portal.core.roster_changes import RosterChange, change_rotation, compare_rosters
from portal.core.rotations import Rotation, reach_back, takes_two_turns
from portal.core.wallclock import wall_of
from portal.models import RotationRow, ScheduleRow, UnitOfWork
from portal.services.audit import Change, record_change
from portal.services.schedules import check_person, load_schedule, read_rotation

LOOK_AHEAD = timedelta(weeks=8)
LEVELS = range(-100, 101)


@dataclass(frozen=True)
class RotationSeries:
    """One rotation with all that was changed of it: `rows` in the order in which they count."""

    id: int
    schedule_id: int
    name: str
    rows: tuple[Rotation, ...]

    @property
    def latest(self) -> Rotation:
        """What was decided last."""
        return self.rows[-1]

    def is_over(self, wall: datetime) -> bool:
        """Whether nobody takes turns any more."""
        return self.latest.ends is not None and self.latest.ends <= wall

    def has_begun(self, wall: datetime) -> bool:
        """Whether it has a past."""
        return self.rows[0].begins < wall


@dataclass(frozen=True)
class RotationDraft:
    """A rotation as somebody typed it. `is_now`: it counts at once, otherwise from its first hand-off."""

    name: str
    rotation: Rotation
    is_now: bool = False


@dataclass(frozen=True)
class RotationPlan:
    """What saving would do, worked out by the engine that rings. `seen` goes with the form that saves it."""

    series: RotationSeries | None
    new: Rotation | None
    wall: datetime
    span: Interval
    before: tuple[RosterDuty, ...]
    after: tuple[RosterDuty, ...]
    changes: tuple[RosterChange, ...]
    warnings: tuple[str, ...]
    seen: str


class PreviewOutdatedError(DomainError):
    """What was previewed is not what would be saved now."""


def list_rotations(session: Session, schedule_id: int) -> list[RotationSeries]:
    """The rotations of a schedule in the order they were made, over or not. One statement."""
    rows = session.scalars(select(RotationRow).where(RotationRow.schedule_id == schedule_id).order_by(RotationRow.id))
    found: dict[int, list[RotationRow]] = {}
    for row in rows:
        found.setdefault(row.series_id or row.id, []).append(row)
    return [_series(series_id, of_series) for series_id, of_series in found.items()]


def find_rotation(session: Session, series_id: int) -> RotationSeries | None:
    """One rotation, None when it is gone."""
    rows = _rows(session, series_id)
    return _series(series_id, rows) if rows else None


def plan_rotation(
    session: Session, schedule_id: int, draft: RotationDraft, *, at: datetime, series_id: int | None = None
) -> RotationPlan:
    """What the roster of the next eight weeks would be with a new rotation, or with a change of one.

    Raises DomainError with a sentence for the form: nothing of it would count, somebody cannot be on call.
    """
    _check(draft)
    series = _existing(session, series_id, schedule_id) if series_id else None
    wall = _wall(session, schedule_id, at)
    known = {person for row in (series.rows if series else ()) for person in row.people}
    for person in set(draft.rotation.people) - known:
        check_person(session, person)
    new = _begin(replace(draft.rotation, id=0), wall, is_now=draft.is_now)
    return _plan(session, schedule_id, series, new, new.begins, at=at, content=repr(draft))


def plan_end(session: Session, series_id: int, ends: datetime, *, at: datetime) -> RotationPlan:
    """What the roster would be if the rotation ended at `ends` on the wall clock.

    Raises DomainError when that has been, or nothing would change.
    """
    series = _existing(session, series_id)
    wall = _wall(session, series.schedule_id, at)
    if ends < wall:
        raise DomainError("This time has been. Who was on call then stays as it was: end it now or later.")
    if series.latest.ends is not None and series.latest.ends <= ends:
        raise DomainError("It ends before that already.")
    return _plan(session, series.schedule_id, series, None, ends, at=at, content="end")


def add_rotation(uow: UnitOfWork, schedule_id: int, draft: RotationDraft, *, seen: str, change: Change) -> int:
    """Add what was previewed; `seen` is that of the plan. Returns the id of the series.

    Raises PreviewOutdatedError when it would do something else by now, DomainError as `plan_rotation` does.
    """
    _lock(uow, schedule_id)
    plan = plan_rotation(uow.session, schedule_id, draft, at=change.at)
    _check_seen(plan, seen)
    row = _open(uow, schedule_id, None, draft.name, plan)
    _note(uow, change, "rotation.add", draft.name, schedule_id, after=_plain(plan.new))
    return row.id


def edit_rotation(uow: UnitOfWork, series_id: int, draft: RotationDraft, *, seen: str, change: Change) -> None:
    """Change a rotation as was previewed: its row ends where the new one begins to count. Raises as `add_rotation`."""
    schedule_id = _existing(uow.session, series_id).schedule_id
    _lock(uow, schedule_id)
    plan = plan_rotation(uow.session, schedule_id, draft, at=change.at, series_id=series_id)
    _check_seen(plan, seen)
    before = _existing(uow.session, series_id).latest
    _close(uow, series_id, plan.wall)
    _open(uow, schedule_id, series_id, draft.name, plan)
    for row in _rows(uow.session, series_id):
        row.name = draft.name
    _note(uow, change, "rotation.edit", draft.name, schedule_id, before=_plain(before), after=_plain(plan.new))


def end_rotation(uow: UnitOfWork, series_id: int, ends: datetime, *, seen: str, change: Change) -> None:
    """End a rotation as was previewed. Raises as `plan_end` and `add_rotation` do."""
    schedule_id = _existing(uow.session, series_id).schedule_id
    _lock(uow, schedule_id)
    plan = plan_end(uow.session, series_id, ends, at=change.at)
    _check_seen(plan, seen)
    series = _existing(uow.session, series_id)
    _close(uow, series_id, plan.wall)
    _note(uow, change, "rotation.end", series.name, schedule_id, before=_plain(series.latest), ends=f"{plan.wall}")


def remove_rotation(uow: UnitOfWork, series_id: int, *, change: Change) -> None:
    """Take a rotation out that has not begun. Raises DomainError when it has, or is gone."""
    series = _existing(uow.session, series_id)
    if series.has_begun(_wall(uow.session, series.schedule_id, change.at)):
        raise DomainError("This rotation has begun. Who was on call stays as it was: end it instead.")
    for row in _rows(uow.session, series_id):
        uow.session.delete(row)
    _note(uow, change, "rotation.remove", series.name, series.schedule_id, before=_plain(series.latest))


def _series(series_id: int, rows: Sequence[RotationRow]) -> RotationSeries:
    read = sorted(map(read_rotation, rows), key=lambda one: (one.begins, one.id))
    return RotationSeries(series_id, rows[0].schedule_id, rows[-1].name, tuple(read))


def _rows(session: Session, series_id: int) -> Sequence[RotationRow]:
    of_series = (RotationRow.id == series_id) | (RotationRow.series_id == series_id)
    return session.scalars(select(RotationRow).where(of_series).order_by(RotationRow.id)).all()


def _existing(session: Session, series_id: int, schedule_id: int | None = None) -> RotationSeries:
    series = find_rotation(session, series_id)
    if series is None or schedule_id not in (None, series.schedule_id):
        raise DomainError("This rotation is gone: somebody removed it meanwhile.")
    return series


def _wall(session: Session, schedule_id: int, at: datetime) -> datetime:
    zone = load_schedule(session, schedule_id).roster.zone
    return wall_of(at, zone=zone).replace(second=0, microsecond=0)


def _check(draft: RotationDraft) -> None:
    if not draft.name.strip():
        raise DomainError("Give the rotation a name: the roster shows it as the reason.")
    if draft.rotation.level not in LEVELS:
        raise DomainError("A level lies between -100 and 100.")


def _begin(rotation: Rotation, wall: datetime, *, is_now: bool) -> Rotation:
    """The rotation from when it counts: never before now."""
    if rotation.ends is not None and rotation.ends <= max(wall, rotation.starts if not is_now else wall):
        raise DomainError("The rotation ends before anybody has a turn.")
    if is_now:
        return replace(reach_back(rotation, wall), since=wall)
    return replace(rotation, since=wall) if rotation.starts < wall else rotation


def _plan(
    session: Session,
    schedule_id: int,
    series: RotationSeries | None,
    new: Rotation | None,
    wall: datetime,
    *,
    at: datetime,
    content: str,
) -> RotationPlan:
    stored = load_schedule(session, schedule_id)
    rows = series.rows if series else ()
    changed = change_rotation(stored.roster, {row.id for row in rows}, new=new, wall=wall)
    span = Interval(at, at + LOOK_AHEAD)
    before, after = make_roster(stored.roster, span), make_roster(changed, span)
    made_of = (schedule_id, stored.head.version, stored.head.zone.key, series.id if series else 0, content)
    return RotationPlan(
        series, new, wall, span, before, after, compare_rosters(before, after),
        tuple(_warnings(rows, new, wall, stored.names, _away(stored.roster, at))),
        hashlib.sha256(repr(made_of).encode()).hexdigest()[:32],
    )  # fmt: skip


def _away(schedule: Schedule, at: datetime) -> set[int]:
    return {one.person_id for one in schedule.absences if one.holds(at)}


def _warnings(
    rows: Sequence[Rotation], new: Rotation | None, wall: datetime, names: Mapping[int, str], away: Collection[int]
) -> list[str]:
    if new is None:
        return []
    found = [
        f"{names[person]} is disabled: these turns fall to the next in order."
        for person in dict.fromkeys(new.people)
        if person in away
    ]
    left = {person for row in rows[-1:] for person in row.people} - set(new.people)
    found += [f"{names[person]} takes no turns here any more." for person in sorted(left)]
    twice = {takes_two_turns(row, new, wall) for row in rows} - {None}
    return found + [f"{names[one]} would be on call for more than one turn in a row." for one in twice if one]


def _check_seen(plan: RotationPlan, seen: str) -> None:
    if plan.seen != seen:
        raise PreviewOutdatedError(
            "This is not what you looked at: you changed something, or somebody else changed the schedule meanwhile. "
            "Here is the roster as it would be now."
        )


def _lock(uow: UnitOfWork, schedule_id: int) -> None:
    """Of two who save at once the second waits, and then sees what the first did."""
    uow.session.execute(select(ScheduleRow.id).where(ScheduleRow.id == schedule_id).with_for_update())


def _close(uow: UnitOfWork, series_id: int, wall: datetime) -> None:
    for row in _rows(uow.session, series_id):
        if read_rotation(row).begins >= wall:
            uow.session.delete(row)
        elif row.ends is None or row.ends > wall:
            row.ends, row.version = wall, row.version + 1
    uow.session.flush()


def _open(uow: UnitOfWork, schedule_id: int, series_id: int | None, name: str, plan: RotationPlan) -> RotationRow:
    new = plan.new
    assert new is not None  # a plan of a draft has one
    row = RotationRow(
        schedule_id=schedule_id, series_id=series_id, name=name, people=list(new.people), starts=new.starts,
        ends=new.ends, since=new.since, unit=new.unit.value, every=new.every,
        week=format_week(new.week) if new.week else None, by_shift=new.by_shift, level=new.level,
    )  # fmt: skip
    uow.session.add(row)
    uow.session.flush()
    return row


def _note(uow: UnitOfWork, change: Change, action: str, name: str, schedule_id: int, **data: Any) -> None:
    uow.session.get_one(ScheduleRow, schedule_id).changed_at = change.at
    record_change(uow, change, action, name, schedule_id=schedule_id, **data)


def _plain(rotation: Rotation | None) -> dict[str, Any]:
    assert rotation is not None  # nothing is written down of a plan without one
    times = {key: f"{at:%Y-%m-%d %H:%M}" for key in ("starts", "since", "ends") if (at := getattr(rotation, key))}
    week = {"week": format_week(rotation.week)} if rotation.week else {}
    return {
        "people": list(rotation.people), **times, "unit": rotation.unit.value, "every": rotation.every,
        "by_shift": rotation.by_shift, "level": rotation.level, **week,
    }  # fmt: skip
