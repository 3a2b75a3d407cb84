"""Calendars of the settings file, there and back: the site's own in sections, the others in `calendars`.

What a list names is made, what it leaves out is removed, and what is over stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.calendars import Period, SpecialHours, format_week, parse_period, parse_week
from portal.core.errors import DomainError
from portal.core.holiday_rules import HolidayRule, format_day_of_year, parse_day_of_year
from portal.core.wallclock import wall_of
from portal.models import SITE_CALENDAR, HolidayRow, HolidayRuleRow, SpecialHoursRow
from portal.models.versions import Head, load_site_state
from portal.services.audit import record_change
from portal.services.calendar_edit import add_calendar, edit_calendar
from portal.services.calendars import find_calendar, list_calendars, load_week, save_week
from portal.services.holidays import ACCEPTED, IGNORED, MANUAL, PROPOSED, remove_holiday
from portal.services.special_hours import add_special_hours, plain_special, remove_special_hours

if TYPE_CHECKING:
    from portal.services.site_file_import import Run

SITE_SECTIONS = ("hours", "special_hours", "holidays", "holiday_rules")
_SITE_NAME = "Business hours"
_WHOLE_DAY = "00:00-24:00"
Entry = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """One part of one calendar at work. `said` begins what is told of a change; `at(number)` is the line of an entry,
    `at(None)` that of the part."""

    run: Run
    calendar_id: int
    said: str
    at: Callable[[int | None], AbstractContextManager[None]]

    @property
    def session(self) -> Session:
        return self.run.uow.session

    @property
    def wall(self) -> datetime:
        """What the calendar's clock shows."""
        return wall_of(self.run.change.at, zone=load_site_state(self.session).calendars[self.calendar_id].zone)

    def tell(self, words: str) -> None:
        """Of a change whose service leaves the trace."""
        self.run.changes.append(f"{self.said}: {words}")

    def note(self, action: str, subject: str, words: str, **data: Any) -> None:
        """Of a change, and leave its trace."""
        self.tell(f"{subject} {words}")
        record_change(self.run.uow, self.run.change, action, subject, calendar_id=self.calendar_id, **data)


def apply_site_calendar(run: Run, name: str, value: Any) -> None:
    """Make one part of the site's own calendar that of the file; `name` is one of SITE_SECTIONS."""
    _PARTS[name](Part(run, SITE_CALENDAR, name, lambda number: run.at(name, number)), value)


def apply_calendars(run: Run, entries: list[Entry]) -> None:
    """Make each calendar the file names, and what is in it. Others stay, and so does what an entry leaves out."""
    named: set[int] = set()
    for place, entry in enumerate(entries):
        with run.at("calendars", place):
            calendar_id = _find_or_add(run, entry)
            if calendar_id in named:
                raise DomainError(f"The calendar “{entry['name']}” stands here twice.")
            named.add(calendar_id)
            for name in SITE_SECTIONS:
                if name not in entry:
                    continue
                if calendar_id == SITE_CALENDAR and name in run.file.sections:
                    raise DomainError(f"The site's own calendar has its section “{name}” already.")
                said = f"calendars: {' '.join(entry['name'].split())}: {name}"
                _PARTS[name](Part(run, calendar_id, said, _lines_of(run, place, name)), entry[name])
                run.uow.session.flush()


def collect_site_calendar(session: Session, name: str, *, now: datetime) -> Any:
    """One part of the site's own calendar as the file holds it; `name` is one of SITE_SECTIONS."""
    return _collect(session, load_site_state(session).calendars[SITE_CALENDAR], now)[name]


def collect_calendars(session: Session, *, now: datetime) -> list[Entry]:
    """The other calendars with all that is in them, and the site's own where it has another name than ours."""
    found: list[Entry] = []
    for head in list_calendars(session):
        if head.id != SITE_CALENDAR:
            found.append({"name": head.name, "zone": head.own_zone, **_collect(session, head, now)})
        elif head.name != _SITE_NAME:
            found.append({"name": head.name, "site": True})
    return found


