from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.core.settings import SiteSettings
from portal.core.threading import read_tokens
from portal.models import (
    KnownMessageId,
    MailboxRow,
    MailLedger,
    Message,
    OutgoingMail,
    SettingRow,
    Ticket,
    TicketCopy,
    TicketEvent,
    User,
)
from portal.services.mail_facts import TOKEN_PURPOSE
from portal.services.mail_out import (
    Draft,
    add_answer,
    add_confirmation,
    add_mail,
    add_resolved,
    add_update,
    why_stopped,
)
from portal.services.mail_suspensions import suspend
from portal.services.mailboxes import Server
from tests.services.mail_world import NOW, add_mailbox, make_mail_world
from tests.services.paging_world import add_ticket

LIVE = SiteSettings(site_live=True, site_name="Shop Help Desk")


@pytest.fixture
def world(tmp_path):
    return make_mail_world(tmp_path)


def confirm(world, ticket_id, settings=LIVE, **words):
    with world.database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, ticket_id)
        add_confirmation(world, uow, ticket, settings=settings, **words)


def outbox(world):
    with world.database.read_session() as session:
        return list(session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)))


def test_the_confirmation_is_ready_to_go_with_our_token_as_its_id(world):
    add_mailbox(world)
    ticket_id = add_ticket(world.database, "Printer on fire")
    world.site_url = "https://help.shop.example"
    confirm(world, ticket_id, promise="We look at it today.")
    (mail,) = outbox(world)
    assert (mail.state, mail.to, mail.due_at) == ("pending", ["dana@customer.example"], NOW)
    assert mail.subject == f"[#{ticket_id}] Printer on fire" and "We look at it today." in mail.text
    assert f"https://help.shop.example/r/{ticket_id}-" in mail.text and mail.is_automatic
    (token,) = read_tokens(mail.message_id, mac=lambda message: world.box.mac(TOKEN_PURPOSE, message))
    assert (token.ticket_id, token.row_id) == (ticket_id, mail.id)
    assert mail.message_id.endswith("@shop.example>") and mail.message_id[1:].split("@")[0] in mail.text
    assert world.woken[-1] == "mail_out"


def test_the_answer_to_a_mail_of_ours_is_known_before_it_is_sent(world):
    add_mailbox(world)
    ticket_id = add_ticket(world.database)
    confirm(world, ticket_id)
    with world.database.read_session() as session:
        (known,) = session.scalars(select(KnownMessageId))
    assert known.message_id == outbox(world)[0].message_id and known.ticket_id == ticket_id and known.is_ours


def test_one_ticket_gets_one_confirmation(world):
    add_mailbox(world)
    ticket_id = add_ticket(world.database)
    for _ in range(3):
        confirm(world, ticket_id)
    assert len(outbox(world)) == 1


@pytest.mark.parametrize("changes", [{"is_automatic": True}, {"is_imported": True}, {"requester_id": None}])
def test_machines_imports_and_nobody_get_no_confirmation(world, changes):
    add_mailbox(world)
    confirm(world, add_ticket(world.database, **changes))
    assert outbox(world) == []


def test_confirmations_can_be_switched_off(world):
    add_mailbox(world)
    confirm(world, add_ticket(world.database), SiteSettings(site_live=True, mail_confirm=False))
    assert outbox(world) == []


def test_in_watch_mode_the_mail_is_written_but_held_back_with_the_reason(world):
    add_mailbox(world)
    confirm(world, add_ticket(world.database), SiteSettings())
    (mail,) = outbox(world)
    assert mail.state == "cancelled" and mail.last_error.startswith("Watch mode") and "mail_out" not in world.woken


def test_a_dead_address_our_own_address_and_no_server_hold_a_mail_back(world):
    ticket_id = add_ticket(world.database)
    confirm(world, ticket_id)
    assert "No mailbox" in outbox(world)[0].last_error
    add_mailbox(world, address="dana@customer.example")
    resolve(world, ticket_id, 1)
    assert "our own mailbox" in outbox(world)[1].last_error
    with world.database.unit_of_work() as uow:
        suspend(uow, "dana@customer.example", reason="5.1.1", now=NOW)
    resolve(world, ticket_id, 2)
    assert "came back" in outbox(world)[2].last_error


def resolve(world, ticket_id, minute):
    with world.database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, ticket_id)
        ticket.resolved_at, ticket.resolution = NOW + timedelta(minutes=minute), "Replaced the fuse."
        add_resolved(world, uow, ticket, settings=LIVE)


