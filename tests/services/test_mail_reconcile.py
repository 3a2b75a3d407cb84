from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from portal.core.errors import GatewayError
from portal.models import MailLedger
from portal.services import mail_reconcile
from portal.services.mail_fetch import fetch_next
from portal.services.mail_reconcile import check_mailbox, check_mailboxes
from portal.services.mailboxes import Server
from tests.mails import mail_bytes
from tests.services.mail_world import NOW, add_mailbox, load, make_mail_world


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    world.mailbox_id = add_mailbox(world)
    world.server = world.mail.add("imap.shop.example")
    fetch_next(world)
    world.clock.move(60)
    for minutes in (1, 2, 3):
        world.server.deliver(mail_bytes(str(minutes)), at=NOW + timedelta(minutes=minutes))
    world.clock.move(600)
    while fetch_next(world):
        continue
    return world


def rows(world):
    with world.database.read_session() as session:
        return list(session.scalars(select(MailLedger).order_by(MailLedger.id)))


def forget(world, *ids):
    with world.database.unit_of_work() as uow:
        uow.session.execute(delete(MailLedger).where(MailLedger.provider_id.in_(ids)))


def test_nothing_is_missed_in_a_mailbox_that_was_read(world):
    (check,) = check_mailboxes(world, days=2)
    assert (check.name, check.listed, check.missing, check.error) == ("Help", 3, 0, "")


def test_what_has_no_row_is_taken_in_oldest_first_and_marked_found_late(world):
    forget(world, "7:1", "7:3")
    check = check_mailbox(world, load(world, world.mailbox_id), days=2)
    assert check.missing == 2
    assert [(row.provider_id, row.is_found_late) for row in rows(world)] == [
        ("7:2", False),
        ("7:1", True),
        ("7:3", True),
    ]
    assert world.woken[-1] == "mail_intake" and check_mailboxes(world, days=2)[0].missing == 0


def test_what_lies_ahead_or_before_the_mailbox_was_set_up_is_not_missed(world):
    world.server.deliver(mail_bytes("ahead"), at=NOW + timedelta(minutes=9))
    world.server.deliver(mail_bytes("old"), at=NOW - timedelta(days=1))
    assert check_mailbox(world, load(world, world.mailbox_id), days=9).missing == 0


def test_a_mail_over_the_size_is_taken_in_by_its_header(world, monkeypatch):
    monkeypatch.setattr(mail_reconcile, "MAX_MAIL_BYTES", 10)
    forget(world, "7:2")
    check_mailboxes(world, days=2)
    assert rows(world)[-1].is_cut


def test_a_mailbox_that_cannot_be_reached_is_named_and_the_others_are_checked(world):
    add_mailbox(world, name="Zweite", imap=Server("imap.other.example", 993, "tls", "other", "secret"))
    world.server.fail_next(GatewayError("The server is away."))
    first, second = check_mailboxes(world, days=2)
    assert (first.error, second.error) == ("The server is away.", "not read yet")


def test_a_message_that_is_gone_meanwhile_is_no_error(world, monkeypatch):
    forget(world, "7:2")
    monkeypatch.setattr(world.server, "fetch_one", lambda folder, provider_id: None)
    assert check_mailboxes(world, days=2)[0].error == "" and len(rows(world)) == 2