def _lines_of(run: Run, place: int, name: str) -> Callable[[int | None], AbstractContextManager[None]]:
    return lambda number: run.at("calendars", (place, name) if number is None else (place, name, number))


def _find_or_add(run: Run, entry: Entry) -> int:
    session, name = run.uow.session, " ".join(entry["name"].split())
    known = SITE_CALENDAR if entry["site"] else _with_name(session, name)
    if known is None:
        known = add_calendar(run.uow, name, zone=entry.get("zone", ""), change=run.change)
        run.changes.append(f"calendars: {name} added")
        return known
    head = load_site_state(session).calendars[known]
    if edit_calendar(run.uow, known, name=name, zone=entry.get("zone", head.own_zone), change=run.change):
        run.uow.session.flush()
        run.changes.append(f"calendars: {head.name} has another name or zone")
    return known


def _with_name(session: Session, name: str) -> int | None:
    """By its name only: a number is no name here."""
    found = find_calendar(session, name)
    is_named = found and load_site_state(session).calendars[found].name.casefold() == name.casefold()
    return found if is_named else None


def _apply_hours(part: Part, week: dict[str, list[str]]) -> None:
    with part.at(None):
        wanted = parse_week(week)
        if wanted != load_week(part.session, part.calendar_id):
            save_week(part.run.uow, wanted, calendar_id=part.calendar_id, change=part.run.change)
            part.tell("changed")


def _apply_special(part: Part, entries: list[Entry]) -> None:
    own = select(SpecialHoursRow).where(SpecialHoursRow.calendar_id == part.calendar_id).order_by(SpecialHoursRow.id)
    rows = {(row.starts, row.ends, row.is_open): row for row in part.session.scalars(own)}
    kept = set()
    for number, entry in enumerate(entries):
        with part.at(number):
            if entry["kind"] not in ("closed", "open"):
                raise DomainError(f"“{entry['kind']}” is neither closed nor open.")
            key = entry["from"], entry["to"], entry["kind"] == "open"
            if key in kept:
                raise DomainError("This very entry stands here twice.")
            kept.add(key)
            _apply_one_special(part, rows.get(key), SpecialHours(*key, " ".join(entry["name"].split())))
    for key, row in rows.items():
        if key not in kept and row.ends > part.wall:
            part.tell(f"{_special_words(_read_special(row))} removed")
            remove_special_hours(part.run.uow, row.id, change=part.run.change)


def _apply_one_special(part: Part, row: SpecialHoursRow | None, special: SpecialHours) -> None:
    if row is None:
        add_special_hours(part.run.uow, special, calendar_id=part.calendar_id, change=part.run.change)
        part.tell(f"{_special_words(special)} added")
    elif row.name != special.name:
        row.name = special.name
        part.note("special_hours.edit", special.name, f"is the name of {_special_words(replace(special, name=''))}")


def _special_words(special: SpecialHours) -> str:
    plain = plain_special(special)
    return " ".join(filter(None, (plain["kind"], plain["from"], "to", plain["to"], special.name)))


def _read_special(row: SpecialHoursRow) -> SpecialHours:
    return SpecialHours(row.starts, row.ends, row.is_open, row.name)


def _apply_holidays(part: Part, entries: list[Entry]) -> None:
    own = select(HolidayRow).where(HolidayRow.calendar_id == part.calendar_id)
    rows = {(row.observed_on, row.name): row for row in part.session.scalars(own)}
    kept = set()
    for number, entry in enumerate(entries):
        with part.at(number):
            key = (entry["date"], _checked_name(entry["name"]))
            if key in kept:
                raise DomainError(f"{key[1]} on {key[0]} stands here twice.")
            kept.add(key)
            _apply_holiday(part, rows.get(key), entry, key[1])
    today = part.wall.date()
    for key, row in rows.items():
        if key not in kept and row.observed_on >= today and row.state != PROPOSED:
            part.tell(f"{row.observed_on} {row.name} removed")
            remove_holiday(part.run.uow, row.id, change=part.run.change)


