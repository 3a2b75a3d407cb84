"""Copies are kept with the ticket, few and fit."""

from __future__ import annotations

import pytest

from portal.core.mail import parse_mail
from portal.models import Ticket
from portal.services.copies import drop_copy, keep_copies, list_copies
from portal.services.mail_suspensions import suspend
from tests.services.mail_world import NOW, add_mailbox, make_mail_world
from tests.services.paging_world import add_ticket


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    add_mailbox(world)
    world.ticket_id = add_ticket(world.database)
    return world


def keep(world, cc, sender="dana@customer.example"):
    raw = f"From: {sender}\nTo: help@shop.example\nCc: {cc}\nSubject: x\n\nHello\n"
    with world.database.unit_of_work() as uow:
        return keep_copies(world, uow, uow.session.get_one(Ticket, world.ticket_id), parse_mail(raw.encode()))


def copies(world):
    with world.database.read_session() as session:
        return list_copies(session, session.get_one(Ticket, world.ticket_id))


def test_each_is_kept_once_in_the_order_they_came(world):
    assert keep(world, "zoe@customer.example") == 1
    world.clock.move(60)
    assert keep(world, "zoe@customer.example, amy@customer.example, help@shop.example") == 1
    assert copies(world) == ("zoe@customer.example", "amy@customer.example") and keep(world, "") == 0


def test_ten_people_a_ticket_at_most(world):
    assert keep(world, ", ".join(f"a{number}@c.example" for number in range(8))) == 8
    assert keep(world, ", ".join(f"b{number}@c.example" for number in range(8))) == 2
    assert keep(world, "c@c.example") == 0 and len(copies(world)) == 10


def test_the_requester_a_dead_address_and_a_mailbox_of_ours_are_left_out(world):
    keep(world, "dana@customer.example, boss@customer.example, second@branch.example", sender="eve@customer.example")
    add_mailbox(world, name="Second", address="Second@branch.example")
    with world.database.unit_of_work() as uow:
        suspend(uow, "boss@customer.example", reason="5.1.1", now=NOW)
    assert copies(world) == ()


def test_somebody_can_be_left_out_from_now_on(world):
    keep(world, "boss@customer.example")
    with world.database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, world.ticket_id)
        assert drop_copy(uow, ticket, "Boss@customer.example") and not drop_copy(uow, ticket, "boss@customer.example")
    assert copies(world) == ()