def test_resolving_tells_the_note_once_each_time(world):
    add_mailbox(world)
    ticket_id = add_ticket(world.database)
    for minute in (1, 1, 2):
        resolve(world, ticket_id, minute)
    assert [mail.event for mail in outbox(world)] == ["resolved", "resolved"]
    assert "Replaced the fuse." in outbox(world)[0].text and "Replaced the fuse." in outbox(world)[0].html


def test_a_technicians_answer_is_no_automatic_mail_and_goes_out_once(world):
    add_mailbox(world)
    ticket_id = add_ticket(world.database)
    with world.database.unit_of_work() as uow:
        message = Message(ticket_id=ticket_id, kind="answer", is_public=True, author="Bob", body="On my way.", at=NOW)
        uow.session.add(message)
        uow.session.flush()
        ticket = uow.session.get_one(Ticket, ticket_id)
        first = add_answer(world, uow, ticket, message, settings=LIVE, cc=["carol@shop.example"])
        assert add_answer(world, uow, ticket, message, settings=LIVE) is None
    assert (
        first and not first.is_automatic and first.cc == ["carol@shop.example"] and first.message_row_id == message.id
    )
    assert first.text.startswith("On my way.\n\nBob\nShop Help Desk\n")


def test_the_mail_answers_the_requesters_last_mail(world):
    mailbox_id = add_mailbox(world)
    ticket_id = add_ticket(world.database)
    with world.database.unit_of_work() as uow:
        for number, verdict in enumerate(("ticket", "automatic", "reply"), 1):
            uow.session.add(
                MailLedger(
                    mailbox_id=mailbox_id,
                    folder="INBOX",
                    provider_id=str(number),
                    message_id=f"<{number}@c>",
                    received_at=NOW,
                    listed_at=NOW,
                    state="done",
                    verdict=verdict,
                    ticket_id=ticket_id,
                )
            )
    confirm(world, ticket_id)
    (mail,) = outbox(world)
    assert mail.in_reply_to == "<3@c>" and mail.references == ["<1@c>", "<3@c>"]


def test_a_ticket_is_answered_from_the_mailbox_it_came_in_by(world):
    add_mailbox(world)
    silent = add_mailbox(world, name="Silent", address="silent@shop.example", smtp=Server("", 0, ""))
    second = add_mailbox(world, name="Second", address="second@branch.example")
    confirm(world, add_ticket(world.database, mailbox_id=second))
    confirm(world, add_ticket(world.database, mailbox_id=silent))
    assert outbox(world)[0].mailbox_id == second and outbox(world)[0].message_id.endswith("@branch.example>")
    assert outbox(world)[1].mailbox_id != silent


def test_a_mail_is_stopped_when_its_ticket_lost_its_requester(world):
    mailbox_id = add_mailbox(world)
    ticket_id = add_ticket(world.database)
    with world.database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, ticket_id)
        row = add_mail(world, uow, ticket, Draft("answer", "x"), settings=LIVE)
        ticket.requester_id = None
        assert row and mailbox_id and why_stopped(uow.session, row, None) == "The requester is gone."


def test_the_after_hours_question_goes_instead_of_the_confirmation(world):
    add_mailbox(world)
    settings = SiteSettings(site_live=True, mail_confirm=False, form_price="120 per started hour")
    confirm(world, add_ticket(world.database), settings, asks_urgency=True)
    confirm(world, add_ticket(world.database), SiteSettings(site_live=True, mail_after_hours=False), asks_urgency=True)
    question, plain = outbox(world)
    assert question.event == "after_hours" and "URGENT" in question.text and "120 per started hour" in question.text
    assert plain.event == "confirmation" and "URGENT" not in plain.text


def test_an_update_names_the_new_status_in_the_requesters_language(world):
    add_mailbox(world)
    ticket_id = add_ticket(world.database, status="waiting for requester")
    with world.database.unit_of_work() as uow:
        body = "Guten Tag, der Drucker ist kaputt und ich kann nicht drucken"
        uow.session.query(Message).filter_by(ticket_id=ticket_id).one().body = body
        ticket = uow.session.get_one(Ticket, ticket_id)
        assert add_update(world, uow, ticket, settings=LIVE) and add_update(world, uow, ticket, settings=LIVE) is None
        ticket.is_imported = True
        assert add_update(world, uow, ticket, settings=LIVE) is None
    (mail,) = outbox(world)
    assert mail.event == "update" and "wartet auf Ihre Antwort" in mail.text and mail.is_automatic


