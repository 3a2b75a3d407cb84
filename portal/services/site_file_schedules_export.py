"""From the schedules in the database to the settings file: what is not over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.core.rotations import Unit
from portal.core.wallclock import wall_of
from portal.models import (
    SITE_SCHEDULE,
    Calendar,
    HolidayPolicyRow,
    OverrideRow,
    RotationRow,
    ScheduleRow,
    ShiftRow,
    User,
)
from portal.models.versions import load_site_state

Entry = dict[str, Any]


def collect_shifts(session: Session, now: datetime) -> list[Entry]:
    """The shifts of the site's own schedule that are not over."""
    zone = load_site_state(session).schedules[SITE_SCHEDULE].zone
    return _shifts_of(session, SITE_SCHEDULE, wall_of(now, zone=zone), _mails(session))


def collect_schedules(session: Session, now: datetime) -> list[Entry]:
    """Every schedule, the site's own first, with what is not over."""
    mails = _mails(session)
    calendars = dict(row for row in session.execute(select(Calendar.id, Calendar.name)))
    found = []
    for row in session.scalars(select(ScheduleRow).order_by(ScheduleRow.id != SITE_SCHEDULE, ScheduleRow.name)):
        wall = wall_of(now, zone=load_site_state(session).schedules[row.id].zone)
        is_site = row.id == SITE_SCHEDULE
        found.append({
            "name": row.name,
            **({"site": True} if is_site else {}),
            "zone": row.zone,
            "calendar": calendars.get(row.calendar_id or 0, ""),
            "members": [mails[one] for one in row.members if one in mails],
            **({} if is_site else {"shifts": _shifts_of(session, row.id, wall, mails)}),
            "rotations": _rotations_of(session, row.id, wall, mails),
            "overrides": _overrides_of(session, row.id, wall, mails),
            "holidays": _holidays_of(session, row.id, wall, mails),
        })  # fmt: skip
    return found


def _mails(session: Session) -> dict[int, str]:
    return dict(row for row in session.execute(select(User.id, User.email)))


def _shifts_of(session: Session, schedule_id: int, wall: datetime, mails: dict[int, str]) -> list[Entry]:
    coming = select(ShiftRow).where(ShiftRow.schedule_id == schedule_id, ShiftRow.ends > wall)
    return [
        {"person": mails[row.user_id], **_span(row), **_level(row), **_note(row)}
        for row in session.scalars(coming.order_by(ShiftRow.starts, ShiftRow.id))
    ]


def _rotations_of(session: Session, schedule_id: int, wall: datetime, mails: dict[int, str]) -> list[Entry]:
    runs = or_(RotationRow.ends.is_(None), RotationRow.ends > wall)
    rows = session.scalars(select(RotationRow).where(RotationRow.schedule_id == schedule_id, runs))
    return [
        {
            **({"name": row.name} if row.name else {}),
            "people": [mails[one] for one in row.people],
            "starts": _moment(row.starts),
            **({"since": _moment(row.since)} if row.since and row.since > wall else {}),
            **({"unit": row.unit} if row.unit != Unit.WEEK else {}),
            **({"every": row.every} if row.every != 1 else {}),
            **({"ends": _moment(row.ends)} if row.ends else {}),
            **({"week": row.week} if row.week else {}),
            **({"by_shift": True} if row.by_shift else {}),
            **_level(row),
        }
        for row in sorted(rows, key=lambda row: row.id)
    ]


def _overrides_of(session: Session, schedule_id: int, wall: datetime, mails: dict[int, str]) -> list[Entry]:
    """In the order they were made, in which they count."""
    coming = select(OverrideRow).where(OverrideRow.schedule_id == schedule_id, OverrideRow.ends > wall)
    return [
        {
            "kind": row.kind, "person": mails[row.user_id],
            **({"instead_of": mails[row.instead_of_id]} if row.instead_of_id else {}), **_span(row), **_note(row),
        }
        for row in session.scalars(coming.order_by(OverrideRow.id))
    ]  # fmt: skip


def _holidays_of(session: Session, schedule_id: int, wall: datetime, mails: dict[int, str]) -> list[Entry]:
    own = (HolidayPolicyRow.schedule_id == schedule_id, HolidayPolicyRow.observed_on >= wall.date())
    return [
        {
            "date": row.observed_on, "policy": row.policy,
            **({"person": mails[row.user_id]} if row.user_id else {}),
        }
        for row in session.scalars(select(HolidayPolicyRow).where(*own).order_by(HolidayPolicyRow.observed_on))
    ]  # fmt: skip


def _moment(wall: datetime) -> str:
    return f"{wall:%Y-%m-%d %H:%M}"


def _span(row: ShiftRow | OverrideRow) -> Entry:
    return {"starts": _moment(row.starts), "ends": _moment(row.ends)}


def _level(row: ShiftRow | RotationRow) -> Entry:
    return {"level": row.level} if row.level else {}


def _note(row: ShiftRow | OverrideRow) -> Entry:
    return {"note": row.note} if row.note else {}
