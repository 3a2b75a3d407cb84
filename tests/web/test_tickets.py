"""The ticket list, the ticket page, and what is done there."""

from __future__ import annotations

import io

import pytest

from portal.models import (
    Attachment,
    Message,
    OutgoingMail,
    Page,
    PageDecisionRow,
    Requester,
    SessionBlobStore,
    Ticket,
    TicketCopy,
    TicketEvent,
)
from portal.services import tickets
from portal.services.mail_suspensions import suspend
from portal.services.tickets import Actor, NewMessage, NewTicket
from tests.services.ticket_world import BOB, NOW, counted_statements


def create(web, subject="Printer is on fire", body="It burns.\n\nPlease hurry.", **values):
    values.setdefault("queue_id", 1)
    with web.database.unit_of_work() as uow:
        new = NewTicket(subject, NewMessage("request", body, author="Dana Diaz"), "mail", 1, NOW, values)
        return tickets.create_ticket(uow, new, actor=Actor("Mail"), now=NOW)[0].id


def load(web, table, **where):
    with web.database.read_session() as session:
        return session.query(table).filter_by(**where).order_by(table.id).all()


def ticket(web, ticket_id):
    return load(web, Ticket, id=ticket_id)[0]


def statements(web, browser, path):
    browser.get(path)  # what is looked up once a process is known afterwards
    with web.database.read_session() as session, counted_statements(session) as seen:
        browser.get(path)
    return len(seen)


def test_the_private_links_of_a_ticket_can_be_ended(web):
    number = create(web)
    bob = web.as_("bob")
    assert "Private link" in bob.get(f"/tickets/{number}").one("#facts-title").find_parent("section").text
    assert "lead nowhere now" in bob.follow(bob.post(f"/tickets/{number}/revoke-link")).text
    assert ticket(web, number).link_version == 2
    assert "made the old private links invalid" in bob.get(f"/tickets/{number}/history").text
    web.as_("vera").post(f"/tickets/{number}/revoke-link", status=403)
    assert "/revoke-link" not in str(web.as_("vera").get(f"/tickets/{number}").soup)


def test_the_form_says_where_an_answer_goes_before_it_is_written(web):
    number = create(web)

    def helped():
        return web.as_("bob").get(f"/tickets/{number}").one("#reply").text

    address = load(web, Requester, id=1)[0].email
    assert f"An answer goes to {address} by mail." in helped()
    with web.database.unit_of_work() as uow:
        uow.session.add(TicketCopy(ticket_id=number, address="eve@other.example", at=NOW))
    assert f"An answer goes to {address} by mail, copied to eve@other.example." in helped()
    with web.database.unit_of_work() as uow:
        suspend(uow, address, reason="came back", now=NOW)
    assert f"Mail to {address} is stopped, so an answer does not reach them." in helped()


# The list


def test_the_list_shows_what_is_to_do_newest_first(web):
    first, second = create(web, "Old"), create(web, "New", priority=1, queue_id=2, assignee_id=BOB)
    create(web, "Done", status="closed")
    page = web.as_("vera").get("/tickets")
    assert [link["href"] for link in page.soup.select(".row-link")] == [f"/tickets/{second}", f"/tickets/{first}"]
    row = page.soup.select("tbody tr")[0].get_text(" ")
    assert all(word in row for word in ("P1", "Servers", "Bob", "New", "Dana Diaz"))
    assert "2 tickets" in page.text


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("status=any", 4),
        ("status=closed", 1),
        ("status=open", 0),
        ("assignee=me", 1),
        ("assignee=none", 2),
        ("queue=2", 1),
        ("queue=none&status=any", 1),
        ("priority=1", 1),
        ("category=1", 0),
        ("source=mail", 3),
        ("source=form", 0),
        ("q=unicorn", 1),
        ("q=unicorn&status=closed", 0),
        ("status=nonsense&priority=9&queue=x&sort=up&after=zz", 3),
    ],
)
def test_filters_in_the_address_hold_and_nonsense_is_ignored(web, asked, found):
    create(web, "One", body="unicorn", assignee_id=BOB)
    create(web, "Two", queue_id=2, priority=1)
    create(web, "Three")
    create(web, "Four", status="closed", queue_id=None)
    page = web.as_("bob").get(f"/tickets?{asked}")
    assert len(page.soup.select(".row-link")) == found


