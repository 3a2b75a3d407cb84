from contextlib import contextmanager

import pytest
from sqlalchemy import select

from portal.core.errors import DomainError
from portal.models import AuditEvent, Calendar, Requester, Ticket, TicketEvent
from portal.services.audit import Change
from portal.services.calendar_edit import load_users, remove_calendar
from portal.services.customers import (
    CustomerProfile,
    add_customer,
    customer_of,
    edit_customer,
    find_customer,
    list_customers,
    load_customer,
    remove_customer,
)
from portal.services.tickets import REQUEST, Actor, NewMessage, NewTicket, create_ticket, find_or_add_requester
from tests.services.ticket_world import ALICE, NOW, counted_statements

CHANGE = Change(ALICE, NOW)


def add(database, name, *addresses, calendar_id=None):
    with database.unit_of_work() as uow:
        return add_customer(uow, CustomerProfile(name, calendar_id, addresses), change=CHANGE)


def edit(database, id, *addresses, name="Acme", seen=None, calendar_id=None):
    with database.unit_of_work() as uow:
        profile = CustomerProfile(name, calendar_id, addresses)
        return edit_customer(uow, id, profile, change=CHANGE, seen=seen)


@contextmanager
def refused(words):
    with pytest.raises(DomainError, match=words):
        yield


def write_in(database, email, **values):
    with database.unit_of_work() as uow:
        person = find_or_add_requester(uow, email, now=NOW)
        new = NewTicket("Help", NewMessage(REQUEST, "Help"), "mail", person.id, NOW, values)
        return create_ticket(uow, new, actor=Actor("x"), now=NOW)[0].id


def customers_of(database, model=Ticket):
    with database.read_session() as session:
        return list(session.scalars(select(model.customer_id).order_by(model.id)))


def test_the_closest_of_what_customers_wrote_down_wins(database):
    acme, plant, jane = add(database, "Acme", "acme.example"), add(database, "Plant", "plant.acme.example"), None
    jane = add(database, "Jane", "jane@plant.acme.example", "jane@gmail.com")
    expected = {
        "a@acme.example": acme, "A@IT.Acme.example": acme, "a@plant.acme.example": plant,
        "a@x.plant.acme.example": plant, "jane@plant.acme.example": jane, "jane@gmail.com": jane,
        "joe@gmail.com": None, "a@notacme.example": None, "a@example": None, "": None, "caller": None,
    }  # fmt: skip
    with database.read_session() as session:
        assert {email: customer_of(session, email) for email in expected} == expected


def test_a_ticket_takes_the_customer_of_its_requester_unless_another_is_named(database):
    acme, bolt = add(database, "Acme", "acme.example"), add(database, "Bolt")
    write_in(database, "eva@acme.example")
    write_in(database, "eva@acme.example", customer_id=bolt)
    write_in(database, "eva@other.example")
    assert customers_of(database) == [acme, bolt, None]


def test_somebody_known_costs_no_question_about_customers(database):
    write_in(database, "eva@acme.example")
    with database.unit_of_work() as uow, counted_statements(uow.session) as seen:
        find_or_add_requester(uow, "eva@acme.example", now=NOW)
    assert not any("customer_address" in one for one in seen)


def test_open_tickets_go_along_when_addresses_change_and_the_rest_stays(database):
    bolt = add(database, "Bolt")
    first = write_in(database, "eva@acme.example")
    closed = write_in(database, "eva@it.acme.example", status="closed")
    by_hand = write_in(database, "joe@acme.example", customer_id=bolt)
    other = write_in(database, "joe@notacme.example")
    acme = add(database, "Acme", "acme.example")
    assert customers_of(database, Requester) == [None, acme, acme, acme, None]
    assert customers_of(database) == [acme, None, bolt, None]
    with database.read_session() as session:
        events = session.scalars(select(TicketEvent).where(TicketEvent.kind == "sorted")).all()
        assert [(one.ticket_id, one.data) for one in events] == [(first, {"customer_id": [None, acme]})]
        assert session.get_one(Ticket, first).version == 2
    assert edit(database, acme, "it.acme.example")
    assert customers_of(database) == [None, None, bolt, None]
    assert customers_of(database, Requester) == [None, None, acme, None, None]
    assert (closed, by_hand, other) == (2, 3, 4)


