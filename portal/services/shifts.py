"""Shifts in the database. What has been stays: an edit or removal of a shift that has begun cuts it now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.shifts import Shift
from portal.core.wallclock import wall_of
from portal.models import SITE_SCHEDULE, ScheduleRow, ShiftRow, UnitOfWork, User
from portal.services.audit import Change, record_change
from portal.services.schedules import check_person, load_schedule, read_shift


@dataclass(frozen=True)
class StoredShift:
    """A shift with the version a form was filled from."""

    shift: Shift
    version: int
    schedule_id: int = SITE_SCHEDULE


def find_shift(session: Session, shift_id: int) -> StoredShift | None:
    """One shift, None when it is gone."""
    row = session.get(ShiftRow, shift_id)
    return StoredShift(read_shift(row), row.version, row.schedule_id) if row else None


def add_shift(uow: UnitOfWork, shift: Shift, *, change: Change, schedule_id: int = SITE_SCHEDULE, uid: str = "") -> int:
    """Put somebody on call; the id given is not used. `uid` names the event it came from. Returns the new id.

    Raises DomainError when that person cannot be on call or has the very same shift already.
    """
    name = check_person(uow.session, shift.person_id)
    _check_new(uow.session, shift, schedule_id, name)
    row = ShiftRow(schedule_id=schedule_id, uid=uid, **_columns(shift))
    uow.session.add(row)
    uow.session.flush()
    _note(uow, change, "shift.add", name, schedule_id, after=_plain(read_shift(row)))
    return row.id


def edit_shift(uow: UnitOfWork, stored: StoredShift, *, change: Change) -> None:
    """Replace a shift. One that has begun keeps what has been: the rest of it becomes a shift of its own.

    Raises DomainError as `add_shift` does, when it is gone or over, or when `stored.version` is not the latest: of two
    people who edit the same shift, the later is told.
    """
    shift = stored.shift
    row = _existing(uow.session, shift.id)
    if row.version != stored.version:
        raise DomainError("Somebody else changed this shift meanwhile. Please look at it again.")
    name = check_person(uow.session, shift.person_id)
    _check_new(uow.session, shift, row.schedule_id, name)
    before, wall = read_shift(row), _wall(uow.session, row.schedule_id, change.at)
    _refuse_over(before, wall)
    if before.starts >= wall or _keeps_the_past(before, shift, wall):
        for key, value in _columns(shift).items():
            setattr(row, key, value)
        row.version += 1
    else:
        rest = replace(shift, starts=max(shift.starts, wall))
        _cut(uow, row, wall)
        uow.session.add(ShiftRow(schedule_id=row.schedule_id, **_columns(rest)))
    _note(uow, change, "shift.edit", name, row.schedule_id, before=_plain(before), after=_plain(shift))


def remove_shift(uow: UnitOfWork, shift_id: int, *, change: Change) -> None:
    """Take a shift out; of one that has begun, the rest. Raises DomainError when it is gone or over."""
    row = _existing(uow.session, shift_id)
    before, wall = read_shift(row), _wall(uow.session, row.schedule_id, change.at)
    _refuse_over(before, wall)
    name = uow.session.scalar(select(User.name).where(User.id == row.user_id)) or ""
    _note(uow, change, "shift.remove", name, row.schedule_id, before=_plain(before))
    _cut(uow, row, wall)


def _existing(session: Session, shift_id: int) -> ShiftRow:
    row = session.get(ShiftRow, shift_id)
    if row is None:
        raise DomainError("This shift is gone: somebody removed it meanwhile.")
    return row


def _check_new(session: Session, shift: Shift, schedule_id: int, name: str) -> None:
    same = select(ShiftRow.id).where(
        ShiftRow.schedule_id == schedule_id,
        ShiftRow.user_id == shift.person_id,
        ShiftRow.starts == shift.starts,
        ShiftRow.ends == shift.ends,
        ShiftRow.level == shift.level,
        ShiftRow.id != shift.id,
    )
    if session.scalar(same) is not None:
        raise DomainError(f"{name} has this very shift already.")


def _wall(session: Session, schedule_id: int, at: datetime) -> datetime:
    """The minute the schedule's clock shows."""
    zone: ZoneInfo = load_schedule(session, schedule_id).roster.zone
    return wall_of(at, zone=zone).replace(second=0, microsecond=0)


def _refuse_over(shift: Shift, wall: datetime) -> None:
    if shift.ends <= wall:
        raise DomainError("This shift is over. Who was on call then stays as it was.")


def _keeps_the_past(before: Shift, after: Shift, wall: datetime) -> bool:
    same = (before.person_id, before.starts, before.level) == (after.person_id, after.starts, after.level)
    return same and after.ends >= wall


def _cut(uow: UnitOfWork, row: ShiftRow, wall: datetime) -> None:
    if row.starts >= wall:
        uow.session.delete(row)
    else:
        row.ends, row.version = wall, row.version + 1


def _columns(shift: Shift) -> dict[str, object]:
    return {
        "user_id": shift.person_id, "starts": shift.starts, "ends": shift.ends, "note": shift.note,
        "level": shift.level,
    }  # fmt: skip


def _note(uow: UnitOfWork, change: Change, action: str, name: str, schedule_id: int, **data: object) -> None:
    uow.session.get_one(ScheduleRow, schedule_id).changed_at = change.at
    record_change(uow, change, action, name, schedule_id=schedule_id, **data)


def _plain(shift: Shift) -> dict[str, str | int]:
    wall = {"starts": f"{shift.starts:%Y-%m-%d %H:%M}", "ends": f"{shift.ends:%Y-%m-%d %H:%M}"}
    level = {"level": shift.level} if shift.level else {}
    return {"person_id": shift.person_id, **wall, **level, "note": shift.note}
