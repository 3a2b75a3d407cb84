"""Tickets as rows: counters, history and search move with them."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.core.errors import DomainError
from portal.core.tickets import next_statuses
from portal.models import Message, SearchDocument, Ticket, TicketCount, TicketEvent, User
from portal.services.ticket_list import TicketFilter
from portal.services.ticket_search import search_tickets
from portal.services.tickets import (
    Actor,
    NewMessage,
    NewTicket,
    add_message,
    assign_ticket,
    count_ticket,
    create_ticket,
    find_or_add_requester,
    record_event,
    recount,
    set_status,
    sort_ticket,
)
from tests.services.ticket_world import ALICE, BOB, NOW, counted_statements

ACTOR = Actor("Bob", BOB)


def create(database, subject="Printer on fire", body="It burns.", received_at=NOW, **values):
    new = NewTicket(subject, NewMessage("request", body, author="Dana"), "mail", 1, received_at, values)
    with database.unit_of_work() as uow:
        return create_ticket(uow, new, actor=Actor("Mail"), now=NOW)[0].id


def act(database, ticket_id, do, *arguments, **keywords):
    keywords.setdefault("actor", ACTOR)
    with database.unit_of_work() as uow:
        return do(uow, uow.session.get_one(Ticket, ticket_id), *arguments, **keywords, now=NOW)


def one(database, ticket_id):
    with database.read_session() as session:
        return session.get_one(Ticket, ticket_id)


def history(database, ticket_id):
    with database.read_session() as session:
        query = select(TicketEvent).where(TicketEvent.ticket_id == ticket_id).order_by(TicketEvent.id)
        return [(event.kind, event.actor, event.data) for event in session.scalars(query)]


def counts(database):
    with database.read_session() as session:
        rows = session.scalars(select(TicketCount).where(TicketCount.n != 0))
        return {(row.queue_id, row.status, row.priority): row.n for row in rows}


def true_counts(database):
    with database.read_session() as session:
        columns = (func.coalesce(Ticket.queue_id, 0), Ticket.status, Ticket.priority)
        return {tuple(row[:3]): row[3] for row in session.execute(select(*columns, func.count()).group_by(*columns))}


def found(database, words):
    with database.read_session() as session:
        return [line.id for line in search_tickets(session, TicketFilter(status="", words=words)).lines]


def test_a_new_ticket_is_counted_searchable_in_the_history_and_waits_for_triage(database):
    new = NewTicket("Printer on fire", NewMessage("request", "It burns."), "mail", 1, NOW, {"queue_id": 2})
    with database.unit_of_work() as uow:
        ticket, message = create_ticket(uow, new, actor=Actor("Mail"), now=NOW)
        assert uow.kinds == ("triage",)
    assert (ticket.status, ticket.is_open, ticket.priority, message.ticket_id) == ("new", True, 3, ticket.id)
    assert counts(database) == {(2, "new", 3): 1}
    assert found(database, "printer burns") == [ticket.id]
    assert history(database, ticket.id) == [("created", "Mail", {"source": "mail"})]


def test_a_time_ahead_of_ours_counts_as_now_and_the_subject_is_one_clean_line(database):
    made = one(database, create(database, " Too \n  much ", received_at=NOW + timedelta(days=1)))
    assert (made.received_at, made.subject) == (NOW, "Too much")


def test_what_is_triaged_already_wakes_nobody(database):
    new = NewTicket("Old", NewMessage("request", "x"), "import", 1, NOW, {"triaged_at": NOW, "status": "closed"})
    with database.unit_of_work() as uow:
        ticket, _ = create_ticket(uow, new, actor=ACTOR, now=NOW)
        assert uow.kinds == ()
    assert ticket.is_open is False


def test_a_message_keeps_its_words_and_moves_the_ticket_up(database):
    ticket_id = create(database, changed_at=NOW - timedelta(hours=1))
    late = NewMessage("reply", "nul \x00 byte, déjà vu", author="Dana", at=NOW + timedelta(hours=3))
    message = act_message(database, ticket_id, late)
    assert (message.body, message.at) == ("nul  byte, déjà vu", NOW)
    assert one(database, ticket_id).changed_at == NOW
    assert found(database, "deja") == [ticket_id]


def test_a_machine_does_not_move_the_ticket_up(database):
    before = NOW - timedelta(hours=1)
    ticket_id = create(database, changed_at=before)
    act_message(database, ticket_id, NewMessage("automatic", "Away"), touch=False)
    assert one(database, ticket_id).changed_at == before


def act_message(database, ticket_id, new, **keywords):
    with database.unit_of_work() as uow:
        return add_message(uow, uow.session.get_one(Ticket, ticket_id), new, now=NOW, **keywords)


def test_every_message_has_one_search_document(database):
    ticket_id = create(database)
    act_message(database, ticket_id, NewMessage("note", "x"))
    with database.read_session() as session:
        assert session.scalar(select(func.count(SearchDocument.message_id))) == session.scalar(
            select(func.count(Message.id))
        )


def test_an_event_is_a_line_of_the_history(database):
    ticket_id = create(database)
    act(database, ticket_id, record_event, "time", minutes=25)
    assert history(database, ticket_id)[-1] == ("time", "Bob", {"minutes": 25})


def test_resolving_keeps_the_note_and_reopening_forgets_the_end(database):
    ticket_id = create(database)
    change = act(database, ticket_id, set_status, "resolved", resolution=" Water. ")
    assert change.is_resolved
    made = one(database, ticket_id)
    assert (made.is_open, made.resolution, made.resolved_at, made.closed_at) == (False, "Water.", NOW, None)
    act(database, ticket_id, set_status, "closed")
    assert one(database, ticket_id).closed_at == NOW
    assert act(database, ticket_id, set_status, "open").is_reopened
    made = one(database, ticket_id)
    assert (made.is_open, made.resolved_at, made.closed_at) == (True, None, None)
    assert history(database, ticket_id)[1][2] == {"before": "new", "after": "resolved", "note": "Water."}
    assert counts(database) == {(0, "open", 3): 1}


def test_a_status_the_table_refuses_changes_nothing(database):
    ticket_id = create(database)
    with pytest.raises(DomainError, match="cannot become closed"):
        act(database, ticket_id, set_status, "closed")
    assert counts(database) == {(0, "new", 3): 1}


def test_sorting_tells_what_changed_and_only_that(database):
    ticket_id = create(database, queue_id=1)
    assert act(database, ticket_id, sort_ticket, priority=3, queue_id=1) == {}
    assert len(history(database, ticket_id)) == 1
    changed = act(database, ticket_id, sort_ticket, priority=1, queue_id=None)
    assert changed == {"priority": (3, 1), "queue_id": (1, None)}
    assert history(database, ticket_id)[-1][2] == {"priority": [3, 1], "queue_id": [1, None]}
    assert counts(database) == {(0, "new", 1): 1}
    with pytest.raises(DomainError):
        act(database, ticket_id, sort_ticket, priority=5)


def test_assigning_twice_is_one_change(database):
    ticket_id = create(database)
    with database.read_session() as session:
        bob = session.get_one(User, BOB)
    assert act(database, ticket_id, assign_ticket, bob) is True
    assert act(database, ticket_id, assign_ticket, bob) is False
    assert act(database, ticket_id, assign_ticket, None) is True
    assert [event[2] for event in history(database, ticket_id)[1:]] == [
        {"before": None, "after": BOB},
        {"before": BOB, "after": None},
    ]


def test_the_counters_agree_with_a_count_after_any_operations(database):
    chance = random.Random(7)
    ids = [create(database, queue_id=chance.choice([1, 2, None])) for _ in range(12)]
    for _ in range(80):
        ticket_id = chance.choice(ids)
        if chance.random() < 0.5:
            wanted = chance.choice(next_statuses(one(database, ticket_id).status))
            act(database, ticket_id, set_status, wanted, resolution="Solved.")
        else:
            where = {"priority": chance.randint(1, 4), "queue_id": chance.choice([1, 2, None])}
            act(database, ticket_id, sort_ticket, **where)
    assert counts(database) == true_counts(database)
    with database.unit_of_work() as uow:
        assert recount(uow) == 0


def test_recounting_mends_what_is_wrong(database):
    ticket_id = create(database)
    with database.unit_of_work() as uow:
        count_ticket(uow.session, uow.session.get_one(Ticket, ticket_id), +5)
        uow.session.add(TicketCount(queue_id=9, status="open", priority=1, n=3))
        uow.session.flush()
        assert recount(uow) == 2
    assert counts(database) == true_counts(database)
    with database.unit_of_work() as uow:
        uow.session.query(TicketCount).delete()
        assert recount(uow) == 1


def test_a_requester_is_known_by_address_in_any_case_and_keeps_the_first_name(database):
    with database.unit_of_work() as uow:
        dana = find_or_add_requester(uow, " DANA@c.example ", now=NOW, name="Somebody Else", phone="+49 1")
        assert (dana.id, dana.name, dana.phone) == (1, "Dana Diaz", "+49 1")
        again = find_or_add_requester(uow, "dana@c.example", now=NOW)
        assert (again.id, again.phone) == (1, "+49 1")


def test_callers_without_an_address_are_each_their_own(database):
    with database.unit_of_work() as uow:
        first = find_or_add_requester(uow, "", now=NOW, name="Eve")
        second = find_or_add_requester(uow, "", now=NOW, name="Eve")
        assert first.id != second.id


def test_a_ticket_costs_at_most_ten_statements(database):
    with database.unit_of_work() as uow, counted_statements(uow.session) as seen:
        new = NewTicket("Printer", NewMessage("request", "x"), "form", 1, NOW, {"queue_id": 1})
        create_ticket(uow, new, actor=Actor("Dana", ALICE), now=NOW)
        uow.session.flush()
    assert len(seen) <= 10
