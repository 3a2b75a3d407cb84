"""Schedules and shifts of the settings file, there and back.

What a list names is made, what it leaves out ends now, and what is over stays as it was. An entry that lies in the past
is added as it stands: a site may be set up with its history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.roster import HolidayDuty, HolidayPolicy, Override, OverrideKind
from portal.core.settings import parse_value
from portal.core.shifts import Shift
from portal.models import (
    SITE_SCHEDULE,
    HolidayPolicyRow,
    OverrideRow,
    Queue,
    ScheduleRow,
    ShiftRow,
)
from portal.services.audit import record_change
from portal.services.calendars import list_calendars
from portal.services.schedules import find_schedule, read_override, read_shift
from portal.services.site_file_plan import At, Entry, Plan, make_plan, read_word, span_words
from portal.services.site_file_rotations import apply_rotations

if TYPE_CHECKING:
    from portal.services.site_file_import import Run

Row = TypeVar("Row", ShiftRow, OverrideRow)


def apply_shifts(run: Run, entries: list[Entry]) -> None:
    """Make the shifts of the site's own schedule those of the file."""
    plan = make_plan(run, run.uow.session.get_one(ScheduleRow, SITE_SCHEDULE), "shifts")
    _apply_shifts(plan, entries, lambda number: run.at("shifts", number))


def apply_schedules(run: Run, entries: list[Entry]) -> None:
    """Make each schedule the file names, and what is in it."""
    named: set[int] = set()
    for place, entry in enumerate(entries):
        with run.at("schedules", place):
            row = _find_or_add(run, entry)
            if row.id in named:
                raise DomainError(f"The schedule “{row.name}” stands here twice.")
            named.add(row.id)
            _apply_head(run, row, entry)
            run.uow.session.flush()
            if row.id == SITE_SCHEDULE and "shifts" in entry and "shifts" in run.file.sections:
                raise DomainError("The site's own shifts stand in the section “shifts” already.")
            for name, apply in _PARTS.items():
                if name in entry:
                    plan = make_plan(run, row, f"schedules: {row.name}: {name}")
                    apply(plan, entry[name], _lines_of(run, place, name))
                    run.uow.session.flush()


def _lines_of(run: Run, place: int, name: str) -> At:
    return lambda number: run.at("schedules", (place, name, number))


def set_queue_times(run: Run, entry: Entry) -> None:
    """Give a queue the calendar and the schedule of its entry; what the entry leaves out stays."""
    session = run.uow.session
    row = session.scalars(select(Queue).where(Queue.name == " ".join(entry["name"].split()))).one()
    finders = {"calendar": _calendar_id, "schedule": _schedule_id}
    for key, find in finders.items():
        if key not in entry:
            continue
        found, column = find(session, entry[key]), f"{key}_id"
        if getattr(row, column) != found:
            times = {"before": {column: getattr(row, column)}, "after": {column: found}}
            record_change(run.uow, run.change, "queue.edit", row.name, **times)
            setattr(row, column, found)
            session.flush()
            run.changes.append(f"queues: {row.name} has the {key} {entry[key] or 'of the site'}")


def _find_or_add(run: Run, entry: Entry) -> ScheduleRow:
    session, name = run.uow.session, " ".join(entry["name"].split())
    if not 1 <= len(name) <= 80:
        raise DomainError("The name of a schedule has between 1 and 80 characters.")
    known = find_schedule(session, name)
    if entry["site"] and known not in (None, SITE_SCHEDULE):
        raise DomainError(f"Another schedule is called “{name}” already.")
    schedule_id = SITE_SCHEDULE if entry["site"] else known
    if schedule_id is not None:
        row = session.get_one(ScheduleRow, schedule_id)
        if row.name != name:
            _change_head(run, row, "name", name, f"is called {name}")
        return row
    row = ScheduleRow(name=name, zone="", members=[], changed_at=run.change.at)
    session.add(row)
    session.flush()
    _told(run, row, "schedule.add", f"{name} added")
    return row


