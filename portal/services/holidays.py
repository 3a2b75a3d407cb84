"""Holidays in the database: proposed, accepted or ignored, changed with a trace of who did it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.calendars import WHOLE_DAY, Holiday, Period, YearlyHoliday
from portal.core.errors import DomainError
from portal.core.holiday_lists import Proposal
from portal.core.holiday_rules import HolidayRule, parse_day_of_year
from portal.models import SITE_CALENDAR, HolidayRow, HolidayRuleRow, UnitOfWork
from portal.services.audit import Change, record_change

PROPOSED, ACCEPTED, IGNORED = "proposed", "accepted", "ignored"
MANUAL = "manual"
YEARS = range(2000, 2200)
LONGEST_NAME = 200


@dataclass(frozen=True)
class HolidayEntry:
    """A day as the holiday page shows it. `state` is proposed, accepted or ignored; `closed` the part that is or would
    be closed; `mark` changes with all of it, so that of two people who decide a day the later can be told."""

    id: int
    calendar_id: int
    on: date
    name: str
    state: str
    source: str
    kind: str
    region: str
    closed: Period

    @property
    def is_half(self) -> bool:
        """Whether a part of the day stays open."""
        return self.closed != WHOLE_DAY

    @property
    def mark(self) -> str:
        """What a form hands back as "this is what I saw"."""
        said = f"{self.on}|{self.name}|{self.state}|{self.closed}"
        return hashlib.sha256(said.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Decided:
    """What came of a decision about many days: those that changed, and those somebody decided otherwise meanwhile,
    which stay as they are."""

    done: tuple[HolidayEntry, ...]
    missed: tuple[HolidayEntry, ...]


def load_closed_days(session: Session, calendar_id: int) -> tuple[tuple[Holiday, ...], tuple[YearlyHoliday, ...]]:
    """The accepted days, and the rules with the dates on which a decided day of their name stands instead of them.
    Two statements."""
    decided = select(HolidayRow).where(HolidayRow.calendar_id == calendar_id, HolidayRow.state != PROPOSED)
    accepted, dates = [], defaultdict[str, set[date]](set)
    for row in session.scalars(decided.order_by(HolidayRow.observed_on, HolidayRow.id)):
        dates[row.name].add(row.observed_on)
        if row.state == ACCEPTED:
            accepted.append(Holiday(row.observed_on, row.name, Period(row.closes_from, row.closes_until)))
    own = select(HolidayRuleRow).where(HolidayRuleRow.calendar_id == calendar_id).order_by(HolidayRuleRow.id)
    rules = (read_rule(row, except_on=frozenset(dates[row.name])) for row in session.scalars(own))
    return tuple(accepted), tuple(rules)


def read_rule(row: HolidayRuleRow, *, except_on: frozenset[date] = frozenset()) -> YearlyHoliday:
    """The core value of a row."""
    rule = HolidayRule(parse_day_of_year(row.rule), row.first_year, row.last_year)
    return YearlyHoliday(row.name, rule, Period(row.closes_from, row.closes_until), except_on)


def list_holidays(session: Session, *, year: int, calendar_id: int = SITE_CALENDAR) -> list[HolidayEntry]:
    """Every day of a year, decided or not, in order."""
    within = HolidayRow.observed_on.between(date(year, 1, 1), date(year, 12, 31))
    own = select(HolidayRow).where(within, HolidayRow.calendar_id == calendar_id)
    rows = session.scalars(own.order_by(HolidayRow.observed_on, HolidayRow.name))
    return [_entry(row) for row in rows]


def find_holiday(session: Session, holiday_id: int) -> HolidayEntry | None:
    """One day, None when it is gone."""
    row = session.get(HolidayRow, holiday_id)
    return _entry(row) if row else None


def list_reviewed_years(session: Session, calendar_id: int = SITE_CALENDAR) -> set[int]:
    """Years in which somebody accepted or ignored a day, and nothing waits to be decided."""
    states: dict[int, set[str]] = {}
    own = select(HolidayRow.observed_on, HolidayRow.state).where(HolidayRow.calendar_id == calendar_id)
    for on, state in session.execute(own):
        states.setdefault(on.year, set()).add(state)
    return {year for year, found in states.items() if PROPOSED not in found}


def add_holiday(
    uow: UnitOfWork,
    on: date,
    name: str,
    *,
    change: Change,
    calendar_id: int = SITE_CALENDAR,
    closed: Period = WHOLE_DAY,
) -> int:
    """Close the shop on a day, or on a part of it. A proposal of the same day and name is accepted instead. Returns
    the id.

    Raises DomainError when the day stands there already, or the name or the year cannot be meant.
    """
    name = _checked(on, name)
    same = (HolidayRow.calendar_id == calendar_id, HolidayRow.observed_on == on, HolidayRow.name == name)
    row = uow.session.scalar(select(HolidayRow).where(*same))
    if row is None:
        row = HolidayRow(calendar_id=calendar_id, observed_on=on, name=name, state=ACCEPTED, source=MANUAL)
        uow.session.add(row)
    elif row.state == ACCEPTED:
        raise DomainError(f"{name} on {on.isoformat()} stands in the calendar already.")
    row.state, row.closes_from, row.closes_until = ACCEPTED, closed.start, closed.end
    uow.session.flush()
    _note(uow, change, "holiday.add", row, **_part(row))
    return row.id


def edit_holiday(uow: UnitOfWork, holiday_id: int, day: Holiday, *, change: Change, seen: str = "") -> None:
    """Move or rename a day, or change the part that is closed. Raises DomainError when it is gone, when it is not what
    was `seen` (a mark), or when another day of that name stands there."""
    row = _existing(uow.session, holiday_id, seen)
    name = _checked(day.on, day.name)
    same = select(HolidayRow.id).where(
        HolidayRow.calendar_id == row.calendar_id,
        HolidayRow.observed_on == day.on,
        HolidayRow.name == name,
        HolidayRow.id != holiday_id,
    )
    if uow.session.scalar(same) is not None:
        raise DomainError(f"{name} on {day.on.isoformat()} stands in the calendar already.")
    before = {"on": row.observed_on.isoformat(), "name": row.name, **_part(row)}
    row.observed_on, row.name = day.on, name
    row.closes_from, row.closes_until = day.closed.start, day.closed.end
    _note(uow, change, "holiday.edit", row, before=before, **_part(row))


def remove_holiday(uow: UnitOfWork, holiday_id: int, *, change: Change, seen: str = "") -> None:
    """Open the shop on that day again. Raises DomainError when it is gone already, or not what was `seen`."""
    row = _existing(uow.session, holiday_id, seen)
    _note(uow, change, "holiday.remove", row)
    uow.session.delete(row)


def save_proposals(
    uow: UnitOfWork,
    proposals: Sequence[Proposal],
    *,
    change: Change,
    calendar_id: int = SITE_CALENDAR,
    source: str = "",
) -> list[int]:
    """Put days up for decision and return their ids; `source` says where they are from, when it is no country's list.
    Days that stand there already, in whatever state, are left as they are: an import never changes what a person
    decided."""
    dates = {proposal.on for proposal in proposals}
    query = select(HolidayRow.observed_on, HolidayRow.name).where(
        HolidayRow.calendar_id == calendar_id, HolidayRow.observed_on.in_(dates)
    )
    known = {(row.observed_on, row.name) for row in uow.session.execute(query)}
    added = []
    for one in proposals:
        if (one.on, one.name) not in known:
            known.add((one.on, one.name))
            place = source or "-".join(filter(None, (one.country, one.region)))
            row = HolidayRow(
                calendar_id=calendar_id, observed_on=one.on, name=one.name, state=PROPOSED, source=place,
                kind=one.kind, region=one.region, closes_from=one.closed.start, closes_until=one.closed.end,
            )  # fmt: skip
            uow.session.add(row)
            added.append(row)
    uow.session.flush()
    if added:
        record_change(uow, change, "holiday.import", added[0].source, days=len(added))
    return [row.id for row in added]


def decide_holidays(
    uow: UnitOfWork, seen: Mapping[int, str], *, accept: bool, change: Change, closed: Period | None = None
) -> Decided:
    """Accept or ignore days, one or many; `seen`: their marks by id. With `closed` only that part of them is closed.

    Ids that are gone are passed over; what somebody else decided otherwise meanwhile is left and told.
    """
    state = ACCEPTED if accept else IGNORED
    query = select(HolidayRow).where(HolidayRow.id.in_(seen)).order_by(HolidayRow.observed_on, HolidayRow.id)
    done, missed = [], []
    for row in uow.session.scalars(query).all():
        part = closed or Period(row.closes_from, row.closes_until)
        if (row.state, row.closes_from, row.closes_until) == (state, part.start, part.end):
            continue
        if _entry(row).mark != seen[row.id]:
            missed.append(_entry(row))
            continue
        row.state, row.closes_from, row.closes_until = state, part.start, part.end
        _note(uow, change, "holiday.accept" if accept else "holiday.ignore", row, **_part(row))
        done.append(_entry(row))
    return Decided(tuple(done), tuple(missed))


def _existing(session: Session, holiday_id: int, seen: str) -> HolidayRow:
    row = session.get(HolidayRow, holiday_id)
    if row is None:
        raise DomainError("This day is gone: somebody removed it meanwhile.")
    if seen and _entry(row).mark != seen:
        raise DomainError(f"Somebody changed this day meanwhile: it is {say_state(_entry(row))}. Look again.")
    return row


def say_state(entry: HolidayEntry) -> str:
    """`Christmas Eve on 2026-12-24, accepted, closed 13:00-24:00`."""
    part = f", closed {entry.closed}" if entry.is_half else ""
    return f"{entry.name} on {entry.on.isoformat()}, {entry.state}{part}"


def check_name(name: str) -> str:
    """The name of a day, tidied. Raises DomainError."""
    name = " ".join(name.split())
    if not name:
        raise DomainError("The day needs a name: it stands in the text that wakes somebody.")
    if len(name) > LONGEST_NAME:
        raise DomainError(f"The name may have at most {LONGEST_NAME} characters.")
    return name


def _checked(on: date, name: str) -> str:
    name = check_name(name)
    if on.year not in YEARS:
        raise DomainError("The year must lie between 2000 and 2199.")
    return name


def _entry(row: HolidayRow) -> HolidayEntry:
    return HolidayEntry(
        row.id, row.calendar_id, row.observed_on, row.name, row.state, row.source, row.kind, row.region,
        Period(row.closes_from, row.closes_until),
    )  # fmt: skip


def _part(row: HolidayRow) -> dict[str, str]:
    part = Period(row.closes_from, row.closes_until)
    return {} if part == WHOLE_DAY else {"closed": str(part)}


def _note(uow: UnitOfWork, change: Change, action: str, row: HolidayRow, **data: Any) -> None:
    record_change(uow, change, action, f"{row.observed_on.isoformat()} {row.name}", **data)
