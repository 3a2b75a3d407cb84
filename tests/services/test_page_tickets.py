"""What answering a page does to its ticket."""

import pytest

from portal.core.errors import DomainError
from portal.models import Message, Page, Ticket, TicketEvent, User
from portal.services.page_tickets import add_note, give_ticket, resolve_ticket, take_ticket_back
from tests.services.paging_world import BOB, CAROL, RULES, add_ticket, decide, rows


@pytest.fixture
def shop(world):
    add_ticket(world.database)
    return world


def act(world, action, person=BOB, **keywords):
    with world.database.unit_of_work() as uow:
        return action(uow, 1, uow.session.get_one(User, person), rules=RULES, **keywords)


def resolve(world, note="", minutes=None):
    with world.database.unit_of_work() as uow:
        bob = uow.session.get_one(User, BOB)
        return resolve_ticket(world.context, uow, 1, bob, note=note, minutes=minutes, rules=RULES)


def ticket(world):
    return rows(world.database, Ticket)[0]


def history(world):
    return [event.kind for event in rows(world.database, TicketEvent)]


def test_whoever_takes_the_page_gets_the_ticket(shop):
    assert act(shop, give_ticket) == {"status": "new", "assignee_id": None}
    assert (ticket(shop).status, ticket(shop).assignee_id) == ("open", BOB)
    assert history(shop) == ["acknowledged", "assigned", "status"]


def test_a_ticket_that_is_somebodys_stays_theirs(shop):
    act(shop, give_ticket, CAROL)
    act(shop, give_ticket, BOB)
    assert ticket(shop).assignee_id == CAROL


def test_undo_takes_the_assignee_back_but_nobody_elses(shop):
    before = act(shop, give_ticket)
    act(shop, take_ticket_back, before=before)
    assert (ticket(shop).status, ticket(shop).assignee_id) == ("open", None)
    act(shop, give_ticket, CAROL)
    act(shop, take_ticket_back, before=before)
    assert ticket(shop).assignee_id == CAROL


def test_resolving_keeps_words_and_minutes_and_ends_the_page(shop):
    decide(shop.database, 1)
    assert resolve(shop, "swapped the cable", 25)["status"] == "new"
    assert (ticket(shop).status, ticket(shop).resolution) == ("resolved", "swapped the cable")
    assert rows(shop.database, Page)[0].state == "resolved"
    assert rows(shop.database, TicketEvent)[-1].data == {"minutes": 25}


def test_resolving_without_words_still_says_who(shop):
    resolve(shop)
    assert ticket(shop).resolution == "Solved by Bob."
    with pytest.raises(DomainError, match="cannot become resolved"):
        resolve(shop)


def test_undo_of_a_resolution_opens_the_ticket_again(shop):
    before = resolve(shop)
    act(shop, take_ticket_back, before=before)
    assert (ticket(shop).status, ticket(shop).is_open) == ("open", True)


def test_words_from_a_phone_stay_inside(shop):
    with shop.database.unit_of_work() as uow:
        add_note(uow, 1, uow.session.get_one(User, BOB), "on my way", rules=RULES)
    note = rows(shop.database, Message)[-1]
    assert (note.kind, note.body, note.is_public, note.author_id) == ("note", "on my way", False, BOB)
