"""The private link: found by its owner, by nobody else, and not after it was revoked."""

import pytest

from portal.integrations.system.keyfile import KeyFileBox
from portal.models import Ticket, TicketEvent
from portal.services.links import find_by_link, private_link, private_mark, revoke_link
from portal.services.tickets import Actor
from tests.services.paging_world import NOW, add_ticket

BOX = KeyFileBox(b"k" * 32)


@pytest.fixture
def ticket(world):
    ticket_id = add_ticket(world.database)
    with world.database.read_session() as session:
        return session.get_one(Ticket, ticket_id)


def test_a_mark_leads_to_its_ticket(world, ticket):
    with world.database.read_session() as session:
        assert find_by_link(session, private_mark(ticket, box=BOX), box=BOX).id == ticket.id


def test_the_link_carries_the_site_and_its_prefix(ticket):
    link = private_link(ticket, box=BOX, site_url="https://acme.example/help")
    assert link == f"https://acme.example/help/r/{private_mark(ticket, box=BOX)}"


def test_a_site_without_an_address_has_no_link(ticket):
    assert private_link(ticket, box=BOX, site_url="") == ""


@pytest.mark.parametrize(
    "break_it",
    [
        lambda mark: mark[:-1],
        lambda mark: mark[:-1] + ("a" if mark[-1] != "a" else "b"),
        lambda mark: mark.upper(),
        lambda mark: f"{mark} ",
        lambda mark: f"9{mark}",
        lambda mark: mark.split("-")[1],
        lambda mark: "",
        lambda mark: "1-" + "é" * 24,
    ],
)
def test_a_mark_with_anything_changed_leads_nowhere(world, ticket, break_it):
    with world.database.read_session() as session:
        assert find_by_link(session, break_it(private_mark(ticket, box=BOX)), box=BOX) is None


def test_another_ticket_and_another_key_have_other_marks(world, ticket):
    other = add_ticket(world.database)
    forged = f"{other}-{private_mark(ticket, box=BOX).split('-')[1]}"
    with world.database.read_session() as session:
        assert find_by_link(session, forged, box=BOX) is None
        assert find_by_link(session, private_mark(ticket, box=BOX), box=KeyFileBox(b"x" * 32)) is None


def test_revoking_ends_the_links_of_the_ticket_and_of_what_was_merged_into_it(world, ticket):
    merged, other = add_ticket(world.database), add_ticket(world.database)
    with world.database.unit_of_work() as uow:
        uow.session.get_one(Ticket, merged).merged_into_id = ticket.id
    with world.database.read_session() as session:
        old = [private_mark(session.get_one(Ticket, one), box=BOX) for one in (ticket.id, merged, other)]
    with world.database.unit_of_work() as uow:
        revoke_link(uow, uow.session.get_one(Ticket, ticket.id), actor=Actor("Alice", 1), now=NOW)
    with world.database.read_session() as session:
        assert [find_by_link(session, mark, box=BOX) is None for mark in old] == [True, True, False]
        new = private_mark(session.get_one(Ticket, ticket.id), box=BOX)
        assert find_by_link(session, new, box=BOX).id == ticket.id
        assert session.query(TicketEvent).filter_by(kind="link_revoked").one().ticket_id == ticket.id


def test_a_new_version_revokes_the_old_link(world, ticket):
    old = private_mark(ticket, box=BOX)
    with world.database.unit_of_work() as uow:
        uow.session.get_one(Ticket, ticket.id).link_version += 1
    with world.database.read_session() as session:
        assert find_by_link(session, old, box=BOX) is None
        row = session.get_one(Ticket, ticket.id)
        assert find_by_link(session, private_mark(row, box=BOX), box=BOX) is row
