"""A small shop at night: Alice (admin), Bob and Carol (on call), their phones, and tickets of Dana's."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.core.escalation import FALLBACK, ON_CALL, EscalationPolicy, Step
from portal.core.paging import Cause, HoursFacts, PagePolicy
from portal.models import HolidayRow, Message, Notification, Page, Phone, Requester, SettingRow, ShiftRow, Ticket, User
from portal.services.audit import Change
from portal.services.escalation_steps import save_policy
from portal.services.paging import Event, decide_for_ticket
from portal.services.paging_rules import Cover, PagingRules
from tests.services.fake_sms import FakeSms
from tests.services.mail_world import PlainBox

NOW = datetime(2026, 12, 25, 2, 10, tzinfo=UTC)
ALICE, BOB, CAROL, MALLORY = 1, 2, 3, 4
NUMBERS = {ALICE: "+15550100", BOB: "+15550101", CAROL: "+15550102"}
RULES = PagingRules(
    now=NOW,
    policy=PagePolicy(),
    escalation=EscalationPolicy((Step((ON_CALL,), wait=5, repeats=1), Step((FALLBACK,), wait=5, repeats=0))),
    cover=Cover(HoursFacts(is_open=False, holiday="Christmas Day"), (BOB, CAROL)),
    by_queue={},
    fallback=ALICE,
    site_name="Acme IT",
    number_prefix="#",
    zone=ZoneInfo("Europe/Berlin"),
    provider="twilio",
    is_live=True,
)
CREATED = Event(Cause.CREATED)


def add_people(database):
    people = {ALICE: ("Alice", "admin"), BOB: ("Bob", "technician"), CAROL: ("Carol", "technician")}
    with database.unit_of_work() as uow:
        for user_id, (name, role) in people.items():
            email = f"{name.lower()}@acme.example"
            uow.session.merge(User(id=user_id, email=email, name=name, role=role, created_at=NOW))
        uow.session.flush()
        for user_id, number in NUMBERS.items():
            uow.session.add(Phone(user_id=user_id, number=number))


def add_ticket(database, subject="Server down", **changes):
    """A ticket of Dana's; returns its id."""
    with database.unit_of_work() as uow:
        dana = uow.session.scalar(select(Requester).where(Requester.email == "dana@customer.example"))
        if dana is None:
            dana = Requester(email="dana@customer.example", name="Dana Reed", phone="+15550177", created_at=NOW)
            uow.session.add(dana)
            uow.session.flush()
        values = {
            "subject": subject,
            "status": "new",
            "is_open": True,
            "priority": 3,
            "requester_id": dana.id,
            "source": "mail",
            "received_at": NOW,
            "created_at": NOW,
            "changed_at": NOW,
        }
        ticket = Ticket(**{**values, **changes})
        uow.session.add(ticket)
        uow.session.flush()
        body = Message(ticket_id=ticket.id, kind="request", is_public=True, body="Nobody can work.", at=NOW)
        uow.session.add(body)
        return ticket.id


def decide(database, ticket_id, event=CREATED, **changes):
    """Run the decision; returns its row. What is changed may be a field of the cover, too."""
    cover = {name: changes.pop(name) for name in ("hours", "on_call", "has_managers") if name in changes}
    changes["cover"] = replace(RULES.cover, **cover)
    with database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, ticket_id)
        return decide_for_ticket(uow, ticket, event, rules=replace(RULES, **changes))


def rows(database, model, **where):
    with database.read_session() as session:
        return session.scalars(select(model).filter_by(**where).order_by(model.id)).all()


def page_of(database, ticket_id):
    """The latest page of a ticket."""
    pages = rows(database, Page, ticket_id=ticket_id)
    return pages[-1] if pages else None


def texts(database, user_id=None, **where):
    """(user, state, first line) of the outbox rows."""
    found = rows(database, Notification, **({"user_id": user_id} if user_id else {}), **where)
    return [(row.user_id, row.state, row.text.splitlines()[0]) for row in found]


def later(minutes=0, seconds=0):
    return NOW + timedelta(minutes=minutes, seconds=seconds)


class Times:
    """A clock that stands still until a test moves it. Machine time moves along unless told otherwise."""

    def __init__(self):
        self.product = self.machine = NOW
        self.is_settled = True

    def now(self):
        return self.product

    def lease_now(self):
        return self.machine

    def may_take_over(self):
        return self.is_settled

    def pass_by(self, minutes=0, seconds=0):
        self.product += timedelta(minutes=minutes, seconds=seconds)
        self.machine += timedelta(minutes=minutes, seconds=seconds)


class World:
    """The shop with its settings in the database, a provider in memory, and a clock that stands still.

    Bob and Carol are on call all winter; it is Christmas night, and Nightdesk is live.
    """

    def __init__(self, database):
        self.database, self.times, self.sms = database, Times(), FakeSms()
        self.gateway = lambda: self.sms
        random = SimpleNamespace(token=lambda size: next(self._tokens).to_bytes(size, "big"))
        self._tokens = count(1)
        add_people(database)
        self.context = SimpleNamespace(
            database=database, clock=self.times, random=random, sms=lambda: self.gateway(), box=PlainBox(), site_url=""
        )
        self.set(site__live=True, site__zone="Europe/Berlin", site__name="Acme IT", sms__provider="twilio")
        self.set(paging__fallback=ALICE)
        with database.unit_of_work() as uow:
            uow.session.add(HolidayRow(observed_on=date(2026, 12, 25), name="Christmas Day", state="accepted"))
            save_policy(uow, RULES.escalation, change=Change(None, NOW))
        self.put_on_call(BOB, CAROL)

    def set(self, **settings):
        """`site__live=True` is the setting `site.live`."""
        with self.database.unit_of_work() as uow:
            for key, value in settings.items():
                uow.session.merge(SettingRow(key=key.replace("__", "."), value=json.dumps(value)))

    def put_on_call(self, *people):
        with self.database.unit_of_work() as uow:
            uow.session.query(ShiftRow).delete()
            for person in people:
                starts, ends = datetime(2026, 12, 1), datetime(2027, 3, 1)
                uow.session.add(ShiftRow(user_id=person, starts=starts, ends=ends))
