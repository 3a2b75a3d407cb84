"""Shifts out of a calendar file. Importing it again adds nothing; what changed in it changes here; the past stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.ical_read import read_events
from portal.core.intervals import Interval
from portal.core.shift_import import Candidate, ImportPlan, KnownShift, plan_import
from portal.core.wallclock import wall_of
from portal.models import SITE_SCHEDULE, ScheduleRow, ShiftRow, UnitOfWork, User
from portal.services.audit import Change, record_change
from portal.services.schedules import ROLES, load_schedule, read_shift
from portal.services.shifts import StoredShift, edit_shift, remove_shift

_BEHIND, _AHEAD, _ENDLESS = timedelta(days=1830), timedelta(days=3660), timedelta(days=731)


@dataclass(frozen=True)
class ImportPreview:
    """What an import would do, with the names of everybody in it. `faults` are of the file and of its events; `version`
    is the schedule's."""

    plan: ImportPlan
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    names: Mapping[int, str]
    version: int


def plan_shift_import(
    session: Session, data: bytes, *, now: datetime, schedule_id: int = SITE_SCHEDULE
) -> ImportPreview:
    """What importing this file would change. Reads events of the last five years and the next ten; what repeats without
    end for two. Raises DomainError when nothing of the file can be read."""
    stored = load_schedule(session, schedule_id)
    zone = stored.roster.zone
    window = Interval(now - _BEHIND, now + _AHEAD)
    result = read_events(data, window=window, zone=zone, endless_until=now + _ENDLESS)
    if result.faults and not result.events:
        raise DomainError(result.faults[0])
    rows = session.scalars(select(ShiftRow).where(ShiftRow.schedule_id == schedule_id).order_by(ShiftRow.id))
    plan = plan_import(
        result.events,
        zone=zone,
        candidates=_candidates(session),
        known=[KnownShift(read_shift(row), row.uid) for row in rows],
        wall=wall_of(now, zone=zone).replace(second=0, microsecond=0),
        cancelled=result.cancelled,
    )
    faults = (*result.faults, *plan.faults)
    return ImportPreview(plan, faults, result.notes, stored.names, stored.head.version)


def import_shifts(
    uow: UnitOfWork, data: bytes, *, change: Change, schedule_id: int = SITE_SCHEDULE, version: int | None = None
) -> ImportPreview:
    """Do it. With `version`, only while the schedule is still the one that was previewed. Raises DomainError."""
    preview = plan_shift_import(uow.session, data, now=change.at, schedule_id=schedule_id)
    if version is not None and version != preview.version:
        raise DomainError("Somebody changed this schedule meanwhile. Please look at the preview again.")
    plan = preview.plan
    for shift in plan.removed:
        remove_shift(uow, shift.id, change=change)
    faults = list(preview.faults)
    for before, after in plan.changed:
        row = uow.session.get_one(ShiftRow, before.id)
        try:
            edit_shift(uow, StoredShift(after, row.version, schedule_id), change=change)
        except DomainError as error:  # two events that changed places: the roster is what the file says all the same
            faults.append(str(error))
    uow.session.add_all(
        ShiftRow(
            schedule_id=schedule_id, uid=key, user_id=shift.person_id, starts=shift.starts, ends=shift.ends,
            note=shift.note, level=shift.level,
        )
        for key, shift in plan.added
    )  # fmt: skip
    if plan.added or plan.changed or plan.removed:
        schedule = uow.session.get_one(ScheduleRow, schedule_id)
        schedule.changed_at = change.at
        counts = {"added": len(plan.added), "changed": len(plan.changed), "removed": len(plan.removed)}
        record_change(uow, change, "shift.import", schedule.name, schedule_id=schedule_id, **counts)
    uow.session.flush()
    return replace(preview, faults=tuple(faults))


def _candidates(session: Session) -> list[Candidate]:
    """Whoever can be on call."""
    rows = session.execute(
        select(User.id, User.name, User.email).where(User.is_active, User.role.in_(ROLES)).order_by(User.id)
    )
    return [Candidate(row.id, row.name, row.email) for row in rows]
