"""Taking, giving back, closing and reopening a page, as buttons and texts do it."""

from dataclasses import replace

import pytest

from portal.core.errors import DomainError
from portal.models import Alarm, Notification, Page, PageCode, Ticket, User
from portal.services.page_changes import Closing, close_page, give_back, reopen_page, take_page
from portal.services.paging import page_test
from tests.services.paging_world import BOB, CAROL, RULES, add_ticket, decide, later, rows, texts

LATER = replace(RULES, now=later(minutes=4))


@pytest.fixture
def rung(world):
    decide(world.database, add_ticket(world.database))
    with world.database.unit_of_work() as uow:
        for row in uow.session.query(Notification):
            row.state = "delivered"
    return world


def act(world, action, person=BOB, rules=LATER, **keywords):
    with world.database.unit_of_work() as uow:
        page, user = uow.session.get_one(Page, 1), uow.session.get_one(User, person)
        return action(uow, page, user, rules=rules, **keywords)


def close(world, note="", minutes=None):
    with world.database.unit_of_work() as uow:
        page, bob = uow.session.get_one(Page, 1), uow.session.get_one(User, BOB)
        return close_page(world.context, uow, page, bob, Closing(note, minutes), rules=LATER)


def page(world):
    return rows(world.database, Page)[0]


def notices(world):
    return [(user, text) for user, _, text in texts(world.database, kind="info")]


def test_taking_stops_the_clock_and_tells_the_others_once(rung):
    undo = act(rung, take_page)
    assert (undo["kind"], undo["page_id"]) == ("take", 1)
    assert (page(rung).state, page(rung).due_at, page(rung).acknowledged_by) == ("acknowledged", None, BOB)
    assert notices(rung) == [(CAROL, "Bob has #1. You need not do anything")]


def test_taking_what_somebody_has_says_who_and_since_when(rung):
    act(rung, take_page)
    with pytest.raises(DomainError, match=r"Bob has it since 03:14\."):
        act(rung, take_page, CAROL)
    close(rung)
    with pytest.raises(DomainError, match="already closed"):
        act(rung, take_page, CAROL)


def test_taking_cancels_what_has_not_left_and_ends_the_alarm(world):
    decide(world.database, add_ticket(world.database))
    with world.database.unit_of_work() as uow:
        uow.session.add(Alarm(key="page:1", text="x", raised_at=LATER.now))
    act(world, take_page)
    assert {row.state for row in rows(world.database, Notification, kind="page")} == {"cancelled"}
    assert rows(world.database, Alarm)[0].ended_by == "Bob"
    assert notices(world) == []


def test_a_test_page_is_over_when_it_is_taken(world):
    with world.database.unit_of_work() as uow:
        page_test(uow, uow.session.get_one(User, BOB), rules=RULES)
    assert act(world, take_page) == {}
    assert page(world).state == "resolved"


def test_giving_back_asks_again_after_a_full_wait(rung):
    undo = act(rung, take_page)
    act(rung, give_back, undo=undo, rules=replace(RULES, now=later(minutes=6)))
    assert (page(rung).state, page(rung).due_at) == ("open", later(minutes=11))
    assert notices(rung)[-1] == (CAROL, "Bob gave #1 back. Reply 1A to take it")


def test_closing_without_taking_takes_and_closes(rung):
    undo = close(rung, "swapped the cable", 5)
    assert (page(rung).state, page(rung).acknowledged_by, undo["kind"]) == ("resolved", BOB, "close")
    assert rows(rung.database, Ticket)[0].status == "resolved"
    assert not any(code.is_open for code in rows(rung.database, PageCode))


def test_a_digest_is_put_aside_and_its_tickets_stay_open(world):
    with world.database.unit_of_work() as uow:
        uow.session.add(Page(kind="digest", state="open", opened_at=RULES.now))
    add_ticket(world.database)
    close(world)
    assert page(world).state == "resolved"
    assert rows(world.database, Ticket)[0].is_open


def test_reopening_makes_the_page_the_senders_again(rung):
    act(rung, take_page)
    undo = close(rung)
    act(rung, reopen_page, undo=undo)
    assert (page(rung).state, page(rung).closed_at) == ("acknowledged", None)
    assert all(code.is_open for code in rows(rung.database, PageCode))
    assert rows(rung.database, Ticket)[0].is_open
