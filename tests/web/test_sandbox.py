"""Phones on a page."""

import pytest

from portal.models import Lease, Phone
from portal.services.answers import POLL_LEASE
from portal.wiring import sandbox_gateway
from tests.services.ticket_world import BOB, NOW


@pytest.fixture
def phone(web):
    """Bob's phone, and the provider behind it."""
    with web.database.unit_of_work() as uow:
        uow.session.add(Phone(id=1, user_id=BOB, number="+15550101"))
    web.provider = sandbox_gateway(web.config, web.clock)
    return web


def test_a_text_is_drawn_on_its_owners_phone(phone):
    phone.provider.send("n1", "+15550101", "P1 #7 Server down")
    page = phone.as_("bob").get("/sandbox")
    assert (
        page.one("section[aria-label='Phone of Bob']").select_one(".sms-in").get_text().startswith("P1 #7 Server down")
    )
    assert "Texts go to real phones now" in page.text


def test_without_phones_the_page_says_where_to_add_one(web):
    assert "No phones yet" in web.as_("bob").get("/sandbox").text


def test_a_screen_is_sent_again_only_when_something_is_new(phone):
    bob = phone.as_("bob")
    screen = bob.get("/sandbox/phones/1", htmx=True)
    again = screen.one("ol")["hx-get"]
    bob.get(again, htmx=True, status=204)
    phone.provider.send("n1", "+15550101", "x")
    assert bob.get(again, htmx=True).one("li.sms-in")
    phone.clock.pass_by(seconds=2)
    assert "on its way" not in bob.get(again, htmx=True).text


def test_an_answer_is_a_text_from_that_phone_and_the_provider_is_asked_at_once(phone):
    with phone.database.unit_of_work() as uow:
        uow.session.add(Lease(name=POLL_LEASE, owner="texts", until=NOW))
    bob = phone.as_("bob")
    bob.follow(bob.post("/sandbox/reply", {"phone": "1", "text": "1 A"}, status=303))
    assert [(text.sender, text.text) for text in phone.provider.list_inbound(NOW)] == [("+15550101", "1 A")]
    assert "texts" in phone.queue.woken
    with phone.database.read_session() as session:
        assert session.get(Lease, POLL_LEASE) is None


def test_by_htmx_the_answer_appears_on_the_screen(phone):
    screen = phone.as_("bob").post("/sandbox/reply", {"phone": "1", "text": "ok"}, htmx=True, status=200)
    assert screen.one("li.sms-out").get_text().startswith("ok")


def test_an_empty_answer_is_no_text(phone):
    phone.as_("bob").post("/sandbox/reply", {"phone": "1", "text": "  "})
    assert phone.provider.list_inbound(NOW) == []


def test_only_members_who_work_use_the_phones(phone):
    phone.as_("vera").get("/sandbox", status=403)
    phone.anonymous().get("/sandbox", status=303)
    phone.as_("bob").get("/sandbox/phones/9", status=404)
    phone.as_("bob").post("/sandbox/reply", {"phone": "x", "text": "a"}, status=404)
