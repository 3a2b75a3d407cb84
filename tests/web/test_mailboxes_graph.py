import pytest
from sqlalchemy import select

from portal.models import Check, MailboxRow, MailToken
from tests.login_simulator import CLIENT_ID, SECRET, TENANT

FORM = {
    "name": "Help", "address": "help@shop.example", "sender_name": "Shop", "queue": "1", "is_enabled": "y",
    "tenant": TENANT, "client_id": CLIENT_ID, "client_secret": SECRET, "flow": "app", "cloud": "global",
    "secret_expires_on": "2027-05-01", "folders": "inbox\r\nInbox/Support", "sent_folder": "sentitems",
    "interval_s": "20", "look_back": "0",
}  # fmt: skip


@pytest.fixture
def alice(web):
    return web.as_("alice")


def row(web):
    with web.database.read_session() as session:
        return session.scalars(select(MailboxRow)).one()


def add(web, alice, **changes):
    """Its id."""
    alice.post("/mailboxes/new/microsoft", {**FORM, **changes}, status=303)
    return row(web).id


def set_step(web, *, url="https://login.example/x", code="", result="", is_ok=True, state="done"):
    """What a worker would have left."""
    with web.database.unit_of_work() as uow:
        kept = uow.session.scalars(select(MailboxRow)).one()
        kept.options = {**kept.options, "sign_in": {"url": url, "code": code, "expires_at": ""}}
        kept.secrets = {**kept.secrets, "sign_in": web.context.box.seal('{"state": "s"}')}
        uow.session.merge(
            Check(name=f"sign_in:{kept.id}", state=state, is_ok=is_ok, result=result, asked_at=web.clock.now())
        )


def test_both_kinds_of_mailbox_are_a_click_away(alice):
    page = alice.get("/mailboxes/new")
    assert page.soup.select('a[href="/mailboxes/new/microsoft"]')
    page = alice.get("/mailboxes/new/microsoft")
    assert page.soup.select('a[href="/mailboxes/new"]') and page.one("#sent_folder")["value"] == "sentitems"


def test_a_mailbox_is_added_and_read_at_once(web, alice):
    mailbox_id = add(web, alice)
    page = alice.follow(alice.post(f"/mailboxes/{mailbox_id}/microsoft", {**FORM, "client_secret": ""}, status=303))
    assert page.one("h1").text == "Help" and "saved and read now" in page.text
    assert row(web).kind == "graph" and row(web).options["folders"] == ["inbox", "Inbox/Support"]
    assert "mail_fetch" in web.queue.woken
    assert alice.get(f"/mailboxes/{mailbox_id}", status=302).response.headers["Location"].endswith("/microsoft")


def test_no_page_ever_shows_the_secret(web, alice):
    mailbox_id = add(web, alice)
    text = alice.get(f"/mailboxes/{mailbox_id}/microsoft").response.get_data(as_text=True)
    assert SECRET not in text and SECRET not in str(row(web).secrets) and TENANT in text
    assert 'value="2027-05-01"' in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "Give the mailbox a name."),
        ({"tenant": ""}, "Give the tenant."),
        ({"client_id": "my app"}, "five groups"),
        ({"client_secret": ""}, "Please enter the client secret."),
        ({"client_secret": TENANT}, "Please enter its value"),
        ({"graph_url": "nonsense"}, "nonsense is not an address."),
        ({"interval_s": "1"}, "From 5 to 3600."),
    ],
)
@pytest.mark.parametrize("htmx", [True, False])
def test_a_refused_form_keeps_what_was_typed(alice, changes, words, htmx):
    page = alice.post("/mailboxes/new/microsoft", {**FORM, **changes}, htmx=htmx, status=422)
    assert words in page.text and page.one("#address")["value"] == "help@shop.example"
    assert bool(page.soup.select("html")) is not htmx


def test_an_application_by_its_own_right_asks_nobody_to_sign_in(web, alice):
    page = alice.get(f"/mailboxes/{add(web, alice)}/microsoft")
    assert not page.soup.select("#mailbox-sign-in form") and "Nobody has signed in" not in page.text