def test_pages_are_walked_by_links_without_javascript(web):
    for number in range(60):
        create(web, f"Ticket {number}")
    bob = web.as_("bob")
    first = bob.get("/tickets?sort=changed")
    assert not first.soup.select("a.pager-prev")
    older = bob.get(first.one("a.pager-next")["href"])
    assert len(older.soup.select(".row-link")) == 10
    again = bob.get(older.one("a.pager-prev")["href"])
    assert again.soup.select(".row-link")[0].text == first.soup.select(".row-link")[0].text
    last = bob.get(first.one("a.pager-last")["href"])
    assert "Ticket 0" in last.text and len(last.soup.select(".row-link")) == 50


def test_htmx_gets_the_list_alone_and_the_page_includes_the_same(web):
    create(web)
    bob = web.as_("bob")
    partial = bob.get("/tickets", htmx=True)
    assert not partial.soup.find("html")
    assert str(partial.one("#ticket-list").find("table")) == str(bob.get("/tickets").one("#ticket-list").find("table"))
    assert "HX-Request" in partial.response.headers["Vary"]
    filtered = bob.get("/tickets?q=&status=any&queue=&after=7", htmx=True)
    assert filtered.response.headers["HX-Push-Url"] == "/tickets?status=any&after=7"


def test_a_number_with_its_sign_leads_straight_to_the_ticket(web):
    ticket_id = create(web)
    bob = web.as_("bob")
    found = bob.get("/tickets", query_string={"q": f"#{ticket_id}"}, status=303)
    assert found.response.headers["Location"] == f"/tickets/{ticket_id}"
    moved = bob.get("/tickets", query_string={"q": f"#{ticket_id}"}, htmx=True, status=204)
    assert moved.response.headers["HX-Redirect"] == f"/tickets/{ticket_id}"
    assert "Nothing found" in bob.get("/tickets", query_string={"q": "#99"}).text


def test_a_search_looks_everywhere_and_the_form_says_so(web):
    create(web, "Old", body="unicorn", status="closed")
    bob = web.as_("bob")
    page = bob.get("/tickets?q=unicorn")
    assert page.one("#filter-status option[selected]").text == "Any status"
    assert "1 ticket with “unicorn”, newest message first" in page.text
    narrow = bob.get("/tickets?q=unicorn&status=active")
    assert "in all; shown are those that fit the filters" in narrow.text and "Nothing found" in narrow.text
    plain = bob.get("/tickets?q=&status=active", htmx=True)
    assert plain.response.headers["HX-Push-Url"] == "/tickets"


def test_an_empty_list_says_what_to_do(web):
    bob = web.as_("bob")
    assert "Nothing to do" in bob.get("/tickets").text
    assert "Take away a filter" in bob.get("/tickets?priority=1").text


@pytest.mark.parametrize("asked", ["", "?sort=changed&assignee=me&queue=1", "?q=fire", "?after=3", "?last=1"])
def test_the_list_costs_at_most_eight_statements(web, asked):
    for number in range(60):
        create(web, f"Ticket {number}", assignee_id=BOB)
    assert statements(web, web.as_("bob"), f"/tickets{asked}") <= 8


@pytest.mark.parametrize("path", ["/tickets", "/tickets/1", "/tickets/new", "/tickets/1/edit", "/tickets/1/history"])
def test_strangers_are_sent_to_sign_in(web, path):
    page = web.anonymous().get(path, status=303)
    assert page.response.headers["Location"].startswith("/login")


# One ticket


def test_a_ticket_shows_its_conversation_and_facts(web):
    ticket_id = create(web, body="Hello,\n<b>it</b> burns.\n\n-- \nDana", priority=2)
    page = web.as_("bob").get(f"/tickets/{ticket_id}")
    assert page.soup.title.text.startswith(f"#{ticket_id} Printer is on fire")
    assert "<b>it</b>" in page.one("article.message").get_text()
    assert page.one("article.message details").summary.text == "Signature"
    facts = page.one(".facts").get_text(" ")
    assert all(word in facts for word in ("P2", "Nobody", "dana@c.example"))


def test_a_missing_ticket_is_named(web):
    lost = web.as_("bob").get("/tickets/77", status=404)
    assert "There is no ticket #77" in lost.text and lost.one(".error-page .button")["href"] == "/dashboard"
    web.as_("bob").get("/tickets/99999999999999999999", status=404)


