"""The requester's form, without JavaScript and without an account."""

from datetime import UTC, date, datetime

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import event as sql_event
from sqlalchemy import update

from portal.models import Attachment, Notification, Page, Ticket, TicketEvent
from portal.services.form_posts import MOST
from tests.web.conftest import NOW
from tests.web.form_pages import DANA, close_on, mark_of, open_on_weekdays, photo, post_large, send, set_up, tickets

FRIDAY_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def shop(web):
    open_on_weekdays(web)
    web.clock.at = FRIDAY_NOON
    return web


@pytest.fixture
def night(shop):
    shop.clock.at = NOW
    return shop


def value(page, name):
    return page.one(f"[name={name}]").get("value", "")


def test_the_form_says_its_limits_beforehand_and_takes_any_photo(shop):
    page = shop.anonymous().get("/")
    assert "Up to 10 files, 25 MB each, 50 MB together." in page.text
    files = page.one("input[type=file]")
    assert files.has_attr("multiple") and ".heic" in files["accept"] and not files.has_attr("capture")
    form = page.one("#request-form")
    assert (form["method"], form["action"], form["enctype"]) == ("post", "/", "multipart/form-data")
    assert page.one("[name=csrf_token]")["value"]


def test_a_sent_form_leads_to_its_number_its_promise_and_its_private_page(shop):
    browser = shop.anonymous()
    page = browser.get(send(shop, browser))
    (ticket,) = tickets(shop)
    assert f"#{ticket.id}" in page.one("h1").text
    assert "We are open and will look at it soon." in page.text
    assert page.one(".token").text.startswith("https://help.acme.example/r/")
    assert browser.get(page.one("a.button[href^='/r/']")["href"])
    assert (ticket.subject, ticket.source, ticket.asset) == ("Nobody can print", "form", "PC-117")
    assert shop.queue.woken == ["triage"]


def test_a_refused_form_keeps_every_word(shop):
    typed = {**DANA, "name": "", "email": "dana", "body": 'She said "<b>no</b>"\nand left'}
    page = shop.anonymous().post("/", typed, status=422)
    assert value(page, "subject") == "Nobody can print"
    assert page.one("[name=body]").text.strip("\r\n") == typed["body"]
    assert (value(page, "email"), value(page, "device"), value(page, "key")) == ("dana", "PC-117", "k1")
    assert "Give your name." in page.text and "dana@example.com" in page.text
    assert page.one("#email")["aria-invalid"] == "true"
    assert tickets(shop) == []


@pytest.mark.parametrize(("field", "text"), [("subject", "x" * 301), ("body", "y" * 100_001), ("name", "z" * 201)])
def test_too_long_a_text_is_refused_and_not_cut(shop, field, text):
    page = shop.anonymous().post("/", {**DANA, field: text}, status=422)
    kept = page.one(f"[name={field}]")
    assert (kept.get("value") or kept.text.strip("\r\n")) == text


def test_a_file_of_30_mb_is_refused_by_name_and_nothing_typed_is_lost(shop):
    page = post_large(shop.anonymous(), "/", DANA, "film.mov", 30_000_000)
    assert page.status == 422
    assert "film.mov is 30 MB; a file may have up to 25 MB." in page.text
    assert "Please choose your files again: film.mov." in page.text
    assert value(page, "subject") == "Nobody can print" and value(page, "name") == "Dana Reed"
    assert tickets(shop) == []


def test_a_form_larger_than_other_pages_take_is_still_read(shop):
    page = post_large(shop.anonymous(), "/", DANA, "film.mov", 70_000_000)
    assert page.status == 422
    assert "film.mov is 70 MB" in page.text and value(page, "subject") == "Nobody can print"


def test_a_form_larger_than_anything_says_how_to_get_the_words_back(shop, monkeypatch):
    monkeypatch.setattr("portal.web.uploads.LARGEST_POST", 1000)
    page = shop.anonymous().post("/", {**DANA, "files": [photo(size=2000)]}, status=413)
    assert "back button" in page.text and tickets(shop) == []


def test_photos_arrive(shop):
    send(shop, files=[photo(), photo("screen.png")])
    with shop.database.read_session() as session:
        assert [(row.filename, row.size) for row in session.query(Attachment)] == [
            ("IMG_0042.HEIC", 5),
            ("screen.png", 5),
        ]


def test_a_double_click_makes_one_ticket(shop):
    assert send(shop) == send(shop)
    assert len(tickets(shop)) == 1


def test_a_robot_is_not_served_and_a_person_loses_nothing(shop):
    browser = shop.anonymous()
    page = browser.post("/", {**DANA, "website": "http://spam.example"}, status=422)
    assert tickets(shop) == [] and "Send once more" in page.text
    assert value(page, "website") == "" and value(page, "subject") == "Nobody can print"
    trap = page.one("#website")
    assert trap["tabindex"] == "-1" and trap.find_parent(attrs={"aria-hidden": "true"})


