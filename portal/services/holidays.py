"""Holidays in the database: proposed, accepted or ignored, changed with a trace of who did it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.calendars import Holiday, Period, YearlyHoliday
from portal.core.errors import DomainError
from portal.core.holiday_lists import Proposal
from portal.core.holiday_rules import HolidayRule, parse_day_of_year
from portal.models import SITE_CALENDAR, HolidayRow, HolidayRuleRow, UnitOfWork
from portal.services.audit import Change, record_change

PROPOSED, ACCEPTED, IGNORED = "proposed", "accepted", "ignored"
MANUAL = "manual"
YEARS = range(2000, 2200)


@dataclass(frozen=True)
class HolidayEntry:
    """A day as the holiday page shows it. `state` is proposed, accepted or ignored."""

    id: int
    on: date
    name: str
    state: str
    source: str
    kind: str


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


def add_holiday(uow: UnitOfWork, on: date, name: str, *, change: Change, calendar_id: int = SITE_CALENDAR) -> int:
    """Close the shop on a day. A proposal of the same day and name is accepted instead. Returns the id.

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
    row.state = ACCEPTED
    uow.session.flush()
    _note(uow, change, "holiday.add", row)
    return row.id


def edit_holiday(uow: UnitOfWork, holiday_id: int, *, on: date, name: str, change: Change) -> None:
    """Move or rename a day. Raises DomainError when it is gone or another day of that name stands there."""
    row = _existing(uow.session, holiday_id)
    name = _checked(on, name)
    same = select(HolidayRow.id).where(
        HolidayRow.calendar_id == row.calendar_id,
        HolidayRow.observed_on == on,
        HolidayRow.name == name,
        HolidayRow.id != holiday_id,
    )
    if uow.session.scalar(same) is not None:
        raise DomainError(f"{name} on {on.isoformat()} stands in the calendar already.")
    before = {"on": row.observed_on.isoformat(), "name": row.name}
    row.observed_on, row.name = on, name
    _note(uow, change, "holiday.edit", row, before=before)


def remove_holiday(uow: UnitOfWork, holiday_id: int, *, change: Change) -> None:
    """Open the shop on that day again. Raises DomainError when it is gone already."""
    row = _existing(uow.session, holiday_id)
    _note(uow, change, "holiday.remove", row)
    uow.session.delete(row)


def save_proposals(
    uow: UnitOfWork, proposals: Sequence[Proposal], *, change: Change, calendar_id: int = SITE_CALENDAR
) -> list[int]:
    """Put the days of a list up for decision and return their ids. Days that stand there already, in whatever state,
    are left as they are: an import never changes what a person decided."""
    dates = {proposal.on for proposal in proposals}
    query = select(HolidayRow.observed_on, HolidayRow.name).where(
        HolidayRow.calendar_id == calendar_id, HolidayRow.observed_on.in_(dates)
    )
    known = {(row.observed_on, row.name) for row in uow.session.execute(query)}
    added = []
    for proposal in proposals:
        if (proposal.on, proposal.name) not in known:
            source = "-".join(filter(None, (proposal.country, proposal.region)))
            row = HolidayRow(
                calendar_id=calendar_id,
                observed_on=proposal.on,
                name=proposal.name,
                state=PROPOSED,
                source=source,
                kind=proposal.kind,
                region=proposal.region,
            )
            uow.session.add(row)
            added.append(row)
    uow.session.flush()
    if added:
        record_change(uow, change, "holiday.import", added[0].source, days=len(added))
    return [row.id for row in added]


def decide_holidays(uow: UnitOfWork, holiday_ids: Collection[int], *, accept: bool, change: Change) -> int:
    """Accept or ignore days, one or many. Ids that are gone are passed over. Returns how many changed."""
    state = ACCEPTED if accept else IGNORED
    query = select(HolidayRow).where(HolidayRow.id.in_(holiday_ids), HolidayRow.state != state)
    rows = uow.session.scalars(query.order_by(HolidayRow.observed_on)).all()
    for row in rows:
        row.state = state
        _note(uow, change, "holiday.accept" if accept else "holiday.ignore", row)
    return len(rows)


def _existing(session: Session, holiday_id: int) -> HolidayRow:
    row = session.get(HolidayRow, holiday_id)
    if row is None:
        raise DomainError("This day is gone: somebody removed it meanwhile.")
    return row


def _checked(on: date, name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise DomainError("The day needs a name: it stands in the text that wakes somebody.")
    if len(name) > 200:
        raise DomainError("The name may have at most 200 characters.")
    if on.year not in YEARS:
        raise DomainError("The year must lie between 2000 and 2199.")
    return name


def _entry(row: HolidayRow) -> HolidayEntry:
    return HolidayEntry(row.id, row.observed_on, row.name, row.state, row.source, row.kind)


def _note(uow: UnitOfWork, change: Change, action: str, row: HolidayRow, **data: Any) -> None:
    record_change(uow, change, action, f"{row.observed_on.isoformat()} {row.name}", **data)