def test_viewers_read_and_cannot_write(web):
    ticket_id = create(web)
    vera = web.as_("vera")
    page = vera.get(f"/tickets/{ticket_id}")
    assert not page.soup.select("main form")
    for path in ("answer", "status", "take", "edit"):
        vera.post(f"/tickets/{ticket_id}/{path}", {"body": "x", "kind": "note"}, status=403)
    vera.get("/tickets/new", status=403)


def test_the_ticket_page_costs_at_most_ten_statements(web):
    ticket_id = create(web)
    with web.database.unit_of_work() as uow:
        for number in range(30):
            new = NewMessage("note", f"Note {number}", author="Bob")
            tickets.add_message(uow, uow.session.get_one(Ticket, ticket_id), new, now=NOW)
        uow.session.add(Page(kind="ticket", ticket_id=ticket_id, state="open", opened_at=NOW))
    assert statements(web, web.as_("bob"), f"/tickets/{ticket_id}") <= 10


def test_the_ticket_says_why_triage_sorted_it_so(web):
    ticket_id = create(web)
    bob = web.as_("bob")
    assert "Waiting for triage" in bob.get(f"/tickets/{ticket_id}").text
    with web.database.unit_of_work() as uow:
        found = {"category": "Printer", "confidence": 0.9, "priority": 2, "reasons": []}
        uow.session.get_one(Ticket, ticket_id).triage = found
    assert "Printer" in bob.get(f"/tickets/{ticket_id}").one("#triage").text


def test_a_ticket_that_pages_can_be_taken_at_its_top(web):
    ticket_id = create(web)
    with web.database.unit_of_work() as uow:
        uow.session.add(Page(kind="ticket", ticket_id=ticket_id, state="open", opened_at=NOW))
    top = web.as_("bob").get(f"/tickets/{ticket_id}").one(".page-call")
    assert top.form["method"] == "post" and top.form.button.text.strip() == "Take it"
    assert not web.as_("vera").get(f"/tickets/{ticket_id}").soup.select(".page-call")


def test_htmx_may_ask_for_one_part(web):
    ticket_id = create(web)
    client = web.as_("bob").client
    for part in ("ticket-side", "ticket-main"):
        answer = client.get(f"/tickets/{ticket_id}", headers={"HX-Request": "true", "HX-Target": part})
        assert answer.get_data(as_text=True).lstrip().startswith(("<aside", "<div"))
        assert f'id="{part}"' in answer.get_data(as_text=True)


def test_the_history_tells_what_happened_in_names(web):
    ticket_id = create(web)
    bob = web.as_("bob")
    changed = {"priority": "1", "queue": "2", "category": "", "assignee": str(BOB)}
    bob.post(f"/tickets/{ticket_id}/edit", changed)
    bob.post(f"/tickets/{ticket_id}/status", {"status": "in progress"})
    page = bob.get(f"/tickets/{ticket_id}/history")
    lines = [" ".join(line.get_text(" ").split()) for line in page.soup.select(".event")]
    assert "new → in progress" in lines[0]
    assert "assigned to Bob" in lines[1]
    assert "P3 → P1, Desktop → Servers" in lines[2]
    assert "came in by mail" in lines[-1]
    assert bob.get(f"/tickets/{ticket_id}/history", htmx=True).one("#ticket-history")


# Answering


def test_an_answer_is_public_goes_out_by_mail_and_opens_the_ticket(web):
    ticket_id = create(web)
    bob = web.as_("bob")
    page = bob.post(f"/tickets/{ticket_id}/answer", {"body": "Use the stairs.", "kind": "answer"}, status=303)
    assert page.response.headers["Location"] == f"/tickets/{ticket_id}#reply"
    message = load(web, Message, ticket_id=ticket_id)[-1]
    assert (message.kind, message.is_public, message.author) == ("answer", True, "Bob")
    assert [mail.event for mail in load(web, OutgoingMail, ticket_id=ticket_id)] == ["answer"]
    assert (ticket(web, ticket_id).status, ticket(web, ticket_id).first_response_at) == ("open", NOW)
    assert "Not mailed" in bob.get(f"/tickets/{ticket_id}").text, "watch mode holds mail back and says so"


def test_a_note_stays_inside(web):
    ticket_id = create(web)
    bob = web.as_("bob")
    page = bob.post(f"/tickets/{ticket_id}/answer", {"body": "Again.", "kind": "note"}, htmx=True, status=200)
    assert page.one("article.message-note").strong.text == "Bob"
    assert page.response.headers["HX-Trigger"] == "ticket-changed"
    assert page.one("textarea").text.strip() == ""
    assert load(web, OutgoingMail, ticket_id=ticket_id) == []
    assert ticket(web, ticket_id).status == "new"


