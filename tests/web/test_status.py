"""The requester's private page."""

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import update

from portal.models import (
    Attachment,
    BusinessPeriod,
    Calendar,
    Message,
    PageDecisionRow,
    Queue,
    Ticket,
)
from portal.services.tickets import ANSWER, NOTE, NewMessage, add_message
from tests.web.conftest import NOW
from tests.web.form_pages import mark_of, open_on_weekdays, photo, post_large, send, set_up, tickets


@pytest.fixture
def night(web):
    open_on_weekdays(web)
    return web


@pytest.fixture
def path(night):
    return f"/r/{mark_of(send(night, files=[photo()]))}"


def say(web, kind, body, *, is_public):
    with web.database.unit_of_work() as uow:
        new = NewMessage(kind, body, author="Bob", is_public=is_public)
        add_message(uow, uow.session.query(Ticket).first(), new, now=NOW)


def change(web, **values):
    with web.database.unit_of_work() as uow:
        uow.session.execute(update(Ticket).values(**values))


def end(web, status="resolved", **values):
    change(web, status=status, is_open=False, **values)


def messages(web):
    with web.database.read_session() as session:
        return session.query(Message).order_by(Message.id).all()


def test_the_page_shows_what_was_said_and_where_it_stands(night, path):
    say(night, ANSWER, "Try the other printer.", is_public=True)
    page = night.anonymous().get(path)
    assert "Nobody can print" in page.one("h1").text
    assert "Since this morning" in page.text and "Try the other printer." in page.text
    assert "We have your request." in page.text and "on Monday, 23 November from 08:00" in page.text


def test_nothing_of_the_inside_leaks(night, path):
    say(night, NOTE, "She kicked it.", is_public=False)
    change(
        night, queue_id=2, category_id=1, priority=1, assignee_id=2, triage={"reasons": [{"text": "because printer"}]}
    )
    with night.database.unit_of_work() as uow:
        uow.session.execute(update(Message).values(corrected="Corrected text", corrections=[{"was": "a"}]))
    html = _without_tokens(night.anonymous().get(path).soup, path)
    for secret in (
        "kicked",
        "Servers",
        "Printer<",
        "P1",
        "because printer",
        "Corrected",
        "Bob",
        "dana@customer.example",
    ):
        assert secret not in html, secret


def _without_tokens(soup, path):
    """The page without what is random in it: any letters may stand there."""
    for field in soup.select("[name=csrf_token]"):
        del field["value"]
    for element in soup.select("[hx-headers]"):
        del element["hx-headers"]
    return str(soup).replace(path, "")


@pytest.mark.parametrize("status", ["new", "open", "in progress", "waiting for requester", "on hold", "closed"])
def test_each_status_has_plain_words(night, path, status):
    change(night, status=status, is_open=status != "closed")
    assert night.anonymous().get(path).one("#state")


def test_a_wrong_an_old_and_a_revoked_link_lead_nowhere(night, path):
    browser = night.anonymous()
    for wrong in (path[:-1], path + "a", path.replace("/r/", "/r/9"), "/r/1", "/r/x-y"):
        assert "does not lead anywhere" in browser.get(wrong, status=404).text
    change(night, link_version=2)
    browser.get(path, status=404)
    for action in ("reply", "close", "emergency"):
        browser.post(f"{path}/{action}", {"body": "x"}, status=404)
    browser.get(f"{path}/files/1", status=404)
    assert len(messages(night)) == 1


def test_the_page_stays_out_of_caches_and_search_engines(night, path):
    headers = night.anonymous().get(path).response.headers
    assert (headers["Cache-Control"], headers["X-Robots-Tag"]) == ("no-store", "noindex")
    assert headers["Referrer-Policy"] == "same-origin"


def test_a_reply_with_a_photo_joins_the_conversation(night, path):
    browser = night.anonymous()
    sent = browser.post(
        f"{path}/reply", {"body": "Now it smells", "key": "r1", "files": [photo("smell.jpg")]}, status=303
    )
    page = browser.follow(sent)
    assert "Now it smells" in page.text and "smell.jpg" in page.text and "We have your message." in page.text
    browser.post(f"{path}/reply", {"body": "Now it smells", "key": "r1", "files": [photo("smell.jpg")]}, status=303)
    assert len(messages(night)) == 2


def test_a_refused_reply_keeps_its_words(night, path):
    browser = night.anonymous()
    assert "few words" in browser.post(f"{path}/reply", {"body": " "}, status=422).text
    page = post_large(browser, f"{path}/reply", {"body": "It is <this> film"}, "film.mov", 30_000_000)
    assert page.status == 422
    assert page.one("[name=body]").text.strip("\r\n") == "It is <this> film"
    assert "film.mov is 30 MB" in page.text and "choose your files again: film.mov" in page.text
    assert "100,000" in browser.post(f"{path}/reply", {"body": "x" * 100_001}, status=422).text


def test_it_works_again_closes_the_request(night, path):
    browser = night.anonymous()
    page = browser.follow(browser.post(f"{path}/close", status=303))
    assert tickets(night)[0].status == "resolved" and "It is solved." in page.text
    assert not page.soup.select("form[action$='/close']")


def test_still_broken_opens_it_again_and_asks_whether_to_page(night, path):
    end(night, resolved_at=NOW)
    browser = night.anonymous()
    assert "Still broken?" in browser.get(path).text
    browser.post(f"{path}/reply", {"body": "Still broken"}, status=303)
    assert tickets(night)[0].status == "open"
    with night.database.read_session() as session:
        assert session.query(PageDecisionRow).one().cause.startswith("reopened")


