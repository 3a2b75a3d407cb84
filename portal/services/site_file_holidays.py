"""Holidays, the rules of every year and calendars on the web in the settings file, there and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.calendars import WHOLE_DAY, Period, YearlyHoliday, parse_period
from portal.core.errors import DomainError
from portal.core.holiday_rules import HolidayRule, parse_day_of_year
from portal.core.wallclock import wall_of
from portal.models import SITE_CALENDAR, HolidayRow, HolidayRuleRow
from portal.services.calendars import find_calendar, list_calendars
from portal.services.holiday_feeds import add_feed, edit_feed, list_feeds, read_address, remove_feed
from portal.services.holiday_rules import add_rule, edit_rule, find_rule, plain_rule, remove_rule
from portal.services.holidays import (
    ACCEPTED,
    IGNORED,
    PROPOSED,
    add_holiday,
    check_name,
    decide_holidays,
    find_holiday,
    read_rule,
    remove_holiday,
)
from portal.services.settings import load_settings

if TYPE_CHECKING:
    from portal.services.site_file_import import Run


def collect_holidays(session: Session, wall: datetime) -> list[dict[str, Any]]:
    """The days that are decided, from `wall` on."""
    decided = (HolidayRow.state != PROPOSED, HolidayRow.observed_on >= wall.date())
    order = (HolidayRow.calendar_id, HolidayRow.observed_on, HolidayRow.name)
    names = _names(session)
    return [
        {
            "date": row.observed_on,
            "name": row.name,
            **_calendar(names, row.calendar_id),
            **_part(Period(row.closes_from, row.closes_until)),
            **({} if row.state == ACCEPTED else {"state": row.state}),
        }
        for row in session.scalars(select(HolidayRow).where(*decided).order_by(*order))
    ]


def apply_holidays(run: Run, entries: list[dict[str, Any]]) -> None:
    """Make the days from today on those of the file. Days in the past, and proposals that wait, stay."""
    kept = set()
    for place, entry in enumerate(entries):
        with run.at("holidays", place):
            if entry["state"] not in (ACCEPTED, IGNORED):
                raise DomainError(f"“{entry['state']}” is neither accepted nor ignored.")
            calendar_id, name = _calendar_id(run, entry), check_name(entry["name"])
            day = calendar_id, entry["date"], name
            if day in kept:
                raise DomainError(f"{entry['date']} {name} stands here twice.")
            kept.add(day)
            if _set_day(run, calendar_id, name, entry):
                run.changes.append(f"holidays: {entry['date']} {name} {entry['state']}")
    decided = select(HolidayRow).where(HolidayRow.observed_on >= _today(run), HolidayRow.state != PROPOSED)
    for row in run.uow.session.scalars(decided).all():
        if (row.calendar_id, row.observed_on, row.name) not in kept:
            run.changes.append(f"holidays: {row.observed_on} {row.name} removed")
            remove_holiday(run.uow, row.id, change=run.change)


def collect_rules(session: Session, wall: datetime) -> list[dict[str, Any]]:
    """The rules that are not over."""
    names = _names(session)
    rows = session.scalars(select(HolidayRuleRow).order_by(HolidayRuleRow.calendar_id, HolidayRuleRow.id))
    return [
        {"name": row.name, **_calendar(names, row.calendar_id), **plain_rule(read_rule(row))}
        for row in rows
        if row.last_year is None or row.last_year >= wall.year
    ]


def apply_rules(run: Run, entries: list[dict[str, Any]]) -> None:
    """Make the rules those of the file: what is missing there closes no day any more, and what has been stays."""
    today = _today(run)
    kept: set[int] = set()
    for place, entry in enumerate(entries):
        with run.at("holiday_rules", place):
            calendar_id, yearly = _calendar_id(run, entry), _read_rule(entry)
            row_id = _find_rule(run, calendar_id, yearly, kept)
            if row_id is None:
                kept.add(add_rule(run.uow, yearly, change=run.change, calendar_id=calendar_id))
                run.changes.append(f"holiday_rules: {yearly.name} added")
                continue
            kept.add(row_id)
            found = find_rule(run.uow.session, row_id, today=today)
            if found is not None and yearly.rule.first_year is None:
                yearly = replace(yearly, rule=replace(yearly.rule, first_year=found.yearly.rule.first_year))
            if found is not None and plain_rule(found.yearly) != plain_rule(yearly):
                kept.add(edit_rule(run.uow, row_id, yearly, seen=found.mark, today=today, change=run.change))
                run.changes.append(f"holiday_rules: {yearly.name} changed")
    for row in run.uow.session.scalars(select(HolidayRuleRow)).all():
        if row.id not in kept and (row.last_year is None or row.last_year >= today.year):
            before = row.last_year
            remove_rule(run.uow, row.id, today=today, change=run.change)
            if row.last_year != before or row in run.uow.session.deleted:
                run.changes.append(f"holiday_rules: {row.name} removed")


def collect_feeds(session: Session, wall: datetime) -> list[dict[str, Any]]:
    """The calendars on the web that propose days. `wall` is what every section is asked with."""
    names = _names(session)
    return [
        {
            "name": entry.name,
            "url": entry.url,
            **_calendar(names, entry.calendar_id),
            **({} if entry.is_enabled else {"enabled": False}),
        }
        for calendar_id in names
        for entry in list_feeds(session, calendar_id)
    ]


def apply_feeds(run: Run, entries: list[dict[str, Any]]) -> None:
    """Make the calendars on the web those of the file, each found again by its address."""
    known = {
        (entry.calendar_id, entry.url): entry
        for calendar_id in _names(run.uow.session)
        for entry in list_feeds(run.uow.session, calendar_id)
    }
    kept = set()
    for place, said in enumerate(entries):
        with run.at("holiday_feeds", place):
            calendar_id, url = _calendar_id(run, said), read_address(said["url"])
            if (calendar_id, url) in kept:
                raise DomainError("This address stands here twice.")
            kept.add((calendar_id, url))
            stored = known.get((calendar_id, url))
            name, is_enabled = said["name"], said["enabled"]
            if stored is None:
                feed_id = add_feed(run.uow, name, url, calendar_id=calendar_id, change=run.change)
                edit_feed(run.uow, feed_id, name=name, url=url, is_enabled=is_enabled, change=run.change)
                run.changes.append(f"holiday_feeds: {name} added")
            elif edit_feed(run.uow, stored.id, name=name, url=url, is_enabled=is_enabled, change=run.change):
                run.changes.append(f"holiday_feeds: {name} changed")
    for key, stored in known.items():
        if key not in kept:
            remove_feed(run.uow, stored.id, change=run.change)
            run.changes.append(f"holiday_feeds: {stored.name} removed")


def _set_day(run: Run, calendar_id: int, name: str, entry: dict[str, Any]) -> bool:
    closed, on, session = _closed(entry), entry["date"], run.uow.session
    same = (HolidayRow.calendar_id == calendar_id, HolidayRow.observed_on == on, HolidayRow.name == name)
    row_id = session.scalar(select(HolidayRow.id).where(*same))
    if row_id is None:
        row_id = add_holiday(run.uow, on, name, change=run.change, calendar_id=calendar_id, closed=closed)
        if entry["state"] == ACCEPTED:
            return True
    day = find_holiday(session, row_id)
    accept = entry["state"] == ACCEPTED
    marks = {row_id: day.mark} if day else {}
    return bool(decide_holidays(run.uow, marks, accept=accept, change=run.change, closed=closed).done)


def _find_rule(run: Run, calendar_id: int, yearly: YearlyHoliday, taken: set[int]) -> int | None:
    """The rule of that name that an entry means: the one of the same day first, else one that is not over."""
    own = select(HolidayRuleRow).where(HolidayRuleRow.calendar_id == calendar_id, HolidayRuleRow.name == yearly.name)
    rows = [row for row in run.uow.session.scalars(own.order_by(HolidayRuleRow.id.desc())) if row.id not in taken]
    same = [row for row in rows if read_rule(row).rule == yearly.rule]
    alive = [row for row in rows if row.last_year is None or row.last_year >= _today(run).year]
    return next((row.id for row in (*same, *alive)), None)


def _read_rule(entry: dict[str, Any]) -> YearlyHoliday:
    rule = HolidayRule(parse_day_of_year(entry["day"]), entry.get("first_year"), entry.get("last_year"))
    return YearlyHoliday(check_name(entry["name"]), rule, _closed(entry))


def _closed(entry: dict[str, Any]) -> Period:
    return parse_period(entry["closed"]) if entry.get("closed") else WHOLE_DAY


def _part(closed: Period) -> dict[str, str]:
    return {} if closed == WHOLE_DAY else {"closed": str(closed)}


def _calendar(names: dict[int, str], calendar_id: int) -> dict[str, str]:
    return {} if calendar_id == SITE_CALENDAR else {"calendar": names[calendar_id]}


def _names(session: Session) -> dict[int, str]:
    return {head.id: head.name for head in list_calendars(session)}


def _calendar_id(run: Run, entry: dict[str, Any]) -> int:
    name = entry.get("calendar", "")
    found = find_calendar(run.uow.session, name) if name else SITE_CALENDAR
    if found is None:
        raise DomainError(f"There is no calendar “{name}”.")
    return found


def _today(run: Run) -> date:
    return wall_of(run.change.at, zone=load_settings(run.uow.session).zone).date()