def test_an_answer_may_set_the_status_to_waiting(web):
    ticket_id = create(web)
    data = {"body": "Which printer?", "kind": "answer", "then": "waiting for requester"}
    web.as_("bob").post(f"/tickets/{ticket_id}/answer", data)
    assert ticket(web, ticket_id).status == "waiting for requester"


def test_a_refused_answer_keeps_what_was_typed(web):
    ticket_id = create(web)
    bob = web.as_("bob")
    empty = bob.post(f"/tickets/{ticket_id}/answer", {"body": " ", "kind": "answer"}, status=422)
    assert "Write a few words first" in empty.text and empty.soup.title
    data = {"body": "Look at this", "kind": "answer", "then": "resolved"}
    wrong = bob.post(f"/tickets/{ticket_id}/answer", data, htmx=True, status=422)
    assert wrong.one("textarea").text.strip() == "Look at this"
    assert len(load(web, Message, ticket_id=ticket_id)) == 1


def test_a_file_of_thirty_megabytes_is_refused_with_its_name_and_the_words_stay(web):
    ticket_id = create(web)
    data = {"body": "See file", "kind": "answer", "files": (io.BytesIO(b"x" * 30_000_000), "dump.bin")}
    page = web.as_("bob").post(f"/tickets/{ticket_id}/answer", data, status=422)
    assert "dump.bin is 30 MB" in page.text
    assert page.one("textarea[name=body]").text.strip() == "See file"
    page.response.request.environ["wsgi.input"].close()  # the test client leaves its own large file open


def test_a_file_of_an_answer_is_kept_and_mailed(web):
    ticket_id = create(web)
    data = {"body": "See file", "kind": "answer", "files": (io.BytesIO(b"abc"), "../../etc/plan.txt")}
    web.as_("bob").post(f"/tickets/{ticket_id}/answer", data)
    (file,) = load(web, Attachment)
    assert (file.filename, file.size) == ("plan.txt", 3)
    assert load(web, OutgoingMail)[0].attachment_ids == [file.id]


def test_an_attachment_is_only_ever_a_download(web):
    ticket_id = create(web)
    with web.database.unit_of_work() as uow:
        sha256 = SessionBlobStore(uow.session).put(b"<script>alert(1)</script>")
        message = uow.session.query(Message).filter_by(ticket_id=ticket_id).one()
        values = {"filename": "käse.html", "content_type": "text/html", "size": 25, "sha256": sha256}
        uow.session.add(Attachment(id=5, message_id=message.id, **values))
    bob = web.as_("bob")
    assert bob.get(f"/tickets/{ticket_id}").one("a.file-link")["href"] == f"/tickets/{ticket_id}/files/5"
    answer = bob.client.get(f"/tickets/{ticket_id}/files/5")
    assert answer.data == b"<script>alert(1)</script>"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "filename*=UTF-8''k%C3%A4se.html" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    bob.get(f"/tickets/{ticket_id}/files/6", status=404)
    bob.get(f"/tickets/{create(web)}/files/5", status=404)
    web.anonymous().get(f"/tickets/{ticket_id}/files/5", status=303)


# Moving


def test_resolving_asks_for_a_note_which_goes_out_and_ends_the_page(web):
    ticket_id = create(web)
    with web.database.unit_of_work() as uow:
        uow.session.add(Page(kind="ticket", ticket_id=ticket_id, state="open", opened_at=NOW))
    bob = web.as_("bob")
    refused = bob.post(f"/tickets/{ticket_id}/status", {"status": "resolved", "note": ""}, htmx=True, status=422)
    assert "Say in a few words how it was solved" in refused.text
    assert refused.one("#status-panel details").has_attr("open")
    done = bob.post(f"/tickets/{ticket_id}/status", {"status": "resolved", "note": "Water."}, htmx=True, status=200)
    assert "Water." in done.one("#status-panel").get_text()
    assert [mail.event for mail in load(web, OutgoingMail)] == ["resolved"]
    assert load(web, Page)[0].state == "resolved"
    assert ticket(web, ticket_id).is_open is False


