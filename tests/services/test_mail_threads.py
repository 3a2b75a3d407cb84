from datetime import timedelta
from itertools import permutations

import pytest

from portal.core.mail import parse_mail
from portal.core.mail_kinds import MailKind
from portal.models import KnownMessageId, MailboxRow, MailLedger, Message, Ticket, TicketEvent
from portal.services.mail_threads import load_thread, load_writer
from portal.services.settings import save_settings
from portal.services.ticket_merge import merge_ticket, refuse_suggestion
from portal.services.tickets import Actor
from tests.mails import mail_bytes
from tests.services.mail_desk import DANA, EVE, MALLORY, NOW, MailDesk
from tests.services.mail_world import add_mailbox
from tests.services.runtime_world import by_alice
from tests.services.ticket_world import counted_statements

PERSON = MailKind("person", "x", opens_ticket=True)


@pytest.fixture
def desk(tmp_path):
    return MailDesk(tmp_path)


def merge(desk, ticket_id, into):
    with desk.database.unit_of_work() as uow:
        merge_ticket(uow, uow.session.get_one(Ticket, ticket_id), into, actor=Actor("Bob", 2), now=NOW)


def test_a_plain_new_mail_costs_one_lookup(desk):
    desk.take(message_id="<known@c>")
    row, mail = desk.last(MailLedger), parse_mail(mail_bytes(message_id="<new@c>"))
    with desk.database.read_session() as session, counted_statements(session) as seen:
        found = load_thread(session, row, mail, kind=PERSON, mac=lambda m: m, distrust="")
    assert found.ticket_id is None and len(seen) == 1


def test_a_reply_to_a_merged_ticket_joins_the_end_of_the_chain(desk):
    first, second, third = (desk.take(message_id=f"<t{n}@c>", subject=f"Request {n}").ticket_id for n in (1, 2, 3))
    merge(desk, first, second)
    merge(desk, second, third)
    assert desk.take(answers="<t1@c>").ticket_id == third
    token = desk.answer(second).message_id[1:].split("@")[0]
    assert desk.take(f"> Ref: {token}").ticket_id == third
    named = desk.take(subject=f"Re: [#{first}] again")
    assert (named.verdict, named.ticket_id) == ("reply", third)
    stranger = desk.take(subject=f"Re: [#{first}] again", sender=MALLORY)
    assert desk.ticket(stranger.ticket_id).maybe_of_id == third


def test_a_ring_of_merged_tickets_still_takes_the_mail(desk):
    first, second = (desk.take(message_id=f"<t{n}@c>").ticket_id for n in (1, 2))
    desk.change(Ticket, first, merged_into_id=second)
    desk.change(Ticket, second, merged_into_id=first)
    assert desk.take(answers="<t2@c>").ticket_id == desk.take(answers="<t1@c>").ticket_id == first


def test_the_conversation_of_exchange_joins_the_same_customer_within_one_mailbox(desk):
    first = desk.take(conversation_id="AAQ1", subject="Printer")
    assert desk.take(conversation_id="AAQ1", subject="AW: Printer").ticket_id == first.ticket_id
    eve = desk.take(conversation_id="AAQ1", subject="AW: Printer", sender=EVE)
    assert eve.verdict == "ticket" and desk.ticket(eve.ticket_id).maybe_of_id == first.ticket_id
    other = add_mailbox(desk.world, name="Info", address="info@shop.example")
    assert desk.take(conversation_id="AAQ1", mailbox_id=other).verdict == "ticket"


def test_two_customers_who_answer_the_same_newsletter_are_kept_apart(desk):
    first = desk.take(headers={"References": "<news@vendor.example>"})
    eve = desk.take(headers={"References": "<news@vendor.example>"}, sender=EVE)
    assert eve.verdict == "ticket" and desk.ticket(eve.ticket_id).maybe_of_id == first.ticket_id
    colleague = desk.take(headers={"References": "<news@vendor.example>"}, sender="Fay <fay@customer.example>")
    assert (colleague.verdict, colleague.ticket_id) == ("reply", first.ticket_id)


def test_the_prefix_of_the_site_is_understood_in_subjects(desk):
    with desk.database.unit_of_work() as uow:
        save_settings(uow, {"site.prefix": "ND-"}, box=desk.world.box, change=by_alice(desk.world))
    first = desk.take()
    assert desk.take(subject=f"Re: ND-{first.ticket_id} still").ticket_id == first.ticket_id
    assert desk.take(subject=f"[#{first.ticket_id}] still").ticket_id == first.ticket_id


def test_a_number_from_a_forged_sender_is_only_a_hint(desk):
    first = desk.take()
    forged = {"Authentication-Results": "mx.shop.example; dmarc=fail"}
    row = desk.take(subject=f"[#{first.ticket_id}] x", headers=forged)
    ticket = desk.ticket(row.ticket_id)
    assert ticket.maybe_of_id == first.ticket_id and "dmarc=fail" in ticket.maybe_reason


