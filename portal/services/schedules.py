"""The roster in the database. Whoever asks who is on call asks here, and core/roster.py answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from portal.core.calendars import parse_week
from portal.core.errors import DomainError
from portal.core.intervals import Interval
from portal.core.roster import (
    Absence,
    HolidayDuty,
    HolidayPolicy,
    Override,
    OverrideKind,
    RosterDuty,
    Schedule,
    Source,
    SourceKind,
    make_roster,
)
from portal.core.rotations import Rotation, Unit
from portal.core.shifts import Shift
from portal.models import (
    SITE_SCHEDULE,
    HolidayPolicyRow,
    OverrideRow,
    Phone,
    RotationRow,
    ShiftRow,
    User,
)
from portal.models import Absence as AbsenceRow
from portal.models.versions import Head, Versioned, load_site_state

ROLES = ("admin", "manager", "technician")
# How far "until when" looks; a duty that lasts longer is said to end there.
_BEHIND, _AHEAD = timedelta(days=7), timedelta(days=35)
Row = TypeVar("Row", ShiftRow, RotationRow, OverrideRow, HolidayPolicyRow)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_known: Versioned[StoredSchedule] = Versioned()
_calendars: Versioned[tuple[RosterDuty, ...]] = Versioned()
_around: Versioned[tuple[RosterDuty, ...]] = Versioned()


@dataclass(frozen=True)
class StoredSchedule:
    """A schedule with everything in it, and the names of everybody, as they were at the version of `head`.

    `reasons` says in words why a row puts somebody on call: `rotation Nights`, `instead of Carol`; of a shift its note.
    """

    head: Head
    roster: Schedule
    names: Mapping[int, str]
    reasons: Mapping[Source, str]


@dataclass(frozen=True)
class Member:
    """Somebody who can be put on call. `has_phone` is false when no number of theirs may be texted."""

    id: int
    name: str
    is_active: bool
    has_phone: bool


def load_head(session: Session, schedule_id: int) -> Head:
    """A schedule without what is in it: its zone above all. Raises DomainError when it is gone."""
    head = load_site_state(session).schedules.get(schedule_id)
    if head is None:
        raise DomainError("This schedule is gone: somebody removed it meanwhile.")
    return head


def load_schedule(session: Session, schedule_id: int = SITE_SCHEDULE) -> StoredSchedule:
    """A schedule as core/roster.py takes it. One statement while nothing in it changes, seven after a change.

    Raises DomainError when it is gone.
    """
    head = load_head(session, schedule_id)
    return _known.get(session, head.id, (head.version, head.zone.key), lambda: _load(session, head))


def load_roster(session: Session, span: Interval, *, schedule_id: int = SITE_SCHEDULE) -> tuple[RosterDuty, ...]:
    """The roster of a span, worked out once for as long as nothing in the schedule changes: the calendar is looked at
    often. One statement."""
    return _roster(_calendars, session, span, schedule_id)


def find_schedule(session: Session, name: str) -> int | None:
    """The id of the schedule with this name, in whatever case; None when there is none."""
    wanted = name.strip().casefold()
    return next((one.id for one in load_site_state(session).schedules.values() if one.name.casefold() == wanted), None)


def list_schedules(session: Session) -> list[Head]:
    """The site's own first, then by name. One statement."""
    heads = load_site_state(session).schedules.values()
    return sorted(heads, key=lambda one: (one.id != SITE_SCHEDULE, one.name.casefold()))


def on_call_at(session: Session, at: datetime, *, schedule_id: int = SITE_SCHEDULE) -> tuple[RosterDuty, ...]:
    """Who is on call at `at`, in the order they came on duty: the one answer for pages, texts and the pager. One
    statement. Beginnings more than a week ago and ends more than five weeks ahead are cut
    about there."""
    # Whole days around it: all who ask on one day are answered from one roster.
    today = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    duties = _roster(_around, session, Interval(today - _BEHIND, today + _AHEAD), schedule_id)
    latest: dict[int, RosterDuty] = {}
    for duty in duties:
        if duty.starts_at <= at < duty.ends_at:
            latest.setdefault(duty.person_id, duty)
    return tuple(latest.values())


def people_on_call_at(
    session: Session, at: datetime, *, schedule_id: int = SITE_SCHEDULE
) -> tuple[tuple[RosterDuty, str], ...]:
    """The same answer with everybody's name. One statement."""
    names = load_schedule(session, schedule_id).names
    return tuple((duty, names[duty.person_id]) for duty in on_call_at(session, at, schedule_id=schedule_id))