def test_a_status_the_table_refuses_is_explained_without_javascript_too(web):
    ticket_id = create(web, status="closed")
    page = web.as_("bob").post(f"/tickets/{ticket_id}/status", {"status": "on hold"}, status=422)
    assert "cannot become on hold" in page.text and page.soup.title
    web.as_("bob").post(f"/tickets/{ticket_id}/status", {"status": "nonsense"}, status=422)


def test_a_ticket_can_be_taken(web):
    ticket_id = create(web)
    bob = web.as_("bob")
    assert bob.get(f"/tickets/{ticket_id}").soup.select(f'form[action="/tickets/{ticket_id}/take"]')
    page = bob.post(f"/tickets/{ticket_id}/take", htmx=True, status=200)
    assert page.one("aside#ticket-side") and "Assign to me" not in page.text
    assert (ticket(web, ticket_id).assignee_id, ticket(web, ticket_id).status) == (BOB, "open")


def test_changing_works_as_a_page_and_in_the_dialog(web):
    ticket_id = create(web)
    bob = web.as_("bob")
    form = bob.get(f"/tickets/{ticket_id}/edit")
    assert form.one("select#priority option[selected]")["value"] == "3"
    data = {"priority": "2", "queue": "2", "category": "1", "assignee": ""}
    plain = bob.post(f"/tickets/{ticket_id}/edit", data, status=303)
    assert "The ticket is changed." in bob.follow(plain).text
    assert not bob.get(f"/tickets/{ticket_id}/edit", htmx=True).soup.find("html")
    smooth = bob.post(f"/tickets/{ticket_id}/edit", {**data, "priority": "4"}, htmx=True, status=200)
    assert smooth.response.headers["HX-Retarget"] == "#ticket-side"
    assert smooth.response.headers["HX-Trigger"] == "dialog-close"
    found = ticket(web, ticket_id)
    assert (found.priority, found.queue_id, found.category_id, found.assignee_id) == (4, 2, 1, None)


def test_a_choice_that_does_not_exist_is_refused(web):
    ticket_id = create(web)
    data = {"priority": "7", "queue": "99", "category": "", "assignee": ""}
    page = web.as_("bob").post(f"/tickets/{ticket_id}/edit", data, status=422)
    assert "Please check the marked fields" in page.text
    assert ticket(web, ticket_id).priority == 3


def test_raising_to_p1_asks_whether_to_page(web):
    ticket_id = create(web)
    data = {"priority": "1", "queue": "", "category": "", "assignee": ""}
    web.as_("bob").post(f"/tickets/{ticket_id}/edit", data)
    assert [row.cause for row in load(web, PageDecisionRow, ticket_id=ticket_id)] == ["raised:2"]


# Entering


def test_a_ticket_is_entered_for_a_caller_and_pages_nobody(web):
    bob = web.as_("bob")
    assert bob.get("/tickets/new").one("option[value='3'][selected]")
    data = {
        "subject": "Door is stuck", "body": "Second floor", "name": "Dana Diaz", "email": "Dana@C.example",
        "phone": "+49 30 1", "priority": "2", "queue": "2", "category": "", "assignee": str(BOB),
        "files": (io.BytesIO(b"abc"), "door.jpg"),
    }  # fmt: skip
    page = bob.follow(bob.post("/tickets/new", data, status=303))
    assert "Door is stuck" in page.text and "Nobody was paged" in page.text
    (made,) = load(web, Ticket)
    assert (made.source, made.priority, made.queue_id, made.assignee_id, made.requester_id) == ("staff", 2, 2, BOB, 1)
    assert load(web, Page) == []
    assert [event.actor for event in load(web, TicketEvent)] == ["Bob"]


def test_a_refused_new_ticket_keeps_what_was_typed(web):
    data = {"subject": "", "body": "Second floor", "email": "not an address", "priority": "3"}
    page = web.as_("bob").post("/tickets/new", data, status=422)
    assert "Give it a short title" in page.text and "does not look like a mail address" in page.text
    assert page.one("textarea[name=body]").text.strip() == "Second floor"
    assert load(web, Ticket) == []


def test_every_form_carries_its_token_and_a_forged_one_is_refused(web):
    ticket_id = create(web)
    web.app.config["WTF_CSRF_ENABLED"] = True
    bob = web.as_("bob")
    page = bob.get(f"/tickets/{ticket_id}")
    for form in page.soup.select("form[method=post]"):
        assert form.select_one("input[name=csrf_token]")["value"], form
    bob.post(f"/tickets/{ticket_id}/take", status=400)
    assert ticket(web, ticket_id).assignee_id is None
