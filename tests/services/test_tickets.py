"""The rows, counters and history of a ticket."""

from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import func, select

from portal.core.errors import DomainError
from portal.core.tickets import next_statuses
from portal.models import Message, Requester, SearchDocument, Ticket, TicketCount, TicketEvent, User
from portal.services import tickets
from portal.services.tickets import Actor, NewMessage, NewTicket
from tests.services.ticket_world import BOB, NOW, counted_statements

ACTOR = Actor("Bob", BOB)


def make(uow, *, subject="Printer", body="It smokes", received_at=NOW, **values):
    first = NewMessage("request", body, author="Dana")
    new = NewTicket(subject, first, "form", requester_id=1, received_at=received_at, values=values)
    return tickets.create_ticket(uow, new, actor=Actor("Dana"), now=NOW)


def counted(session):
    rows = session.scalars(select(TicketCount).where(TicketCount.n != 0))
    return {(row.queue_id, row.status, row.priority): row.n for row in rows}


def true_counts(session):
    columns = (Ticket.queue_id, Ticket.status, Ticket.priority)
    rows = session.execute(select(*columns, func.count()).group_by(*columns))
    return {(queue or 0, status, priority): n for queue, status, priority, n in rows}


def test_a_new_ticket_is_counted_searchable_remembered_and_waits_for_triage(database):
    with database.unit_of_work() as uow:
        ticket, message = make(uow, subject=" A\nB ", received_at=NOW + timedelta(hours=1))
        assert "triage" in uow.kinds
    assert (ticket.subject, ticket.status, ticket.priority, ticket.is_open) == ("A B", "new", 3, True)
    assert ticket.received_at == NOW  # not in the future
    with database.read_session() as session:
        assert "smokes" in session.get(SearchDocument, message.id).tokens
        assert session.scalars(select(TicketEvent.kind)).all() == ["created"]
        assert counted(session) == {(0, "new", 3): 1}


def test_creating_costs_few_statements_and_what_is_triaged_wakes_nobody(database):
    with database.unit_of_work() as uow, counted_statements(uow.session) as seen:
        make(uow, triaged_at=NOW)
        assert uow.kinds == set() or "triage" not in uow.kinds
    assert len(seen) <= 10


def test_a_message_keeps_its_words_but_no_zero_bytes_and_moves_the_ticket_up(database):
    later = NOW + timedelta(minutes=5)
    with database.unit_of_work() as uow:
        ticket, _ = make(uow)
        reply = NewMessage("reply", "still\x00 broken ", at=later + timedelta(days=1))
        message = tickets.add_message(uow, ticket, reply, now=later)
        assert (message.body, message.at, ticket.changed_at) == ("still broken ", later, later)
        tickets.add_message(uow, ticket, NewMessage("note", "x"), now=later + timedelta(hours=1), touch=False)
        assert ticket.changed_at == later
    with database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 3


def test_resolving_keeps_the_note_and_reopening_forgets_the_time(database):
    with database.unit_of_work() as uow:
        ticket, _ = make(uow)
        with pytest.raises(DomainError, match="how it was solved"):
            tickets.set_status(uow, ticket, "resolved", actor=ACTOR, now=NOW)
        tickets.set_status(uow, ticket, "resolved", actor=ACTOR, now=NOW, resolution=" New toner. ")
        assert (ticket.resolution, ticket.resolved_at, ticket.is_open) == ("New toner.", NOW, False)
        change = tickets.set_status(uow, ticket, "open", actor=ACTOR, now=NOW)
        assert change.is_reopened and ticket.is_open and ticket.resolved_at is None


def test_sorting_says_what_changed_and_nothing_when_nothing_did(database):
    with database.unit_of_work() as uow:
        ticket, _ = make(uow, queue_id=1)
        version = ticket.version
        found = tickets.sort_ticket(uow, ticket, actor=ACTOR, now=NOW, priority=1, queue_id=None, category_id=1)
        assert found == {"priority": (3, 1), "queue_id": (1, None), "category_id": (None, 1)}
        assert ticket.version == version + 1
        assert tickets.sort_ticket(uow, ticket, actor=ACTOR, now=NOW, priority=1) == {}
        with pytest.raises(DomainError):
            tickets.sort_ticket(uow, ticket, actor=ACTOR, now=NOW, priority=7)


def test_assigning_is_remembered_once(database):
    with database.unit_of_work() as uow:
        ticket, _ = make(uow)
        bob = uow.session.get_one(User, BOB)
        assert tickets.assign_ticket(uow, ticket, bob, actor=ACTOR, now=NOW)
        assert not tickets.assign_ticket(uow, ticket, bob, actor=ACTOR, now=NOW)
        assert tickets.assign_ticket(uow, ticket, None, actor=ACTOR, now=NOW)
        tickets.record_event(uow, ticket, "looked", actor=ACTOR, now=NOW, by="eye")
    with database.read_session() as session:
        kinds = session.scalars(select(TicketEvent.kind).order_by(TicketEvent.id)).all()
    assert kinds == ["created", "assigned", "assigned", "looked"]


@pytest.mark.parametrize("seed", range(5))
def test_after_any_work_the_counters_equal_a_count_of_the_rows(database, seed):
    random = Random(seed)
    made = []
    for _ in range(40):
        with database.unit_of_work() as uow:
            if not made or random.random() < 0.3:
                made.append(make(uow, queue_id=random.choice([None, 1, 2]))[0].id)
                continue
            ticket = uow.session.get_one(Ticket, random.choice(made))
            if random.random() < 0.5:
                status = random.choice(next_statuses(ticket.status))
                tickets.set_status(uow, ticket, status, actor=ACTOR, now=NOW, resolution="Done.")
            else:
                queue, priority = random.choice([None, 1, 2]), random.randint(1, 4)
                tickets.sort_ticket(uow, ticket, actor=ACTOR, now=NOW, queue_id=queue, priority=priority)
    with database.read_session() as session:
        assert counted(session) == true_counts(session)


def test_counters_that_went_wrong_are_mended_and_counted(database):
    with database.unit_of_work() as uow:
        ticket, _ = make(uow)
        tickets.count_ticket(uow.session, ticket, +5)
        uow.session.add(TicketCount(queue_id=9, status="open", priority=1, n=3))
    with database.unit_of_work() as uow:
        assert tickets.recount(uow) == 2
    with database.unit_of_work() as uow:
        assert tickets.recount(uow) == 0
        assert counted(uow.session) == {(0, "new", 3): 1}


def test_a_requester_is_found_by_address_and_learns_what_was_not_known(database):
    with database.unit_of_work() as uow:
        dana = tickets.find_or_add_requester(uow, " Dana@C.example ", now=NOW, name="D.", phone="+1", department="IT")
        assert (dana.id, dana.name, dana.phone, dana.department) == (1, "Dana Diaz", "+1", "IT")
        mallory = tickets.find_or_add_requester(uow, "dana@c.example", now=NOW, name="M", phone="+666", department="X")
        assert (mallory.id, mallory.name, mallory.phone, mallory.department) == (1, "Dana Diaz", "+1", "IT")
        callers = [tickets.find_or_add_requester(uow, "", now=NOW, name=name).id for name in ("A", "B")]
        assert len(set(callers)) == 2
    with database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(Requester)) == 3
