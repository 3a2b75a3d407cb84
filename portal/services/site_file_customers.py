"""Customers of the settings file, there and back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from portal.core.customers import parse_address
from portal.core.errors import DomainError
from portal.models import SITE_CALENDAR
from portal.services.calendars import find_calendar, list_calendars
from portal.services.customers import (
    CustomerProfile,
    add_customer,
    edit_customer,
    find_customer,
    list_customers,
    load_customer,
)

if TYPE_CHECKING:
    from portal.services.site_file_import import Run

Entry = dict[str, Any]


def apply_customers(run: Run, entries: list[Entry]) -> None:
    """Make each customer the file names. Others stay, and so does what an entry leaves out."""
    named: set[int] = set()
    for place, entry in enumerate(entries):
        with run.at("customers", place):
            known = find_customer(run.uow.session, entry["name"])
            if known in named:
                raise DomainError(f"The customer “{entry['name']}” stands here twice.")
            profile = _profile(run.uow.session, entry, known)
            if known is None:
                known = add_customer(run.uow, profile, change=run.change)
                run.changes.append(f"customers: {profile.name} added")
            elif edit_customer(run.uow, known, profile, change=run.change):
                run.changes.append(f"customers: {profile.name} changed")
            named.add(known)
            run.uow.session.flush()


def collect_customers(session: Session, wall: datetime) -> list[Entry]:
    """Every customer. `wall` is what every section is asked with."""
    calendars = {head.id: head.name for head in list_calendars(session)}
    found: list[Entry] = []
    for entry in list_customers(session):
        known = entry.profile
        own = {"addresses": list(known.addresses), "calendar": calendars.get(known.calendar_id or 0)}
        found.append({"name": known.name, **{key: value for key, value in own.items() if value}})
    return found


def _profile(session: Session, entry: Entry, known: int | None) -> CustomerProfile:
    stored = load_customer(session, known) if known is not None else None
    before = stored.profile if stored else CustomerProfile("")
    addresses, calendar_id = before.addresses, before.calendar_id
    if "addresses" in entry:
        addresses = tuple(dict.fromkeys(map(parse_address, entry["addresses"])))
    if "calendar" in entry:
        calendar_id = find_calendar(session, entry["calendar"]) if entry["calendar"] else None
        if entry["calendar"] and calendar_id is None:
            raise DomainError(f"There is no calendar “{entry['calendar']}”.")
        calendar_id = None if calendar_id == SITE_CALENDAR else calendar_id
    return CustomerProfile(" ".join(entry["name"].split()), calendar_id, addresses)