def test_too_many_forms_are_slowed_down_with_their_words_kept(shop):
    for n in range(MOST):
        send(shop, key=str(n))
    page = shop.anonymous().post("/", {**DANA, "key": "new"}, status=429)
    assert "ten minutes" in page.text and value(page, "subject") == "Nobody can print"
    shop.clock.pass_by(minutes=11)
    assert send(shop, key="new")


def test_the_browser_remembers_its_owner_until_told_otherwise(shop):
    browser = shop.anonymous()
    send(shop, browser)
    page = browser.get("/")
    assert [value(page, name) for name in ("name", "email", "phone", "department")] == [
        DANA[name] for name in ("name", "email", "phone", "department")
    ]
    assert value(page, "subject") == value(page, "device") == ""
    page = browser.post("/", {**DANA, "act": "forget"})
    assert value(page, "name") == value(page, "email") == "" and value(page, "subject") == "Nobody can print"
    assert value(browser.get("/"), "name") == ""


def test_who_does_not_want_to_be_remembered_is_not(shop):
    browser = shop.anonymous()
    shop_page = {key: text for key, text in DANA.items() if key != "remember"}
    browser.post("/", shop_page, status=303)
    assert value(browser.get("/"), "name") == ""


def test_a_forged_cookie_is_ignored(shop):
    browser = shop.anonymous()
    browser.client.set_cookie("nightdesk_owner", "eyJuYW1lIjoiTWFsbG9yeSJ9.forged")
    assert value(browser.get("/"), "name") == ""


def test_a_link_fills_the_form(shop):
    page = shop.anonymous().get("/?name=Dana&mail=dana%40customer.example&device=%22%3E%3Cb%3E")
    assert (value(page, "name"), value(page, "email"), value(page, "device")) == (
        "Dana",
        "dana@customer.example",
        '"><b>',
    )


def test_departments_are_a_choice_where_the_shop_names_them(shop):
    set_up(shop, form__departments="Sales\nWarehouse")
    page = shop.anonymous().get("/?department=Warehouse")
    assert [option.text for option in page.soup.select("#department option")][1:] == ["Sales", "Warehouse"]
    assert page.one("#department option[selected]").text == "Warehouse"
    assert not shop.anonymous().get("/?department=Mars").soup.select("#department option[selected]")
    assert send(shop, department="Taken off the list meanwhile")


def test_within_hours_the_question_is_absent(shop):
    page = shop.anonymous().get("/")
    assert not page.soup.select("[name=emergency]") and value(page, "asked") == ""
    send(shop, emergency="declined")
    assert tickets(shop)[0].emergency == "", "what was not asked is not an answer"


def test_after_hours_the_form_says_so_in_the_words_of_the_shop_and_asks(night):
    set_up(night, form__after_hours="The shop sleeps.", form__price="120 per started hour")
    page = night.anonymous().get("/")
    assert "The shop sleeps." in page.text and "on Monday, 23 November from 08:00" in page.text
    assert "120 per started hour" in page.one("#emergency").text
    assert [choice["value"] for choice in page.soup.select("[name=emergency]")] == ["declared", "declined"]


def test_on_a_holiday_the_form_names_it(shop):
    close_on(shop, date(2026, 11, 20), "Founders' Day")
    page = shop.anonymous().get("/")
    assert "Today is a holiday: Founders' Day." in page.text and page.soup.select("[name=emergency]")


def test_a_shop_that_does_not_want_the_question_is_not_asked(night):
    set_up(night, form__emergency=False)
    page = night.anonymous().get("/")
    assert "We are closed" in page.text and not page.soup.select("[name=emergency]")


def test_the_question_must_be_answered(night):
    page = night.anonymous().post("/", {**DANA, "asked": "1"}, status=422)
    assert "Choose one of the two." in page.text and value(page, "subject") == "Nobody can print"


def test_an_emergency_needs_a_number_to_call(night):
    page = night.anonymous().post("/", {**DANA, "asked": "1", "emergency": "declared", "phone": "-"}, status=422)
    assert "a number on which we reach you" in page.text
    assert page.one("[value=declared]").has_attr("checked")


def test_the_consent_is_recorded_with_the_price_that_was_shown(night):
    set_up(night, form__price="120")
    send(night, asked="1", emergency="declared", price="120")
    with night.database.read_session() as session:
        event = session.query(TicketEvent).filter_by(kind="emergency").one()
    assert event.data == {"answer": "declared", "price": "120"}
    assert tickets(night)[0].emergency == "declared"


def test_nobody_agrees_to_a_price_they_have_not_seen(night):
    set_up(night, form__price="150")
    page = night.anonymous().post("/", {**DANA, "asked": "1", "emergency": "declared", "price": "120"}, status=422)
    assert "The price has changed" in page.text and value(page, "price") == "150"
    assert not page.soup.select("[name=emergency][checked]") and tickets(night) == []


