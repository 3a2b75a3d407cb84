import pytest

from portal.core.errors import DomainError
from portal.models import Requester, Ticket, TicketCopy, TicketCount, TicketEvent
from portal.services.requester_page import Reply, load_public_messages, reply_by_link
from portal.services.ticket_merge import (
    accept_suggestion,
    merge_ticket,
    refuse_suggestion,
    unmerge_ticket,
)
from portal.services.ticket_view import Relations, load_conversation, load_ticket_view
from portal.services.tickets import Actor, NewMessage, add_message, recount
from tests.services.mail_desk import EVE, NOW, MailDesk
from tests.services.ticket_world import counted_statements

BOB = Actor("Bob", 2)


@pytest.fixture
def desk(tmp_path):
    desk = MailDesk(tmp_path)
    desk.first = desk.take("first", message_id="<t1@c>").ticket_id
    desk.second = desk.take("second", message_id="<t2@c>", sender=EVE).ticket_id
    return desk


def act(desk, use_case, ticket_id, *arguments):
    with desk.database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, ticket_id)
        return use_case(uow, ticket, *arguments, actor=BOB, now=desk.world.clock.now())


def refused(desk, use_case, ticket_id, *arguments):
    with pytest.raises(DomainError) as error:
        act(desk, use_case, ticket_id, *arguments)
    return str(error.value)


def relations(desk, ticket_id):
    with desk.database.read_session() as session, counted_statements(session) as seen:
        found = load_ticket_view(session, ticket_id).relations
    assert len(seen) == 1
    return found


def bodies(desk, ticket_id):
    with desk.database.read_session() as session:
        return ["".join(part.text for part in one.parts) for one in load_conversation(session, ticket_id).messages]


def copies(desk, ticket_id):
    return sorted(row.address for row in copy_rows(desk) if row.ticket_id == ticket_id)


def copy_rows(desk):
    with desk.database.read_session() as session:
        return session.query(TicketCopy).all()


def test_a_merged_ticket_is_closed_and_read_in_the_other(desk):
    assert act(desk, merge_ticket, desk.second, desk.first).id == desk.first
    merged = desk.ticket(desk.second)
    assert (merged.status, merged.is_open, merged.merged_into_id) == ("closed", False, desk.first)
    assert bodies(desk, desk.first) == ["first", "second"] and bodies(desk, desk.second) == ["second"]
    assert relations(desk, desk.first) == Relations(merged=(desk.second,))
    assert copies(desk, desk.first) == ["eve@other.example"]  # she takes part now
    assert [one.data["other"] for one in desk.every(TicketEvent, kind="merged_here")] == [desk.second]
    reply = desk.take("more", sender=EVE, answers="<t2@c>")
    assert reply.ticket_id == desk.first and bodies(desk, desk.first)[-1] == "more"


def test_the_counters_stay_right(desk):
    act(desk, merge_ticket, desk.second, desk.first)
    with desk.database.unit_of_work() as uow:
        assert recount(uow) == 0
        assert sum(row.n for row in uow.session.query(TicketCount)) == 2


def test_what_cannot_be_merged_says_why(desk):
    assert "itself" in refused(desk, merge_ticket, desk.first, desk.first)
    assert refused(desk, merge_ticket, desk.first, 99) == "There is no ticket #99."
    assert "no ticket" in refused(desk, merge_ticket, desk.first, 2**70)
    act(desk, merge_ticket, desk.second, desk.first)
    assert f"part of #{desk.first} already" in refused(desk, merge_ticket, desk.second, desk.first)
    assert "part of this one already" in refused(desk, merge_ticket, desk.first, desk.second)


def test_merging_into_a_merged_ticket_goes_to_the_end_and_carries_what_was_merged_here(desk):
    third = desk.take("third", message_id="<t3@c>").ticket_id
    fourth = desk.take("fourth", message_id="<t4@c>").ticket_id
    act(desk, merge_ticket, desk.first, desk.second)
    act(desk, merge_ticket, desk.second, third)
    assert desk.ticket(desk.first).merged_into_id == third  # one step for whoever reads
    assert act(desk, merge_ticket, fourth, desk.first).id == third
    assert bodies(desk, third) == ["first", "second", "third", "fourth"]
    act(desk, unmerge_ticket, desk.second)
    assert desk.ticket(desk.first).merged_into_id == desk.second
    assert relations(desk, third).merged == (fourth,)


def test_an_open_request_is_never_buried_in_one_that_ended(desk):
    desk.change(Ticket, desk.second, priority=1)
    desk.move(desk.first, "resolved", "closed")
    act(desk, merge_ticket, desk.second, desk.first)
    ticket = desk.ticket(desk.first)
    assert (ticket.status, ticket.priority) == ("open", 1)


