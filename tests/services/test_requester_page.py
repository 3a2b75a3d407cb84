"""What a requester sees and may do by the private link."""

import pytest
from sqlalchemy import update

from portal.core.errors import DomainError
from portal.core.uploads import Upload
from portal.models import Attachment, Message, Notification, Page, PageDecisionRow, Ticket, TicketEvent
from portal.services.requester_page import (
    Reply,
    close_by_link,
    declare_emergency,
    find_public_file,
    find_waking,
    load_public_messages,
    may_reply,
    rate_by_link,
    reply_by_link,
)
from portal.services.tickets import ANSWER, NOTE, NewMessage, add_message
from portal.services.uploads import add_uploads
from tests.services.form_world import load, send
from tests.services.paging_world import NOW, add_ticket, decide, later, page_of, rows
from tests.services.ticket_world import counted_statements

SAID = Reply("r1", "192.0.2.7", "Still nothing")
PHOTO = Upload("a.png", "image/png", b"x")


def say(world, ticket_id, kind, body, *, is_public=True, files=()):
    with world.database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, ticket_id)
        new = NewMessage(kind, body, author="Bob", is_public=is_public)
        add_uploads(uow, add_message(uow, ticket, new, now=NOW), files)


def reply(world, ticket_id, said=SAID):
    with world.database.unit_of_work() as uow:
        return reply_by_link(world.context, uow, uow.session.get_one(Ticket, ticket_id), said).id


def act(world, ticket_id, deed, **words):
    with world.database.unit_of_work() as uow:
        deed(world.context, uow, uow.session.get_one(Ticket, ticket_id), **words)


def end(world, ticket_id, status, **values):
    with world.database.unit_of_work() as uow:
        changed = {"status": status, "is_open": False, **values}
        uow.session.execute(update(Ticket).where(Ticket.id == ticket_id).values(**changed))


def test_only_public_words_of_this_ticket_are_shown(world):
    add_ticket(world.database)
    ticket_id = send(world)
    say(world, ticket_id, ANSWER, "Try again, please.")
    say(world, ticket_id, NOTE, "She kicked it again.", is_public=False)
    say(world, ticket_id, NOTE, "A note that somebody made public.")
    say(world, ticket_id, "automatic", "Out of office")
    with world.database.read_session() as session, counted_statements(session) as seen:
        shown = load_public_messages(session, ticket_id)
    assert [(m.author, m.is_ours, m.parts[0].text) for m in shown] == [
        ("Dana Reed", False, "Help"),
        ("Bob", True, "Try again, please."),
    ]
    assert len(seen) == 1


def test_files_of_notes_and_of_other_tickets_are_not_found(world):
    ticket_id = send(world, files=(PHOTO,))
    say(world, ticket_id, NOTE, "Inside", is_public=False, files=[PHOTO])
    public, inside = rows(world.database, Attachment)
    with world.database.read_session() as session:
        assert find_public_file(session, ticket_id, public.id).filename == "a.png"
        assert find_public_file(session, ticket_id, inside.id) is None
        assert find_public_file(session, ticket_id + 1, public.id) is None


def test_waking_is_followed_from_the_first_text_to_the_answer(world):
    ticket_id = send(world)
    with world.database.read_session() as session:
        assert find_waking(session, ticket_id) == ""
    decide(world.database, ticket_id)
    states = []
    for state in ("pending", "accepted", "cancelled"):
        with world.database.unit_of_work() as uow:
            uow.session.execute(update(Notification).values(state=state))
        with world.database.read_session() as session:
            states.append(find_waking(session, ticket_id))
    with world.database.unit_of_work() as uow:
        uow.session.execute(update(Page).values(state="acknowledged"))
    with world.database.read_session() as session:
        states.append(find_waking(session, ticket_id))
    assert states == ["telling", "told", "", "taken"]


def test_a_reply_joins_the_ticket_and_wakes_nobody(world):
    ticket_id = send(world)
    assert reply(world, ticket_id) == ticket_id
    said = rows(world.database, Message, ticket_id=ticket_id)[-1]
    assert (said.kind, said.body, said.author) == ("reply", "Still nothing", "Dana Reed <dana@customer.example>")
    assert rows(world.database, PageDecisionRow) == []


def test_a_reply_sent_twice_is_said_once(world):
    ticket_id = send(world)
    assert reply(world, ticket_id) == reply(world, ticket_id)
    assert len(rows(world.database, Message, ticket_id=ticket_id)) == 2


@pytest.mark.parametrize(
    ("files", "body"), [((PHOTO,), "See the attached file."), ((PHOTO,) * 2, "See the attached files.")]
)
def test_files_may_come_without_words(world, files, body):
    ticket_id = send(world)
    reply(world, ticket_id, Reply("r1", "", " ", files))
    assert rows(world.database, Message, ticket_id=ticket_id)[-1].body == body
    assert len(rows(world.database, Attachment)) == len(files)