def test_no_is_recorded_without_a_price(night):
    set_up(night, form__price="120")
    send(night, asked="1", emergency="declined", price="120")
    assert tickets(night)[0].emergency == "declined"


def test_a_form_left_open_over_night_still_works(shop):
    """Opened in the afternoon, sent after hours: it is taken, and the question comes on the answer page."""
    browser = shop.anonymous()
    key = value(browser.get("/"), "key")
    shop.clock.at = NOW
    page = browser.get(send(shop, browser, key=key))
    assert "We are closed now and will look at it on Monday, 23 November from 08:00." in page.text
    assert page.one("form[action$='/emergency']")
    shop.clock.pass_by(days=2, hours=8)
    assert send(shop, browser, key="k9", asked="1", emergency="declined"), "opened at night, sent in the morning"


def test_the_answer_page_follows_the_waking_by_itself(night):
    path = send(night)
    page = night.anonymous().get(path)
    assert page.one("#promise")["hx-get"] == f"{path}?n=1"
    with night.database.unit_of_work() as uow:
        ticket_id = tickets(night)[0].id
        uow.session.add(Page(id=1, kind="ticket", ticket_id=ticket_id, state="open", opened_at=NOW))
        uow.session.flush()
        text = Notification(
            page_id=1, dedupe_key="n", kind="page", number="+1", text="t", state="sending", created_at=NOW
        )
        uow.session.add(text)
    partial = night.anonymous().get(f"{path}?n=1", htmx=True)
    assert "We are telling the person on call now." in partial.text and not partial.soup.select("html")
    with night.database.unit_of_work() as uow:
        uow.session.execute(update(Notification).values(state="accepted"))
        uow.session.execute(update(Ticket).values(triaged_at=NOW))
    done = night.anonymous().get(f"{path}?n=2", htmx=True)
    assert "has been told" in done.text and not done.one("#promise").has_attr("hx-get")


def test_the_answer_page_does_not_look_for_ever(night):
    assert not night.anonymous().get(f"{send(night)}?n=20").one("#promise").has_attr("hx-get")


def test_an_emergency_is_not_put_off_until_monday(night):
    page = night.anonymous().get(send(night, asked="1", emergency="declared"))
    assert "We are passing on your emergency now." in page.one("#promise").text
    assert not page.soup.select("form[action$='/emergency']")


def test_the_answer_page_is_private(shop):
    path = send(shop)
    shop.anonymous().get(path[:-1] + ("a" if path[-1] != "a" else "b"), status=404)
    assert shop.anonymous().get(path).response.headers["Cache-Control"] == "no-store"


def test_the_back_button_may_show_the_form_again(shop):
    assert shop.anonymous().get("/").response.headers["Cache-Control"] == "private, no-cache"


def test_a_forged_form_is_refused_and_a_stale_one_loses_nothing(shop):
    shop.app.config["WTF_CSRF_ENABLED"] = True
    browser = shop.anonymous()
    page = browser.post("/", {**DANA, "csrf_token": "forged", "files": [photo()]}, status=400)
    assert tickets(shop) == []
    assert value(page, "subject") == "Nobody can print" and "IMG_0042.HEIC" in page.text
    send(shop, browser, csrf_token=value(page, "csrf_token"))
    assert len(tickets(shop)) == 1


def test_a_token_outlives_a_closed_browser(shop):
    response = shop.anonymous().get("/").response
    assert "Expires=" in next(c for c in response.headers.getlist("Set-Cookie") if c.startswith("nightdesk="))


def test_sending_takes_at_most_ten_statements(night):
    browser = night.anonymous()
    send(night, browser, asked="1", emergency="declined")
    seen = []

    def note(conn, cursor, statement, *rest):
        if not statement.startswith(("BEGIN", "SET LOCAL", "SELECT pg_advisory")):  # the lock is no question
            seen.append(statement)

    for engine in (night.database.reader, night.database.writer):
        sql_event.listen(engine, "before_cursor_execute", note)
    send(night, browser, key="k2", asked="1", emergency="declared", phone="+49 30 999")
    assert len(tickets(night)) == 2
    assert len(seen) - 1 <= 10, seen  # the last one is this test's own look


def test_nothing_inside_is_told_to_a_stranger(shop):
    with shop.database.unit_of_work() as uow:
        uow.session.query(Ticket).delete()
    page = BeautifulSoup(str(shop.anonymous().get("/").soup), "html.parser").get_text()
    assert not any(name in page for name in ("Alice", "Bob", "Desktop", "Servers"))


def test_a_private_mark_is_what_the_answer_carries(shop):
    assert mark_of(send(shop)).startswith(f"{tickets(shop)[0].id}-")