def test_a_merge_can_be_taken_back_as_long_as_nothing_was_said(desk):
    desk.move(desk.second, "in progress")
    act(desk, merge_ticket, desk.second, desk.first)
    with desk.database.unit_of_work() as uow:
        note = NewMessage("note", "merged these", author="Bob")
        add_message(uow, uow.session.get_one(Ticket, desk.first), note, now=NOW)
    act(desk, unmerge_ticket, desk.second)
    back = desk.ticket(desk.second)
    assert (back.status, back.is_open, back.merged_into_id, back.closed_at) == ("in progress", True, None, None)
    assert bodies(desk, desk.first) == ["first", "merged these"] and copies(desk, desk.first) == []
    assert desk.take("more", sender=EVE, answers="<t2@c>").ticket_id == desk.second
    assert "not part of another" in refused(desk, unmerge_ticket, desk.second)
    with desk.database.unit_of_work() as uow:
        assert recount(uow) == 0


@pytest.mark.parametrize(("replies", "words"), [(1, "A message came to"), (2, "2 messages came to")])
def test_a_merge_stays_once_something_was_said(desk, replies, words):
    act(desk, merge_ticket, desk.second, desk.first)
    for _ in range(replies):
        desk.take("more", answers="<t1@c>")
    assert refused(desk, unmerge_ticket, desk.second).startswith(f"{words} #{desk.first}")


def test_a_closed_ticket_comes_back_closed(desk):
    desk.move(desk.second, "resolved", "closed")
    act(desk, merge_ticket, desk.second, desk.first)
    act(desk, unmerge_ticket, desk.second)
    assert desk.ticket(desk.second).closed_at == NOW and desk.ticket(desk.first).status == "new"


def test_a_suggestion_is_accepted_or_refused_once(desk):
    desk.change(Ticket, desk.second, maybe_of_id=desk.first, maybe_reason="it names #1")
    assert relations(desk, desk.first).suggested == (desk.second,)
    assert act(desk, accept_suggestion, desk.second).id == desk.first
    assert desk.ticket(desk.second).maybe_of_id is None and relations(desk, desk.first).suggested == ()
    assert "decided already" in refused(desk, accept_suggestion, desk.second)
    act(desk, unmerge_ticket, desk.second)
    desk.change(Ticket, desk.second, maybe_of_id=desk.first, maybe_reason="x")
    for _ in range(2):
        act(desk, refuse_suggestion, desk.second)
    assert desk.ticket(desk.second).maybe_of_id is None
    assert [one.data["other"] for one in desk.every(TicketEvent, kind="kept_apart")] == [desk.first]


def test_a_suggestion_in_the_other_direction_ends_with_the_merge(desk):
    desk.change(Ticket, desk.first, maybe_of_id=desk.second, maybe_reason="x")
    act(desk, merge_ticket, desk.second, desk.first)
    assert desk.ticket(desk.first).maybe_of_id is None


def test_a_machine_is_not_copied(desk):
    desk.change(Ticket, desk.second, is_automatic=True)
    act(desk, merge_ticket, desk.second, desk.first)
    assert copies(desk, desk.first) == []


def test_a_ticket_without_requester_can_be_merged_both_ways(desk):
    desk.change(Ticket, desk.second, requester_id=None)
    act(desk, merge_ticket, desk.second, desk.first)
    act(desk, unmerge_ticket, desk.second)
    act(desk, merge_ticket, desk.first, desk.second)
    assert copies(desk, desk.second) == ["dana@customer.example"]


def test_words_by_the_link_of_a_merged_ticket_go_on_and_show_nothing_of_the_other(desk):
    act(desk, merge_ticket, desk.second, desk.first)
    with desk.database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, desk.second)
        shown = reply_by_link(desk.world, uow, ticket, Reply("key", "1.2.3.4", "by the link"))
        assert shown.id == desk.second
    assert bodies(desk, desk.first)[-1] == "by the link"
    with desk.database.read_session() as session:
        assert [one.author for one in load_public_messages(session, desk.second)] == ["Eve"]
        said = [one.parts[0].text for one in load_public_messages(session, desk.first)]
    assert said == ["first", "by the link"]  # what Eve said by mail is hers


def test_the_link_shows_what_was_merged_of_the_same_requester(desk):
    third = desk.take("third").ticket_id
    act(desk, merge_ticket, third, desk.first)
    with desk.database.read_session() as session:
        said = [one.parts[0].text for one in load_public_messages(session, desk.first)]
        assert session.query(Requester).count() == 3
    assert said == ["first", "third"]
