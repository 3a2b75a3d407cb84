"""The paging pages, without JavaScript and with htmx."""

from datetime import datetime

import pytest

from portal.models import Alarm, EscalationStepRow, Notification, Page, Phone, SettingRow, ShiftRow, Ticket
from portal.services.alarms import raise_alarm
from portal.services.paging_rules import load_paging_rules
from tests.services.ticket_world import ALICE, BOB, NOW, add_message, add_tickets, ticket_values


@pytest.fixture
def shop(web):
    """Ticket 1 has rung Bob's phone."""
    add_tickets(web.database, ticket_values(1, subject="Server down"))
    add_message(web.database, 1, "Nobody can work.")
    with web.database.unit_of_work() as uow:
        uow.session.add(Phone(user_id=BOB, number="+15550101"))
        page = Page(kind="ticket", ticket_id=1, state="open", opened_at=NOW, due_at=NOW)
        page.policy = {"steps": [{"targets": ["on_call"], "wait": 5, "repeats": 1}]}
        uow.session.add(page)
        uow.session.flush()
        uow.session.add(
            Notification(
                dedupe_key="page:1:2:0:0",
                page_id=1,
                user_id=BOB,
                kind="page",
                number="+15550101",
                text="P3 #1 Server",
                created_at=NOW,
                state="delivered",
                delivered_at=NOW,
            )
        )
    return web


def rows(web, model):
    with web.database.read_session() as session:
        return session.query(model).order_by(model.id).all()


def test_the_list_shows_what_asks_and_how_to_take_it(shop):
    page = shop.as_("bob").get("/pages")
    assert "#1 Server down" in page.text
    assert "Asks for an answer" in page.text
    assert page.one("form[action='/pages/1/acknowledge']")["method"] == "post"


def test_a_viewer_sees_pages_but_no_buttons(shop):
    page = shop.as_("vera").get("/pages")
    assert "#1 Server down" in page.text
    assert not page.soup.select("main form")
    shop.as_("vera").post("/pages/1/acknowledge", status=403)


def test_an_empty_list_says_so(web):
    assert "No page is open" in web.as_("bob").get("/pages").text


def test_a_stranger_is_sent_to_sign_in(shop):
    assert "/login" in shop.anonymous().get("/pages", status=303).response.headers["Location"]
    shop.anonymous().post("/pages/1/acknowledge", status=303)
    assert rows(shop, Page)[0].state == "open"


def test_acknowledging_works_without_javascript(shop):
    bob = shop.as_("bob")
    answer = bob.post("/pages/1/acknowledge", {"next": "/pages"}, status=303)
    assert answer.response.headers["Location"] == "/pages"
    page = bob.follow(answer)
    assert "It is yours." in page.text
    assert "Taken by Bob" in page.text
    assert rows(shop, Ticket)[0].assignee_id == BOB


def test_acknowledging_by_htmx_answers_with_the_list_or_the_tickets_timeline(shop):
    bob = shop.as_("bob")
    listed = bob.post("/pages/1/acknowledge", htmx=True, status=200)
    assert listed.one("#pages")
    again = bob.post("/pages/1/acknowledge", {"view": "ticket"}, htmx=True, status=200)
    assert again.one("#page-timeline")
    assert "Bob has it since" in again.text


def test_somebody_elses_page_says_who_has_it(shop):
    shop.as_("bob").post("/pages/1/acknowledge")
    alice = shop.as_("alice")
    page = alice.follow(alice.post("/pages/1/acknowledge", {"next": "https://evil.example/"}))
    assert "Bob has it since" in page.text


def test_a_page_that_is_gone_is_not_found(shop):
    shop.as_("bob").post("/pages/99/acknowledge", status=404)
    shop.as_("bob").get("/pages/now/99", status=404)
    shop.as_("bob").post("/pages/now/99", status=404)


def put_on_call(web):
    with web.database.unit_of_work() as uow:
        uow.session.add(Phone(user_id=BOB, number="+15550101"))
        uow.session.add(ShiftRow(user_id=BOB, starts=datetime(2026, 11, 1), ends=datetime(2026, 12, 1)))


def go_live(web):
    with web.database.unit_of_work() as uow:
        uow.session.merge(SettingRow(key="site.live", value="true"))


def test_page_now_asks_first_and_then_rings_once(web):
    add_tickets(web.database, ticket_values(1, subject="Server down", source="staff"))
    put_on_call(web)
    go_live(web)
    alice = web.as_("alice")
    assert alice.get("/pages/now/1").one("form[action='/pages/now/1']")
    answer = alice.post("/pages/now/1", status=303)
    assert answer.response.headers["Location"] == "/tickets/1"
    assert "The page has begun." in alice.follow(answer).text
    alice.post("/pages/now/1", htmx=True, status=204)
    assert [(page.ticket_id, page.state) for page in rows(web, Page)] == [(1, "open")]