def _apply_head(run: Run, row: ScheduleRow, entry: Entry) -> None:
    if "zone" in entry:
        zone = parse_value("site.zone", entry["zone"]) if entry["zone"] else ""
        if row.zone != zone:
            _change_head(run, row, "zone", zone, f"is on the clock of {zone or 'the site'}")
    if "calendar" in entry:
        calendar_id = _calendar_id(run.uow.session, entry["calendar"])
        if row.calendar_id != calendar_id:
            _change_head(run, row, "calendar_id", calendar_id, f"has the hours of {entry['calendar'] or 'the site'}")
    if "members" in entry:
        plan = make_plan(run, row, "")
        members = list(dict.fromkeys(plan.person(mail) for mail in entry["members"]))
        if row.members != members:
            _change_head(run, row, "members", members, "has other members")


def _change_head(run: Run, row: ScheduleRow, name: str, value: Any, words: str) -> None:
    before = getattr(row, name)
    _told(run, row, "schedule.edit", f"{row.name} {words}", before={name: before}, after={name: value})
    setattr(row, name, value)
    run.uow.session.flush()


def _told(run: Run, row: ScheduleRow, action: str, words: str, **data: Any) -> None:
    row.changed_at = run.change.at
    run.changes.append(f"schedules: {words}")
    record_change(run.uow, run.change, action, row.name, schedule_id=row.id, **data)


def _calendar_id(session: Session, name: str) -> int | None:
    wanted = " ".join(name.split()).casefold()
    found = next((one.id for one in list_calendars(session) if one.name.casefold() == wanted), None)
    if name and found is None:
        raise DomainError(f"There is no calendar “{name}”.")
    return found


def _schedule_id(session: Session, name: str) -> int | None:
    found = find_schedule(session, name) if name else None
    if name and found is None:
        raise DomainError(f"There is no schedule “{name}”.")
    return found


def _apply_shifts(plan: Plan, entries: list[Entry], at: At) -> None:
    rows = plan.session.scalars(select(ShiftRow).where(ShiftRow.schedule_id == plan.row.id).order_by(ShiftRow.id))
    known: dict[Shift, ShiftRow] = {}
    stored = list(rows)
    for row in stored:
        known.setdefault(replace(read_shift(row), id=0, note=""), row)
    kept: dict[Shift, ShiftRow] = {}
    for number, entry in enumerate(entries):
        with at(number):
            person = plan.person(entry["person"])
            shift = Shift(0, person, entry["starts"], entry["ends"], level=entry["level"])
            words = f"{entry['person']} {span_words(shift)}"
            kept[shift] = _keep(plan, kept, shift, known.get(shift), entry, "shift", words) or ShiftRow(
                schedule_id=plan.row.id, user_id=person, starts=shift.starts, ends=shift.ends, level=shift.level,
                note=entry["note"],
            )  # fmt: skip
            plan.session.add(kept[shift])
    _end_others(plan, stored, list(kept.values()), "shift")


def _apply_overrides(plan: Plan, entries: list[Entry], at: At) -> None:
    own = select(OverrideRow).where(OverrideRow.schedule_id == plan.row.id)
    known: dict[Override, OverrideRow] = {}
    stored = list(plan.session.scalars(own.order_by(OverrideRow.id)))
    for row in stored:
        known.setdefault(replace(read_override(row), id=0), row)
    kept: dict[Override, OverrideRow] = {}
    for number, entry in enumerate(entries):
        with at(number):
            one = _read_override(plan, entry)
            words = f"{entry['kind']} {entry['person']} {span_words(one)}"
            kept[one] = _keep(plan, kept, one, known.get(one), entry, "override", words) or OverrideRow(
                schedule_id=plan.row.id, kind=one.kind, user_id=one.person_id, instead_of_id=one.instead_of,
                starts=one.starts, ends=one.ends, note=entry["note"], created_at=plan.run.change.at,
                created_by=plan.run.change.actor_id,
            )  # fmt: skip
            plan.session.add(kept[one])
            plan.session.flush()
    _end_others(plan, stored, list(kept.values()), "override")
    _put_in_order(plan, list(kept.values()))


