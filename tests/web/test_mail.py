from datetime import timedelta

import pytest
from sqlalchemy import event, insert, select

from portal.models import BreakerTrip, MailboxRow, MailLedger, MailRule, SessionBlobStore
from portal.services.mail_ledger import PAGE_SIZE
from tests.web.conftest import NOW

RAW = b"From: dana@c.example\r\nSubject: <script>x</script>\r\nX-Spam-Flag: YES\r\n\r\n<b>hi</b>"


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
            first = uow.session.query(MailLedger).count() + 1
            values = {
                "mailbox_id": mailbox_id, "folder": "INBOX", "sender": "dana@c.example", "subject": "Printer on fire",
                "size": len(RAW), "received_at": NOW, "listed_at": NOW, "sha256": sha256, "state": "done",
                "verdict": "ticket", "reason": "new ticket", "verdict_at": NOW, "kind": "person", **changes,
            }  # fmt: skip
            rows = [{**values, "provider_id": f"7:{n}"} for n in range(first, first + number)]
            uow.session.execute(insert(MailLedger), rows)
            return uow.session.query(MailLedger.id).order_by(MailLedger.id.desc()).first()[0]

    return add


def row(web, ledger_id):
    with web.database.read_session() as session:
        return session.get_one(MailLedger, ledger_id)


def mark(page, ledger_id):
    """What the page sends to name a row."""
    return next(box["value"] for box in page.soup.select("[name=mark]") if box["value"].startswith(f"{ledger_id}."))


def test_every_message_is_listed_with_its_verdict_and_reason(web, ledger):
    ledger()
    ledger(verdict="quarantined", subject="", sender="", reason="it names no sender address")
    page = web.as_("bob").get("/mail")
    assert page.one("h1").text == "Mail" and "Printer on fire" in page.text
    assert "(no subject)" in page.text and "nobody named" in page.text and "Quarantine (1)" in page.text
    assert "it names no sender address" in page.text


def test_filters_narrow_the_list_and_htmx_gets_the_list_alone(web, ledger):
    ledger()
    ledger(verdict="bounce", subject="Undelivered", kind="bounce", sender="mailer@x.example", is_found_late=True)
    bob = web.as_("bob")
    for words in (
        "verdict=bounce", "kind=bounce", "from=Mailer@x.example", "q=undeliv", "late=yes", "verdict=bounce&mailbox=1",
    ):  # fmt: skip
        page = bob.get(f"/mail?{words}", htmx=True)
        assert "Undelivered" in page.text and "Printer" not in page.text and not page.soup.select("html")
    for words in ("verdict=nonsense", "mailbox=x", "day=2026-99-99", "after=x-y", "kind=moon", "before=1-2-3"):
        assert "Printer" in bob.get(f"/mail?{words}").text
    assert "Nothing in quarantine" in bob.get("/mail?verdict=quarantined").text
    assert "Every mail is explained" in bob.get("/mail?verdict=unexplained").text
    assert "No message fits" in bob.get("/mail?q=nothing").text
    assert bob.get("/mail?kind=bounce").one("#filter-kind option[selected]")["value"] == "bounce"


def test_a_rule_s_mails_can_be_shown(web, ledger):
    with web.database.unit_of_work() as uow:
        uow.session.add(MailRule(id=3, position=0, name="Ads", action="ignore", conditions={}, options={}))
    ledger()
    ledger(verdict="ignored", rule_id=3, subject="Offer")
    page = web.as_("bob").get("/mail?rule=3")
    assert "Offer" in page.text and "Printer" not in page.text and "Decided by one rule" in page.text


def test_a_day_is_the_site_s_day(web, ledger):
    ledger(subject="Late on Friday", received_at=NOW - timedelta(hours=3))
    ledger(subject="On Saturday")
    page = web.as_("bob").get("/mail?day=2026-11-20")
    assert "Late on Friday" in page.text and "On Saturday" not in page.text


@pytest.mark.parametrize("filters", ["", "?day=2026-11-21", "?verdict=ticket"])
def test_pages_go_older_and_newer_without_gaps(web, ledger, filters):
    ledger(PAGE_SIZE * 2 + 1)
    bob, seen, url = web.as_("bob"), [], f"/mail{filters}"
    while url:
        page = bob.get(url)
        seen += [link["href"] for link in page.soup.select("a.row-link")]
        older = page.soup.select_one("a.pager-next")
        last, url = url, older["href"] if older else ""
    assert len(seen) == len(set(seen)) == PAGE_SIZE * 2 + 1
    newer = bob.get(bob.get(last).one("a.pager-prev")["href"])
    assert [link["href"] for link in newer.soup.select("a.row-link")] == seen[PAGE_SIZE : PAGE_SIZE * 2]


