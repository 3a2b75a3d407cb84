from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.models import MailboxRow, MailLedger, Requester, SessionBlobStore
from portal.services.mail_ledger import PAGE_SIZE
from portal.services.mail_suspensions import suspend
from tests.web.conftest import NOW

RAW = b"From: dana@c.example\r\nSubject: <script>x</script>\r\n\r\n<b>hi</b>"


@pytest.fixture
def ledger(web):
    """A mailbox, and `add(...)` for rows of its ledger."""
    with web.database.unit_of_work() as uow:
        mailbox = MailboxRow(name="Help", kind="imap", address="help@shop.example", next_at=NOW, options={}, secrets={})
        uow.session.add(mailbox)
        uow.session.flush()
        mailbox_id = mailbox.id

    def add(number=1, **changes):
        with web.database.unit_of_work() as uow:
            sha256 = SessionBlobStore(uow.session).put(RAW)
            ids = []
            for _ in range(number):
                values = {
                    "mailbox_id": mailbox_id, "folder": "INBOX", "provider_id": f"7:{len(list(rows(uow.session))) + 1}",
                    "sender": "dana@c.example", "subject": "Printer on fire", "size": len(RAW), "received_at": NOW,
                    "listed_at": NOW, "sha256": sha256, "state": "done", "verdict": "ticket", "reason": "new ticket",
                    "verdict_at": NOW,
                }  # fmt: skip
                row = MailLedger(**{**values, **changes})
                uow.session.add(row)
                uow.session.flush()
                ids.append(row.id)
            return ids[-1]

    return add


def rows(session):
    return session.scalars(select(MailLedger))


def test_every_message_is_listed_with_its_verdict(web, ledger):
    ledger()
    ledger(verdict="quarantined", subject="", sender="", reason="it names no sender address")
    page = web.as_("bob").get("/mail")
    assert page.one("h1").text == "Mail" and "Printer on fire" in page.text
    assert "(no subject)" in page.text and "nobody named" in page.text and "Quarantine (1)" in page.text


def test_a_verdict_can_be_chosen_and_htmx_gets_the_list_alone(web, ledger):
    ledger()
    ledger(verdict="bounce", subject="Undelivered")
    page = web.as_("bob").get("/mail?verdict=bounce", htmx=True)
    assert "Undelivered" in page.text and "Printer" not in page.text and not page.soup.select("html")
    assert page.one('[aria-current="page"]').text == "Bounces"
    assert "Printer" in web.as_("bob").get("/mail?verdict=nonsense").text
    assert "Nothing in quarantine" in web.as_("bob").get("/mail?verdict=quarantined").text


def test_pages_go_older_and_newer_without_gaps(web, ledger):
    ledger(PAGE_SIZE * 2 + 1)
    bob, seen, url = web.as_("bob"), [], "/mail"
    while url:
        page = bob.get(url)
        seen += [link["href"] for link in page.soup.select("a.row-link")]
        older = page.soup.select_one("a.pager-next")
        last, url = url, older["href"] if older else ""
    assert len(seen) == len(set(seen)) == PAGE_SIZE * 2 + 1
    newer = bob.get(bob.get(last).one("a.pager-prev")["href"])
    assert [link["href"] for link in newer.soup.select("a.row-link")] == seen[PAGE_SIZE : PAGE_SIZE * 2]


def test_one_message_tells_why_and_gives_its_original_as_a_file(web, ledger):
    ledger_id = ledger(reason="answers <a@x>", is_found_late=True)
    bob = web.as_("bob")
    page = bob.get(f"/mail/{ledger_id}")
    assert "answers <a@x>" in page.text and "found late" in page.text
    answer = bob.get(f"/mail/{ledger_id}/original").response
    assert answer.get_data() == RAW and answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_a_mail_in_quarantine_can_be_tried_again_or_set_aside(web, ledger):
    alice, ledger_id = web.as_("alice"), ledger(verdict="quarantined", reason="it names no sender address")
    assert "in quarantine: it names no sender address." in alice.get(f"/mail/{ledger_id}").text
    assert "set aside" in alice.follow(alice.post(f"/mail/{ledger_id}/ignore")).text
    assert "not in quarantine any more" in alice.follow(alice.post(f"/mail/{ledger_id}/ignore")).text
    again = ledger(verdict="quarantined")
    assert "tried again now" in alice.follow(alice.post(f"/mail/{again}/retry")).text
    assert "mail_intake" in web.queue.woken
    assert "not in quarantine any more" in alice.follow(alice.post(f"/mail/{again}/retry")).text
    assert "Waiting (1)" in alice.get("/mail").text


def test_trouble_stands_above_the_list(web, ledger):
    ledger(state="stored", verdict="", listed_at=NOW - timedelta(minutes=11), due_at=NOW)
    with web.database.unit_of_work() as uow:
        uow.session.scalars(select(MailboxRow)).one().last_error = "The server is away."
    text = web.as_("bob").get("/mail").text
    assert "1 message has had no verdict for ten minutes" in text and "Help: The server is away." in text


def test_a_dead_address_is_shown_and_can_be_resumed(web, ledger):
    with web.database.unit_of_work() as uow:
        suspend(uow, uow.session.scalars(select(Requester)).one().email, reason="5.1.1 unknown", now=NOW)
    alice = web.as_("alice")
    assert "dana@c.example since" in alice.get("/mail").text
    assert "goes out again" in alice.follow(alice.post("/mail/resume", {"email": "Dana@c.example"})).text
    assert "is not held back" in alice.follow(alice.post("/mail/resume", {"email": "x@y.example"})).text
    assert "came back" not in alice.get("/mail").text


def test_who_may_see_and_who_may_change(web, ledger):
    ledger_id = ledger(verdict="quarantined")
    web.anonymous().get("/mail", status=303)
    web.as_("vera").get("/mail", status=403)
    assert not web.as_("bob").get(f"/mail/{ledger_id}").soup.select("main form")
    for path in (f"/mail/{ledger_id}/retry", f"/mail/{ledger_id}/ignore", "/mail/resume"):
        web.as_("bob").post(path, status=403)


def test_what_is_not_there_is_missing(web):
    for path in ("/mail/99", "/mail/99/original"):
        web.as_("bob").get(path, status=404)