def test_page_now_in_watch_mode_is_on_record_and_rings_nobody(web):
    add_tickets(web.database, ticket_values(1))
    put_on_call(web)
    alice = web.as_("alice")
    assert "its texts were held back" in alice.follow(alice.post("/pages/now/1", status=303)).text
    assert [row.state for row in rows(web, Notification)] == ["cancelled"]


def test_page_now_that_reaches_nobody_says_so(web):
    add_tickets(web.database, ticket_values(1))
    alice = web.as_("alice")
    assert "Nobody is on call: the fallback person is asked." in alice.get("/pages/now/1").text
    page = alice.follow(alice.post("/pages/now/1", status=303))
    assert "Nobody can be reached by text, so the alarm was raised." in page.text


def test_page_now_names_who_will_be_woken(web):
    add_tickets(web.database, ticket_values(1))
    put_on_call(web)
    question = web.as_("alice").get("/pages/now/1", htmx=True)
    assert "Bob will get a text at once." in question.text
    web.as_("vera").get("/pages/now/1", status=403)


def test_a_test_page_goes_to_the_person_chosen(shop):
    alice = shop.as_("alice")
    page = alice.follow(alice.post("/pages/test", {"person": str(BOB)}))
    assert "A test page is on its way to Bob." in page.text
    assert rows(shop, Notification)[-1].text.startswith("TEST from")
    alice.post("/pages/test", {"person": "99"}, status=404)
    alice.post("/pages/test")
    assert rows(shop, Page)[-1].user_id == ALICE


def test_an_alarm_is_shown_and_ended_by_a_person(shop):
    with shop.database.unit_of_work() as uow:
        raise_alarm(uow, "nobody-on-call", "A page found nobody on call.", now=NOW)
    bob = shop.as_("bob")
    assert "A page found nobody on call." in bob.get("/pages").text
    assert "A page found nobody" not in bob.post("/pages/alarms/end", {"key": "nobody-on-call"}, htmx=True).text
    assert rows(shop, Alarm)[0].ended_by == "Bob"


def test_the_steps_are_shown_with_an_empty_one_to_add(shop):
    page = shop.as_("carol").get("/pages/steps")
    assert [field["value"] for field in page.soup.select("option[selected]")] == ["on_call", "fallback"]
    assert len(page.soup.select("select[name=target]")) == 3
    shop.as_("bob").get("/pages/steps", status=403)


def test_steps_are_saved_and_hold_for_new_pages(shop):
    carol = shop.as_("carol")
    steps = {"target": ["on_call", f"person:{BOB}", ""], "wait": ["3", "10", "5"], "repeats": ["2", "0", "1"]}
    page = carol.follow(carol.post("/pages/steps", steps, status=303))
    assert "New pages follow these steps." in page.text
    assert [(row.target, row.after_minutes, row.repeats) for row in rows(shop, EscalationStepRow)] == [
        ("on_call", 3, 2),
        ("person", 10, 0),
    ]
    with shop.database.read_session() as session:
        assert load_paging_rules(session, now=NOW).escalation.steps[1].targets == (f"person:{BOB}",)


@pytest.mark.parametrize("htmx", [True, False])
def test_a_refused_step_keeps_what_was_typed_and_says_why(shop, htmx):
    steps = {"target": ["on_call"], "wait": ["soon"], "repeats": ["1"]}
    page = shop.as_("carol").post("/pages/steps", steps, htmx=htmx, status=422)
    assert "Step 1: the wait must be a whole number" in page.text
    assert page.one("input[name=wait]")["value"] == "soon"
    nothing = shop.as_("carol").post("/pages/steps", {}, status=422)
    assert "at least one step" in nothing.text
    assert rows(shop, EscalationStepRow) == []


def test_many_alarms_do_not_push_the_page_away(web):
    with web.database.unit_of_work() as uow:
        for n in range(22):
            raise_alarm(uow, f"mailbox:{n}", f"Mailbox {n} is silent.", now=NOW)
    banners = web.as_("alice").get("/dashboard").soup.select("#banners .banner-alarm")
    assert [one.get_text(strip=True) for one in banners] == [
        "Mailbox 21 is silent.", "Mailbox 20 is silent.", "Mailbox 19 is silent.", "And 19 more. See all alarms."
    ]  # fmt: skip
