"""What a member does with a ticket, and what others get to know of it."""

import pytest

from portal.core.errors import DomainError
from portal.core.uploads import Upload
from portal.models import Attachment, Message, OutgoingMail, PageDecisionRow, Requester, Ticket, User
from portal.services.ticket_work import (
    Arrangement,
    CalledIn,
    answer_ticket,
    arrange_ticket,
    move_ticket,
    note_ticket,
    open_called_in,
    take_ticket,
)
from portal.services.tickets import Actor
from tests.services.paging_world import BOB, add_ticket, page_of, rows, texts

ACTOR = Actor("Bob", BOB)
PLAIN = Arrangement(priority=3, queue_id=None, category_id=None, assignee_id=None)


@pytest.fixture
def shop(world):
    """The shop at Christmas night, and a ticket of Dana's."""
    world.ticket_id = add_ticket(world.database)
    return world


def act(world, do, *arguments, **keywords):
    with world.database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, world.ticket_id)
        return do(world.context, uow, ticket, *arguments, **keywords, actor=ACTOR)


def ticket(world):
    return rows(world.database, Ticket, id=world.ticket_id)[0]


def test_the_first_answer_opens_the_ticket_stops_the_clock_and_leaves_by_mail(shop):
    act(shop, answer_ticket, "Try again now.", files=[Upload("log.txt", "text/plain", b"abc")])
    found = ticket(shop)
    assert (found.status, found.first_response_at) == ("open", shop.times.product)
    (file,) = rows(shop.database, Attachment)
    (mail,) = rows(shop.database, OutgoingMail)
    assert (mail.event, mail.attachment_ids) == ("answer", [file.id])
    shop.times.pass_by(minutes=5)
    act(shop, answer_ticket, "And?", status="waiting for requester")
    assert (ticket(shop).status, ticket(shop).first_response_at) == ("waiting for requester", found.first_response_at)


@pytest.mark.parametrize("status", ["resolved", "closed"])
def test_an_answer_does_not_end_a_ticket(shop, status):
    with pytest.raises(DomainError, match="note of how it was solved"):
        act(shop, answer_ticket, "Done.", status=status)
    assert len(rows(shop.database, Message)) == 1, "nothing of the refused answer is kept"


def test_empty_words_are_refused(shop):
    for do in (answer_ticket, note_ticket):
        with pytest.raises(DomainError, match="Write a few words"):
            act(shop, do, " \n ")


def test_a_note_is_for_the_team_only(shop):
    message = act(shop, note_ticket, "He always says that.")
    assert (message.kind, message.is_public) == ("note", False)
    assert rows(shop.database, OutgoingMail) == []


def test_resolving_tells_the_requester_and_ends_the_page(shop):
    act(shop, arrange_ticket, Arrangement(1, None, None, None))
    assert page_of(shop.database, shop.ticket_id).state == "open"
    act(shop, move_ticket, "resolved", resolution="Restarted.")
    assert [mail.event for mail in rows(shop.database, OutgoingMail)] == ["resolved"]
    assert page_of(shop.database, shop.ticket_id).state == "resolved"


def test_another_status_is_told_only_when_asked_for(shop):
    act(shop, move_ticket, "on hold", tell=False)
    assert rows(shop.database, OutgoingMail) == []
    act(shop, move_ticket, "waiting for third party", tell=True)
    (mail,) = rows(shop.database, OutgoingMail)
    assert mail.event == "update" and "waiting for somebody else" in mail.text


def test_a_status_the_table_refuses_changes_nothing(shop):
    with pytest.raises(DomainError):
        act(shop, move_ticket, "closed")
    assert ticket(shop).status == "new"


def test_raising_to_p1_pages_once_and_other_changes_do_not(shop):
    act(shop, arrange_ticket, Arrangement(2, None, None, BOB))
    assert rows(shop.database, PageDecisionRow) == []
    act(shop, arrange_ticket, Arrangement(1, None, None, BOB))
    act(shop, arrange_ticket, Arrangement(1, None, None, None))
    assert [row.cause for row in rows(shop.database, PageDecisionRow)] == ["raised:4"]
    assert texts(shop.database, BOB)


def test_raised_again_on_another_day_it_is_another_question(shop):
    for priority in (1, 3, 1):
        act(shop, arrange_ticket, Arrangement(priority, None, None, None))
    assert [row.verdict for row in rows(shop.database, PageDecisionRow)] == ["page", "none"]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Arrangement(3, 99, None, None), "queue"),
        (Arrangement(3, None, 99, None), "category"),
        (Arrangement(3, None, None, 99), "person"),
        (Arrangement(9, None, None, None), "P1, P2, P3 or P4"),
    ],
)
def test_what_is_not_there_any_more_is_named(shop, wanted, words):
    with pytest.raises(DomainError, match=words):
        act(shop, arrange_ticket, wanted)


def test_nobody_who_left_gets_a_ticket(shop):
    with shop.database.unit_of_work() as uow:
        uow.session.get_one(User, BOB).is_active = False
    with pytest.raises(DomainError, match="does not work here"):
        act(shop, arrange_ticket, Arrangement(3, None, None, BOB))


def test_taking_a_ticket_opens_it(shop):
    act(shop, take_ticket)
    assert (ticket(shop).assignee_id, ticket(shop).status) == (BOB, "open")


def test_a_call_becomes_a_ticket_of_its_caller_and_wakes_triage(shop):
    call = CalledIn("Stuck door", "Second floor", "Eve", "Eve@New.example", "+49 30 1", PLAIN, (Upload("a", "", b"a"),))
    with shop.database.unit_of_work() as uow:
        made = open_called_in(shop.context, uow, call, actor=ACTOR)
        assert uow.kinds == ("triage",)
    assert (made.source, made.status, made.priority) == ("staff", "new", 3)
    caller = rows(shop.database, Requester, email="eve@new.example")[0]
    assert (made.requester_id, caller.phone) == (caller.id, "+49 30 1")
    assert rows(shop.database, Message, ticket_id=made.id)[0].author == "Eve <Eve@New.example>"
    assert len(rows(shop.database, Attachment)) == 1