@pytest.mark.parametrize(
    "path", ["/mail", "/mail?verdict=quarantined", "/mail?q=fire&mailbox=1", "/mail/days", "/mail/1"]
)
def test_a_page_is_at_most_eight_statements(web, ledger, path):
    ledger(60, verdict="quarantined")
    alice = web.as_("alice")
    alice.get(path)
    seen = []
    note = lambda *arguments: seen.append(arguments[2])  # noqa: E731
    event.listen(web.database.reader, "before_cursor_execute", note)
    alice.get(path)
    event.remove(web.database.reader, "before_cursor_execute", note)
    assert 0 < len([one for one in seen if one.startswith(("SELECT", "WITH"))]) <= 8, seen


def test_days_are_a_table_that_leads_to_the_mails(web, ledger):
    ledger(3)
    ledger(2, verdict="bounce", received_at=NOW - timedelta(days=1))
    page = web.as_("bob").get("/mail/days")
    today, yesterday = page.soup.select("tbody tr")[:2]
    assert len(page.soup.select("tbody tr")) == 14 and today.select("td")[0].text == "3"
    assert yesterday.select_one("a[href*='verdict=bounce']")["href"] == "/mail?day=2026-11-20&verdict=bounce"
    assert page.one("caption") and yesterday.select("td")[0].text == "2"


def test_days_without_mail_are_zero(web):
    assert all(row.select("td")[0].text == "0" for row in web.as_("bob").get("/mail/days").soup.select("tbody tr"))


def test_one_message_tells_where_it_came_from_and_why_it_is_what_it_is(web, ledger):
    twin = ledger(content_hash="c", message_id="<a@x>", verdict="duplicate")
    ledger_id = ledger(reason="answers <a@x>", is_found_late=True, content_hash="c", message_id="<a@x>", rule_id=None)
    page = web.as_("bob").get(f"/mail/{ledger_id}")
    assert "answers <a@x>" in page.text and "found late" in page.text and "It became a ticket." in page.text
    assert page.one(f"a[href='/mail/{twin}']") and "7:2" in page.text
    header = page.one("pre").text
    assert "X-Spam-Flag: YES" in header and "hi" not in header and not page.soup.select("main script")


def test_the_original_is_a_file_and_never_a_page(web, ledger):
    answer = web.as_("bob").get(f"/mail/{ledger()}/original").response
    assert answer.get_data() == RAW and answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="mail-1.eml"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_rule_that_decided_is_named_and_linked_for_those_who_may_change_it(web, ledger):
    with web.database.unit_of_work() as uow:
        uow.session.add(MailRule(id=3, position=0, name="Ads", action="ignore", conditions={}, options={}))
        uow.session.add(MailRule(id=4, position=0, name="Gone", action="removed", conditions={}, options={}))
    ledger_id, other = ledger(verdict="ignored", rule_id=3), ledger(verdict="ignored", rule_id=4)
    assert web.as_("carol").get(f"/mail/{ledger_id}").one("a[href='/mail/rules/3']").text == "Ads"
    bob = web.as_("bob").get(f"/mail/{ledger_id}")
    assert "Ads" in bob.text and not bob.soup.select("a[href='/mail/rules/3']")
    assert "removed since" in web.as_("bob").get(f"/mail/{other}").text


def test_a_mail_in_quarantine_can_be_tried_again_read_as_text_or_set_aside(web, ledger):
    alice = web.as_("alice")
    for do, told in (("retry", "tried again now"), ("text", "plain text now"), ("ignore", "set aside")):
        ledger_id = ledger(verdict="quarantined", reason="it names no sender address")
        page = alice.get(f"/mail/{ledger_id}")
        assert "in quarantine: it names no sender address." in page.text
        form = {"mark": mark(page, ledger_id), "do": do, "next": f"/mail/{ledger_id}"}
        assert told in alice.follow(alice.post("/mail/decide", form)).text
    assert "mail_intake" in web.queue.woken


def test_what_a_rule_ignored_is_let_in(web, ledger):
    ledger_id = ledger(verdict="ignored", reason="rule “Ads”")
    carol = web.as_("carol")
    page = carol.get(f"/mail/{ledger_id}")
    assert [button["value"] for button in page.soup.select("main button[name=do]")] == ["release"]
    answer = carol.post("/mail/decide", {"mark": mark(page, ledger_id), "do": "release"})
    assert "let in now; no rule looks at it again" in carol.follow(answer).text
    assert row(web, ledger_id).is_released and row(web, ledger_id).state == "stored"


