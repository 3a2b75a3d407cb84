from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.core.errors import GatewayError
from portal.models import Attachment, MailboxRow, Message, OutgoingMail, SessionBlobStore, SettingRow, Ticket
from portal.services.mail_out import add_answer, add_confirmation
from portal.services.mail_outbox import count_due_outgoing, send_next
from portal.services.mailboxes import delete_mailbox
from portal.services.settings import load_settings
from tests.services.mail_world import NOW, add_mailbox, make_mail_world
from tests.services.paging_world import add_ticket
from tests.services.runtime_world import by_alice


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    set_live(world, is_live=True)
    return world


@pytest.fixture
def mailbox_id(world):
    return add_mailbox(world)


def set_live(world, *, is_live):
    with world.database.unit_of_work() as uow:
        uow.session.merge(SettingRow(key="site.live", value="true" if is_live else "false"))


def write_mail(world):
    """A confirmation in the outbox; returns its ticket."""
    ticket_id = add_ticket(world.database)
    with world.database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, ticket_id)
        add_confirmation(world, uow, ticket, settings=load_settings(uow.session))
    return ticket_id


def row(world):
    with world.database.read_session() as session:
        return session.scalars(select(OutgoingMail)).one()


def test_a_mail_is_sent_once_from_our_address(world, mailbox_id):
    write_mail(world)
    assert send_next(world) and not send_next(world)
    (sent,) = world.mail.sent
    assert sent.sender == "Help@shop.example" and sent.to == ("dana@customer.example",)
    assert sent.message_id == row(world).message_id and sent.is_automatic
    assert row(world).state == "sent" and row(world).sent_at == NOW


def test_a_refusal_for_now_is_tried_again_with_the_same_id(world, mailbox_id):
    write_mail(world)
    world.mail.fail_next_send(GatewayError("451 later", retry_after=100))
    assert send_next(world)
    assert row(world).state == "pending" and row(world).last_error == "451 later"
    assert row(world).due_at == NOW + timedelta(seconds=100) and not send_next(world)
    world.clock.move(100)
    assert send_next(world) and row(world).state == "sent" and row(world).tries == 2
    assert len(set(world.mail.tried)) == 1


def test_an_answer_that_got_lost_sends_again_under_the_same_id(world, mailbox_id):
    write_mail(world)
    world.mail.fail_next_send(GatewayError("not confirmed", maybe_done=True))
    send_next(world)
    world.clock.move(30)
    send_next(world)
    assert len(world.mail.sent) == 2 and len({one.message_id for one in world.mail.sent}) == 1


def test_a_permanent_refusal_ends_it_and_says_why(world, mailbox_id):
    write_mail(world)
    world.mail.fail_next_send(GatewayError("550 no such user", permanent=True, code="550"))
    send_next(world)
    assert row(world).state == "failed" and row(world).last_error == "550 no such user" and not send_next(world)


def test_trouble_with_the_account_keeps_every_mail(world, mailbox_id):
    write_mail(world)
    world.mail.fail_next_send(GatewayError("login refused", permanent=True, code="login"))
    send_next(world)
    assert row(world).state == "pending" and row(world).tries == 0
    world.clock.move(300)
    assert send_next(world) and row(world).state == "sent"


def test_it_is_given_up_after_nine_tries(world, mailbox_id):
    write_mail(world)
    for _ in range(9):
        world.mail.fail_next_send(GatewayError("421 busy"))
        assert send_next(world)
        world.clock.move(86400)
    assert row(world).state == "failed" and not send_next(world)


def test_a_mail_left_in_sending_by_a_crash_goes_out_after_the_lease(world, mailbox_id):
    write_mail(world)
    with world.database.unit_of_work() as uow:
        mail = uow.session.scalars(select(OutgoingMail)).one()
        mail.state, mail.lease_owner, mail.lease_until = "sending", "dead", NOW + timedelta(seconds=60)
    assert not send_next(world)
    world.clock.move(61)
    world.clock.is_settled = False
    assert not send_next(world)
    world.clock.is_settled = True
    assert send_next(world) and row(world).state == "sent"


def test_watch_mode_switched_on_holds_back_what_waits(world, mailbox_id):
    write_mail(world)
    set_live(world, is_live=False)
    assert not send_next(world)
    assert row(world).state == "cancelled" and world.mail.sent == []


def test_a_removed_mailbox_or_a_foreign_key_sends_nothing(world, mailbox_id):
    write_mail(world)
    with world.database.unit_of_work() as uow:
        mail = uow.session.scalars(select(OutgoingMail)).one()
        mailbox = _mailbox(uow, mailbox_id)
        kept, mailbox.secrets = mailbox.secrets, {"imap": "foreign", "smtp": "foreign"}
    assert not send_next(world) and row(world).state == "pending" and "key file" in row(world).last_error
    with world.database.unit_of_work() as uow:
        _mailbox(uow, mailbox_id).secrets = kept
        delete_mailbox(uow, mailbox_id, change=by_alice(world))
        uow.session.get_one(OutgoingMail, mail.id).mailbox_id = None
    world.clock.move(300)
    assert not send_next(world) and row(world).state == "cancelled" and "No mailbox" in row(world).last_error


