"""On-call shifts in the database. Whoever asks who is on call asks here, and core/oncall.py answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.oncall import Duty, Shift, who_is_on_call
from portal.core.wallclock import wall_of
from portal.models import Phone, ShiftRow, UnitOfWork, User
from portal.services.audit import Change, record_change

ROLES = ("admin", "manager", "technician")
# No zone is further than 15 hours from UTC, no change of the clock longer than a day.
_MARGIN = timedelta(days=2)


@dataclass(frozen=True)
class Member:
    """Somebody who can be put on call. `has_phone` is false when no number of theirs may be texted."""

    id: int
    name: str
    is_active: bool
    has_phone: bool


@dataclass(frozen=True)
class StoredShift:
    """A shift with the version a form was filled from."""

    shift: Shift
    version: int


def on_call_at(session: Session, at: datetime, *, zone: ZoneInfo) -> tuple[Duty, ...]:
    """Who is on call at `at`; disabled people are not. The one answer for page, dashboard and engine. One statement."""
    return tuple(duty for duty, _ in people_on_call_at(session, at, zone=zone))


def people_on_call_at(session: Session, at: datetime, *, zone: ZoneInfo) -> tuple[tuple[Duty, str], ...]:
    """The same answer with everybody's name. One statement."""
    wall = wall_of(at, zone=zone)
    query = select(ShiftRow, User.name).join(User, User.id == ShiftRow.user_id).where(User.is_active)
    near = query.where(ShiftRow.ends > wall - _MARGIN, ShiftRow.starts < wall + _MARGIN)
    rows = session.execute(near.order_by(ShiftRow.starts, ShiftRow.id)).all()
    names = {row.user_id: name for row, name in rows}
    duties = who_is_on_call([_shift(row) for row, _ in rows], zone=zone, at=at)
    return tuple((duty, names[duty.person_id]) for duty in duties)


def load_shifts(session: Session, *, starts: datetime, ends: datetime, with_disabled: bool = False) -> list[Shift]:
    """Shifts that touch `[starts, ends)` on the wall clock, in order; without those of disabled people unless asked."""
    query = select(ShiftRow).where(ShiftRow.ends > starts, ShiftRow.starts < ends)
    if not with_disabled:
        query = query.join(User, User.id == ShiftRow.user_id).where(User.is_active)
    return [_shift(row) for row in session.scalars(query.order_by(ShiftRow.starts, ShiftRow.id))]


def find_shift(session: Session, shift_id: int) -> StoredShift | None:
    """One shift, None when it is gone."""
    row = session.get(ShiftRow, shift_id)
    return StoredShift(_shift(row), row.version) if row else None


def list_members(session: Session) -> list[Member]:
    """Everyone who can be on call, by name, and disabled people who still have shifts. One statement."""
    has_shift = exists().where(ShiftRow.user_id == User.id)
    has_phone = exists().where(Phone.user_id == User.id, ~Phone.is_stopped)
    query = select(User.id, User.name, User.is_active, has_phone.label("has_phone"))
    rows = session.execute(
        query.where((User.is_active & User.role.in_(ROLES)) | has_shift).order_by(User.name, User.id)
    )
    return [Member(row.id, row.name, row.is_active, row.has_phone) for row in rows]


def add_shift(uow: UnitOfWork, shift: Shift, *, change: Change) -> int:
    """Put somebody on call; the id given is not used. Returns the new one.

    Raises DomainError when that person cannot be on call or has the very same shift already.
    """
    name = _checked(uow.session, shift)
    row = ShiftRow(user_id=shift.person_id, starts=shift.starts, ends=shift.ends, note=shift.note)
    uow.session.add(row)
    uow.session.flush()
    record_change(uow, change, "shift.add", name, after=_plain(_shift(row)))
    return row.id


def edit_shift(uow: UnitOfWork, stored: StoredShift, *, change: Change) -> None:
    """Replace a shift. Raises DomainError as `add_shift` does, when it is gone, or when `stored.version` is not the
    latest: of two people who edit the same shift, the later is told."""
    shift = stored.shift
    row = _existing(uow.session, shift.id)
    if row.version != stored.version:
        raise DomainError("Somebody else changed this shift meanwhile. Please look at it again.")
    name = _checked(uow.session, shift)
    before = _plain(_shift(row))
    row.user_id, row.starts, row.ends, row.note = shift.person_id, shift.starts, shift.ends, shift.note
    row.version += 1
    record_change(uow, change, "shift.edit", name, before=before, after=_plain(shift))


def remove_shift(uow: UnitOfWork, shift_id: int, *, change: Change) -> None:
    """Take a shift out. Raises DomainError when it is gone already."""
    row = _existing(uow.session, shift_id)
    name = uow.session.scalar(select(User.name).where(User.id == row.user_id)) or ""
    record_change(uow, change, "shift.remove", name, before=_plain(_shift(row)))
    uow.session.delete(row)


def _existing(session: Session, shift_id: int) -> ShiftRow:
    row = session.get(ShiftRow, shift_id)
    if row is None:
        raise DomainError("This shift is gone: somebody removed it meanwhile.")
    return row


def _checked(session: Session, shift: Shift) -> str:
    """The name of the person whose shift it is to be."""
    user = session.get(User, shift.person_id)
    if user is None or not user.is_active or user.role not in ROLES:
        raise DomainError("This person cannot be on call. Choose somebody from the list.")
    same = select(ShiftRow.id).where(
        ShiftRow.user_id == shift.person_id,
        ShiftRow.starts == shift.starts,
        ShiftRow.ends == shift.ends,
        ShiftRow.id != shift.id,
    )
    if session.scalar(same) is not None:
        raise DomainError(f"{user.name} has this very shift already.")
    return user.name


def _shift(row: ShiftRow) -> Shift:
    return Shift(row.id, row.user_id, row.starts, row.ends, row.note)


def _plain(shift: Shift) -> dict[str, str | int]:
    wall = {"starts": f"{shift.starts:%Y-%m-%d %H:%M}", "ends": f"{shift.ends:%Y-%m-%d %H:%M}"}
    return {"person_id": shift.person_id, **wall, "note": shift.note}
