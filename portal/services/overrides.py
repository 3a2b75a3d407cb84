"""Exceptions from the roster: added once somebody has seen what comes of it, and taken back. What has been stays."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.calendars import BusinessHours
from portal.core.errors import DomainError
from portal.core.roster import Override, OverrideKind, Schedule
from portal.core.roster_preview import RosterPreview, fingerprint_of, preview_roster, whole_days
from portal.core.wallclock import wall_of
from portal.models import (
    SITE_CALENDAR,
    SITE_SCHEDULE,
    AuditEvent,
    OverrideRow,
    ScheduleRow,
    UnitOfWork,
    User,
)
from portal.services.audit import Change, record_change
from portal.services.calendars import load_hours
from portal.services.schedules import StoredSchedule, check_person, load_schedule, read_override

ADDED, REMOVED = "override.add", "override.remove"
_PAST = timedelta(days=90)
_MOST = 200
_UNDO = timedelta(hours=1)
_LOOKED_AT = 50
_STAMP = "%Y-%m-%d %H:%M"
# What is longer is a change of the roster, and nobody could look through it.
_LONGEST = timedelta(days=366)


class RosterMovedError(DomainError):
    """What somebody was shown is not what stands now. They are shown again, and decide again."""


@dataclass(frozen=True)
class StoredOverride:
    """An override as the list shows it. `made_by` is empty for the program itself."""

    override: Override
    person: str
    instead_of: str
    note: str
    made_by: str
    made_at: datetime
    swap_id: int | None
    schedule_id: int


@dataclass(frozen=True)
class OverridePreview:
    """The roster around an override, with and without it.

    Attributes:
        override: as it would be stored: nothing begins in the past.
        overlapping: others that hold some of its time, the one that wins last.
        seen: what saving is told, so that only what was shown is saved.
    """

    override: Override
    begins_now: bool
    roster: RosterPreview
    overlapping: tuple[StoredOverride, ...]
    seen: str


@dataclass(frozen=True)
class LastChange:
    """What `undo_change` would undo. `is_added` is false when it was taken back."""

    event_id: int
    is_added: bool
    what: str
    who: str
    at: datetime


def list_overrides(
    session: Session, *, now: datetime, schedule_id: int = SITE_SCHEDULE
) -> tuple[list[StoredOverride], list[StoredOverride]]:
    """Those to come, in order of time, and those over in the last three months, latest first. Two statements."""
    stored = load_schedule(session, schedule_id)
    wall = _wall(stored, now)
    own = select(OverrideRow).where(OverrideRow.schedule_id == schedule_id, OverrideRow.ends > wall - _PAST)
    rows = session.scalars(own.order_by(OverrideRow.starts, OverrideRow.id)).all()
    found = [_stored(row, stored.names) for row in rows]
    over = [one for one in found if one.override.ends <= wall]
    return [one for one in found if one.override.ends > wall], over[::-1][:_MOST]


def find_override(session: Session, override_id: int) -> StoredOverride | None:
    """One override, None when it is gone."""
    row = session.get(OverrideRow, override_id)
    return _stored(row, load_schedule(session, row.schedule_id).names) if row else None


def preview_override(
    session: Session, override: Override, *, now: datetime, schedule_id: int = SITE_SCHEDULE
) -> OverridePreview:
    """What the roster would be. Raises DomainError when it cannot be: a wrong person, a time that is over."""
    stored, hours = _load(session, schedule_id)
    wall = _wall(stored, now)
    _check(session, override, wall)
    cut = replace(override, starts=max(override.starts, wall))
    return _preview(session, stored, hours, cut, begins_now=cut.starts == wall)


def add_override(
    uow: UnitOfWork, override: Override, *, seen: str, change: Change, note: str = "", schedule_id: int = SITE_SCHEDULE
) -> int:
    """Save what was shown; the id given is not used. One that begins in the past begins now. Returns the new id.

    Raises RosterMovedError when `seen` is not what would be shown now, DomainError as `preview_override` does.
    """
    session = uow.session
    stored, hours = _load(session, schedule_id)
    _check(session, override, _wall(stored, change.at))
    shown = _preview(session, stored, hours, override)
    if seen != shown.seen:
        is_other = seen.split(".")[0] != shown.seen.split(".", maxsplit=1)[0]
        words = "This is what the roster would be. Save it if it is right."
        raise RosterMovedError(words if is_other else "The roster has changed since you looked. Please look again.")
    last = shown.overlapping[-1] if shown.overlapping else None
    if last and replace(last.override, id=0) == replace(override, id=0):
        raise DomainError("This very exception stands already.")
    cut = replace(override, starts=max(override.starts, _wall(stored, change.at)))
    return write_override(uow, cut, note=note, change=change, schedule_id=schedule_id)


def write_override(
    uow: UnitOfWork,
    override: Override,
    *,
    change: Change,
    schedule_id: int,
    note: str = "",
    swap_id: int | None = None,
    override_id: int | None = None,
) -> int:
    """Add the row without asking what the roster becomes: a swap has asked, or something is restored. Returns its id,
    which decides what wins."""
    row = OverrideRow(
        schedule_id=schedule_id,
        kind=str(override.kind),
        user_id=override.person_id,
        instead_of_id=override.instead_of,
        starts=override.starts,
        ends=override.ends,
        note=note,
        swap_id=swap_id,
        created_at=change.at,
        created_by=change.actor_id,
    )
    if override_id is not None and uow.session.get(OverrideRow, override_id) is None:
        row.id = override_id
    uow.session.add(row)
    uow.session.flush()
    _record(uow, change, ADDED, row)
    return row.id


def preview_removal(session: Session, override_id: int, *, now: datetime) -> OverridePreview:
    """What the roster would be without it. Raises DomainError when it is gone or over."""
    row = _existing(session, override_id)
    stored, hours = _load(session, row.schedule_id)
    wall = _wall(stored, now)
    override = read_override(row)
    _refuse_over(override, wall)
    return _removal(session, stored, hours, override, wall)


def remove_override(uow: UnitOfWork, override_id: int, *, seen: str, change: Change) -> None:
    """Take it back; of one that has begun, the rest. Raises as `preview_removal`, and RosterMovedError when the roster
    is not what was shown any more."""
    row = _existing(uow.session, override_id)
    stored, hours = _load(uow.session, row.schedule_id)
    wall = _wall(stored, change.at)
    override = read_override(row)
    _refuse_over(override, wall)
    if seen != _removal(uow.session, stored, hours, override, wall).seen:
        raise RosterMovedError("The roster has changed since you looked. Please look again.")
    _take_back(uow, row, wall, change)


def last_change(session: Session, *, now: datetime, schedule_id: int = SITE_SCHEDULE) -> LastChange | None:
    """The last override that somebody added or took back in this schedule, while it can be undone: for an hour, and as
    long as some of its time is to come."""
    recent = select(AuditEvent).where(AuditEvent.action.in_((ADDED, REMOVED)), AuditEvent.at > now - _UNDO)
    events = session.scalars(recent.order_by(AuditEvent.id.desc()).limit(_LOOKED_AT))
    event = next((one for one in events if one.data.get("schedule_id") == schedule_id), None)
    if event is None or "override" not in event.data:
        return None  # the settings file made it, and takes it back
    if event.data["override"]["swap_id"] is not None:
        return None  # half of a swap is nothing to undo
    if _of_data(event.data)[0].ends <= _wall(load_schedule(session, schedule_id), now):
        return None
    who = session.scalar(select(User.name).where(User.id == event.actor_id)) if event.actor_id else ""
    return LastChange(event.id, event.action == ADDED, event.subject, who or "", event.at)


def undo_change(uow: UnitOfWork, event_id: int, *, change: Change, schedule_id: int = SITE_SCHEDULE) -> None:
    """Take back what was added last, or put back what was taken last. Raises DomainError when it is not the last any
    more."""
    last = last_change(uow.session, now=change.at, schedule_id=schedule_id)
    if last is None or last.event_id != event_id:
        raise DomainError(
            "This cannot be undone any more: somebody changed the exceptions meanwhile, or it is too old."
        )
    data = uow.session.get_one(AuditEvent, event_id).data
    override, more = _of_data(data)
    wall = _wall(load_schedule(uow.session, schedule_id), change.at)
    if last.is_added:
        _take_back(uow, _existing(uow.session, override.id), wall, change)
        return
    check_person(uow.session, override.person_id)
    row = uow.session.get(OverrideRow, override.id)
    if row is not None and row.ends == wall:  # cut this very minute
        row.ends, row.version = override.ends, row.version + 1
        _record(uow, change, ADDED, row)
        return
    # As it was, also in what it wins over; of one that had begun only the rest can come back, and wins over all.
    again = replace(override, starts=max(override.starts, wall))
    if row is not None:
        _refuse_overtaking(uow.session, row, again)
    write_override(uow, again, change=change, schedule_id=schedule_id, override_id=override.id, **more)


def _load(session: Session, schedule_id: int) -> tuple[StoredSchedule, BusinessHours]:
    stored = load_schedule(session, schedule_id)
    return stored, load_hours(session, stored.head.calendar_id or SITE_CALENDAR)


def _wall(stored: StoredSchedule, at: datetime) -> datetime:
    return wall_of(at, zone=stored.roster.zone).replace(second=0, microsecond=0)


def _check(session: Session, override: Override, wall: datetime) -> None:
    check_person(session, override.person_id)
    if override.instead_of is not None and session.get(User, override.instead_of) is None:
        raise DomainError("The person to be replaced is not known. Choose somebody from the list.")
    if override.instead_of == override.person_id:
        raise DomainError("Choose two different people: nobody can stand in for themselves.")
    _refuse_over(override, wall)


def _refuse_over(override: Override, wall: datetime) -> None:
    if override.ends <= wall:
        raise DomainError("This time is over. Who was on call then stays as it was.")


def _refuse_overtaking(session: Session, row: OverrideRow, again: Override) -> None:
    later = select(OverrideRow.id).where(
        OverrideRow.schedule_id == row.schedule_id,
        OverrideRow.id > row.id,
        OverrideRow.ends > again.starts,
        OverrideRow.starts < again.ends,
    )
    if session.scalar(later.limit(1)) is not None:
        raise DomainError(
            "Others that were made after it hold in its time, and it would win over them now. Add it anew to see what "
            "the roster would be."
        )


def _preview(
    session: Session, stored: StoredSchedule, hours: BusinessHours, override: Override, *, begins_now: bool = False
) -> OverridePreview:
    if override.ends - override.starts > _LONGEST:
        raise DomainError("An exception holds for a year at most. For longer, change the shifts or rotations.")
    known = stored.roster.overrides
    newest = replace(override, id=max((one.id for one in known), default=0) + 1)
    return _shown(session, stored, hours, override, replace(stored.roster, overrides=(*known, newest)), begins_now)


def _removal(
    session: Session, stored: StoredSchedule, hours: BusinessHours, override: Override, wall: datetime
) -> OverridePreview:
    rest = () if override.starts >= wall else (replace(override, ends=wall),)
    others = tuple(one for one in stored.roster.overrides if one.id != override.id)
    after = replace(stored.roster, overrides=(*others, *rest))
    return _shown(session, stored, hours, override, after, override.starts < wall, since=wall)


def _shown(
    session: Session,
    stored: StoredSchedule,
    hours: BusinessHours,
    override: Override,
    after: Schedule,
    begins_now: bool,
    *,
    since: datetime | None = None,
) -> OverridePreview:
    """`since`: of one that stands, what has been is not shown, and no more than a year of what is to come."""
    starts = max(override.starts, since or override.starts)
    span = whole_days(starts, min(override.ends, starts + _LONGEST), zone=stored.roster.zone)
    roster = preview_roster(stored.roster, after, span, hours=hours)
    own = hashlib.sha256(repr(replace(override, id=0)).encode()).hexdigest()[:12]
    same_time = select(OverrideRow).where(
        OverrideRow.schedule_id == stored.head.id,
        OverrideRow.ends > override.starts,
        OverrideRow.starts < override.ends,
        OverrideRow.id != override.id,
    )
    others = tuple(_stored(row, stored.names) for row in session.scalars(same_time.order_by(OverrideRow.id)))
    return OverridePreview(override, begins_now, roster, others, f"{own}.{fingerprint_of(roster, hours=hours)}")


def _existing(session: Session, override_id: int) -> OverrideRow:
    row = session.get(OverrideRow, override_id)
    if row is None:
        raise DomainError("This exception is gone: somebody took it back meanwhile.")
    return row


def _take_back(uow: UnitOfWork, row: OverrideRow, wall: datetime, change: Change) -> None:
    _refuse_over(read_override(row), wall)
    _record(uow, change, REMOVED, row)
    if row.starts >= wall:
        uow.session.delete(row)
    else:
        row.ends, row.version = wall, row.version + 1


def _stored(row: OverrideRow, names: Mapping[int, str]) -> StoredOverride:
    return StoredOverride(
        read_override(row),
        names.get(row.user_id, ""),
        names.get(row.instead_of_id or 0, ""),
        row.note,
        names.get(row.created_by or 0, ""),
        row.created_at,
        row.swap_id,
        row.schedule_id,
    )


def _record(uow: UnitOfWork, change: Change, action: str, row: OverrideRow) -> None:
    uow.session.get_one(ScheduleRow, row.schedule_id).changed_at = change.at
    names = load_schedule(uow.session, row.schedule_id).names
    data = {
        "id": row.id,
        "kind": row.kind,
        "person_id": row.user_id,
        "instead_of": row.instead_of_id,
        "starts": row.starts.strftime(_STAMP),
        "ends": row.ends.strftime(_STAMP),
        "note": row.note,
        "swap_id": row.swap_id,
    }
    record_change(uow, change, action, names.get(row.user_id, ""), schedule_id=row.schedule_id, override=data)


def _of_data(event: Mapping[str, Any]) -> tuple[Override, dict[str, Any]]:
    """What `_record` wrote down: the override, and what else belongs to its row."""
    data = event["override"]
    starts, ends = (datetime.strptime(data[name], _STAMP) for name in ("starts", "ends"))  # noqa: DTZ007 - wall clock
    kind, person, other = OverrideKind(data["kind"]), data["person_id"], data["instead_of"]
    return Override(data["id"], kind, starts, ends, person, other), {"note": data["note"], "swap_id": data["swap_id"]}
