import pytest
from sqlalchemy import select

from portal.core.mail import parse_mail
from portal.models import MailSuspension, Message, OutgoingMail, Ticket, TicketEvent
from portal.services.mail_deliveries import confirm_sent, note_bounce
from portal.services.ticket_view import load_conversation
from tests.mails import DELIVERY_REPORT, mail_bytes
from tests.services.mail_desk import NOW, MailDesk

FIRST = "<first@customer.example>"


@pytest.fixture
def desk(tmp_path):
    desk = MailDesk(tmp_path)
    desk.ticket_id = desk.take(message_id=FIRST).ticket_id
    desk.mail = desk.answer(desk.ticket_id)
    return desk


def report(desk, **changes):
    raw = DELIVERY_REPORT.replace(b"<nd.7@shop.example>", desk.mail.message_id.encode())
    for old, new in changes.get("replace", {}).items():
        raw = raw.replace(old.encode(), new.encode())
    return raw


DELAYED = {"Action: failed": "Action: delayed", "5.1.1": "4.4.1", "Undelivered": "Delayed", "<one@": "<two@"}


def test_a_failed_delivery_is_kept_at_the_mail_it_answers_and_shown_there(desk):
    desk.move(desk.ticket_id, "resolved")
    row = desk.take(raw=report(desk))
    assert (row.verdict, row.ticket_id, row.kind) == ("bounce", desk.ticket_id, "bounce")
    mail = desk.last(OutgoingMail)
    assert (mail.delivery, mail.delivery_at) == ("failed", NOW) and "5.1.1" in mail.delivery_text
    with desk.database.read_session() as session:
        shown = [one for one in load_conversation(session, desk.ticket_id).messages if one.kind == "answer"]
    assert shown[0].delivery == "failed" and "550 no such user" in shown[0].delivery_text
    assert desk.ticket(desk.ticket_id).status == "resolved"  # a bounce opens nothing
    (event,) = desk.every(TicketEvent, kind="delivery")
    assert (event.data["address"], event.data["action"]) == ("dana@customer.example", "failed")
    assert addresses(desk) == ["dana@customer.example"]


def addresses(desk):
    with desk.database.read_session() as session:
        return list(session.scalars(select(MailSuspension.address)))


def test_a_delay_is_shown_and_suspends_nobody_and_does_not_hide_a_failure(desk):
    desk.take(raw=report(desk, replace=DELAYED))
    assert desk.last(OutgoingMail).delivery == "delayed" and addresses(desk) == []
    desk.take(raw=report(desk))
    desk.take(raw=report(desk, replace={**DELAYED, "<one@": "<three@"}))
    assert desk.last(OutgoingMail).delivery == "failed"


def test_a_bounce_without_a_report_is_known_by_the_token_in_the_returned_text(desk):
    text = (
        "I'm afraid I wasn't able to deliver your message.\n\n<dana@customer.example>:\nNo mailbox here. (#5.1.1)\n\n"
        f"--- Below this line is a copy of the message.\n\nMessage-ID: {desk.mail.message_id}\n"
    )
    row = desk.take(text, sender="MAILER-DAEMON@mx.example", subject="failure notice", headers={"Return-Path": "<>"})
    assert (row.verdict, row.ticket_id) == ("bounce", desk.ticket_id)
    assert desk.last(OutgoingMail).delivery == "failed" and addresses(desk) == ["dana@customer.example"]


def test_good_news_changes_nothing(desk):
    desk.take(raw=report(desk, replace={"Action: failed": "Action: delivered", "5.1.1": "2.0.0"}))
    assert desk.last(OutgoingMail).delivery == "" and desk.every(TicketEvent, kind="delivery") == []


def test_a_report_about_somebody_we_never_wrote_to_or_a_forged_one_says_nothing(desk):
    with desk.database.unit_of_work() as uow:
        uow.session.get_one(OutgoingMail, desk.mail.id).to = ["dana@customer.example", "eve@customer.example"]
    desk.take(raw=report(desk, replace={"rfc822; dana@": "rfc822; mallory@"}))
    desk.take(raw=DELIVERY_REPORT.replace(b"<nd.7@shop.example>", FIRST.encode()))
    assert desk.last(OutgoingMail).delivery == "" and addresses(desk) == []


def test_a_bounce_to_a_merged_ticket_is_noted_where_it_went(desk):
    other = desk.take("another").ticket_id
    desk.change(Ticket, desk.ticket_id, merged_into_id=other)
    assert desk.take(raw=report(desk)).ticket_id == other
    assert desk.every(OutgoingMail)[0].delivery == "failed" and desk.last(Message).ticket_id == other


def test_a_bounce_of_nothing_that_we_know_is_no_bounce_of_ours(desk):
    with desk.database.unit_of_work() as uow:
        note_bounce(desk.world, uow, uow.session.get_one(Ticket, desk.ticket_id), parse_mail(mail_bytes()))
    assert desk.last(OutgoingMail).delivery == ""


@pytest.mark.parametrize(
    ("state", "confirmed"),
    [("pending", True), ("sending", True), ("failed", True), ("sent", False), ("cancelled", False)],
)
def test_a_mail_found_among_the_sent_went_out(desk, state, confirmed):
    desk.change(OutgoingMail, desk.mail.id, state=state)
    with desk.database.unit_of_work() as uow:
        assert confirm_sent(uow, desk.mail.message_id, at=NOW) is confirmed
        assert not confirm_sent(uow, "<other@x>", at=NOW)
    assert desk.last(OutgoingMail).state == ("sent" if confirmed else state)
