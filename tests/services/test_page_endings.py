"""Pages end with their tickets, and a page's owner hears of the requester's reply."""

import pytest

from portal.models import Message, Notification, Page, PageTicket, Ticket, User
from portal.services.page_endings import end_for_all, end_ticket_pages, stamp, tell_owner, tell_owner_of_emergency
from tests.services.paging_world import ALICE, BOB, CAROL, NOW, RULES, add_ticket, decide, rows, texts


@pytest.fixture
def rung(world):
    decide(world.database, add_ticket(world.database))
    with world.database.unit_of_work() as uow:
        for row in uow.session.query(Notification):
            row.state = "accepted"
    return world


def notices(world):
    return [(user, text) for user, _, text in texts(world.database, kind="info")]


def test_a_ticket_resolved_at_the_desk_ends_its_page_and_tells_who_was_asked(rung):
    with rung.database.unit_of_work() as uow:
        end_ticket_pages(uow, 1, by=uow.session.get_one(User, ALICE), rules=RULES)
    assert rows(rung.database, Page)[0].state == "resolved"
    words = "#1 is resolved by Alice. You need not do anything"
    assert notices(rung) == [(BOB, words), (CAROL, words)]


def test_whoever_was_asked_about_a_merged_ticket_hears_where_it_went_and_not_that_it_is_solved(rung):
    into = add_ticket(rung.database)
    with rung.database.unit_of_work() as uow:
        uow.session.get_one(Ticket, 1).merged_into_id = into
        end_ticket_pages(uow, 1, by=uow.session.get_one(User, ALICE), rules=RULES)
    words = f"#1 is part of #{into} now, says Alice. If #{into} asks you, answer that one"
    assert notices(rung) == [(BOB, words), (CAROL, words)]


def test_a_page_that_somebody_has_ends_quietly(rung):
    with rung.database.unit_of_work() as uow:
        page = uow.session.get_one(Page, 1)
        page.state, page.acknowledged_by = "acknowledged", BOB
        end_ticket_pages(uow, 1, by=None, rules=RULES)
    assert notices(rung) == []


def test_a_page_can_end_by_itself(rung):
    with rung.database.unit_of_work() as uow:
        end_for_all(uow, uow.session.get_one(Page, 1), by=None, rules=RULES)
    assert notices(rung)[0] == (BOB, "#1 is resolved. You need not do anything")
    assert stamp(RULES) == int(NOW.timestamp() * 1000)


def test_a_digest_ends_with_the_last_of_its_tickets(world):
    tickets = [add_ticket(world.database), add_ticket(world.database)]
    with world.database.unit_of_work() as uow:
        page = Page(kind="digest", state="open", opened_at=NOW)
        uow.session.add(page)
        uow.session.flush()
        uow.session.add_all(PageTicket(page_id=page.id, ticket_id=ticket) for ticket in tickets)
    for ticket, state in zip(tickets, ("open", "resolved"), strict=True):
        with world.database.unit_of_work() as uow:
            uow.session.get_one(Ticket, ticket).is_open = False
            end_ticket_pages(uow, ticket, by=None, rules=RULES)
        assert rows(world.database, Page)[0].state == state


def reply(world):
    with world.database.unit_of_work() as uow:
        message = Message(ticket_id=1, kind="reply", is_public=True, author="Dana Reed", body="Still\nbroken", at=NOW)
        uow.session.add(message)
        uow.session.flush()
        tell_owner(uow, message, rules=RULES)
        tell_owner(uow, message, rules=RULES)


def test_the_owner_of_a_page_gets_the_requesters_words(rung):
    with rung.database.unit_of_work() as uow:
        page = uow.session.get_one(Page, 1)
        page.state, page.acknowledged_by = "acknowledged", BOB
    reply(rung)
    assert notices(rung) == [(BOB, "#1 Dana Reed wrote: Still broken")]


def test_the_owner_of_a_page_learns_that_it_became_an_emergency(rung):
    for is_taken in (False, True):
        with rung.database.unit_of_work() as uow:
            if is_taken:
                page = uow.session.get_one(Page, 1)
                page.state, page.acknowledged_by = "acknowledged", BOB
            tell_owner_of_emergency(uow, 1, "Dana Reed", rules=RULES)
    assert notices(rung) == [(BOB, "#1 Dana Reed wrote: It is an emergency.")]


def test_a_reply_to_a_page_nobody_has_wakes_nobody(rung):
    reply(rung)
    assert notices(rung) == []