def test_a_parent_that_comes_late_takes_its_place_before_its_answer(desk):
    answer = desk.take("No, the other printer.", headers={"References": "<late@customer.example>"})
    desk.world.clock.move(60)
    early = {"date": "Fri, 25 Dec 2026 01:00:00 +0000"}
    late = desk.take("Is it the blue printer?", message_id="<late@customer.example>", **early)
    assert (late.verdict, late.ticket_id) == ("reply", answer.ticket_id)
    first, second = sorted(desk.every(Message, ticket_id=answer.ticket_id), key=lambda one: one.at)
    assert (first.body, second.body) == ("Is it the blue printer?", "No, the other printer.")
    assert first.at == NOW - timedelta(minutes=70)
    known = {one.message_id: one.is_seen for one in all_known(desk)}
    assert known["<late@customer.example>"] is True


def all_known(desk):
    with desk.database.read_session() as session:
        return session.query(KnownMessageId).all()


def test_a_late_mail_between_two_tickets_joins_the_stronger_and_offers_the_other(desk):
    first = desk.take(message_id="<1@customer.example>")
    third = desk.take("third", headers={"References": "<2@customer.example>"})
    assert third.ticket_id != first.ticket_id
    late = desk.take("second", message_id="<2@customer.example>", answers="<1@customer.example>")
    assert late.ticket_id == first.ticket_id
    other = desk.ticket(third.ticket_id)
    assert other.maybe_of_id == first.ticket_id and "same thread" in other.maybe_reason
    assert desk.take(answers="<2@customer.example>").ticket_id == first.ticket_id


def test_what_somebody_kept_apart_is_not_offered_again(desk):
    first, second = (desk.take(message_id=f"<t{n}@c>").ticket_id for n in (1, 2))
    both = {"References": "<t1@c> <t2@c>"}
    assert desk.take(headers=both).ticket_id == second
    assert desk.ticket(first).maybe_of_id == second
    with desk.database.unit_of_work() as uow:
        refuse_suggestion(uow, uow.session.get_one(Ticket, first), actor=Actor("Bob", 2), now=NOW)
    desk.take(headers=both)
    assert desk.ticket(first).maybe_of_id is None
    assert len(desk.every(TicketEvent, kind="may_belong")) == 1


def test_a_follow_up_is_not_offered_for_the_ticket_that_it_follows(desk):
    first = desk.take(message_id="<t1@c>")
    desk.move(first.ticket_id, "resolved", "closed")
    desk.world.clock.move(20 * 86400)
    later = desk.take("again", message_id="<t2@c>", answers="<t1@c>")
    assert later.verdict == "ticket" and desk.ticket(later.ticket_id).follows_id == first.ticket_id
    desk.take(headers={"References": "<t1@c> <t2@c>"})
    assert desk.ticket(first.ticket_id).maybe_of_id is None
    # The next answer to the old one belongs to what goes on from it, as long as that is open.
    assert desk.take("once more", answers="<t1@c>").ticket_id == later.ticket_id
    desk.move(later.ticket_id, "resolved")
    assert desk.take("and again", answers="<t1@c>").verdict == "ticket"


@pytest.mark.parametrize(
    ("sender", "to", "staff", "is_requester", "reaches"),
    [
        (DANA, "help@shop.example", None, True, False),
        ("BOB@a.example", "help@shop.example", "Bob", False, False),
        ("bob@a.example", DANA, "Bob", False, True),
        (EVE, "help@shop.example", None, False, False),
    ],
)
def test_who_wrote_is_known_to_the_ticket(desk, sender, to, staff, is_requester, reaches):
    first = desk.take()
    mail = parse_mail(mail_bytes(sender=sender, to=to))
    with desk.database.read_session() as session:
        row, ticket = session.get_one(MailLedger, first.id), session.get_one(Ticket, first.ticket_id)
        found = load_writer(session, row, mail, ticket=ticket, distrust="why")
    assert (found.staff_name or None, found.is_requester, found.reaches_requester) == (staff, is_requester, reaches)
    assert found.distrust == "why" and not found.is_sent


def test_a_mailbox_may_take_what_another_had_but_no_ticket_gets_words_twice(desk):
    first = desk.take(message_id="<same@c>")
    other = add_mailbox(desk.world, name="Info", address="info@shop.example")
    again = desk.take(message_id="<same@c>", mailbox_id=other)
    assert (again.verdict, again.ticket_id) == ("duplicate", first.ticket_id)
    (event,) = desk.every(TicketEvent, kind="duplicate")
    assert (event.ticket_id, event.data["mailbox"]) == (first.ticket_id, "Info")
    desk.change(MailboxRow, other, takes_duplicates=True)
    desk.take("two", message_id="<two@c>")
    assert desk.take("two", message_id="<two@c>", mailbox_id=other).verdict == "ticket"
    assert desk.take("two", message_id="<two@c>", mailbox_id=other).verdict == "duplicate"  # the same mailbox again
    reply = desk.take("three", message_id="<three@c>", answers="<same@c>")
    assert desk.take("three", message_id="<three@c>", answers="<same@c>", mailbox_id=other).verdict == "duplicate"
    assert len(desk.every(Message, ticket_id=reply.ticket_id)) == 2


