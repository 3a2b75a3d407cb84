import threading
from datetime import timedelta

import pytest

from portal.models import MailboxRow
from portal.services.mail_claims import claim_mailbox, count_due_mailboxes, keeping_mailbox, load_places, own_mailbox
from portal.services.mail_reconcile import ask_reconcile
from tests.services.mail_world import NOW, add_mailbox, load, make_mail_world


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    yield world
    world.database.dispose()


def change(world, mailbox_id, **values):
    with world.database.unit_of_work() as uow:
        row = uow.session.get_one(MailboxRow, mailbox_id)
        for name, value in values.items():
            setattr(row, name, value)


def test_a_mailbox_is_claimed_once_until_its_lease_ends(world):
    mailbox_id = add_mailbox(world)
    claimed = claim_mailbox(world)
    assert (claimed.id, claimed.name, claimed.task) == (mailbox_id, "Help", "read")
    assert claim_mailbox(world) is None
    world.clock.move(61)
    assert claim_mailbox(world).owner != claimed.owner


def test_a_test_comes_before_a_read_and_a_read_before_a_comparison(world):
    mailbox_id = add_mailbox(world)
    with world.database.unit_of_work() as uow:
        ask_reconcile(uow, now=NOW)
    tasks = []
    for asked_at, next_at in ((NOW, NOW), (None, NOW), (None, NOW + timedelta(minutes=1))):
        change(world, mailbox_id, check_asked_at=asked_at, next_at=next_at, lease_until=None)
        tasks.append(claim_mailbox(world).task)
    assert tasks == ["check", "read", "reconcile"]


def test_a_mailbox_that_is_switched_off_is_tested_but_neither_read_nor_compared(world):
    mailbox_id = add_mailbox(world, is_enabled=False)
    change(world, mailbox_id, reconcile_asked_at=NOW)
    assert claim_mailbox(world) is None
    change(world, mailbox_id, check_asked_at=NOW)
    assert claim_mailbox(world).task == "check"


def test_the_lease_of_a_slow_mailbox_is_renewed_while_it_is_read(world):
    mailbox_id = add_mailbox(world)
    claimed = claim_mailbox(world)
    world.clock.move(50)
    renewed = threading.Event()
    world.database.wake = lambda kind: None
    with keeping_mailbox(world, claimed, seconds=0.01):
        while load(world, mailbox_id).lease_until < world.clock.lease_now() + timedelta(seconds=60):
            assert not renewed.wait(0.01)
    world.clock.move(59)
    assert claim_mailbox(world) is None


def test_a_lease_that_was_given_back_is_not_taken_again_by_a_late_renewal(world):
    mailbox_id = add_mailbox(world)
    claimed = claim_mailbox(world)
    change(world, mailbox_id, lease_until=None)
    before = threading.active_count()
    with keeping_mailbox(world, claimed, seconds=0.001):
        while threading.active_count() > before:
            threading.Event().wait(0.001)
    assert load(world, mailbox_id).lease_until is None
    with world.database.unit_of_work() as uow:
        assert own_mailbox(uow, claimed) is None


def test_folders_that_requests_arrive_in_come_first(world):
    mailbox_id = add_mailbox(world, folders=("Zebra", "Ant"), sent_folder="Sent")
    with world.database.read_session() as session:
        places = load_places(session, mailbox_id)
        assert count_due_mailboxes(session, now=NOW, lease_now=NOW) == 1
    assert [(one.name, one.is_sent) for one in places] == [("Zebra", False), ("Ant", False), ("Sent", True)]


def test_another_key_file_puts_a_mailbox_aside_and_answers_who_waits(world):
    mailbox_id = add_mailbox(world)
    change(world, mailbox_id, secrets={"imap": "foreign"}, check_asked_at=NOW, reconcile_asked_at=NOW)
    assert claim_mailbox(world) is None
    row = load(world, mailbox_id)
    assert "key file" in row.last_error and "key file" in row.check_result and row.failing_since_at == NOW
    assert row.check_asked_at is None and row.reconcile_asked_at is None and row.next_at > NOW