def test_words_on_a_long_closed_request_open_a_new_one(night, path):
    end(night, "closed", closed_at=NOW)
    night.clock.pass_by(days=20)
    browser = night.anonymous()
    assert "opens a new one" in browser.get(path).text
    sent = browser.post(f"{path}/reply", {"body": "Again"}, status=303)
    assert sent.response.headers["Location"].startswith(f"/sent/{tickets(night)[1].id}-")


def test_an_emergency_can_be_declared_afterwards_at_the_price_shown(night, path):
    set_up(night, form__price="120")
    browser = night.anonymous()
    form = browser.get(path).one("form[action$='/emergency']")
    assert form.select_one("[name=price]")["value"] == "120" and "This costs 120." in form.text
    wrong = browser.follow(browser.post(f"{path}/emergency", {"price": "1"}, status=303))
    assert "price has changed" in wrong.text and tickets(night)[0].emergency == ""
    browser.post(f"{path}/emergency", {"price": "120"}, status=303)
    assert tickets(night)[0].emergency == "declared"
    assert not browser.get(path).soup.select("form[action$='/emergency']")


def test_the_team_reads_in_the_history_what_the_requester_said(night, path):
    set_up(night, form__price="120")
    night.anonymous().post(f"{path}/emergency", {"price": "120"}, status=303)
    end(night, "closed", closed_at=NOW)
    night.clock.pass_by(days=20)
    night.anonymous().post(f"{path}/reply", {"body": "Again"}, status=303)
    first, second = tickets(night)
    bob = night.as_("bob")
    history = bob.get(f"/tickets/{first.id}/history").text
    assert "Dana Reed <dana@customer.example>: declared an emergency and agreed to the price: 120" in history
    assert f"this follows #{first.id}" in bob.get(f"/tickets/{second.id}/history").text


def test_within_hours_there_is_no_emergency_button(night, path):
    night.clock.pass_by(days=2, hours=8)
    assert not night.anonymous().get(path).soup.select("form[action$='/emergency']")


def test_the_hours_of_the_queue_count_and_not_those_of_the_site(night, path):
    with night.database.unit_of_work() as uow:
        uow.session.add(Calendar(id=2, name="Round the clock", changed_at=NOW))
        uow.session.flush()
        uow.session.add_all(BusinessPeriod(calendar_id=2, weekday=day, opens=0, closes=1440) for day in range(7))
        uow.session.add(Queue(id=5, name="Night watch", calendar_id=2))
    for page in (path, path.replace("/r/", "/sent/")):
        assert "on Monday, 23 November from 08:00" in night.anonymous().get(page).text
    change(night, queue_id=5)
    for page in (path, path.replace("/r/", "/sent/")):
        assert "23 November" not in night.anonymous().get(page).text


def test_a_file_is_always_a_download(night, path):
    with night.database.read_session() as session:
        file_id = session.query(Attachment).one().id
    response = night.anonymous().client.get(f"{path}/files/{file_id}")
    assert (response.status_code, response.data) == (200, b"ppppp")
    assert response.headers["Content-Disposition"].startswith('attachment; filename="IMG_0042.HEIC"')
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].startswith("sandbox")
    assert night.database.reader.pool.checkedout() == 0, "the connection of a download is given back"


def test_another_requests_files_are_not_found(night, path):
    other = f"/r/{mark_of(send(night, key='k2'))}"
    with night.database.read_session() as session:
        file_id = session.query(Attachment).one().id
    night.anonymous().get(f"{other}/files/{file_id}", status=404)
    night.anonymous().get(f"{path}/files/999", status=404)


def test_a_forged_reply_is_refused_and_a_stale_one_loses_nothing(night, path):
    night.app.config["WTF_CSRF_ENABLED"] = True
    browser = night.anonymous()
    page = browser.post(f"{path}/reply", {"body": "Hear me", "csrf_token": "forged"}, status=400)
    assert len(messages(night)) == 1 and page.one("[name=body]").text.strip("\r\n") == "Hear me"
    token = page.soup.select("[name=csrf_token]")[0]["value"]
    browser.post(f"{path}/reply", {"body": "Hear me", "csrf_token": token}, status=303)
    browser.post(f"{path}/close", {}, status=400)
    assert len(messages(night)) == 2 and tickets(night)[0].status == "new"


def test_html_in_a_message_stays_text(night, path):
    night.anonymous().post(f"{path}/reply", {"body": "<script>alert(1)</script> https://x.example"}, status=303)
    page = night.anonymous().get(path)
    assert "<script>alert(1)</script>" in page.text
    assert "noreferrer" in page.one("a[href='https://x.example']")["rel"]


def test_the_page_takes_few_statements(night, path):
    seen = []
    sql_event.listen(night.database.reader, "before_cursor_execute", lambda *args: seen.append(args[2]))
    night.anonymous().get(path)
    assert len([one for one in seen if one != "BEGIN"]) <= 8, seen


def test_the_requester_rates_what_is_solved(night, path):
    browser = night.anonymous()
    assert not browser.get(path).soup.select("[name=rating]")
    end(night)
    page = browser.get(path)
    assert [button["value"] for button in page.soup.select("button[name=rating]")] == list("12345")
    browser.post(f"{path}/rate", {"rating": "4"})
    assert "You rated this 4 of 5" in browser.get(path).text
    browser.post(f"{path}/rate", {"rating": "6"}, status=400)
    assert tickets(night)[0].rating == 4