def list_members(session: Session) -> list[Member]:
    """Everyone who can be on call, by name, and people who cannot any more but stand in a roster: with a shift, an
    override or a turn. Two statements."""
    in_turns = {person for people in session.scalars(select(RotationRow.people)) for person in people}
    is_named = or_(
        exists().where(ShiftRow.user_id == User.id),
        exists().where(OverrideRow.user_id == User.id),
        User.id.in_(in_turns),
    )
    has_phone = exists().where(Phone.user_id == User.id, ~Phone.is_stopped)
    query = select(User.id, User.name, User.is_active, has_phone.label("has_phone"))
    rows = session.execute(query.where((User.is_active & User.role.in_(ROLES)) | is_named).order_by(User.name, User.id))
    return [Member(row.id, row.name, row.is_active, row.has_phone) for row in rows]


def check_person(session: Session, person_id: int) -> str:
    """The name of somebody who is to be put on call. Raises DomainError when that cannot be."""
    user = session.get(User, person_id)
    if user is None or not user.is_active or user.role not in ROLES:
        raise DomainError("This person cannot be on call. Choose somebody from the list.")
    return user.name


def read_shift(row: ShiftRow) -> Shift:
    """The core value of a row."""
    return Shift(row.id, row.user_id, row.starts, row.ends, row.note, row.level)


def read_rotation(row: RotationRow) -> Rotation:
    """The core value of a row."""
    week = parse_week(row.week) if row.week else None
    return Rotation(
        row.id, tuple(row.people), row.starts, Unit(row.unit), row.every, row.ends, week, row.by_shift, row.level,
        row.since,
    )  # fmt: skip


def read_override(row: OverrideRow) -> Override:
    """The core value of a row."""
    return Override(row.id, OverrideKind(row.kind), row.starts, row.ends, row.user_id, row.instead_of_id)


def _roster(
    kept: Versioned[tuple[RosterDuty, ...]], session: Session, span: Interval, schedule_id: int
) -> tuple[RosterDuty, ...]:
    stored = load_schedule(session, schedule_id)
    version = (stored.head.version, stored.head.zone.key, span)
    return kept.get(session, schedule_id, version, lambda: make_roster(stored.roster, span))


def _load(session: Session, head: Head) -> StoredSchedule:
    def rows(model: type[Row]) -> list[Row]:
        return list(session.scalars(select(model).where(model.schedule_id == head.id).order_by(model.id)))

    absences = [Absence(row.user_id, row.starts_at, row.ends_at) for row in session.scalars(select(AbsenceRow))]
    gone = {one.person_id for one in absences if one.ends_at is None}
    users = session.execute(select(User.id, User.name, User.role, User.is_active).order_by(User.id)).all()
    # Whoever is disabled is away, also if nobody wrote down since when.
    absences += [Absence(user.id, _EVER) for user in users if not user.is_active and user.id not in gone]
    names = {user.id: user.name for user in users}
    shifts, rotations, overrides = rows(ShiftRow), rows(RotationRow), rows(OverrideRow)
    holidays = rows(HolidayPolicyRow)
    roster = Schedule(
        head.zone,
        shifts=tuple(map(read_shift, shifts)),
        rotations=tuple(map(read_rotation, rotations)),
        overrides=tuple(map(read_override, overrides)),
        holidays=tuple(
            HolidayDuty(row.id, row.observed_on, HolidayPolicy(row.policy), row.user_id) for row in holidays
        ),
        members=head.members or tuple(user.id for user in users if user.role in ROLES),
        absences=tuple(absences),
    )
    reasons = {
        **{Source(SourceKind.SHIFT, row.id): row.note for row in shifts},
        **{Source(SourceKind.ROTATION, row.id): f"rotation {row.name}".strip() for row in rotations},
        **{Source(SourceKind.OVERRIDE, row.id): _reason_of_override(row, names) for row in overrides},
        **{
            Source(SourceKind.HOLIDAY, row.id): f"holiday {row.observed_on.day} {row.observed_on:%B}"
            for row in holidays
        },
    }
    return StoredSchedule(head, roster, names, reasons)


def _reason_of_override(row: OverrideRow, names: Mapping[int, str]) -> str:
    instead = f"instead of {names.get(row.instead_of_id, 'somebody')}" if row.instead_of_id else "instead of everybody"
    what = instead if row.kind == OverrideKind.REPLACE else "in addition"
    return f"{what}: {row.note}" if row.note else what
