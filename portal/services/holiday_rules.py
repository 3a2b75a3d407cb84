"""Days off of every year in the database. A rule that has closed a day is ended, never rewritten."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.calendars import WHOLE_DAY, YearlyHoliday
from portal.core.errors import DomainError
from portal.core.holiday_rules import HolidayRule, dates_in, describe_day_of_year, format_day_of_year, next_dates
from portal.models import SITE_CALENDAR, HolidayRow, HolidayRuleRow, UnitOfWork
from portal.services.audit import Change, record_change
from portal.services.holidays import IGNORED, YEARS, check_name, read_rule

SOURCE = "rule"
_SHOWN_DATES = 3


@dataclass(frozen=True)
class RuleEntry:
    """A rule as its page shows it. `next_on`: the next dates it closes, without those decided otherwise."""

    id: int
    calendar_id: int
    yearly: YearlyHoliday
    text: str
    words: str
    next_on: tuple[date, ...]

    @property
    def mark(self) -> str:
        """What a form hands back as "this is what I saw"."""
        return _mark(self.yearly)


def list_rules(session: Session, calendar_id: int = SITE_CALENDAR, *, today: date) -> list[RuleEntry]:
    """The rules of a calendar by their next date; those that are over last. Two statements."""
    own = select(HolidayRuleRow).where(HolidayRuleRow.calendar_id == calendar_id).order_by(HolidayRuleRow.id)
    rows = session.scalars(own).all()
    excepted = _excepted(session, calendar_id, {row.name for row in rows})
    entries = [_entry(row, excepted.get(row.name, frozenset()), today) for row in rows]
    return sorted(entries, key=lambda entry: entry.next_on[:1] or (date.max,))


def find_rule(session: Session, rule_id: int, *, today: date) -> RuleEntry | None:
    """One rule, None when it is gone."""
    row = session.get(HolidayRuleRow, rule_id)
    if row is None:
        return None
    return _entry(row, _excepted(session, row.calendar_id, {row.name}).get(row.name, frozenset()), today)


def add_rule(uow: UnitOfWork, yearly: YearlyHoliday, *, change: Change, calendar_id: int = SITE_CALENDAR) -> int:
    """Close the shop on a day of every year. Returns the id. Raises DomainError when the rule stands there already or
    cannot be meant."""
    yearly = _checked(uow.session, yearly, calendar_id)
    row = HolidayRuleRow(calendar_id=calendar_id, **_columns(yearly))
    uow.session.add(row)
    uow.session.flush()
    record_change(uow, change, "holiday_rule.add", row.name, **plain_rule(yearly))
    return row.id


def edit_rule(uow: UnitOfWork, rule_id: int, yearly: YearlyHoliday, *, seen: str, today: date, change: Change) -> int:
    """Change a rule from its next date on. Returns the id of the rule that holds then. Raises DomainError when it is
    gone, when it is not what was `seen` (a mark), or when the change would open a day that has been."""
    row = _existing(uow.session, rule_id, seen)
    before, past = read_rule(row), _last_year_that_was(read_rule(row).rule, today)
    yearly = _checked(uow.session, yearly, row.calendar_id, but=rule_id)
    if yearly == before:
        return rule_id
    if past is None:
        _write(row, yearly)
    elif replace(yearly, rule=replace(yearly.rule, last_year=before.rule.last_year)) == before:
        if yearly.rule.last_year is not None and yearly.rule.last_year < past:
            raise DomainError(f"It closed the shop in {past}, and that stays. Choose {past} or a later last year.")
        _write(row, yearly)
    else:
        later = HolidayRule(yearly.rule.day, max(past + 1, yearly.rule.first_year or 0), yearly.rule.last_year)
        row.last_year = past
        row = HolidayRuleRow(calendar_id=row.calendar_id, **_columns(replace(yearly, rule=later)))
        uow.session.add(row)
    uow.session.flush()
    record_change(uow, change, "holiday_rule.edit", yearly.name, before=plain_rule(before), **plain_rule(yearly))
    return row.id


def remove_rule(uow: UnitOfWork, rule_id: int, *, seen: str = "", today: date, change: Change) -> None:
    """The rule closes no day from tomorrow on. Raises DomainError when it is gone, or not what was `seen`."""
    row = _existing(uow.session, rule_id, seen)
    record_change(uow, change, "holiday_rule.remove", row.name, **plain_rule(read_rule(row)))
    past = _last_year_that_was(read_rule(row).rule, today)
    if past is None:
        uow.session.delete(row)
    else:
        row.last_year = past


def except_date(uow: UnitOfWork, rule_id: int, on: date, *, change: Change) -> int:
    """The shop works on this one date of a rule. Returns the id of the ignored day that says so: remove it to undo.

    Raises DomainError when the rule is gone or does not mean the date, or something else was decided for it.
    """
    row = _existing(uow.session, rule_id, "")
    same = (HolidayRow.calendar_id == row.calendar_id, HolidayRow.observed_on == on, HolidayRow.name == row.name)
    day = uow.session.scalar(select(HolidayRow).where(*same))
    if on not in dates_in(read_rule(row).rule, on.year):
        raise DomainError(f"{row.name} does not fall on {on.isoformat()}.")
    if day is not None and day.state != "proposed":
        raise DomainError(f"{row.name} on {on.isoformat()} is {day.state} already. Look again.")
    if day is None:
        day = HolidayRow(calendar_id=row.calendar_id, observed_on=on, name=row.name, source=SOURCE)
        uow.session.add(day)
    day.state = IGNORED
    uow.session.flush()
    record_change(uow, change, "holiday.ignore", f"{on.isoformat()} {row.name}")
    return day.id


def plain_rule(yearly: YearlyHoliday) -> dict[str, str | int]:
    """A rule as the audit and the settings file write it; what is usual is left out."""
    rule = yearly.rule
    said: dict[str, str | int | None] = {
        "day": format_day_of_year(rule.day),
        "closed": None if yearly.closed == WHOLE_DAY else str(yearly.closed),
        "first_year": rule.first_year,
        "last_year": rule.last_year,
    }
    return {key: value for key, value in said.items() if value is not None}


def _last_year_that_was(rule: HolidayRule, today: date) -> int | None:
    """The last year in which the rule closed a day up to today; None when it never did."""
    for year in range(min(today.year, rule.last_year or today.year), YEARS.start - 1, -1):
        if any(on <= today for on in dates_in(rule, year)):
            return year
    return None


def _existing(session: Session, rule_id: int, seen: str) -> HolidayRuleRow:
    row = session.get(HolidayRuleRow, rule_id)
    if row is None:
        raise DomainError("This rule is gone: somebody removed it meanwhile.")
    if seen and _mark(read_rule(row)) != seen:
        raise DomainError("Somebody changed this rule meanwhile. Look again.")
    return row


def _checked(session: Session, yearly: YearlyHoliday, calendar_id: int, *, but: int = 0) -> YearlyHoliday:
    name, rule = check_name(yearly.name), yearly.rule
    for year in (rule.first_year, rule.last_year):
        if year is not None and year not in YEARS:
            raise DomainError("The year must lie between 2000 and 2199.")
    same = select(HolidayRuleRow).where(HolidayRuleRow.calendar_id == calendar_id, HolidayRuleRow.name == name)
    for row in session.scalars(same.where(HolidayRuleRow.id != but)):
        other = read_rule(row).rule
        if other.day == rule.day and _overlap(rule, other):
            raise DomainError(f"{name} on {describe_day_of_year(rule.day)} stands in the calendar already.")
    return replace(yearly, name=name, except_on=frozenset())


def _overlap(one: HolidayRule, other: HolidayRule) -> bool:
    first = max(one.first_year or 0, other.first_year or 0)
    return first <= min(one.last_year or YEARS.stop, other.last_year or YEARS.stop)


def _columns(yearly: YearlyHoliday) -> dict[str, str | int | None]:
    return {
        "name": yearly.name, "rule": format_day_of_year(yearly.rule.day),
        "closes_from": yearly.closed.start, "closes_until": yearly.closed.end,
        "first_year": yearly.rule.first_year, "last_year": yearly.rule.last_year,
    }  # fmt: skip


def _write(row: HolidayRuleRow, yearly: YearlyHoliday) -> None:
    for column, value in _columns(yearly).items():
        setattr(row, column, value)


def _excepted(session: Session, calendar_id: int, names: set[str]) -> dict[str, frozenset[date]]:
    decided = select(HolidayRow.name, HolidayRow.observed_on).where(
        HolidayRow.calendar_id == calendar_id, HolidayRow.state != "proposed", HolidayRow.name.in_(names)
    )
    found: dict[str, set[date]] = {}
    for name, on in session.execute(decided):
        found.setdefault(name, set()).add(on)
    return {name: frozenset(dates) for name, dates in found.items()}


def _entry(row: HolidayRuleRow, except_on: frozenset[date], today: date) -> RuleEntry:
    yearly = read_rule(row, except_on=except_on)
    coming = next_dates(yearly.rule, today, count=_SHOWN_DATES + len(except_on))
    shown = tuple(on for on in coming if on not in except_on)[:_SHOWN_DATES]
    words = describe_day_of_year(yearly.rule.day)
    return RuleEntry(row.id, row.calendar_id, yearly, row.rule, words, shown)


def _mark(yearly: YearlyHoliday) -> str:
    said = f"{yearly.name}|{sorted(plain_rule(yearly).items())}"
    return hashlib.sha256(said.encode()).hexdigest()[:12]
