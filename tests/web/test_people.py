"""The People page: who is here, invitations, phones, disabling."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from portal.models import Phone, ShiftRow, User

BOB = {"name": "Bob", "email": "bob@a.example", "role": "technician", "phones": "+49 151 12345678\n+49 30 1234567"}


@pytest.fixture
def alice(web):
    return web.as_("alice")


def user_of(web, name):
    with web.database.read_session() as session:
        return session.scalars(select(User).where(User.email == f"{name}@a.example")).one()


def phones_of(web, user_id):
    with web.database.read_session() as session:
        query = select(Phone.number).where(Phone.user_id == user_id).order_by(Phone.position)
        return session.scalars(query).all()


def test_a_manager_sees_everybody_but_changes_nobody(web):
    page = web.as_("carol").get("/people")
    assert "bob@a.example" in page.text
    assert not page.soup.select("main a[href*='/people/']")
    web.as_("carol").get("/people/2", status=403)


@pytest.mark.parametrize("who", ["bob", "vera"])
def test_the_list_is_for_those_who_lead(web, who):
    web.as_(who).get("/people", status=403)


def test_inviting_shows_the_link_once_and_the_link_lets_them_in(web, alice):
    form = {"name": "Frank", "email": "Frank@A.example", "role": "manager", "phones": ""}
    page = alice.post("/people/invite", form, status=200)
    link = page.one("code.token").get_text()
    assert link.startswith("https://help.acme.example/link/")
    assert "Invited" in alice.get("/people").text
    path = link.removeprefix("https://help.acme.example")
    guest = web.anonymous()
    guest.post(path, {"password": "correct horse", "again": "correct horse"}, status=303)
    guest.get("/people")
    web.anonymous().get(path, status=404)


def test_inviting_somebody_who_is_here_keeps_what_was_typed(alice):
    page = alice.post("/people/invite", {**BOB, "name": "Robert"}, status=422)
    assert "bob@a.example is here already." in page.text
    assert page.one("input[name=name]")["value"] == "Robert"


def test_phones_are_kept_in_their_order_and_numbers_are_checked(web, alice):
    alice.post("/people/2", BOB, status=303)
    assert phones_of(web, 2) == ["+4915112345678", "+49301234567"]
    assert "+49 1511 2345678" in alice.get("/people/2").one("textarea").get_text()
    page = alice.post("/people/2", {**BOB, "phones": "+49 151 12345678\n12"}, status=422)
    assert "12: Write the number with its country code" in page.one("#phones-error").get_text()
    assert phones_of(web, 2) == ["+4915112345678", "+49301234567"]


def test_the_last_administrator_stays_one(web, alice):
    form = {"name": "Alice", "email": "alice@a.example", "role": "viewer", "phones": ""}
    assert "must stay administrator" in alice.post("/people/1", form, status=422).text
    page = alice.follow(alice.post("/people/1/disable", status=303))
    assert "must stay administrator" in page.text
    assert user_of(web, "alice").is_active


def test_disabling_asks_first_and_says_what_would_be_missing(web, alice):
    with web.database.unit_of_work() as uow:
        start = datetime(2026, 11, 21, 0, 0)
        uow.session.add(ShiftRow(user_id=2, starts=start, ends=start + timedelta(days=1)))
    page = alice.get("/people/2/disable")
    assert "On call now, until Sun 22 Nov 00:00." in page.one(".notice").get_text(" ")
    assert user_of(web, "bob").is_active
    bob = web.as_("bob")
    alice.post(page.one("form[action$=disable]")["action"], status=303)
    assert not user_of(web, "bob").is_active
    assert bob.get("/dashboard", status=303).response.headers["Location"].startswith("/login")
    assert "Disabled" in alice.get("/people").text


def test_the_question_in_the_dialog_is_only_the_partial(alice):
    page = alice.get("/people/2/disable", htmx=True)
    assert not page.soup.select("nav")
    assert page.one("#confirm form")["method"] == "post"


def test_somebody_disabled_gets_no_link_until_enabled_again(web, alice):
    alice.post("/people/2/disable", status=303)
    assert "Enable the account first" in alice.post("/people/2/link", status=422).text
    alice.post("/people/2/enable", status=303)
    assert user_of(web, "bob").is_active
    assert alice.post("/people/2/link", status=200).soup.select("code.token")


@pytest.mark.parametrize("path", ["/people/999", "/people/999/disable"])
def test_somebody_unknown_is_not_found(alice, path):
    alice.get(path, status=404)


def test_without_a_public_address_the_link_begins_where_the_administrator_is(web, alice):
    object.__setattr__(web.context, "site_url", "")
    page = alice.post("/people/2/link", status=200)
    assert page.one("code.token").get_text().startswith("http://localhost/link/")
    assert "NIGHTDESK_SITE_URL" in page.text