def test_an_empty_reply_is_refused(world):
    with pytest.raises(DomainError, match="few words"):
        reply(world, send(world), Reply("r1", "", " "))


def test_a_reply_reopens_what_was_resolved_and_asks_whether_to_page(world):
    ticket_id = send(world)
    end(world, ticket_id, "resolved", resolved_at=NOW)
    reply(world, ticket_id)
    assert load(world, ticket_id).status == "open"
    (decision,) = rows(world.database, PageDecisionRow, ticket_id=ticket_id)
    assert (decision.cause.split(":")[0], decision.verdict) == ("reopened", "page")


def test_a_reply_long_after_the_end_opens_a_ticket_that_follows(world):
    ticket_id = send(world, device="PC-117")
    end(world, ticket_id, "closed", closed_at=NOW)
    world.times.pass_by(minutes=15 * 24 * 60)
    after = load(world, reply(world, ticket_id))
    assert after.id != ticket_id
    assert (after.subject, after.asset, after.source) == ("Nobody can print", "PC-117", "form")
    assert rows(world.database, TicketEvent, ticket_id=after.id, kind="follows")[0].data == {"other": ticket_id}
    assert load(world, ticket_id).status == "closed"


@pytest.mark.parametrize(("days", "joins"), [(14, True), (15, False)])
def test_words_join_for_as_many_days_as_the_setting_says(world, days, joins):
    ticket = Ticket(closed_at=NOW)
    assert may_reply(ticket, reopen_days=14, now=later(minutes=days * 24 * 60)) is joins
    assert may_reply(Ticket(), reopen_days=0, now=NOW)


def test_it_works_again_resolves_the_ticket_and_ends_its_page(world):
    ticket_id = send(world)
    decide(world.database, ticket_id)
    act(world, ticket_id, close_by_link)
    act(world, ticket_id, close_by_link)
    ticket = load(world, ticket_id)
    assert (ticket.status, ticket.resolution) == ("resolved", "It works again.")
    assert page_of(world.database, ticket_id).state == "resolved"
    assert len(rows(world.database, TicketEvent, ticket_id=ticket_id, kind="status")) == 1


def test_an_emergency_declared_afterwards_pages_although_it_could_wait_before(world):
    ticket_id = send(world, emergency="declined")
    decide(world.database, ticket_id)
    with world.database.unit_of_work() as uow:
        uow.session.execute(update(Ticket).values(triaged_at=NOW))
    assert page_of(world.database, ticket_id) is None
    act(world, ticket_id, declare_emergency, price="120 per hour")
    act(world, ticket_id, declare_emergency, price="120 per hour")
    ticket = load(world, ticket_id)
    assert (ticket.emergency, ticket.priority) == ("declared", 2)
    assert page_of(world.database, ticket_id).state == "open"
    said = [event.data for event in rows(world.database, TicketEvent, ticket_id=ticket_id, kind="emergency")]
    assert said == [{"answer": "declined", "price": ""}, {"answer": "declared", "price": "120 per hour"}]


def test_an_emergency_declared_before_triage_is_left_to_triage(world):
    ticket_id = send(world)
    act(world, ticket_id, declare_emergency, price="")
    assert load(world, ticket_id).emergency == "declared"
    assert rows(world.database, PageDecisionRow) == []


def test_what_has_ended_is_no_emergency(world):
    ticket_id = send(world)
    end(world, ticket_id, "resolved")
    with pytest.raises(DomainError, match="reopen"):
        act(world, ticket_id, declare_emergency, price="")


def test_who_borrows_an_address_does_not_learn_whose_it_is(world):
    send(world)
    ticket_id = send(world, key="k2", name="Mallory")
    reply(world, ticket_id)
    assert rows(world.database, Message, ticket_id=ticket_id)[-1].author == "Mallory <dana@customer.example>"


def test_a_ticket_without_a_requester_can_be_answered_all_the_same(world):
    ticket_id = add_ticket(world.database, requester_id=None)
    reply(world, ticket_id)
    assert rows(world.database, Message, ticket_id=ticket_id)[-1].author == "Requester"


def test_what_has_ended_can_be_rated_and_rated_anew(world):
    ticket_id = send(world)
    with pytest.raises(DomainError, match="once it is solved"):
        act(world, ticket_id, rate_by_link, rating=5)
    end(world, ticket_id, "resolved")
    for rating in (5, 5, 2):
        act(world, ticket_id, rate_by_link, rating=rating)
    (ticket,) = rows(world.database, Ticket)
    assert ticket.rating == 2 and ticket.rated_at is not None
    assert [one.data["rating"] for one in rows(world.database, TicketEvent) if one.kind == "rated"] == [5, 2]


def test_a_reply_long_after_closing_follows_the_old_ticket(world):
    ticket_id = send(world)
    end(world, ticket_id, "closed", closed_at=later(-60 * 24 * 30))
    follow = reply(world, ticket_id)
    assert [one.follows_id for one in rows(world.database, Ticket) if one.id == follow] == [ticket_id]