def test_a_domain_in_its_own_script_is_found_again(database):
    write_in(database, "eva@müller.example")
    miller = add(database, "Miller", "xn--mller-kva.example")
    assert customers_of(database) == [miller]


def test_a_percent_sign_in_an_address_is_only_itself(database):
    write_in(database, "eva@acme.example")
    add(database, "Odd", "ev_@acme.example", "%@acme.example")
    assert customers_of(database) == [None]


def test_people_go_back_to_the_domain_when_their_own_address_is_taken_away(database):
    acme = add(database, "Acme", "acme.example")
    own = add(database, "Eva", "eva@acme.example")
    write_in(database, "eva@acme.example")
    assert customers_of(database) == [own]
    with database.unit_of_work() as uow:
        edit_customer(uow, own, CustomerProfile("Eva"), change=CHANGE)
    assert customers_of(database) == [acme]


def test_what_cannot_be_is_refused_in_words(database):
    acme = add(database, "Acme", "acme.example")
    for words, act in (
        ("Give the customer a name", lambda: add(database, " ")),
        ("at most 100", lambda: add(database, "x" * 101)),
        ("called ACME already", lambda: add(database, "ACME")),
        ("acme.example belongs to Acme already", lambda: add(database, "Bolt", "bolt.example", "acme.example")),
        ("calendar is gone", lambda: add(database, "Bolt", calendar_id=99)),
        ("customer is gone", lambda: edit(database, 99)),
        ("meanwhile", lambda: edit(database, acme, "b.example", seen=7)),
    ):
        with refused(words):
            act()
    with database.read_session() as session:
        assert [one.profile.name for one in list_customers(session)] == ["Acme"]


def test_of_two_who_edit_one_the_later_is_told_and_what_is_the_same_leaves_no_trace(database):
    acme = add(database, "Acme", "acme.example")
    assert not edit(database, acme, "acme.example", seen=7)
    assert edit(database, acme, "acme.example", name="ACME", seen=1)
    with refused("meanwhile"):
        edit(database, acme, "b.example", seen=1)
    with database.read_session() as session:
        assert [one.action for one in session.scalars(select(AuditEvent))] == ["customer.add", "customer.edit"]
        assert load_customer(session, acme).version == 2
        assert load_customer(session, 99) is None


def test_removing_one_leaves_its_tickets_and_people(database):
    acme = add(database, "Acme", "acme.example")
    write_in(database, "eva@acme.example")
    with database.unit_of_work() as uow:
        remove_customer(uow, acme, change=CHANGE)
    assert customers_of(database) == [None] and customers_of(database, Requester) == [None, None]
    assert add(database, "Acme", "acme.example") != acme
    with database.unit_of_work() as uow, refused("gone"):
        remove_customer(uow, acme, change=CHANGE)


def test_the_list_is_by_name_with_the_people_who_wrote_in_two_statements(database):
    for name in ("bolt", "Acme", "Zeta"):
        add(database, name, f"{name.lower()}.example", f"it@{name.lower()}-it.example")
    write_in(database, "a@bolt.example")
    write_in(database, "b@bolt.example")
    with database.read_session() as session, counted_statements(session) as seen:
        found = list_customers(session)
    assert [(one.profile.name, one.people) for one in found] == [("Acme", 0), ("bolt", 2), ("Zeta", 0)]
    assert found[1].profile.addresses == ("bolt.example", "it@bolt-it.example")
    assert len(seen) == 2
    with database.read_session() as session:
        assert find_customer(session, " BOLT ") == found[1].id and find_customer(session, "nobody") is None


def test_the_calendar_of_a_customer_names_it_and_its_removal_gives_it_back(database):
    with database.unit_of_work() as uow:
        uow.session.add(Calendar(id=2, name="Night watch", changed_at=NOW))
    acme = add(database, "Acme", calendar_id=2)
    assert add(database, "Bolt", calendar_id=1) and acme
    with database.unit_of_work() as uow:
        assert load_users(uow.session, 2).names == ("Acme",)
        assert load_users(uow.session, 1).names == ()
        assert remove_calendar(uow, 2, change=CHANGE).customers == ("Acme",)
    with database.read_session() as session:
        assert load_customer(session, acme).profile.calendar_id is None