def test_many_are_decided_at_once_and_back_to_the_same_list(web, ledger):
    ledger(3, verdict="quarantined")
    alice = web.as_("alice")
    page = alice.get("/mail?verdict=quarantined")
    marks = [box["value"] for box in page.soup.select("input[type=checkbox][name=mark]")]
    assert len(marks) == 3 and page.one("main form[method=post][action='/mail/decide'] input[name=next]")
    answer = alice.post(
        "/mail/decide", {"mark": marks[:2], "do": "ignore", "next": page.one("main form input[name=next]")["value"]}
    )
    assert answer.response.headers["Location"] == "/mail?verdict=quarantined"
    assert "2 mails are set aside" in alice.follow(answer).text
    assert "Quarantine (1)" in alice.get("/mail").text


def test_who_comes_second_is_told_who_was_faster(web, ledger):
    ledger_id = ledger(verdict="quarantined")
    alice, carol = web.as_("alice"), web.as_("carol")
    shown = mark(alice.get(f"/mail/{ledger_id}"), ledger_id)
    web.clock.pass_by(seconds=5)
    carol.post("/mail/decide", {"mark": shown, "do": "ignore"})
    again = alice.follow(alice.post("/mail/decide", {"mark": shown, "do": "retry"}))
    assert "Carol was faster: one mail had been decided already and stayed as decided." in again.text
    mine = carol.follow(carol.post("/mail/decide", {"mark": shown, "do": "ignore"}))
    assert "You were faster" in mine.text
    assert row(web, ledger_id).verdict == "ignored"


def test_what_cannot_be_decided_is_said(web, ledger):
    alice, ledger_id = web.as_("alice"), ledger()
    assert "Choose at least one mail first." in alice.follow(alice.post("/mail/decide", {"do": "retry"})).text
    told = alice.follow(alice.post("/mail/decide", {"mark": f"{ledger_id}.0", "do": "retry"}))
    assert "Somebody else was faster" in told.text
    nameless = ledger(verdict="quarantined")
    shown = mark(alice.get(f"/mail/{nameless}"), nameless)
    unfit = alice.follow(alice.post("/mail/decide", {"mark": shown, "do": "release"}))
    assert "“Let in” does not apply to one mail, which stayed as before." in unfit.text
    alice.post("/mail/decide", {"mark": "1.0", "do": "explode"}, status=400)
    answer = alice.post("/mail/decide", {"do": "retry", "next": "https://evil.example/"})
    assert answer.response.headers["Location"] == "/mail"


def test_trouble_stands_above_the_list(web, ledger):
    ledger(state="stored", verdict="", listed_at=NOW - timedelta(minutes=11), due_at=NOW, verdict_at=None)
    with web.database.unit_of_work() as uow:
        uow.session.scalars(select(MailboxRow)).one().last_error = "The server is away."
    page = web.as_("bob").get("/mail")
    assert "1 message has had no verdict for ten minutes" in page.text and "Help: The server is away." in page.text
    assert len(web.as_("bob").get("/mail?verdict=unexplained").soup.select("a.row-link")) == 1


def test_unexplained_on_the_dashboard_leads_to_those_mails(web):
    link = web.as_("bob").get("/dashboard").one("a[href='/mail?verdict=unexplained']")
    assert "unexplained" in link.text
    assert not web.as_("vera").get("/dashboard").soup.select("a[href^='/mail']")


def test_a_stopped_circuit_breaker_is_told_where_mail_is_looked_at(web):
    assert not web.as_("bob").get("/mail").soup.select("a[href='/mail/stopped']:not(.tabs a)")
    with web.database.unit_of_work() as uow:
        uow.session.add(BreakerTrip(scope="total", reason="Many.", tripped_at=NOW))
    assert web.as_("bob").get("/mail").one(".notice a[href='/mail/stopped']")


def test_who_may_see_and_who_may_change(web, ledger):
    ledger_id = ledger(verdict="quarantined")
    for path in ("/mail", "/mail/days", f"/mail/{ledger_id}", f"/mail/{ledger_id}/original"):
        web.anonymous().get(path, status=303)
        web.as_("vera").get(path, status=403)
        assert not web.as_("bob").get(path).soup.select("main form[method=post]")
    web.as_("bob").post("/mail/decide", status=403)


def test_what_is_not_there_is_missing(web):
    for path in ("/mail/99", "/mail/99/original"):
        web.as_("bob").get(path, status=404)
