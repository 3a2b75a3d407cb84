"""Shifts in the database. What has been stays: an edit or removal of a shift that has begun cuts it now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.shifts import Shift
from portal.core.wallclock import wall_of
from portal.models import SITE_SCHEDULE, AuditEvent, ScheduleRow, ShiftRow, UnitOfWork, User
from portal.services.audit import Change, record_change
from portal.services.schedules import check_person, load_head, read_shift

ADD, EDIT, REMOVE = "shift.add", "shift.edit", "shift.remove"
MOST_WEEKS = 52


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
    row = _insert(uow, shift, schedule_id, name, uid=uid)
    _note(uow, change, ADD, name, schedule_id, rows=[row], after=_plain(read_shift(row)))
    return row.id


def repeat_shift(uow: UnitOfWork, shift: Shift, *, weeks: int, change: Change, schedule_id: int = SITE_SCHEDULE) -> int:
    """Put somebody on call at this time of this week and of the `weeks` after it: one change, undone as one. Returns
    the first id. Raises DomainError as `add_shift` does."""
    if not 0 <= weeks <= MOST_WEEKS:
        raise DomainError(f"A shift is repeated for at most {MOST_WEEKS} weeks. For longer, make a rotation.")
    name = check_person(uow.session, shift.person_id)
    ahead = [timedelta(weeks=number) for number in range(weeks + 1)]
    all_of_them = [replace(shift, starts=shift.starts + by, ends=shift.ends + by) for by in ahead]
    rows = [_insert(uow, one, schedule_id, name) for one in all_of_them]
    _note(uow, change, ADD, name, schedule_id, rows=rows, after=_plain(shift))
    return rows[0].id


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
    if shift.ends <= wall and not _keeps_the_past(before, shift, wall):
        raise DomainError("It would end before now. What has been stays as it was: give an end that is to come.")
    if before.starts < wall and not _keeps_the_past(before, shift, wall):
        _cut(uow, row, wall)
        row = ShiftRow(schedule_id=row.schedule_id, uid=row.uid)
        uow.session.add(row)
    if not _keeps_the_past(before, shift, wall):
        shift = replace(shift, starts=max(shift.starts, wall))
    for key, value in _columns(shift).items():
        setattr(row, key, value)
    row.version = (row.version or 0) + 1
    uow.session.flush()
    _note(uow, change, EDIT, name, row.schedule_id, rows=[row], before=_plain(before), after=_plain(shift))


def remove_shift(uow: UnitOfWork, shift_id: int, *, change: Change, version: int | None = None) -> None:
    """Take a shift out; of one that has begun, the rest. Raises DomainError when it is gone or over, or when it is not
    the `version` that was looked at."""
    row = _existing(uow.session, shift_id)
    if version not in (None, row.version):
        raise DomainError("Somebody else changed this shift meanwhile. Please look at it again.")
    before, wall = read_shift(row), _wall(uow.session, row.schedule_id, change.at)
    _refuse_over(before, wall)
    name = uow.session.scalar(select(User.name).where(User.id == row.user_id)) or ""
    _note(uow, change, REMOVE, name, row.schedule_id, before=_plain(before))
    _cut(uow, row, wall)


def last_shift_change(session: Session, actor_id: int | None) -> AuditEvent | None:
    """What this person changed last of any shift: what they may undo. One statement."""
    query = select(AuditEvent).where(AuditEvent.actor_id == actor_id, AuditEvent.action.in_((ADD, EDIT, REMOVE)))
    return session.scalar(query.order_by(AuditEvent.id.desc()).limit(1))


def undo_shift_change(uow: UnitOfWork, event_id: int, *, change: Change) -> None:
    """Do the opposite of somebody's own last change from now on: what has been stays.

    Raises DomainError when something else came in between: another change by this person, or one of these shifts by
    somebody else; or when the time is over.
    """
    event = last_shift_change(uow.session, change.actor_id)
    if event is None or event.id != event_id:
        raise DomainError("This cannot be undone any more: only your last change can.")
    if event.action == ADD:
        for shift_id, version in event.data["rows"]:
            remove_shift(uow, shift_id, change=change, version=version)
        return
    before = _shift_of(event.data["before"])
    if event.action == EDIT:
        ((shift_id, version),) = event.data["rows"]
        edit_shift(uow, StoredShift(replace(before, id=shift_id), version), change=change)
        return
    wall = _wall(uow.session, event.data["schedule_id"], change.at)
    _refuse_over(before, wall)
    again = replace(before, starts=max(before.starts, wall))
    add_shift(uow, again, change=change, schedule_id=event.data["schedule_id"])


def _insert(uow: UnitOfWork, shift: Shift, schedule_id: int, name: str, uid: str = "") -> ShiftRow:
    _check_new(uow.session, shift, schedule_id, name)
    row = ShiftRow(schedule_id=schedule_id, uid=uid, **_columns(shift))
    uow.session.add(row)
    uow.session.flush()
    return row


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
    return wall_of(at, zone=load_head(session, schedule_id).zone).replace(second=0, microsecond=0)


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


def _note(
    uow: UnitOfWork,
    change: Change,
    action: str,
    name: str,
    schedule_id: int,
    rows: Sequence[ShiftRow] = (),
    **data: object,
) -> None:
    """The trace. `rows` are the ids and versions it left, which `undo_shift_change` goes by."""
    uow.session.get_one(ScheduleRow, schedule_id).changed_at = change.at
    left = [[row.id, row.version] for row in rows]
    record_change(uow, change, action, name, schedule_id=schedule_id, rows=left, **data)


def _plain(shift: Shift) -> dict[str, Any]:
    wall = {"starts": f"{shift.starts:%Y-%m-%d %H:%M}", "ends": f"{shift.ends:%Y-%m-%d %H:%M}"}
    level = {"level": shift.level} if shift.level else {}
    return {"person_id": shift.person_id, **wall, **level, "note": shift.note}


def _shift_of(plain: Mapping[str, Any]) -> Shift:
    """What `_plain` wrote down."""
    starts, ends = (datetime.fromisoformat(plain[key]) for key in ("starts", "ends"))
    return Shift(0, plain["person_id"], starts, ends, plain["note"], plain.get("level", 0))
