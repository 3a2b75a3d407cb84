"""A mail's whole way over real servers: Dovecot, our services, an SMTP server, and back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.integrations.mail_transport import MailServers
from portal.models import MailboxRow, MailLedger, Message, OutgoingMail, SettingRow, Ticket
from portal.services.mail_fetch import fetch_next
from portal.services.mail_intake import take_next
from portal.services.mail_out import add_confirmation
from portal.services.mail_outbox import send_next
from portal.services.mailboxes import Server, ask_check
from portal.services.settings import load_settings
from tests.dovecot import Dovecot, running_dovecot
from tests.mails import mail_bytes
from tests.services.mail_world import add_mailbox, make_mail_world
from tests.services.runtime_world import by_alice
from tests.smtp_sink import SmtpSink, running_smtp_sink

NIGHT = datetime(2025, 12, 25, 2, 10, tzinfo=UTC)  # past: Dovecot takes no date that has not come yet


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        server.create_user("help", "secret")
        yield server


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with running_smtp_sink() as server:
        yield server


@pytest.fixture
def world(tmp_path, dovecot, sink):
    world = make_mail_world(tmp_path)
    world.clock.product = NIGHT - timedelta(seconds=10)
    transport = MailServers()
    imap = Server("127.0.0.1", dovecot.port, "plain", "help", "secret")
    add_mailbox(world, imap=imap, smtp=Server("127.0.0.1", sink.port, "plain"))
    world.mail = transport
    with world.database.unit_of_work() as uow:
        uow.session.add(SettingRow(key="site.live", value="true"))
    fetch_next(world)
    fetch_next(world)
    yield world
    transport.close()


def every(world, model):
    with world.database.read_session() as session:
        return list(session.scalars(select(model).order_by(model.id)))


def poll(world):
    world.clock.move(20)
    while fetch_next(world):
        continue
    while take_next(world):
        continue


def test_a_night_mail_is_answered_and_the_answer_to_that_joins(world, dovecot, sink):
    dovecot.append("help", "secret", mail_bytes(), at=NIGHT)
    poll(world)
    (ticket,) = every(world, Ticket)
    assert ticket.received_at == NIGHT and every(world, MailLedger)[0].verdict == "ticket"
    with world.database.unit_of_work() as uow:
        fresh = uow.session.get_one(Ticket, ticket.id)
        add_confirmation(world, uow, fresh, settings=load_settings(uow.session))
    assert send_next(world) and every(world, OutgoingMail)[0].state == "sent"
    (confirmation,) = sink.to("dana@customer.example")
    assert confirmation.message["In-Reply-To"] == "<one@customer.example>"
    assert confirmation.message["Subject"] == f"[#{ticket.id}] Printer on fire"

    reply = mail_bytes("It burns.", message_id="<2@c>", extra={"In-Reply-To": str(confirmation.message["Message-ID"])})
    dovecot.append("help", "secret", reply, at=NIGHT)
    dovecot.append("help", "secret", confirmation.data, at=NIGHT)  # our own mail comes back to us
    poll(world)
    assert [row.verdict for row in every(world, MailLedger)] == ["ticket", "reply", "ignored"]
    assert [message.kind for message in every(world, Message)] == ["request", "reply"] and len(
        every(world, Ticket)
    ) == 1


def test_the_test_button_speaks_to_both_real_servers(world, dovecot, sink):
    with world.database.unit_of_work() as uow:
        mailbox_id = uow.session.scalars(select(MailboxRow.id)).one()
        ask_check(uow, mailbox_id, change=by_alice(world))
    fetch_next(world)
    (mailbox,) = every(world, MailboxRow)
    assert mailbox.check_ok and "Reading works" in mailbox.check_result and "Sending works" in mailbox.check_result
