"""Closures and extra openings in the database. What has been stays: one that has begun is cut, never rewritten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.calendars import SpecialHours
from portal.core.errors import DomainError
from portal.core.shifts import YEARS
from portal.core.wallclock import wall_of
from portal.models import SITE_CALENDAR, SpecialHoursRow, UnitOfWork
from portal.models.versions import load_site_state
from portal.services.audit import Change, record_change
from portal.services.calendars import GONE

LONGEST_NAME = 200


@dataclass(frozen=True)
class SpecialEntry:
    """A closure or extra opening as the page shows it, with the calendar it stands in."""

    id: int
    calendar_id: int
    hours: SpecialHours


def list_special_hours(session: Session, calendar_id: int, *, since: datetime) -> list[SpecialEntry]:
    """Those that end after `since` (naive, on the calendar's wall clock), in order of their beginning."""
    own = select(SpecialHoursRow).where(SpecialHoursRow.calendar_id == calendar_id, SpecialHoursRow.ends > since)
    return [_entry(row) for row in session.scalars(own.order_by(SpecialHoursRow.starts, SpecialHoursRow.id))]


def find_special_hours(session: Session, special_id: int) -> SpecialEntry | None:
    """One of them, None when it is gone."""
    row = session.get(SpecialHoursRow, special_id)
    return _entry(row) if row else None


def add_special_hours(
    uow: UnitOfWork, special: SpecialHours, *, change: Change, calendar_id: int = SITE_CALENDAR
) -> int:
    """Close or open the shop for a stretch of time. Returns the id.

    Raises DomainError when the calendar is gone, the very same stands there already, or a year or name cannot be meant.
    """
    _wall(uow.session, calendar_id, change.at)
    special = _checked(uow.session, special, calendar_id)
    row = SpecialHoursRow(calendar_id=calendar_id, **_columns(special))
    uow.session.add(row)
    uow.session.flush()
    _note(uow, change, "special_hours.add", special, calendar_id)
    return row.id


def edit_special_hours(
    uow: UnitOfWork, special_id: int, special: SpecialHours, *, change: Change, seen: SpecialHours | None = None
) -> None:
    """Replace one. Of one that has begun, what has been stays, and the rest becomes one of its own.

    Raises DomainError as `add_special_hours` does, when it is over or gone, or is no longer what was `seen`: of two
    people who edit it, the later is told.
    """
    row = _existing(uow.session, special_id)
    before, wall = _read(row), _wall(uow.session, row.calendar_id, change.at)
    if before == special:
        return
    _refuse_unseen(before, seen)
    _refuse_over(before, wall)
    special = _checked(uow.session, special, row.calendar_id, but=special_id)
    if before.starts >= wall or _keeps_the_past(before, special, wall):
        for key, value in _columns(special).items():
            setattr(row, key, value)
    else:
        if special.ends <= wall:
            raise DomainError("That lies in the past. To end it now, remove it.")
        row.ends = wall
        rest = SpecialHours(max(special.starts, wall), special.ends, special.is_open, special.name)
        uow.session.add(SpecialHoursRow(calendar_id=row.calendar_id, **_columns(rest)))
    _note(uow, change, "special_hours.edit", special, row.calendar_id, before=plain_special(before))


def remove_special_hours(uow: UnitOfWork, special_id: int, *, change: Change, seen: SpecialHours | None = None) -> None:
    """Take one out; of one that has begun, the rest. Raises DomainError when it is over or gone, or not what was
    `seen`."""
    row = _existing(uow.session, special_id)
    before, wall = _read(row), _wall(uow.session, row.calendar_id, change.at)
    _refuse_unseen(before, seen)
    _refuse_over(before, wall)
    _note(uow, change, "special_hours.remove", before, row.calendar_id)
    if before.starts >= wall:
        uow.session.delete(row)
    else:
        row.ends = wall


def plain_special(special: SpecialHours) -> dict[str, str]:
    """As words for the audit and the settings file: closed or open, from, to, name."""
    return {
        "kind": "open" if special.is_open else "closed",
        "from": f"{special.starts:%Y-%m-%d %H:%M}",
        "to": f"{special.ends:%Y-%m-%d %H:%M}",
        **({"name": special.name} if special.name else {}),
    }


def _existing(session: Session, special_id: int) -> SpecialHoursRow:
    row = session.get(SpecialHoursRow, special_id)
    if row is None:
        raise DomainError("These special hours are gone: somebody removed them meanwhile.")
    return row


def _entry(row: SpecialHoursRow) -> SpecialEntry:
    return SpecialEntry(row.id, row.calendar_id, _read(row))


def _read(row: SpecialHoursRow) -> SpecialHours:
    return SpecialHours(row.starts, row.ends, row.is_open, row.name)


def _columns(special: SpecialHours) -> dict[str, object]:
    return {"starts": special.starts, "ends": special.ends, "is_open": special.is_open, "name": special.name}


def _wall(session: Session, calendar_id: int, at: datetime) -> datetime:
    """The minute the calendar's clock shows. Raises DomainError when the calendar is gone."""
    head = load_site_state(session).calendars.get(calendar_id)
    if head is None:
        raise DomainError(GONE)
    return wall_of(at, zone=head.zone).replace(second=0, microsecond=0)


def _checked(session: Session, special: SpecialHours, calendar_id: int, *, but: int = 0) -> SpecialHours:
    name = " ".join(special.name.split())
    if len(name) > LONGEST_NAME:
        raise DomainError(f"The name may have at most {LONGEST_NAME} characters.")
    if special.starts.year not in YEARS or special.ends.year not in YEARS:
        raise DomainError("The year must lie between 2000 and 2199.")
    same = select(SpecialHoursRow.id).where(
        SpecialHoursRow.calendar_id == calendar_id,
        SpecialHoursRow.starts == special.starts,
        SpecialHoursRow.ends == special.ends,
        SpecialHoursRow.is_open == special.is_open,
        SpecialHoursRow.id != but,
    )
    if session.scalar(same) is not None:
        raise DomainError("The very same stands in the calendar already.")
    return SpecialHours(special.starts, special.ends, special.is_open, name)


def _refuse_unseen(special: SpecialHours, seen: SpecialHours | None) -> None:
    if seen is not None and seen != special:
        raise DomainError("Somebody else changed this meanwhile. Please look at it again.")


def _refuse_over(special: SpecialHours, wall: datetime) -> None:
    if special.ends <= wall:
        raise DomainError("This is over. What was open or closed then stays as it was.")


def _keeps_the_past(before: SpecialHours, after: SpecialHours, wall: datetime) -> bool:
    return (before.starts, before.is_open) == (after.starts, after.is_open) and after.ends >= wall


def _note(
    uow: UnitOfWork, change: Change, action: str, special: SpecialHours, calendar_id: int, **data: object
) -> None:
    record_change(uow, change, action, special.name, **plain_special(special), calendar_id=calendar_id, **data)