def test_a_person_begins_and_the_page_waits_for_a_worker(web, alice):
    mailbox_id = add(web, alice, flow="code")
    page = alice.get(f"/mailboxes/{mailbox_id}/microsoft")
    assert "Nobody has signed in yet." in page.text
    waiting = alice.post(f"/mailboxes/{mailbox_id}/sign-in", htmx=True)
    assert waiting.one("#mailbox-sign-in")["hx-trigger"] == "every 1s" and "checks" in web.queue.woken
    plain = alice.post(f"/mailboxes/{mailbox_id}/sign-in", status=303)
    assert plain.response.headers["Location"] == f"/mailboxes/{mailbox_id}"


def test_a_link_is_shown_with_a_place_to_paste(web, alice):
    mailbox_id = add(web, alice, flow="code")
    set_step(web)
    page = alice.get(f"/mailboxes/{mailbox_id}/sign-in", htmx=True)
    link = page.one('a[href="https://login.example/x"]')
    assert link["rel"] == ["noopener", "noreferrer"] and page.one("#answer") and page.one('label[for="answer"]')
    assert "hx-trigger" not in page.one("#mailbox-sign-in").attrs
    alice.post(f"/mailboxes/{mailbox_id}/sign-in/finish", {"answer": "https://x/?code=c&state=s"}, status=303)
    with web.database.read_session() as session:
        assert session.get(Check, f"sign_in:{mailbox_id}").state == "asked"
    assert "code=c" not in str(row(web).secrets)


@pytest.mark.parametrize("htmx", [True, False])
def test_nothing_pasted_is_said(web, alice, htmx):
    mailbox_id = add(web, alice, flow="code")
    set_step(web)
    page = alice.post(f"/mailboxes/{mailbox_id}/sign-in/finish", {"answer": ""}, htmx=htmx)
    if not htmx:
        page = alice.get(f"/mailboxes/{mailbox_id}/microsoft")
    assert "Please paste the address your browser ended on." in page.text and page.soup.select("#answer")


def test_a_code_is_shown_to_be_typed_elsewhere(web, alice):
    mailbox_id = add(web, alice, flow="device", client_secret="")
    set_step(web, url="https://microsoft.com/devicelogin", code="F4NGRTP8", result="Not yet.", is_ok=False)
    page = alice.get(f"/mailboxes/{mailbox_id}/microsoft")
    assert page.one("#mailbox-sign-in code").text == "F4NGRTP8" and "I have signed in" in page.text
    assert "Not yet." in page.text and not page.soup.select("#answer")


def test_a_sign_in_that_ended_can_be_renewed(web, alice):
    mailbox_id = add(web, alice, flow="code")
    words = "Microsoft has ended the sign-in for this mailbox. Sign in again."
    with web.database.unit_of_work() as uow:
        now = web.clock.now()
        uow.session.add(MailToken(mailbox_id=mailbox_id, sealed="x", changed_at=now, authorized_at=now))
        uow.session.get_one(MailboxRow, mailbox_id).last_error = words
    page = alice.get(f"/mailboxes/{mailbox_id}/microsoft")
    assert words in page.text
    assert page.one("#mailbox-sign-in button").text.strip() == "Sign in again"


def test_pages_of_the_other_kind_are_not_found(web, alice):
    mailbox_id = add(web, alice)
    alice.post(f"/mailboxes/{mailbox_id}", {"name": "x"}, status=404)
    with web.database.unit_of_work() as uow:
        uow.session.get_one(MailboxRow, mailbox_id).kind = "imap"
    alice.get(f"/mailboxes/{mailbox_id}/microsoft", status=404)
    alice.get("/mailboxes/999/microsoft", status=404)
    alice.get("/mailboxes/999/sign-in", status=404)


@pytest.mark.parametrize("path", ["/mailboxes/new/microsoft", "/mailboxes/1/microsoft", "/mailboxes/1/sign-in"])
def test_only_administrators_see_them(web, path):
    web.as_("bob").get(path, status=403)


def test_the_page_says_what_to_press_at_microsoft(web, alice):
    page = alice.get("/mailboxes/new/microsoft")
    guide = page.one("#graph-guide")
    assert "open" in guide.attrs and "Grant admin consent" in guide.text and "Mail.Send" in guide.text
    assert "Mail.ReadWrite" in guide.text and "2 MB of files" in guide.text
    assert "New-ApplicationAccessPolicy" in guide.text and "oauth2/nativeclient" in guide.text
    mailbox_id = add(web, alice)
    assert "open" not in alice.get(f"/mailboxes/{mailbox_id}/microsoft").one("#graph-guide").attrs
