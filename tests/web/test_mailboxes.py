from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.models import MailboxRow

FORM = {
    "name": "Help", "address": "help@shop.example", "sender_name": "Shop", "queue": "1", "is_enabled": "y",
    "interval_s": "20", "imap_host": "imap.shop.example", "imap_port": "993", "imap_security": "tls",
    "imap_user": "help", "imap_password": "hunter2", "folders": "INBOX\r\nDesk\r\n", "look_back": "0",
    "smtp_host": "smtp.shop.example", "smtp_port": "587", "smtp_security": "starttls", "smtp_user": "help",
    "smtp_password": "hunter2",
}  # fmt: skip


@pytest.fixture
def alice(web):
    return web.as_("alice")


def row(web):
    with web.database.read_session() as session:
        return session.scalars(select(MailboxRow)).one()


def add(alice, **changes):
    return alice.post("/mailboxes/new", {**FORM, **changes}, status=303)


def test_an_empty_list_says_what_to_do(alice):
    page = alice.get("/mailboxes")
    assert "No mailbox yet" in page.text and page.soup.select('a[href="/mailboxes/new"]')


def test_a_mailbox_is_added_and_read_at_once(web, alice):
    page = alice.follow(add(alice))
    assert page.one("h1").text == "Help" and "is saved" in page.text
    assert row(web).options["imap"]["host"] == "imap.shop.example" and row(web).queue_id == 1
    assert row(web).options["folders"] == ["INBOX", "Desk"] and row(web).is_enabled
    assert "mail_fetch" in web.queue.woken


def test_no_page_ever_shows_a_password(web, alice):
    add(alice)
    assert "hunter2" not in alice.get(f"/mailboxes/{row(web).id}").response.get_data(as_text=True)
    assert "hunter2" not in str(row(web).secrets)


def test_a_change_keeps_the_passwords(web, alice):
    add(alice)
    before = row(web).secrets
    alice.post(
        f"/mailboxes/{row(web).id}", {**FORM, "name": "Desk", "imap_password": "", "smtp_password": ""}, status=303
    )
    assert row(web).name == "Desk" and row(web).secrets == before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "Give the mailbox a name."),
        ({"imap_port": "70000"}, "A port is a number"),
        ({"interval_s": "1"}, "From 5 to 3600."),
        ({"address": "nonsense"}, "mail address of the mailbox"),
        ({"imap_password": ""}, "password for imap.shop.example"),
    ],
)
@pytest.mark.parametrize("htmx", [True, False])
def test_a_refused_form_keeps_what_was_typed(alice, changes, words, htmx):
    page = alice.post("/mailboxes/new", {**FORM, **changes}, htmx=htmx, status=422)
    assert words in page.text and page.one("#imap_host")["value"] == "imap.shop.example"
    assert bool(page.soup.select("html")) is not htmx


def test_the_test_button_asks_a_worker_and_the_page_waits(web, alice):
    add(alice)
    path = f"/mailboxes/{row(web).id}"
    waiting = alice.post(f"{path}/check", htmx=True)
    assert waiting.one("#mailbox-check")["hx-trigger"] == "every 1s" and row(web).check_asked_at
    alice.post(f"{path}/check", status=303)
    with web.database.unit_of_work() as uow:
        mailbox = uow.session.scalars(select(MailboxRow)).one()
        mailbox.check_asked_at, mailbox.check_result, mailbox.check_ok = None, "Reading works: 3 messages.", True
    done = alice.get(f"{path}/check", htmx=True)
    assert "Reading works" in done.text and not done.one("#mailbox-check").has_attr("hx-trigger")
    assert "Reading works" in alice.follow(alice.get(f"{path}/check", status=303)).one("main").text


def test_a_failed_test_and_a_mailbox_in_trouble_are_told(web, alice):
    add(alice)
    with web.database.unit_of_work() as uow:
        mailbox = uow.session.scalars(select(MailboxRow)).one()
        mailbox.check_result, mailbox.last_error = "refused the login", "The server is away."
        mailbox.check_asked_at = None
    page = alice.get(f"/mailboxes/{row(web).id}")
    assert "The test failed. refused the login" in page.text and "It cannot be read. The server is away." in page.text
    assert "tried again by itself" in page.text, "and what to do about it"
    assert "trouble" in alice.get("/mailboxes").text


def found(web, **values):
    """What the worker that tests has found."""
    with web.database.unit_of_work() as uow:
        mailbox = uow.session.scalars(select(MailboxRow)).one()
        mailbox.check_asked_at, mailbox.check_ok, mailbox.check_result = None, True, "Reading works."
        mailbox.options = {**mailbox.options, "found": values}