def test_another_mail_with_a_known_id_is_taken_in_and_flagged(desk):
    first = desk.take("one", message_id="<same@c>")
    other = desk.take("two", message_id="<same@c>")
    assert other.verdict == "ticket" and desk.ticket(other.ticket_id).maybe_of_id == first.ticket_id
    assert "same Message-ID but other content" in desk.ticket(other.ticket_id).maybe_reason


def thread_of_five(run, headers):
    """Dana, Eve of another company and Finn of Dana's write to each other with us in copy."""
    finn = "Finn <finn@customer.example>"
    ids = [f"<{run}.{number}@customer.example>" for number in range(5)]
    people = (DANA, EVE, DANA, finn, EVE)
    for number, sender in enumerate(people):
        yield {
            "text": f"Words {number} of thread {run}",
            "sender": sender,
            "to": "dana@customer.example" if sender != DANA else "eve@other.example",
            "subject": ("Re: " if number else "") + f"Topic {run}",
            "message_id": ids[number],
            "headers": {"Cc": "help@shop.example", **(headers(ids[:number]) if number else {})},
        }


ORDERS = list(permutations(range(5)))


@pytest.mark.parametrize("orders", [ORDERS[7::40], pytest.param(ORDERS, marks=pytest.mark.more)], ids=["some", "all"])
@pytest.mark.parametrize(
    "headers",
    [
        lambda before: {"References": " ".join(before)},
        lambda before: {"In-Reply-To": before[-1], "References": " ".join(before)},
        lambda before: {"References": f"{before[0]} {before[-1]}"},  # cut in the middle, as some clients do
    ],
    ids=["references", "both", "first and last"],
)
def test_a_thread_makes_one_ticket_in_whatever_order_it_arrives(desk, headers, orders):
    for run, order in enumerate(orders):
        mails = list(thread_of_five(run, headers))
        assert len({desk.take(**mails[number]).ticket_id for number in order}) == 1, order


@pytest.mark.parametrize("orders", [ORDERS[7::40], pytest.param(ORDERS, marks=pytest.mark.more)], ids=["some", "all"])
def test_where_only_the_parent_is_named_late_mails_show_which_tickets_belong_together(desk, orders):
    for run, order in enumerate(orders):
        mails = list(thread_of_five(run, lambda before: {"In-Reply-To": before[-1]}))
        found = {desk.take(**mails[number]).ticket_id for number in order}
        alone = [one for one in found if desk.ticket(one).maybe_of_id not in found]
        assert len(alone) == 1, order  # each of the others is offered for another one


def test_a_hundred_references_lead_to_the_ticket_wherever_the_known_one_stands(desk):
    first = desk.take(message_id="<known@c>").ticket_id
    for place in (0, 50, 99):
        ids = [f"<{place}.{number}@c>" for number in range(100)]
        ids[place] = "<known@c>"
        assert desk.take(f"Words {place}", headers={"References": " ".join(ids)}).ticket_id == first


def test_urgent_counts_from_the_requester_and_their_colleagues_and_from_nobody_else(desk):
    writers = ((MALLORY, False), (EVE, False), ("Finn <finn@customer.example>", True), (DANA, True))
    for number, (sender, declared) in enumerate(writers):
        ticket_id = desk.take(f"It burns, says {number}", message_id=f"<{number}@c>").ticket_id
        row = desk.take("URGENT", sender=sender, answers=f"<{number}@c>", message_id=f"<urgent{number}@c>")
        assert (row.verdict, row.ticket_id) == ("reply", ticket_id)
        assert (desk.ticket(ticket_id).emergency == "declared") is declared
        assert ("URGENT counts only" in row.reason) is not declared


def test_our_own_mail_that_a_list_or_forwarder_returns_opens_nothing(desk):
    ticket_id = desk.take(message_id="<a@c>").ticket_id
    ours = desk.answer(ticket_id)
    desk.move(ticket_id, "resolved")
    for number, text in enumerate(
        (ours.text, f"---- Forwarded message ----\nFrom: Help <help@a.example>\n\n{ours.text}")
    ):
        row = desk.take(text, sender="list@other.example", message_id=f"<echo{number}@x>")
        assert (row.verdict, row.ticket_id) == ("automatic", ticket_id) and "came back" in row.reason
    assert desk.ticket(ticket_id).status == "resolved"
    assert desk.take(f"Still broken\n{ours.text}", message_id="<d@c>").verdict == "reply"
    assert desk.ticket(ticket_id).status == "open"