def _mailbox(uow, mailbox_id):
    return uow.session.get_one(MailboxRow, mailbox_id)


def test_files_go_with_a_technicians_answer(world, mailbox_id):
    ticket_id = add_ticket(world.database)
    with world.database.unit_of_work() as uow:
        message = Message(ticket_id=ticket_id, kind="answer", is_public=True, author="Bob", body="See plan.", at=NOW)
        uow.session.add(message)
        uow.session.flush()
        sha256 = SessionBlobStore(uow.session).put(b"%PDF")
        uow.session.add(
            Attachment(
                message_id=message.id, filename="plan.pdf", content_type="application/pdf", size=4, sha256=sha256
            )
        )
        uow.session.flush()
        add_answer(world, uow, uow.session.get_one(Ticket, ticket_id), message, settings=load_settings(uow.session))
    send_next(world)
    (sent,) = world.mail.sent
    assert [(one.filename, one.data) for one in sent.attachments] == [("plan.pdf", b"%PDF")] and not sent.is_automatic


def test_due_mails_are_counted(world, mailbox_id):
    write_mail(world)
    with world.database.read_session() as session:
        assert count_due_outgoing(session, now=NOW, lease_now=NOW) == 1
        assert count_due_outgoing(session, now=NOW - timedelta(seconds=1), lease_now=NOW) == 0


def lose_the_answer(world):
    """The server takes the mail, and the worker dies before it is told."""
    world.mail.fail_next_send(GatewayError("not confirmed", maybe_done=True))
    send_next(world)
    with world.database.unit_of_work() as uow:
        mail = uow.session.scalars(select(OutgoingMail)).one()
        mail.state, mail.lease_owner, mail.lease_until = "sending", "dead", world.clock.lease_now()
    world.clock.move(1)


def test_a_mail_left_in_sending_is_looked_up_before_it_goes_again(world, mailbox_id):
    write_mail(world)
    world.mail.knows_sent = True
    lose_the_answer(world)
    assert send_next(world)
    assert row(world).state == "sent" and len(world.mail.sent) == 1 and world.mail.asked == [row(world).message_id]


def test_a_server_that_does_not_have_it_or_cannot_say_gets_it_again_under_the_same_id(world, mailbox_id):
    write_mail(world)
    lose_the_answer(world)
    assert send_next(world) and len(world.mail.sent) == 2
    assert len({mail.message_id for mail in world.mail.sent}) == 1
    world.mail.sent.clear()
    world.mail.knows_sent = True
    with world.database.unit_of_work() as uow:
        uow.session.scalars(select(OutgoingMail)).one().state = "sending"
        uow.session.scalars(select(OutgoingMail)).one().lease_until = world.clock.lease_now()
    world.clock.move(1)
    assert send_next(world) and len(world.mail.sent) == 1


def test_the_first_try_asks_nobody(world, mailbox_id):
    write_mail(world)
    send_next(world)
    assert world.mail.asked == []


def add_copied_mail(world):
    ticket_id = write_mail(world)
    with world.database.unit_of_work() as uow:
        uow.session.scalars(select(OutgoingMail)).one().cc = ["boss@customer.example"]
    return ticket_id


def test_one_bad_copy_never_stops_the_mail_to_the_requester(world, mailbox_id):
    add_copied_mail(world)
    world.mail.fail_next_send(GatewayError("400 invalid recipients", permanent=True, code="400"))
    assert send_next(world) and row(world).state == "pending"
    assert send_next(world) and row(world).state == "sent"
    assert world.mail.sent[0].cc == () and world.mail.sent[0].to == ("dana@customer.example",)
    assert row(world).last_error == "Sent without copies to boss@customer.example: 400 invalid recipients"


@pytest.mark.parametrize("code", ["size", "right", "id"])
def test_a_mail_whose_files_are_the_trouble_keeps_its_copies(world, mailbox_id, code):
    add_copied_mail(world)
    world.mail.fail_next_send(GatewayError("make the files smaller", permanent=True, code=code))
    assert send_next(world) and not send_next(world)
    assert (row(world).state, row(world).cc) == ("failed", ["boss@customer.example"])
    assert row(world).last_error == "make the files smaller"


def test_without_copies_a_permanent_refusal_is_final(world, mailbox_id):
    add_copied_mail(world)
    for _ in range(2):
        world.mail.fail_next_send(GatewayError("550 no", permanent=True))
        send_next(world)
    assert row(world).state == "failed" and not send_next(world)
