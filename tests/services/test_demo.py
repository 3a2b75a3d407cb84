import os

import pytest
from sqlalchemy import delete, select

from portal.integrations.system.keyfile import KeyFileBox
from portal.models import Notification, OutgoingMail, Ticket, User
from portal.services.demo import EMAIL, load_demo
from portal.services.people import verify_sign_in
from portal.services.schedules import on_call_at
from portal.services.settings import load_settings
from portal.services.tickets import recount
from tests.services.runtime_world import make_world


@pytest.fixture
def world(tmp_path):
    world = make_world(tmp_path)
    world.box, world.data_dir = KeyFileBox(b"k" * 32), tmp_path
    with world.database.unit_of_work() as uow:
        uow.session.execute(delete(User))
    yield world
    world.database.dispose()


def test_an_empty_database_gets_a_shop_with_somebody_on_call_and_tickets_that_wake_nobody(world):
    load_demo(world)
    with world.database.read_session() as session:
        site = load_settings(session)
        assert (site.name, site.sms_provider, site.is_live) == ("Acme IT", "sandbox", True)
        assert on_call_at(session, world.clock.now())
        tickets = session.scalars(select(Ticket)).all()
        assert len(tickets) == 7
        assert all(ticket.is_imported and ticket.received_at < world.clock.now() for ticket in tickets)
        assert session.scalars(select(Notification)).all() == session.scalars(select(OutgoingMail)).all() == []
    with world.database.unit_of_work() as uow:
        assert recount(uow) == 0


def test_the_line_says_how_to_sign_in_and_the_second_start_says_the_same(world, tmp_path):
    line = load_demo(world)
    password = line.rsplit(" ", 1)[1]
    with world.database.read_session() as session:
        assert verify_sign_in(session, EMAIL, password).role == "admin"
    assert load_demo(world) == line
    if os.name == "posix":
        assert (tmp_path / "demo-password").stat().st_mode & 0o777 == 0o600
    with world.database.read_session() as session:
        assert len(session.scalars(select(Ticket)).all()) == 7


def test_a_real_shop_is_left_alone(world):
    with world.database.unit_of_work() as uow:
        uow.session.add(User(email="real@a.example", name="Real", role="admin", created_at=world.clock.now()))
    assert load_demo(world) == ""
    with world.database.read_session() as session:
        assert session.scalars(select(Ticket)).all() == []
