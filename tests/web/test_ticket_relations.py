"""Merging tickets, taking them apart, and the suggestion that two may be one."""

import pytest

from portal.models import Message, OutgoingMail, Ticket, TicketEvent
from portal.services.tickets import NewMessage, add_message
from tests.services.ticket_world import NOW
from tests.web.test_tickets import create, load, statements, ticket


@pytest.fixture
def pair(web):
    return create(web, "Printer"), create(web, "Still the printer", body="It still burns.")


def change(web, ticket_id, **values):
    with web.database.unit_of_work() as uow:
        for name, value in values.items():
            setattr(uow.session.get_one(Ticket, ticket_id), name, value)


def test_a_ticket_is_merged_by_its_number_and_taken_out_again(web, pair):
    first, second = pair
    bob = web.as_("bob")
    page = bob.follow(bob.post(f"/tickets/{second}/merge", {"number": f"#{first}"}))
    assert f"#{second} is part of this ticket now." in page.text
    assert "It still burns." in page.one(".conversation").text
    assert page.one("section[aria-label='Other tickets'] a")["href"] == f"/tickets/{second}"
    old = bob.get(f"/tickets/{second}")
    assert f"This ticket is part of #{first}" in old.text and not old.soup.select("#reply, #status-panel, #merge")
    for path, words in (("answer", {"body": "x", "kind": "note"}), ("status", {"status": "open"}), ("take", {})):
        bob.post(f"/tickets/{second}/{path}", words, status=409)
    assert "two tickets again" in bob.follow(bob.post(f"/tickets/{second}/unmerge")).text
    assert ticket(web, second).merged_into_id is None and ticket(web, second).status == "new"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("", "Give a ticket number"),
        ("abc", "Give a ticket number"),
        ("#999", "There is no ticket #999"),
        ("self", "itself"),
    ],
)
def test_a_number_that_leads_nowhere_is_refused_beside_the_field(web, pair, number, words):
    wanted = str(pair[0]) if number == "self" else number
    page = web.as_("bob").post(f"/tickets/{pair[0]}/merge", {"number": wanted}, status=422)
    assert words in page.one("#merge").text and page.one("#merge").has_attr("open")
    assert page.one("#merge input[name=number]")["value"] == wanted


def test_a_merge_that_cannot_be_undone_says_why(web, pair):
    first, second = pair
    bob = web.as_("bob")
    bob.post(f"/tickets/{second}/merge", {"number": str(first)})
    with web.database.unit_of_work() as uow:
        add_message(uow, uow.session.get_one(Ticket, first), NewMessage("reply", "more", author="Dana"), now=NOW)
    assert "may belong to either" in bob.follow(bob.post(f"/tickets/{second}/unmerge")).text
    assert ticket(web, second).merged_into_id == first


@pytest.mark.parametrize(("answer", "merged"), [("yes", True), ("no", False)])
def test_a_suggestion_is_shown_with_its_reason_and_decided_with_one_click(web, pair, answer, merged):
    first, second = pair
    change(web, second, maybe_of_id=first, maybe_reason=f"names #{first} in the subject, but comes from somebody else")
    bob = web.as_("bob")
    page = bob.get(f"/tickets/{second}")
    assert f"This may belong to #{first} , because names #{first} in the subject" in page.text
    assert f"#{second} may belong here." in bob.get(f"/tickets/{first}").text
    done = bob.follow(bob.post(f"/tickets/{second}/suggestion", {"answer": answer}))
    assert ("is part of this ticket now" if merged else "They stay two tickets") in done.text
    assert (ticket(web, second).merged_into_id == first) is merged and ticket(web, second).maybe_of_id is None
    again = bob.follow(bob.post(f"/tickets/{second}/suggestion", {"answer": answer}))
    assert "decided already" in again.text if merged else "stay two" in again.text


def test_what_follows_is_shown_on_both(web, pair):
    change(web, pair[1], follows_id=pair[0])
    bob = web.as_("bob")
    assert f"Goes on in #{pair[1]}" in bob.get(f"/tickets/{pair[0]}").text
    assert f"Follows #{pair[0]}" in bob.get(f"/tickets/{pair[1]}").text


def test_a_viewer_sees_relations_and_changes_none(web, pair):
    change(web, pair[1], maybe_of_id=pair[0], maybe_reason="x")
    vera = web.as_("vera")
    page = vera.get(f"/tickets/{pair[1]}")
    assert "This may belong to" in page.text and not page.soup.select("main form")
    for path in ("merge", "unmerge", "suggestion"):
        vera.post(f"/tickets/{pair[1]}/{path}", {"number": "1"}, status=403)
    web.as_("bob").post("/tickets/999/merge", {"number": "1"}, status=404)


def test_the_page_of_a_merged_ticket_costs_no_more(web, pair):
    first, second = pair
    change(web, first, maybe_of_id=second, maybe_reason="x", follows_id=second)
    web.as_("bob").post(f"/tickets/{second}/merge", {"number": str(first)})
    assert statements(web, web.as_("bob"), f"/tickets/{first}") <= 10


def test_what_came_back_is_shown_at_the_message_and_the_rating_beside_the_ticket(web, pair):
    first = pair[0]
    change(web, first, rating=4, rating_text="quick")
    with web.database.unit_of_work() as uow:
        message = add_message(uow, uow.session.get_one(Ticket, first), NewMessage("answer", "x", author="Bob"), now=NOW)
        sent = OutgoingMail(ticket_id=first, message_row_id=message.id, event="answer", dedupe_key="x", state="sent")
        sent.to, sent.subject, sent.text, sent.message_id, sent.created_at = ["dana@c.example"], "x", "x", "<x@y>", NOW
        sent.delivery, sent.delivery_text = "failed", "dana@c.example: 5.1.1 no such user"
        uow.session.add(sent)
        for kind, data in (
            ("rated", {"rating": 4}),
            ("duplicate", {"mailbox": "Info"}),
            ("delivery", {"address": "dana@c.example", "action": "delayed", "reason": "4.4.1"}),
            ("delivery", {"address": "dana@c.example", "action": "failed", "reason": "5.1.1"}),
            ("kept_apart", {"other": 9}),
            ("merged", {"other": 9}),
            ("merged_here", {"other": 9}),
            ("unmerged", {"other": 9}),
            ("answered", {"by": "mail"}),
        ):
            uow.session.add(TicketEvent(ticket_id=first, at=NOW, actor="Mail", kind=kind, data=data))
    page = web.as_("bob").get(f"/tickets/{first}")
    assert "Came back" in page.one(f"#message-{load(web, Message)[-1].id}").text and "no such user" in page.text
    assert "4 of 5" in page.one("#ticket-side").text and "quick" in page.one("#ticket-side").text
    history = web.as_("bob").get(f"/tickets/{first}/history").text
    for words in ("rated this 4 of 5", "also came to Info", "is late", "came back", "does not belong to #9", "by mail"):
        assert words in history
