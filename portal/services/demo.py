"""Sample data for `make demo`: a small shop with phones on a page and a few requests. Only for an empty database."""

from __future__ import annotations

import base64
import os
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from portal.core.calendars import Period, Week
from portal.core.shifts import Shift
from portal.core.wallclock import wall_of
from portal.models import UnitOfWork, User
from portal.services.audit import Change
from portal.services.calendars import save_week
from portal.services.context import Context
from portal.services.customers import CustomerProfile, add_customer
from portal.services.people import Profile, add_person, make_password, set_password
from portal.services.settings import load_settings, save_settings
from portal.services.shifts import add_shift
from portal.services.tickets import REQUEST, Actor, NewMessage, NewTicket, create_ticket, find_or_add_requester

EMAIL = "alice@demo.example"
_PASSWORD_FILE = "demo-password"  # noqa: S105 - a file's name
_PEOPLE = (
    Profile(EMAIL, "Alice Adams", "admin", ("+15550100",)),
    Profile("bob@demo.example", "Bob Brown", "technician", ("+15550101",)),
    Profile("carol@demo.example", "Carol Clark", "technician", ("+15550102",)),
)
_CUSTOMERS = (
    CustomerProfile("Baker & Sons", addresses=("baker.example",)),
    CustomerProfile("North Dental", addresses=("dental.example",)),
)
# Who works where; the rest are our own.
_WORKS_AT = {"Dana Reed": "baker.example", "Erik Olsen": "baker.example", "Grace Kim": "dental.example"}
_OFFICE = Week(((Period(480, 1020),),) * 5 + ((),) * 2)
# Hours ago, who, subject, words.
_REQUESTS = (
    (1, "Dana Reed", "Printer on the second floor prints blank pages", "It did so yesterday, too. Toner is full."),
    (3, "Erik Olsen", "Cannot log in to VPN from home", "It says the certifcate is expired. I need it for tomorow."),
    (7, "Fatima Haddad", "New laptop for a colleague", "She starts on the first. Same model as mine, please."),
    (
        20,
        "Dana Reed",
        "Outlook asks for the password again and again",
        "Since the update last night, on two computers.",
    ),
    (26, "Grace Kim", "Server room is very warm", "The display on the air conditioner shows 31 degrees."),
    (50, "Henry Wolf", "Please reset my password", "I am back from holidays and forgot it."),
    (75, "Erik Olsen", "Shared folder 'Projects' is gone", "Nobody in the office can open it. The drive is there."),
)


def load_demo(context: Context) -> str:
    """Fill an empty database. Returns how to sign in, "" when the database is somebody's real one."""
    now = context.clock.now()
    with context.database.unit_of_work() as uow:
        if uow.session.scalar(select(User.id).limit(1)) is None:
            password = base64.b32encode(context.random.token(10)).decode().lower()
            _add_shop(context, uow, password, change=Change(None, now))
            _write_password(context.data_dir, password)
    try:
        return f"sign in as {EMAIL} with the password {(context.data_dir / _PASSWORD_FILE).read_text().strip()}"
    except FileNotFoundError:
        return ""


def _add_shop(context: Context, uow: UnitOfWork, password: str, *, change: Change) -> None:
    people = [add_person(uow, profile, change=change) for profile in _PEOPLE]
    set_password(uow, people[0], make_password(password), change=change)
    values = {
        "site.name": "Acme IT",
        "site.zone": "Europe/Berlin",
        "site.live": True,
        "sms.provider": "sandbox",
        "paging.fallback": people[0].id,
    }
    save_settings(uow, values, change=change, box=context.box)
    save_week(uow, _OFFICE, change=change)
    zone = load_settings(uow.session).zone
    for shift in _plan_shifts(wall_of(change.at, zone=zone), people[1].id, people[2].id):
        add_shift(uow, shift, change=change)
    for profile in _CUSTOMERS:
        add_customer(uow, profile, change=change)
    for hours, name, subject, body in reversed(_REQUESTS):  # the numbers go up with the time
        _add_request(uow, name, subject, body, at=change.at - timedelta(hours=hours), now=change.at)


def _plan_shifts(wall: datetime, bob: int, carol: int) -> list[Shift]:
    """Four weeks from this Monday, in turns."""
    monday = wall.replace(hour=8, minute=0, second=0, microsecond=0) - timedelta(days=wall.weekday())
    if monday > wall:
        monday -= timedelta(weeks=1)
    weeks = [(monday + timedelta(weeks=n), (bob, carol)[n % 2]) for n in range(4)]
    return [Shift(0, person, start, start + timedelta(weeks=1)) for start, person in weeks]


def _add_request(uow: UnitOfWork, name: str, subject: str, body: str, *, at: datetime, now: datetime) -> None:
    """As if imported: a sample wakes nobody."""
    email = f"{name.split()[0].lower()}@{_WORKS_AT.get(name, 'demo.example')}"
    requester = find_or_add_requester(uow, email, now=now, name=name)
    first = NewMessage(REQUEST, body, author=f"{name} <{email}>", at=at)
    new = NewTicket(subject, first, "mail", requester.id, at, {"is_imported": True})
    create_ticket(uow, new, actor=Actor(name), now=now)


def _write_password(data_dir: Path, password: str) -> None:
    path = data_dir / _PASSWORD_FILE
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(password + "\n")
