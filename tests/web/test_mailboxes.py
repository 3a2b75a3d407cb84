import pytest
from sqlalchemy import select

from portal.models import MailboxRow

FORM = {
    "name": "Help", "address": "help@shop.example", "sender_name": "Shop", "queue": "1", "is_enabled": "y",
    "interval_s": "20", "imap_host": "imap.shop.example", "imap_port": "993", "imap_security": "tls",
    "imap_user": "help", "imap_password": "hunter2", "folder": "INBOX", "look_back": "7",
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
    assert row(web).read_from_at is not None and "mail_fetch" in web.queue.woken


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
    assert "Reading works" in alice.get(f"{path}/check").one("main").text


def test_a_failed_test_and_a_mailbox_in_trouble_are_told(web, alice):
    add(alice)
    with web.database.unit_of_work() as uow:
        mailbox = uow.session.scalars(select(MailboxRow)).one()
        mailbox.check_result, mailbox.last_error = "refused the login", "The server is away."
    page = alice.get(f"/mailboxes/{row(web).id}")
    assert "The test failed. refused the login" in page.text and "It cannot be read. The server is away." in page.text
    assert "trouble" in alice.get("/mailboxes").text


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
    alice.post("/mailboxes/99/check", status=404)
