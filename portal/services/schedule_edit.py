"""Schedules themselves: added, named, removed; who is everyone in them, and which queues ring them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.wallclock import wall_of
from portal.models import (
    SITE_SCHEDULE,
    HolidayPolicyRow,
    OverrideRow,
    Queue,
    RotationRow,
    ScheduleRow,
    ShiftRow,
    UnitOfWork,
)
from portal.models.versions import load_site_state
from portal.services.audit import Change, record_change
from portal.services.schedules import check_person, find_schedule, load_schedule


@dataclass(frozen=True)
class ScheduleDraft:
    """A schedule as its form shows it. `zone` "" and `calendar_id` None: those of the site; `members` (): all who can
    be on call; `queue_ids`: whose tickets ring it."""

    name: str
    zone: str = ""
    calendar_id: int | None = None
    members: tuple[int, ...] = ()
    queue_ids: tuple[int, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Says whether it is still what a form was filled from."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:32]


def read_draft(session: Session, schedule_id: int) -> ScheduleDraft:
    """A schedule as it is. Raises DomainError when it is gone."""
    head = load_schedule(session, schedule_id).head
    queues = tuple(session.scalars(select(Queue.id).where(Queue.schedule_id == schedule_id).order_by(Queue.id)))
    return ScheduleDraft(head.name, head.own_zone, head.calendar_id, head.members, queues)


def queues_of_schedule(session: Session, schedule_id: int) -> list[str]:
    """The names of the queues that ring it by name; all others ring the site's own. One statement."""
    return list(session.scalars(select(Queue.name).where(Queue.schedule_id == schedule_id).order_by(Queue.name)))


def add_schedule(uow: UnitOfWork, draft: ScheduleDraft, *, change: Change) -> int:
    """Add a schedule with nothing in it. Returns its id. Raises DomainError with a sentence for the form."""
    _check(uow.session, draft, known=())
    row = ScheduleRow(
        name=draft.name, zone=draft.zone, calendar_id=draft.calendar_id, members=list(draft.members),
        changed_at=change.at,
    )  # fmt: skip
    uow.session.add(row)
    uow.session.flush()
    _ring(uow, row.id, draft.queue_ids)
    record_change(uow, change, "schedule.add", draft.name, schedule_id=row.id, after=asdict(draft))
    return row.id


def edit_schedule(uow: UnitOfWork, schedule_id: int, draft: ScheduleDraft, *, seen: str, change: Change) -> None:
    """Change what a schedule is called, its zone, calendar, members and queues. `seen` is the fingerprint of the draft
    the form was filled from: of two people who edit one, the later is told.

    Raises DomainError also when the zone would change who was on call: its past is on the clock of the old one.
    """
    before = read_draft(uow.session, schedule_id)
    if before.fingerprint != seen:
        raise DomainError("Somebody else changed this schedule meanwhile. Please look at it again.")
    _check(uow.session, draft, known=before.members, schedule_id=schedule_id)
    zone = load_schedule(uow.session, schedule_id).roster.zone
    if draft.zone != before.zone and _has_begun(uow.session, schedule_id, wall_of(change.at, zone=zone)):
        raise DomainError(
            f"People have been on call here on the clock of {zone.key}, and that stays as it was. "
            "Add a schedule for the other zone instead."
        )
    row = uow.session.get_one(ScheduleRow, schedule_id)
    row.name, row.zone, row.calendar_id, row.members = draft.name, draft.zone, draft.calendar_id, list(draft.members)
    row.changed_at = change.at
    _ring(uow, schedule_id, draft.queue_ids)
    record_change(uow, change, "schedule.edit", draft.name, before=asdict(before), after=asdict(draft))


def remove_schedule(uow: UnitOfWork, schedule_id: int, *, change: Change, despite_queues: bool = False) -> None:
    """Remove a schedule with everything in it. Its queues ring the site's own from now on; unless told
    `despite_queues`, one that has queues is refused. Raises DomainError, also for the site's own."""
    if schedule_id == SITE_SCHEDULE:
        raise DomainError("This is the site's own schedule: it rings for every queue without another. It stays.")
    before = read_draft(uow.session, schedule_id)
    queues = queues_of_schedule(uow.session, schedule_id)
    if queues and not despite_queues:
        raise DomainError(f"{', '.join(queues)} would ring the site's own schedule instead. Say so to remove this one.")
    _ring(uow, schedule_id, ())
    uow.session.delete(uow.session.get_one(ScheduleRow, schedule_id))
    record_change(uow, change, "schedule.remove", before.name, before=asdict(before), queues=queues)


def _check(session: Session, draft: ScheduleDraft, *, known: Collection[int], schedule_id: int = 0) -> None:
    if not draft.name.strip():
        raise DomainError("Give the schedule a name.")
    if find_schedule(session, draft.name) not in (None, schedule_id):
        raise DomainError("There is a schedule of this name already.")
    if draft.zone and draft.zone not in available_timezones():
        raise DomainError(f"“{draft.zone}” is no time zone. Write one like Europe/Berlin.")
    if draft.calendar_id is not None and draft.calendar_id not in load_site_state(session).calendars:
        raise DomainError("This calendar is gone: somebody removed it meanwhile.")
    for person in set(draft.members) - set(known):
        check_person(session, person)


def _has_begun(session: Session, schedule_id: int, wall: datetime) -> bool:
    begun = (
        select(model.id).where(model.schedule_id == schedule_id, model.starts < wall)
        for model in (ShiftRow, RotationRow, OverrideRow)
    )
    days = select(HolidayPolicyRow.id).where(
        HolidayPolicyRow.schedule_id == schedule_id, HolidayPolicyRow.observed_on <= wall.date()
    )
    return any(session.scalar(query.limit(1)) is not None for query in (*begun, days))


def _ring(uow: UnitOfWork, schedule_id: int, queue_ids: Collection[int]) -> None:
    for queue in uow.session.scalars(select(Queue)):
        if queue.id in queue_ids:
            queue.schedule_id = None if schedule_id == SITE_SCHEDULE else schedule_id
        elif queue.schedule_id == schedule_id:
            queue.schedule_id = None