def _apply_holiday(part: Part, row: HolidayRow | None, entry: Entry, name: str) -> None:
    if entry["state"] not in (ACCEPTED, IGNORED):
        raise DomainError(f"“{entry['state']}” is neither accepted nor ignored.")
    closed = parse_period(entry["closed"])
    wanted = (entry["state"], closed.start, closed.end)
    if row is None:
        row = HolidayRow(calendar_id=part.calendar_id, observed_on=entry["date"], name=name, source=MANUAL)
        part.session.add(row)
    elif (row.state, row.closes_from, row.closes_until) == wanted:
        return
    row.state, row.closes_from, row.closes_until = wanted
    part.note("holiday.edit", f"{entry['date']} {name}", str(entry["state"]), closed=entry["closed"])


def _apply_rules(part: Part, entries: list[Entry]) -> None:
    own = select(HolidayRuleRow).where(HolidayRuleRow.calendar_id == part.calendar_id).order_by(HolidayRuleRow.id)
    rows = {_rule_key(row): row for row in part.session.scalars(own)}
    kept = set()
    for number, entry in enumerate(entries):
        with part.at(number):
            fresh = _read_rule(part.calendar_id, entry)
            key = _rule_key(fresh)
            if key in kept:
                raise DomainError(f"The rule of {fresh.name} stands here twice.")
            kept.add(key)
            if key not in rows:
                part.session.add(fresh)
                part.note("holiday_rule.add", fresh.name, "added", rule=fresh.rule)
    for key, row in rows.items():
        if key not in kept:
            part.note("holiday_rule.remove", row.name, "removed", rule=row.rule)
            part.session.delete(row)


def _read_rule(calendar_id: int, entry: Entry) -> HolidayRuleRow:
    rule = HolidayRule(parse_day_of_year(entry["rule"]), entry.get("first_year"), entry.get("last_year"))
    closed = parse_period(entry["closed"])
    return HolidayRuleRow(
        calendar_id=calendar_id,
        name=_checked_name(entry["name"]),
        rule=format_day_of_year(rule.day),
        closes_from=closed.start,
        closes_until=closed.end,
        first_year=rule.first_year,
        last_year=rule.last_year,
    )


def _rule_key(row: HolidayRuleRow) -> tuple[Any, ...]:
    return row.name, row.rule, row.closes_from, row.closes_until, row.first_year, row.last_year


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 200:
        raise DomainError("The name of a day has between 1 and 200 characters.")
    return name


def _collect(session: Session, head: Head, now: datetime) -> Entry:
    wall = wall_of(now, zone=head.zone)
    special = select(SpecialHoursRow).where(SpecialHoursRow.calendar_id == head.id, SpecialHoursRow.ends > wall)
    decided = (HolidayRow.state != PROPOSED, HolidayRow.observed_on >= wall.date())
    days = select(HolidayRow).where(HolidayRow.calendar_id == head.id, *decided)
    rules = select(HolidayRuleRow).where(HolidayRuleRow.calendar_id == head.id).order_by(HolidayRuleRow.id)
    return {
        "hours": format_week(load_week(session, head.id)),
        "special_hours": [
            plain_special(_read_special(row))
            for row in session.scalars(special.order_by(SpecialHoursRow.starts, SpecialHoursRow.id))
        ],
        "holidays": [
            {
                "date": row.observed_on, "name": row.name,
                **({} if row.state == ACCEPTED else {"state": row.state}), **_closed(row),
            }
            for row in session.scalars(days.order_by(HolidayRow.observed_on, HolidayRow.name))
        ],
        "holiday_rules": [
            {
                "name": row.name, "rule": row.rule,
                **({"first_year": row.first_year} if row.first_year else {}),
                **({"last_year": row.last_year} if row.last_year else {}), **_closed(row),
            }
            for row in session.scalars(rules)
        ],
    }  # fmt: skip


def _closed(row: HolidayRow | HolidayRuleRow) -> dict[str, str]:
    closed = str(Period(row.closes_from, row.closes_until))
    return {} if closed == _WHOLE_DAY else {"closed": closed}


_PARTS: dict[str, Callable[[Part, Any], None]] = {
    "hours": _apply_hours,
    "special_hours": _apply_special,
    "holidays": _apply_holidays,
    "holiday_rules": _apply_rules,
}
