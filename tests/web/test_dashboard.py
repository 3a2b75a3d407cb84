"""The dashboard."""

from datetime import datetime, timedelta

from portal.models import Job, JobRun, MailboxRow, MailLedger, Page, ShiftRow
from tests.services.ticket_world import BOB, NOW
from tests.web.test_tickets import create, statements


def test_a_new_site_sees_zeros_and_what_is_missing(web):
    page = web.as_("alice").get("/dashboard")
    assert page.soup.title.text.startswith("Dashboard")
    figures = [" ".join(figure.get_text(" ").split()) for figure in page.soup.select(".figure")]
    assert figures == ["0 to do", "0 new", "0 pages without an answer", "0 unexplained mails"]
    assert "still missing" in page.one("#readiness").text
    assert "Nothing has happened yet" in page.text
    assert "Watch mode" in page.text


def test_the_dashboard_shows_what_waits_and_who_is_on_call(web):
    wall = datetime(2026, 11, 21, 2, 10)
    ticket_id = create(web, "Server down", priority=1, queue_id=2)
    with web.database.unit_of_work() as uow:
        uow.session.add(ShiftRow(user_id=BOB, starts=wall - timedelta(hours=2), ends=wall + timedelta(hours=6)))
        uow.session.add(Page(kind="ticket", ticket_id=ticket_id, state="open", opened_at=NOW))
        uow.session.add(Job(name="page_audit", interval_s=60, next_at=NOW))
        uow.session.add(JobRun(job="page_audit", started_at=NOW, finished_at=NOW, error="disk is full"))
    page = web.as_("bob").get("/dashboard")
    assert "Bob" in page.one("#on-call").text
    assert "Nobody answered yet" in page.one("#pages-panel").text
    assert "Servers" in page.one("#by-queue").text
    assert "disk is full" in page.one("#jobs").text
    assert f"#{ticket_id}" in page.one("#activity").text


def test_pages_that_nobody_answered_to_the_end_still_count_and_many_are_not_counted_short(web):
    ticket_id = create(web, "Server down")
    with web.database.unit_of_work() as uow:
        uow.session.add(Page(kind="ticket", ticket_id=ticket_id, state="expired", opened_at=NOW))
    page = web.as_("bob").get("/dashboard")
    assert page.one(".figure[href='/pages']").get_text(" ", strip=True) == "1 page without an answer"
    assert "Nobody answered" in page.one("#pages-panel").text
    with web.database.unit_of_work() as uow:
        uow.session.add_all(Page(kind="digest", state="open", text=f"Late {n}", opened_at=NOW) for n in range(11))
    many = web.as_("bob").get("/dashboard").one(".figure[href='/pages']")
    assert many.get_text(" ", strip=True) == "10+ pages without an answer"


def test_a_mail_without_a_verdict_is_counted(web):
    with web.database.unit_of_work() as uow:
        uow.session.add(MailboxRow(id=1, name="desk", kind="imap", address="d@a.example", next_at=NOW))
        uow.session.flush()
        long_ago = NOW - timedelta(hours=1)
        row = {"folder": "INBOX", "provider_id": "1:1", "received_at": long_ago, "listed_at": long_ago}
        uow.session.add(MailLedger(mailbox_id=1, state="stored", due_at=long_ago, **row))
    assert "1 unexplained mail" in web.as_("bob").get("/dashboard").text


def test_nobody_on_call_is_said_in_words(web):
    assert "Pages go to the fallback person" in web.as_("bob").get("/dashboard").text


def test_it_refreshes_itself_by_the_same_partial(web):
    bob = web.as_("bob")
    partial = bob.get("/dashboard", htmx=True)
    assert not partial.soup.find("html")
    assert partial.one("#dashboard")["hx-trigger"] == "every 30s"
    assert str(partial.one(".figures")) == str(bob.get("/dashboard").one(".figures"))


def test_the_links_of_what_is_missing_are_for_those_who_may(web):
    alice, bob = (web.as_(name).get("/dashboard").one("#readiness") for name in ("alice", "bob"))
    assert alice.select("a") and not bob.select('a[href^="/mailboxes"]')


def test_mailboxes_that_need_a_look_are_named_and_well_ones_only_counted(web):
    assert not web.as_("bob").get("/dashboard").soup.select("#mailboxes")
    with web.database.unit_of_work() as uow:
        at = web.clock.now() + timedelta(minutes=1)
        row = MailboxRow(name="Help", kind="imap", address="help@a.example", next_at=at, last_ok_at=at)
        uow.session.add(row)
        uow.session.flush()
        mailbox_id = row.id
    assert "It works" in web.as_("bob").get("/dashboard").one("#mailboxes").text
    with web.database.unit_of_work() as uow:
        row = uow.session.get_one(MailboxRow, mailbox_id)
        row.last_error, row.failing_since_at = "The login was refused.", web.clock.now() - timedelta(hours=1)
    panel = web.as_("alice").get("/dashboard").one("#mailboxes")
    assert "not being read" in panel.text and "The login was refused." in panel.text
    assert panel.select(f'a[href="/mailboxes/{mailbox_id}"]')


def test_strangers_are_sent_to_sign_in(web):
    assert web.anonymous().get("/dashboard", status=303).response.headers["Location"].startswith("/login")


def test_the_dashboard_costs_at_most_ten_statements(web):
    wall = datetime(2026, 11, 21, 2, 10)
    for number in range(20):
        create(web, f"Ticket {number}")
    with web.database.unit_of_work() as uow:
        uow.session.add(ShiftRow(user_id=BOB, starts=wall, ends=wall + timedelta(hours=6)))
    assert statements(web, web.as_("bob"), "/dashboard") <= 10
