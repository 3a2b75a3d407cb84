"""The pages of customers, and customers on the pages of tickets."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from portal.core.calendars import WEEKDAYS, parse_week
from portal.models import Calendar, Customer, CustomerAddress, Ticket
from portal.services.audit import Change
from portal.services.calendars import save_week
from tests.services.ticket_world import NOW, add_tickets, ticket_values

ACME = {"name": "Acme", "addresses": "acme.example\njane@gmail.com", "calendar_id": "0"}


def add(web, **changes):
    alice = web.as_("alice")
    return alice.follow(alice.post("/customers/new", {**ACME, **changes}, status=303))


def rows(web, *columns):
    with web.context.database.read_session() as session:
        return [tuple(row) for row in session.execute(select(*columns).order_by(columns[0]))]


def test_a_customer_is_added_changed_and_removed(web):
    page = add(web)
    assert "Acme is added." in page.text and "jane@gmail.com" in page.one("tbody").text
    alice = web.as_("alice")
    form = alice.get("/customers/1")
    assert form.one("[name=addresses]").text.split() == ["acme.example", "jane@gmail.com"]
    version = form.one("[name=version]")["value"]
    data = {**ACME, "name": "Acme Ltd", "addresses": "acme.example", "version": version}
    assert "Acme Ltd is saved." in alice.follow(alice.post("/customers/1", data, status=303)).text
    assert rows(web, CustomerAddress.address) == [("acme.example",)]
    late = alice.post("/customers/1", {**data, "name": "Acme Inc"}, status=422)
    assert "Somebody else changed this customer meanwhile" in late.text
    assert late.one("[name=name]")["value"] == "Acme Inc"
    assert "Its tickets stay" in alice.get("/customers/1/remove").text
    assert "Acme Ltd is removed." in alice.follow(alice.post("/customers/1/remove", {}, status=303)).text
    assert rows(web, Customer.name) == []


def test_the_dialog_gets_the_form_alone_and_the_refused_one_too(web):
    alice = web.as_("alice")
    assert alice.get("/customers/new", htmx=True).one("h2").text == "Add a customer"
    page = alice.post("/customers/new", {**ACME, "name": ""}, htmx=True, status=422)
    assert page.soup.select_one("html") is None and "Give the customer a name." in page.text
    page = alice.post("/customers/new", {**ACME, "addresses": "gmail.com"}, status=422)
    assert "people of many companies" in page.one("#addresses-error").text
    assert page.one("[name=addresses]").text.strip() == "gmail.com"


def test_hours_of_its_own_are_offered_where_there_are_some(web):
    assert web.as_("alice").get("/customers/new").soup.select_one("[name=calendar_id]") is None
    with web.context.database.unit_of_work() as uow:
        uow.session.add(Calendar(id=2, name="Night watch", changed_at=NOW))
    page = add(web, calendar_id="2")
    assert page.one("tbody a[href='/hours/2']").text == "Night watch"
    hours = web.as_("alice").get("/hours/2")
    assert "Customer Acme" in hours.one("#users").text
    assert "Acme goes then by the hours of the queue or the site." in web.as_("alice").get("/hours/2/remove").text


@pytest.mark.parametrize(("person", "path", "status"), [
    ("bob", "/customers", 200), ("bob", "/customers/new", 403), ("bob", "/customers/1", 403),
    ("vera", "/customers", 403),
    ("alice", "/customers/99", 404), ("alice", "/customers/99/remove", 404),
])  # fmt: skip
def test_who_works_sees_them_and_who_leads_changes_them(web, person, path, status):
    web.as_(person).get(path, status=status)


def test_the_list_of_tickets_names_and_filters_them(web):
    add(web)
    add_tickets(web.context.database, ticket_values(1, customer_id=1), ticket_values(2))
    bob = web.as_("bob")
    page = bob.get("/tickets?status=any&customer=1")
    assert [one.text.split()[0] for one in page.soup.select("tbody .row-link")] == ["#1"]
    assert "Acme" in page.one("tbody .row-sub").text
    assert page.one("#filter-customer option[selected]").text == "Acme"
    numbers = [one.text.split()[0] for one in bob.get("/tickets?status=any&customer=none").soup.select(".row-link")]
    assert numbers and "#1" not in numbers
    assert bob.get("/tickets/1").one("a[href*='customer=1']").text == "Acme"


def test_a_ticket_is_given_to_another_customer_and_the_history_says_so(web):
    add_tickets(web.context.database, ticket_values(1))
    bob = web.as_("bob")
    assert bob.get("/tickets/1/edit").soup.select_one("[name=customer]") is None
    data = {"priority": "3", "queue": "", "category": "", "assignee": ""}
    add(web)
    bob.post("/tickets/1/edit", {**data, "customer": "1"}, status=303)
    assert "no customer → Acme" in bob.get("/tickets/1/history").text
    bob.post("/tickets/1/edit", data, status=303)  # a form from before there were customers
    assert rows(web, Ticket.id, Ticket.customer_id)[0] == (1, 1)
    bob.post("/tickets/1/edit", {**data, "customer": ""}, status=303)
    assert rows(web, Ticket.id, Ticket.customer_id)[0] == (1, None)
    bob.post("/tickets/1/edit", {**data, "customer": "99"}, status=422)


def test_a_caller_belongs_to_the_customer_of_the_address_or_the_chosen_one(web):
    add(web)
    add(web, name="Bolt", addresses="bolt.example")
    bob = web.as_("bob")
    call = {"subject": "Door", "body": "Stuck", "email": "x@acme.example", "priority": "3", "queue": "", "category": "",
            "assignee": "", "customer": ""}  # fmt: skip
    for customer in ("", "2"):
        bob.post("/tickets/new", {**call, "customer": customer}, status=303)
    assert [customer for _, customer in rows(web, Ticket.id, Ticket.customer_id)[-2:]] == [1, 2]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "Due"),
        ({"received_at": datetime(2026, 11, 18, 9, tzinfo=UTC)}, "Overdue Was due"),
        ({"first_response_at": datetime(2026, 11, 20, 16, tzinfo=UTC)}, "First answer"),
        ({"received_at": datetime(2026, 11, 18, 9, tzinfo=UTC), "first_response_at": NOW}, "Late It was due"),
        ({"status": "closed"}, ""),
        ({"is_imported": True}, ""),
    ],
)
def test_a_ticket_says_until_when_somebody_should_have_answered(web, values, words):
    with web.database.unit_of_work() as uow:
        save_week(uow, parse_week(dict.fromkeys(WEEKDAYS[:5], "8-18")), change=Change(None, NOW))
    received = {"received_at": datetime(2026, 11, 20, 15, tzinfo=UTC), "priority": 2}
    add_tickets(web.database, ticket_values(1, **{**received, **values}))
    side = " ".join(web.as_("bob").get("/tickets/1").one("#ticket-side").stripped_strings)
    assert ("First answer" in side) is bool(words) and words in side
    assert ("Overdue" in side, " Late " in side) == ("Overdue" in words, "Late" in words)
