"""Who is on call on holidays: one decision a date and schedule. A date that has begun stays as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.calendars import WHOLE_DAY, BusinessHours, holidays_in
from portal.core.errors import DomainError
from portal.core.intervals import Interval
from portal.core.roster import HolidayDuty, HolidayPolicy, RosterDuty, make_roster
from portal.core.wallclock import instant_of, wall_of
from portal.models import SITE_CALENDAR, SITE_SCHEDULE, HolidayPolicyRow, ScheduleRow, UnitOfWork
from portal.services.audit import Change, record_change
from portal.services.calendars import load_hours
from portal.services.overrides import RosterMovedError
from portal.services.schedules import StoredSchedule, check_person, load_schedule

AHEAD = timedelta(days=427)  # fourteen months


@dataclass(frozen=True)
class Choice:
    """What is decided for a date. `person_id` with PERSON."""

    policy: HolidayPolicy = HolidayPolicy.NORMAL
    person_id: int | None = None


@dataclass(frozen=True)
class HolidayDay:
    """A date to decide: its holidays by name (none: it was taken out of the calendar, and its decision still holds).

    `is_begun`: today, which can no longer be changed. `duties` is the roster of the date under `choice`.
    """

    on: date
    names: tuple[str, ...]
    is_half: bool
    is_begun: bool
    choice: Choice
    duties: tuple[RosterDuty, ...]


def list_holiday_days(
    session: Session,
    *,
    now: datetime,
    schedule_id: int = SITE_SCHEDULE,
    choices: Mapping[date, Choice] | None = None,
) -> list[HolidayDay]:
    """The accepted holidays of the coming fourteen months and what is decided for each; with `choices`, as if they
    were saved. Two statements while nothing changes."""
    stored, hours = _load(session, schedule_id)
    today = wall_of(now, zone=stored.roster.zone).date()
    decided = _decided(stored)
    shown = {**decided, **{on: choice for on, choice in (choices or {}).items() if on > today}}
    planned = tuple(
        HolidayDuty(number, on, one.policy, one.person_id) for number, (on, one) in enumerate(shown.items())
    )
    roster = replace(stored.roster, holidays=planned)
    names = _holiday_names(hours, today)
    dates = sorted(on for on in {*names, *decided} if today <= on < today + AHEAD)
    return [
        HolidayDay(
            on,
            tuple(name for name, _ in names.get(on, ())),
            bool(names.get(on)) and all(not is_whole for _, is_whole in names[on]),
            on <= today,
            shown.get(on, Choice()),
            make_roster(roster, _date_span(on, stored)),
        )
        for on in dates
    ]


def fingerprint_of_days(session: Session, *, schedule_id: int = SITE_SCHEDULE) -> str:
    """Tells whether the decisions are still those that somebody was shown."""
    stored, _ = _load(session, schedule_id)
    return _fingerprint(stored)


def save_choices(
    uow: UnitOfWork,
    choices: Mapping[date, Choice],
    *,
    seen: str,
    now: datetime,
    change: Change,
    schedule_id: int = SITE_SCHEDULE,
) -> int:
    """Decide dates, one or many. Returns how many differ from before; those leave a trace.

    Raises RosterMovedError when `seen` is not the fingerprint of what stands, DomainError for a date that has begun or
    is no holiday, and for a person who cannot be on call.
    """
    session = uow.session
    stored, hours = _load(session, schedule_id)
    if seen != _fingerprint(stored):
        raise RosterMovedError("Somebody else decided holidays meanwhile. Please look again; nothing was saved.")
    today = wall_of(now, zone=stored.roster.zone).date()
    decided, names = _decided(stored), _holiday_names(hours, today)
    changed = {on: choice for on, choice in sorted(choices.items()) if choice != decided.get(on, Choice())}
    for on, choice in changed.items():
        _check(session, on, choice, today=today, is_known=on in names or on in decided)
    own = select(HolidayPolicyRow).where(HolidayPolicyRow.schedule_id == schedule_id)
    rows = {row.observed_on: row for row in session.scalars(own)}
    for on, choice in changed.items():
        _write(session, schedule_id, on, choice, rows.get(on))
        before, after = _plain(decided.get(on, Choice())), _plain(choice)
        record_change(uow, change, "holiday.duty", f"{on}", schedule_id=schedule_id, before=before, after=after)
    if changed:
        session.get_one(ScheduleRow, schedule_id).changed_at = change.at
    session.flush()
    return len(changed)


def _load(session: Session, schedule_id: int) -> tuple[StoredSchedule, BusinessHours]:
    stored = load_schedule(session, schedule_id)
    return stored, load_hours(session, stored.head.calendar_id or SITE_CALENDAR)


def _decided(stored: StoredSchedule) -> dict[date, Choice]:
    return {one.on: Choice(one.policy, one.person_id) for one in stored.roster.holidays}


def _fingerprint(stored: StoredSchedule) -> str:
    facts = sorted((on, str(one.policy), one.person_id) for on, one in _decided(stored).items())
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:20]


def _holiday_names(hours: BusinessHours, today: date) -> dict[date, list[tuple[str, bool]]]:
    """(name, whether it closes the whole day) by date, of this year and the two to come."""
    found: dict[date, list[tuple[str, bool]]] = {}
    for year in range(today.year, today.year + 3):
        for holiday in holidays_in(hours, year):
            found.setdefault(holiday.on, []).append((holiday.name, holiday.closed == WHOLE_DAY))
    return found


def _date_span(on: date, stored: StoredSchedule) -> Interval:
    first, last = (
        instant_of(datetime.combine(day, time()), zone=stored.roster.zone) for day in (on, on + timedelta(days=1))
    )
    return Interval(first, last)


def _check(session: Session, on: date, choice: Choice, *, today: date, is_known: bool) -> None:
    if on <= today:
        raise DomainError(f"{on:%a} {on.day} {on:%b %Y} has begun. Who is on call then stays as it was.")
    if not is_known:
        raise DomainError(f"{on:%a} {on.day} {on:%b %Y} is no holiday any more. Please look again.")
    if choice.policy is HolidayPolicy.PERSON:
        check_person(session, choice.person_id or 0)
    elif choice.person_id is not None:
        raise DomainError("Only one named person needs a name.")


def _write(session: Session, schedule_id: int, on: date, choice: Choice, row: HolidayPolicyRow | None) -> None:
    policy = str(choice.policy)
    if row is None:
        session.add(HolidayPolicyRow(schedule_id=schedule_id, observed_on=on, policy=policy, user_id=choice.person_id))
    elif choice.policy is HolidayPolicy.NORMAL:
        session.delete(row)
    else:
        row.policy, row.user_id = policy, choice.person_id


def _plain(choice: Choice) -> dict[str, object]:
    return {"policy": str(choice.policy), **({"person_id": choice.person_id} if choice.person_id else {})}
