"""Sites for the tests of triage: one with nothing to sort into, one at night with the shipped words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import delete, select

from portal.models import Category, Database, Queue
from portal.services.audit import Change
from portal.services.lexicon import seed_triage
from portal.services.tickets import Actor, NewMessage, NewTicket, create_ticket, find_or_add_requester
from portal.services.triage import triage_next
from tests.services.paging_world import NOW, World
from tests.services.ticket_world import make_database

DANA = Actor("Dana Diaz")


@contextmanager
def bare_database(folder: Path) -> Iterator[Database]:
    """Alice and Bob are there; nothing to sort tickets into."""
    database = make_database(folder)
    with database.unit_of_work() as uow:
        uow.session.execute(delete(Category))
        uow.session.execute(delete(Queue))
    yield database
    database.dispose()


@contextmanager
def triage_world(folder: Path) -> Iterator[World]:
    """The shop of paging_world at Christmas night, with the shipped queues, categories and words."""
    with bare_database(folder) as database:
        world = World(database)
        with database.unit_of_work() as uow:
            seed_triage(uow, change=Change(None, NOW))
        yield world


def ask(world, subject="Printer", body="The toner is empty", *, source="mail", received_at=NOW, **values) -> int:
    """A new request of Dana's; returns the ticket's number."""
    with world.database.unit_of_work() as uow:
        dana = find_or_add_requester(uow, "dana@c.example", now=NOW, name="Dana Diaz")
        first = NewMessage("request", body, author="Dana Diaz")
        new = NewTicket(subject, first, source, dana.id, received_at, values)
        return create_ticket(uow, new, actor=DANA, now=NOW)[0].id


def step(world) -> bool:
    return triage_next(world.context, pause=lambda seconds: None)


def load(world, model, **where):
    with world.database.read_session() as session:
        return session.scalars(select(model).filter_by(**where).order_by(*model.__table__.primary_key)).all()