def _keep(
    plan: Plan, kept: dict[Any, Row], value: Any, row: Row | None, entry: Entry, noun: str, words: str
) -> Row | None:
    """The row that says this already, with the note of the file. Raises DomainError when the file says it twice."""
    if value in kept:
        raise DomainError("This very entry stands here twice.")
    if row is None:
        plan.note(f"{noun}.add", f"{words} added")
    elif row.note != entry["note"]:
        plan.note(f"{noun}.edit", f"{words} has another note", before=row.note, after=entry["note"])
        row.note, row.version = entry["note"], row.version + 1
    return row


def _end_others(plan: Plan, stored: list[Row], kept: list[Row], noun: str) -> None:
    staying = {id(row) for row in kept}
    for row in stored:
        if id(row) not in staying and row.ends > plan.wall:
            plan.note(f"{noun}.remove", f"{span_words(row)} removed", person_id=row.user_id)
            if row.starts >= plan.wall:
                plan.session.delete(row)
            else:
                row.ends, row.version = plan.wall, row.version + 1


def _put_in_order(plan: Plan, rows: list[OverrideRow]) -> None:
    """Of overrides that overlap the later one counts: one that stands later in the file must be the younger row."""
    for number, row in enumerate(rows):
        before = [one for one in rows[:number] if one.starts < row.ends and row.starts < one.ends]
        if row.ends > plan.wall and any(one.id > row.id for one in before):
            names = (column.key for column in inspect(OverrideRow).column_attrs if column.key != "id")
            fresh = OverrideRow(**{name: getattr(row, name) for name in names})
            plan.session.delete(row)
            plan.session.flush()
            plan.session.add(fresh)
            plan.session.flush()
            rows[number] = fresh
            plan.note("override.edit", f"{span_words(fresh)} counts later")


def _read_override(plan: Plan, entry: Entry) -> Override:
    kind = read_word(OverrideKind, entry["kind"], "kind of override")
    if entry["instead_of"] and kind is not OverrideKind.REPLACE:
        raise DomainError("Only “replace” is instead of somebody.")
    other = plan.person(entry["instead_of"]) if entry["instead_of"] else None
    return Override(0, kind, entry["starts"], entry["ends"], plan.person(entry["person"]), other)


def _apply_holidays(plan: Plan, entries: list[Entry], at: At) -> None:
    own = select(HolidayPolicyRow).where(HolidayPolicyRow.schedule_id == plan.row.id)
    known = {row.observed_on: row for row in plan.session.scalars(own)}
    named: set[date] = set()
    for number, entry in enumerate(entries):
        with at(number):
            on, (policy, person) = entry["date"], _read_policy(plan, entry)
            HolidayDuty(0, on, policy, person)
            if on in named:
                raise DomainError(f"{on.isoformat()} stands here twice.")
            named.add(on)
            row = known.get(on)
            if row is None:
                plan.session.add(
                    HolidayPolicyRow(schedule_id=plan.row.id, observed_on=on, policy=policy, user_id=person)
                )
                plan.note("holiday_policy.add", f"{on.isoformat()} {policy}")
            elif (row.policy, row.user_id) != (policy, person):
                if on < plan.wall.date():
                    plan.run.notes.append(f"{plan.said}: {on.isoformat()} is over and stays as it was.")
                    continue
                plan.note("holiday_policy.edit", f"{on.isoformat()} {policy}", before=row.policy)
                row.policy, row.user_id = policy, person
    for on, row in known.items():
        if on not in named and on >= plan.wall.date():
            plan.note("holiday_policy.remove", f"{on.isoformat()} removed")
            plan.session.delete(row)


def _read_policy(plan: Plan, entry: Entry) -> tuple[HolidayPolicy, int | None]:
    policy = read_word(HolidayPolicy, entry["policy"], "policy")
    if (policy is HolidayPolicy.PERSON) != bool(entry["person"]):
        raise DomainError("A person stands with the policy “person”, and only there.")
    return policy, plan.person(entry["person"]) if entry["person"] else None


_PARTS: dict[str, Callable[[Plan, list[Entry], At], None]] = {
    "shifts": _apply_shifts,
    "rotations": apply_rotations,
    "overrides": _apply_overrides,
    "holidays": _apply_holidays,
}
