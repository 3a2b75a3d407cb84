"""What the ticket page tells of its pages."""

from portal.models import InboundText, Notification, Page, PageTicket
from portal.services.page_timeline import Listed, Timeline, list_live_pages, load_timeline
from tests.services.paging_world import BOB, NOW, add_ticket, decide, later


def load(world, ticket_id):
    with world.database.read_session() as session:
        return load_timeline(session, ticket_id)


def test_a_ticket_without_decisions_has_an_empty_timeline(world):
    assert load(world, add_ticket(world.database)) == Timeline()


def test_the_decision_shows_cause_verdict_and_reasons(world):
    ticket = add_ticket(world.database, source="staff")
    decide(world.database, ticket)
    (decision,) = load(world, ticket).decisions
    assert (decision.cause, decision.verdict, decision.words) == ("The ticket came in", "none", "page nobody")
    assert decision.reasons[0].startswith("Entered by staff")


def test_each_text_and_answer_is_a_line_in_order(world):
    ticket = add_ticket(world.database)
    decide(world.database, ticket, on_call=(BOB,))
    with world.database.unit_of_work() as uow:
        row = uow.session.get_one(Notification, 1)
        row.state, row.accepted_at, row.delivered_at = "delivered", later(seconds=1), later(seconds=3)
        answer = InboundText(
            provider="twilio", provider_id="R1", sender="x", text="1 A", received_at=NOW, stored_at=NOW, user_id=BOB
        )
        answer.page_id, answer.handled_at, answer.outcome = 1, later(seconds=60), "Answered: You have #1."
        uow.session.add(answer)
        page = uow.session.get_one(Page, 1)
        page.state, page.acknowledged_at, page.acknowledged_by = "acknowledged", later(seconds=60), BOB
    (view,) = load(world, ticket).pages
    assert [(entry.text, entry.tone) for entry in view.entries] == [
        ("The page began.", "plain"),
        ("Text to Bob arrived.", "good"),
        ("Bob wrote: 1 A", "plain"),
        ("Bob took it.", "good"),
    ]
    assert (view.holder, view.state, view.is_asking) == ("Bob", "acknowledged", False)
    assert view.entries[2].detail == "Answered: You have #1."


def test_a_failed_text_says_why_and_an_expired_page_that_nobody_answered(world):
    ticket = add_ticket(world.database)
    decide(world.database, ticket, on_call=(BOB,))
    with world.database.unit_of_work() as uow:
        row = uow.session.get_one(Notification, 1)
        row.state, row.last_error = "failed", "This number cannot receive texts."
        uow.session.get_one(Page, 1).state = "expired"
    timeline = load(world, ticket)
    assert timeline.is_asking
    assert [entry.text for entry in timeline.pages[0].entries][1:] == [
        "Text to Bob could not be sent (This number cannot receive texts.).",
        "Nobody answered. The alarm was raised.",
    ]


def test_a_digest_is_shown_on_every_ticket_it_lists_and_an_end_is_a_line(world):
    first, second = add_ticket(world.database), add_ticket(world.database)
    with world.database.unit_of_work() as uow:
        page = Page(kind="digest", state="resolved", opened_at=NOW, closed_at=later(minutes=1))
        uow.session.add(page)
        uow.session.flush()
        uow.session.add_all(PageTicket(page_id=page.id, ticket_id=ticket) for ticket in (first, second))
    for ticket in (first, second):
        (view,) = load(world, ticket).pages
        assert [entry.text for entry in view.entries] == ["The page began.", "The page ended."]


def test_the_list_of_live_pages_has_the_worst_that_asks_on_top(world):
    for priority in (3, 1, 2):
        decide(world.database, add_ticket(world.database, priority=priority))
    late = add_ticket(world.database, subject="Late")
    with world.database.unit_of_work() as uow:
        uow.session.add(Page(id=9, kind="digest", state="expired", opened_at=NOW))
        uow.session.flush()
        uow.session.add(PageTicket(page_id=9, ticket_id=late))
        uow.session.add(Page(id=10, kind="test", state="open", opened_at=NOW))
        taken = uow.session.get_one(Page, 2)
        taken.state, taken.acknowledged_by = "acknowledged", BOB
        uow.session.get_one(Page, 3).state = "resolved"
    with world.database.read_session() as session:
        pages = list_live_pages(session)
    assert [(page.id, page.is_asking, page.holder) for page in pages] == [
        (9, True, ""),
        (1, True, ""),
        (10, True, ""),
        (2, False, "Bob"),
    ]
    assert pages[0].tickets == (Listed(late, "Late", 3),)
