from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from portal.core.errors import GatewayError
from portal.models import MailboxRow, MailLedger
from portal.services import mail_store
from portal.services.alarms import open_alarms
from portal.services.mail_claims import claim_mailbox
from portal.services.mail_fetch import fetch_next, read_next
from portal.services.mail_reconcile import (
    MailboxCheck,
    ask_reconcile,
    check_mailbox,
    check_mailboxes,
    reconcile_claimed,
)
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


def banners(world):
    with world.database.read_session() as session:
        return [alarm.text for alarm in open_alarms(session)]


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
    monkeypatch.setattr(mail_store, "MAX_MAIL_BYTES", 10)
    forget(world, "7:2")
    check_mailboxes(world, days=2)
    assert rows(world)[-1].is_cut


def test_a_mailbox_that_cannot_be_reached_is_named_and_the_others_are_checked(world):
    add_mailbox(world, name="Zweite", imap=Server("imap.other.example", 993, "tls", "other", "secret"))
    world.server.fail_next(GatewayError("The server is away."))
    first, second = check_mailboxes(world, days=2)
    assert (first.error, second.error) == ("The server is away.", "not read yet")


def test_a_folder_numbered_anew_is_left_to_its_reading_and_nothing_comes_twice(world):
    """Numbers of a new order lie ahead of everything known, and were there when reading came to the end."""
    world.clock.move(1200)
    while fetch_next(world):
        continue
    world.server.renumber()
    assert check_mailbox(world, load(world, world.mailbox_id), days=2).missing == 0
    world.clock.move(60)
    while fetch_next(world):
        continue
    assert len(rows(world)) == 3 and {row.provider_id.partition(":")[0] for row in rows(world)} == {"8"}


def test_a_message_that_is_gone_meanwhile_is_no_error(world, monkeypatch):
    forget(world, "7:2")
    lists = [world.server.list_ids, lambda folder, since: []]
    monkeypatch.setattr(world.server, "list_ids", lambda folder, since: lists.pop(0)(folder, since))
    monkeypatch.setattr(world.server, "fetch_one", lambda folder, provider_id, max_size: None)
    (check,) = check_mailboxes(world, days=2)
    assert (check.error, check.missing, check.stuck) == ("", 0, 0) and len(rows(world)) == 2


def test_a_message_that_is_listed_but_not_handed_over_is_named(world, monkeypatch):
    forget(world, "7:2")
    monkeypatch.setattr(world.server, "fetch_one", lambda folder, provider_id, max_size: None)
    assert check_mailboxes(world, days=2)[0].stuck == 1
    assert "1 cannot be fetched" in load(world, world.mailbox_id).reconcile_result
    assert banners(world) == ["1 message lies in the mailbox Help and cannot be fetched. Please look there."]
    monkeypatch.undo()
    assert check_mailboxes(world, days=2)[0].missing == 1 and banners(world) == []


def test_the_lane_of_a_mailbox_compares_it_when_somebody_asks(world):
    forget(world, "7:1")
    with world.database.unit_of_work() as uow:
        assert ask_reconcile(uow, now=world.clock.now(), mailbox_id=world.mailbox_id) == 1
        assert ask_reconcile(uow, now=world.clock.now(), mailbox_id=99) == 0
    read = read_next(world)
    assert (read.task, read.new, read.error) == ("reconcile", 1, "")
    row = load(world, world.mailbox_id)
    assert row.reconcile_asked_at is None and row.lease_until is None and row.reconciled_at == world.clock.now()
    assert row.reconcile_result == "3 messages compared, 1 had been missed and came in now."
    assert read_next(world) is None


def test_a_mailbox_that_cannot_be_compared_says_so_and_is_still_read(world):
    with world.database.unit_of_work() as uow:
        ask_reconcile(uow, now=world.clock.now())
    world.server.fail_next(GatewayError("The server is away."))
    read_next(world)
    row = load(world, world.mailbox_id)
    assert row.reconcile_result == "Could not be compared: The server is away." and row.last_error == ""
    assert row.reconcile_asked_at is None and row.reconciled_at is None


def test_a_comparison_whose_lease_was_lost_keeps_what_it_found_but_says_nothing(world):
    forget(world, "7:1")
    with world.database.unit_of_work() as uow:
        ask_reconcile(uow, now=world.clock.now())
    claimed = claim_mailbox(world)
    with world.database.unit_of_work() as uow:
        uow.session.get_one(MailboxRow, claimed.id).lease_owner = "somebody else"
    assert reconcile_claimed(world, claimed, world.server).missing == 1
    assert len(rows(world)) == 3 and load(world, claimed.id).reconcile_result == ""


def test_mail_waits_for_no_comparison(world):
    with world.database.unit_of_work() as uow:
        ask_reconcile(uow, now=world.clock.now())
    world.clock.move(20)
    assert [read_next(world).task, read_next(world).task] == ["read", "reconcile"]


def test_what_the_first_connection_looked_back_for_is_compared_too_and_stays_quiet(tmp_path):
    world = make_mail_world(tmp_path)
    server = world.mail.add("imap.shop.example")
    server.deliver(mail_bytes("old"), at=NOW - timedelta(days=1))
    mailbox_id = add_mailbox(world, read_from_at=NOW - timedelta(days=7))
    while fetch_next(world):
        continue
    forget(world, "7:1")
    assert check_mailbox(world, load(world, mailbox_id), days=30).missing == 1
    assert [(row.is_quiet, row.is_found_late) for row in rows(world)] == [(True, True)]


def test_every_folder_is_compared_and_mail_sent_by_hand_stays_ours(tmp_path):
    world = make_mail_world(tmp_path)
    server = world.mail.add("imap.shop.example")
    server.deliver(mail_bytes("before we came"), at=NOW - timedelta(hours=1))
    mailbox_id = add_mailbox(world, sent_folder="Sent", read_from_at=NOW - timedelta(days=1))
    while fetch_next(world):
        continue
    world.clock.move(20)
    server.deliver(mail_bytes("by hand"), at=world.clock.now())
    while fetch_next(world):
        continue
    forget(world, "7:2")
    check = check_mailbox(world, load(world, mailbox_id), days=2)
    assert (check.listed, check.missing) == (3, 2)
    assert [(row.folder, row.is_sent) for row in rows(world) if row.is_found_late] == [("INBOX", False), ("Sent", True)]


def test_a_renumbered_message_is_not_missed(world):
    world.server.renumber()
    world.clock.move(20)
    while fetch_next(world):
        continue
    forget(world, "8:3")
    check = check_mailbox(world, load(world, world.mailbox_id), days=2)
    assert check.missing == 1 and len(rows(world)) == 3


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (MailboxCheck("A", 1), "1 message compared, none was missed."),
        (MailboxCheck("A", 1200, 3, 1), "1,200 messages compared, 3 had been missed and came in now; "
         "1 cannot be fetched from the server."),
        (MailboxCheck("A", error="away"), "Could not be compared: away"),
    ],
)  # fmt: skip
def test_the_result_reads_as_a_sentence(check, words):
    assert check.words == words