def test_older_mail_is_counted_and_asked_about_before_anything_is_taken(web, alice):
    page = alice.follow(add(alice, look_back="ask"))
    assert "tested now" in page.text and not row(web).is_enabled and row(web).check_asked_at
    found(web, counts={"1": 1, "7": 20, "30": 1234, "all": 5000}, sent="")
    path = f"/mailboxes/{row(web).id}"
    page = alice.get(path)
    assert "The last 30 days: 1,234 messages" in page.text and "The last day: 1 message" in page.text
    assert "from when?" in alice.get("/mailboxes").text
    begun = alice.post(f"{path}/start", {"days": "7"}, htmx=True)
    assert "From when?" not in begun.text and row(web).is_enabled
    assert row(web).read_from_at == web.clock.now() - timedelta(days=7)
    assert "already" in alice.follow(alice.post(f"{path}/start", {"days": "7"}, status=303)).text


@pytest.mark.parametrize(("days", "since"), [("0", None), ("nonsense", None), ("all", 1970)])
def test_from_now_on_is_the_answer_to_whatever_was_not_offered(web, alice, days, since):
    add(alice, look_back="ask")
    alice.post(f"/mailboxes/{row(web).id}/start", {"days": days}, status=303)
    assert (row(web).read_from_at.year if row(web).read_from_at else None) == since


def test_saving_a_mailbox_that_waits_does_not_begin_to_read_it(web, alice):
    add(alice, look_back="ask")
    alice.post(f"/mailboxes/{row(web).id}", {**FORM, "name": "Desk"}, status=303)
    assert row(web).name == "Desk" and not row(web).is_enabled and row(web).options["waits"]


def test_the_folder_of_sent_mail_that_the_test_found_is_read_with_one_click(web, alice):
    add(alice)
    found(web, counts={"all": 3}, sent="Sent Items")
    path = f"/mailboxes/{row(web).id}"
    assert "Mail sent by hand lies in Sent Items" in alice.get(path).text
    answer = alice.post(f"{path}/sent", htmx=True)
    assert "Mail sent by hand" not in answer.text and row(web).options["sent_folder"] == "Sent Items"


def test_comparing_is_done_by_a_worker_and_its_result_is_shown(web, alice):
    add(alice)
    with web.database.unit_of_work() as uow:
        mailbox = uow.session.scalars(select(MailboxRow)).one()
        mailbox.read_from_at = web.clock.now()
    path = f"/mailboxes/{row(web).id}"
    waiting = alice.post(f"{path}/compare", htmx=True)
    assert waiting.one("#mailbox-check")["hx-trigger"] == "every 1s" and row(web).reconcile_asked_at
    alice.post(f"{path}/compare", status=303)
    with web.database.unit_of_work() as uow:
        mailbox = uow.session.scalars(select(MailboxRow)).one()
        mailbox.reconcile_asked_at, mailbox.reconcile_result = None, "3 messages compared, none was missed."
    assert "none was missed" in alice.get(path).text and "none was missed" in alice.get("/mailboxes").text


def test_every_mailbox_shows_how_it_is_on_one_page(web, alice):
    add(alice, sent_folder="Sent", signature="Your IT", secret_expires_on="2026-12-30")
    add(alice, name="Off", address="off@shop.example", is_enabled="")
    page = alice.get("/mailboxes")
    rows = page.soup.select("tbody tr")
    assert "INBOX, Desk, Sent, every 20 s. Sends, with a signature." in rows[0].get_text(" ", strip=True)
    assert "off" in rows[1].get_text()


def test_signing_in_by_oauth_asks_for_the_application_and_for_no_password(web, alice):
    changes = {"imap_password": "", "smtp_password": "", "sign_in": "google"}
    page = alice.post("/mailboxes/new", {**FORM, **changes}, status=422)
    assert "client ID" in page.text
    add(alice, **changes, client_id="id", client_secret="hush", flow="code")
    assert row(web).options["oauth"] == {
        "protocol": "imap", "provider": "google", "client_id": "id", "flow": "code", "user": "help",
    }  # fmt: skip
    assert "hush" not in alice.get(f"/mailboxes/{row(web).id}").response.get_data(as_text=True)


def test_an_ending_secret_is_shown_on_the_mailbox_and_in_the_list(web, alice):
    add(alice, secret_expires_on=str(web.clock.now().date() + timedelta(days=5)))
    assert "ends in 5 days" in alice.get(f"/mailboxes/{row(web).id}").text
    assert alice.get("/mailboxes").soup.select("td .badge-bad")


def test_a_mailbox_is_removed_after_a_question(web, alice):
    add(alice)
    path = f"/mailboxes/{row(web).id}/remove"
    question = alice.get(path)
    assert "Remove Help?" in question.text and question.one(f'form[action="{path}"]')
    assert "is removed" in alice.follow(alice.post(path, status=303)).text
    alice.get(path, status=404)


@pytest.mark.parametrize("name", ["bob", "carol", "vera"])
def test_only_admins_set_up_mailboxes(web, name):
    for path in ("/mailboxes", "/mailboxes/new"):
        web.as_(name).get(path, status=403)


def test_strangers_are_sent_to_the_login_and_missing_ones_are_missing(web, alice):
    web.anonymous().get("/mailboxes", status=303)
    alice.get("/mailboxes/99", status=404)
    for act in ("check", "start", "sent", "compare"):
        alice.post(f"/mailboxes/99/{act}", status=404)
