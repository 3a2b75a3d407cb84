"""Calendars of the settings file, there and back: the site's own in sections, the others in `calendars`.

What a list names is made, what it leaves out is removed, and what is over stays as it was. Holidays of whatever
calendar are in services/site_file_holidays.py.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.calendars import SpecialHours, format_week, parse_week
from portal.core.errors import DomainError
from portal.core.wallclock import wall_of
from portal.models import SITE_CALENDAR, SpecialHoursRow
from portal.models.versions import load_site_state
from portal.services.audit import record_change
from portal.services.calendar_edit import add_calendar, edit_calendar
from portal.services.calendars import find_calendar, list_calendars, load_week, save_week
from portal.services.special_hours import add_special_hours, plain_special, remove_special_hours

if TYPE_CHECKING:
    from portal.services.site_file_import import Run

SITE_SECTIONS = ("hours", "special_hours")
_SITE_NAME = "Business hours"
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


def apply_site_calendar(run: Run, value: Any, *, name: str) -> None:
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


def collect_site_calendar(session: Session, wall: datetime, *, name: str) -> Any:
    """One part of the site's own calendar as the file holds it, from `wall` on; `name` is one of SITE_SECTIONS."""
    return _collect(session, SITE_CALENDAR, wall)[name]


def collect_calendars(session: Session, *, now: datetime) -> list[Entry]:
    """The other calendars with all that is in them, and the site's own where it has another name than ours."""
    found: list[Entry] = []
    for head in list_calendars(session):
        if head.id != SITE_CALENDAR:
            inside = _collect(session, head.id, wall_of(now, zone=head.zone))
            found.append({"name": head.name, "zone": head.own_zone, **inside})
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
        before, row.name = row.name, special.name
        names = {"before": {"name": before}, "calendar_id": part.calendar_id}
        record_change(part.run.uow, part.run.change, "special_hours.edit", special.name, **names)
        part.tell(f"{_special_words(special)} was called {before or 'nothing'}")


def _special_words(special: SpecialHours) -> str:
    plain = plain_special(special)
    return " ".join(filter(None, (plain["kind"], plain["from"], "to", plain["to"], special.name)))


def _read_special(row: SpecialHoursRow) -> SpecialHours:
    return SpecialHours(row.starts, row.ends, row.is_open, row.name)


def _collect(session: Session, calendar_id: int, wall: datetime) -> Entry:
    own = select(SpecialHoursRow).where(SpecialHoursRow.calendar_id == calendar_id, SpecialHoursRow.ends > wall)
    special = session.scalars(own.order_by(SpecialHoursRow.starts, SpecialHoursRow.id))
    return {
        "hours": format_week(load_week(session, calendar_id)),
        "special_hours": [plain_special(_read_special(row)) for row in special],
    }


_PARTS: dict[str, Callable[[Part, Any], None]] = {
    "hours": _apply_hours,
    "special_hours": _apply_special,
}