def copy(world, ticket_id, *addresses):
    with world.database.unit_of_work() as uow:
        uow.session.add_all(TicketCopy(ticket_id=ticket_id, address=one, at=NOW) for one in addresses)


def answer(world, ticket_id, settings=LIVE):
    with world.database.unit_of_work() as uow:
        message = Message(ticket_id=ticket_id, kind="answer", is_public=True, author="Bob", body="Done.", at=NOW)
        uow.session.add(message)
        uow.session.flush()
        return add_answer(world, uow, uow.session.get_one(Ticket, ticket_id), message, settings=settings).cc


def test_whom_the_requester_copied_gets_answers_and_the_solution_but_no_confirmation(world):
    add_mailbox(world)
    ticket_id = add_ticket(world.database)
    copy(world, ticket_id, "boss@customer.example", "dana@customer.example", "help@shop.example")
    assert answer(world, ticket_id) == ["boss@customer.example"]
    assert answer(world, ticket_id, SiteSettings(site_live=True, mail_copies=False)) == []
    confirm(world, ticket_id)
    resolve(world, ticket_id, 1)
    assert [mail.cc for mail in outbox(world)[2:]] == [[], ["boss@customer.example"]]


def test_a_copy_whose_address_died_meanwhile_is_dropped_and_the_mail_goes(world):
    add_mailbox(world)
    ticket_id = add_ticket(world.database)
    copy(world, ticket_id, "boss@customer.example", "eve@customer.example")
    answer(world, ticket_id)
    with world.database.unit_of_work() as uow:
        uow.session.add(SettingRow(key="site.live", value="true"))
        suspend(uow, "boss@customer.example", reason="5.1.1", now=NOW)
        row = uow.session.get_one(OutgoingMail, outbox(world)[0].id)
        assert why_stopped(uow.session, row, uow.session.get(MailboxRow, row.mailbox_id)) == ""
    assert outbox(world)[0].cc == ["eve@customer.example"]


def test_our_mails_about_a_request_that_came_by_form_hang_together(world):
    add_mailbox(world)
    ticket_id = add_ticket(world.database, source="form")
    confirm(world, ticket_id)
    answer(world, ticket_id)
    first, second = outbox(world)
    assert first.in_reply_to == "" and second.in_reply_to == first.message_id


def test_a_notice_to_the_team_is_a_thread_of_its_own_and_ends_with_the_member(world):
    add_mailbox(world)
    ticket_id = add_ticket(world.database)
    confirm(world, ticket_id)
    with world.database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, ticket_id)
        uow.session.add(SettingRow(key="site.live", value="true"))
        for key in ("one", "two"):
            draft = Draft("team_notice", key, {"words": "Hi"}, language="en", to="alice@a.example", link="https://x/1")
            row = add_mail(world, uow, ticket, draft, settings=LIVE)
        mailbox = uow.session.get(MailboxRow, row.mailbox_id)
        assert why_stopped(uow.session, row, mailbox) == ""
        uow.session.query(User).filter_by(email="alice@a.example").one().is_active = False
        assert why_stopped(uow.session, row, mailbox) == "alice@a.example does not work here any more."
    _, one, two = outbox(world)
    assert one.to == ["alice@a.example"] and one.references == [] and two.references == [one.message_id]
    assert "https://x/1" in two.text


def test_the_circuit_breaker_stops_automatic_mail_and_never_an_answer(world):
    add_mailbox(world)
    for _ in range(5):
        ticket_id = add_ticket(world.database)  # the same words each time
        confirm(world, ticket_id)
    states = [(mail.state, mail.last_error[:15]) for mail in outbox(world) if mail.event == "confirmation"]
    assert states == [("pending", "")] * 3 + [("cancelled", "Circuit breaker")] * 2
    with world.database.read_session() as session:  # their tickets say so
        events = session.scalars(select(TicketEvent).where(TicketEvent.kind == "held_back")).all()
    assert [one.ticket_id for one in events] == [ticket_id - 1, ticket_id] and "same words" in events[0].data["reason"]
    answer(world, ticket_id)
    resolve(world, ticket_id, 1)
    assert [mail.state for mail in outbox(world)[-2:]] == ["pending", "pending"]
