import pytest
from sqlalchemy import select

from portal.models import Ticket
from portal.services.merged import current_ticket, find_merged, ticket_for_link, with_merged
from tests.services.ticket_world import add_tickets, counted_statements, make_database, ticket_values


@pytest.fixture
def database(tmp_path):
    database = make_database(tmp_path)
    add_tickets(database, *(ticket_values(id) for id in (1, 2, 3, 4)))
    return database


def merge(database, *pairs):
    with database.unit_of_work() as uow:
        for ticket_id, into in pairs:
            uow.session.get_one(Ticket, ticket_id).merged_into_id = into


def test_a_chain_is_followed_to_its_end(database):
    merge(database, (1, 2), (2, 3))
    with database.read_session() as session:
        assert find_merged(session, [1, 2, 3, 4, 99]) == {1: 3, 2: 3, 3: 3, 4: 4}
        assert current_ticket(session, session.get_one(Ticket, 1)).id == 3
        with counted_statements(session) as seen:
            assert find_merged(session, []) == {}
            assert current_ticket(session, session.get_one(Ticket, 4)).id == 4
        assert len(seen) == 1  # of the ticket itself


def test_a_ring_ends(database):
    merge(database, (1, 2), (2, 1))
    with database.read_session() as session:
        assert find_merged(session, [1, 2]) == {1: 1, 2: 1}


def test_a_link_leads_on_only_to_the_same_requesters_ticket(database):
    merge(database, (1, 2), (3, 4))
    with database.unit_of_work() as uow:
        uow.session.get_one(Ticket, 4).requester_id = None
    with database.read_session() as session:
        assert ticket_for_link(session, session.get_one(Ticket, 1)).id == 2
        assert ticket_for_link(session, session.get_one(Ticket, 3)).id == 3


def test_a_ticket_and_what_was_merged_into_it_are_found_within_a_statement_by_index(database):
    merge(database, (1, 2), (3, 2))
    with database.read_session() as session:
        found = session.scalars(select(Ticket.id).where(Ticket.id.in_(with_merged(2))))
        assert sorted(found) == [1, 2, 3]
        assert list(session.scalars(select(Ticket.id).where(Ticket.id.in_(with_merged(4))))) == [4]
