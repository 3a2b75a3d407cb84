"""What a page says and the rows it is said by."""

from dataclasses import replace

from portal.models import Notification, Page, PageCode, Ticket
from portal.services.page_texts import (
    HELD,
    Text,
    add_text,
    asked_people,
    cancel_pending,
    code_of,
    free_codes,
    load_body,
    mark_answered,
    tell,
    write_page_texts,
)
from portal.services.recipients import Recipient, load_recipients
from tests.services.paging_world import ALICE, BOB, CAROL, NOW, RULES, add_ticket, decide, later, rows

BOBS = Recipient(BOB, "Bob", "technician", ("+15550101",))


def test_a_page_names_its_ticket_and_person(world):
    decide(world.database, add_ticket(world.database, priority=1, emergency="declared"))
    with world.database.read_session() as session:
        body = load_body(session, session.get_one(Page, 1), replace(RULES, number_prefix="IT-"))
    assert (body.number, body.priority, body.item(4).code) == ("IT-1", "P1", 4)
    assert body.text(2, notice="Again").startswith("Again: P1 EMERGENCY IT-1 Dana Reed +15550177: Server down")


def test_the_number_to_call_back_is_the_one_given_with_this_request(world):
    decide(world.database, add_ticket(world.database, phone="+15550188"))
    assert rows(world.database, Notification)[0].text.startswith("P3 #1 Dana Reed +15550188: ")


def test_a_ticket_without_a_requester_still_has_words(world):
    decide(world.database, add_ticket(world.database, requester_id=None, subject=""))
    assert rows(world.database, Notification)[0].text.startswith("P3 #1: Nobody can work.")


def test_a_digest_without_tickets_and_a_test_have_words(world):
    with world.database.unit_of_work() as uow:
        for kind in ("digest", "test"):
            uow.session.add(Page(kind=kind, state="open", opened_at=NOW))
        uow.session.flush()
        digest, test = (load_body(uow.session, uow.session.get_one(Page, number), RULES) for number in (1, 2))
    assert digest.item(1).number == "0 late requests"
    assert test.text(1, notice="").startswith("TEST from Acme IT")


def test_codes_are_given_once_a_page_and_reused_only_when_it_is_closed(world):
    for _ in range(2):
        decide(world.database, add_ticket(world.database), on_call=(BOB,))
    with world.database.unit_of_work() as uow:
        assert [code_of(uow.session, BOB, page) for page in (1, 2, 1)] == [1, 2, 1]
        assert code_of(uow.session, CAROL, 2) == 1
        free_codes(uow.session, 1)
        uow.session.add(Page(id=3, kind="test", state="open", opened_at=NOW))
        uow.session.flush()
        assert code_of(uow.session, BOB, 3) == 1
    assert len(rows(world.database, PageCode)) == 4


def test_writing_the_same_step_twice_adds_nothing(world):
    decide(world.database, add_ticket(world.database))
    with world.database.unit_of_work() as uow:
        people = load_recipients(uow.session, [BOB, CAROL])
        assert write_page_texts(uow, RULES, uow.session.get_one(Page, 1), people) == 2
    assert [row.state for row in rows(world.database, Notification)] == ["pending", "pending"]


def test_a_text_of_the_same_key_is_one_text(world):
    with world.database.unit_of_work() as uow:
        assert add_text(uow, RULES, BOBS, Text("k", "info", "+15550101", "x"))
        assert not add_text(uow, RULES, BOBS, Text("k", "info", "+15550101", "y"))
        assert uow.kinds == ("notify",)


def test_watch_mode_writes_the_text_as_held_back_and_wakes_nobody(world):
    watching = replace(RULES, is_live=False, provider="twilio")
    with world.database.unit_of_work() as uow:
        add_text(uow, watching, BOBS, Text("k", "info", "+15550101", "x"))
        add_text(uow, watching, BOBS, Text("asked", "info", "+15550101", "x", is_requested=True))
        assert uow.kinds == ("notify",)
    held, asked = rows(world.database, Notification)
    assert (held.state, held.last_error, held.due_at) == ("cancelled", HELD, None)
    assert asked.state == "pending"


def test_notices_go_to_people_with_a_phone_once_an_event(world):
    nobody = Recipient(ALICE, "Alice", "admin", ())
    with world.database.unit_of_work() as uow:
        for _ in range(2):
            tell(uow, RULES, [BOBS, nobody], event="e", page_id=None, text="x")
    assert [(row.user_id, row.kind) for row in rows(world.database, Notification)] == [(BOB, "info")]


def test_asked_are_those_whose_phone_may_have_rung(world):
    decide(world.database, add_ticket(world.database))
    with world.database.unit_of_work() as uow:
        assert asked_people(uow.session, 1) == []
        first, second = uow.session.query(Notification).order_by(Notification.id)
        first.state, second.state = "sending", "failed"
        assert asked_people(uow.session, 1) == [BOB]


def test_cancelling_leaves_what_may_be_on_its_way(world):
    decide(world.database, add_ticket(world.database))
    with world.database.unit_of_work() as uow:
        uow.session.get_one(Notification, 1).state = "sending"
        cancel_pending(uow.session, 1, reason="Bob took the page.")
    assert [row.state for row in rows(world.database, Notification)] == ["sending", "cancelled"]
    assert rows(world.database, Notification)[1].last_error == "Bob took the page."


def test_an_answer_is_marked_on_the_persons_own_texts(world):
    decide(world.database, add_ticket(world.database))
    with world.database.unit_of_work() as uow:
        mark_answered(uow.session, 1, BOB, at=later(minutes=1))
        mark_answered(uow.session, 1, BOB, at=later(minutes=9))
    assert [row.answered_at for row in rows(world.database, Notification)] == [later(minutes=1), None]
    assert rows(world.database, Ticket)
