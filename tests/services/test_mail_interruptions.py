"""Mail in and out when processes are ended, clocks go back, originals are damaged: what a hostile hand can do."""

import os
from datetime import timedelta

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from portal.core.errors import GatewayError
from portal.core.ports import FetchedMail
from portal.core.work import CHORES
from portal.models import BlobChunk, Job, MailboxRow, MailFolder, MailLedger, OutgoingMail, SettingRow, Ticket
from portal.services import mail_claims, mail_intake, mail_reader
from portal.services.jobs import claim_job, count_due_jobs, finish_job, sync_jobs
from portal.services.mail_claims import claim_mailbox, keeping_mailbox
from portal.services.mail_fetch import fetch_next
from portal.services.mail_intake import count_due_mails, take_next
from portal.services.mail_out import add_confirmation
from portal.services.mail_outbox import send_next
from portal.services.mail_store import BATCH_MAILS, store_mails
from portal.services.settings import load_settings
from tests.mails import mail_bytes
from tests.services.mail_world import NOW, add_mailbox, load, make_mail_world
from tests.services.paging_world import add_ticket

LARGE = mail_bytes("x" * 1_100_000)
YEAR = 366 * 86400


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    world.mailbox_id = add_mailbox(world)
    return world


@pytest.fixture
def server(world):
    return world.mail.mailboxes["imap.shop.example"]


def store(world, *raws):
    with world.database.unit_of_work() as uow:
        mailbox = uow.session.get_one(MailboxRow, world.mailbox_id)
        mails = [FetchedMail(f"7:{n}", "INBOX", NOW, len(raw), raw) for n, raw in enumerate(raws, start=1)]
        store_mails(uow, mailbox, mails, now=world.clock.now())


def every(world, model):
    with world.database.read_session() as session:
        return list(session.scalars(select(model).order_by(*model.__table__.primary_key)))


def write_mail(world):
    ticket_id = add_ticket(world.database)
    with world.database.unit_of_work() as uow:
        uow.session.merge(SettingRow(key="site.live", value="true"))
        ticket = uow.session.get_one(Ticket, ticket_id)
        add_confirmation(world, uow, ticket, settings=load_settings(uow.session))


# Reading a large mail


def end_reader(monkeypatch):
    """Whatever process reads a large mail is killed from outside."""
    monkeypatch.setattr(mail_reader, "_exchange", lambda child, raw, answers: child.kill())


def test_a_mail_whose_reader_somebody_kills_is_read_again_and_becomes_a_ticket(world, monkeypatch):
    store(world, LARGE)
    with monkeypatch.context() as hand:
        end_reader(hand)
        assert take_next(world)
    (row,) = every(world, MailLedger)
    assert (row.state, row.verdict, row.tries) == ("stored", "", 1) and "exit -9" in row.last_error
    world.clock.move(2)
    assert take_next(world) and every(world, MailLedger)[0].verdict == "ticket"


def test_a_mail_that_ends_its_reader_each_time_is_put_aside(world, monkeypatch):
    store(world, LARGE)
    end_reader(monkeypatch)
    for _ in range(5):
        assert take_next(world)
        world.clock.move(600)
    (row,) = every(world, MailLedger)
    assert row.verdict == "quarantined" and "tried 5 times" in row.reason


def test_a_large_mail_is_taken_however_often_the_program_ends_while_it_is_read(world, monkeypatch):
    store(world, LARGE)

    def killed(raw):
        raise KeyboardInterrupt

    with monkeypatch.context() as hand:
        hand.setattr(mail_intake, "read_mail", killed)
        for _ in range(9):
            with pytest.raises(KeyboardInterrupt):
                take_next(world)
    assert take_next(world) and every(world, MailLedger)[0].verdict == "ticket"


def die(raw):
    """What the worker sees of a crash of the interpreter, if it sees anything."""
    raise KeyboardInterrupt


def test_a_small_mail_that_ends_the_program_ends_it_once_and_holds_up_no_other(world, monkeypatch):
    store(world, mail_bytes("bad"), mail_bytes("good", message_id="<2@c>"))
    with monkeypatch.context() as hand:
        hand.setattr(mail_reader, "read_here", die)
        with pytest.raises(KeyboardInterrupt):
            take_next(world)
    end_reader(monkeypatch)
    for _ in range(6):
        while take_next(world):
            continue
        world.clock.move(600)
    assert [row.verdict for row in every(world, MailLedger)] == ["quarantined", "ticket"]


def test_a_small_mail_during_which_somebody_ended_the_program_becomes_a_ticket(world, monkeypatch):
    store(world, mail_bytes("good"))
    with monkeypatch.context() as hand:
        hand.setattr(mail_reader, "read_here", die)
        with pytest.raises(KeyboardInterrupt):
            take_next(world)
    assert take_next(world) and every(world, MailLedger)[0].verdict == "ticket"
    assert list((world.data_dir / "reading").iterdir()) == []


def test_a_mail_that_another_process_is_reading_is_read_as_any_other(world, monkeypatch):
    store(world, mail_bytes())
    (world.data_dir / "reading").mkdir()
    (world.data_dir / "reading" / "1").write_text(str(os.getppid()))
    end_reader(monkeypatch)
    assert take_next(world) and every(world, MailLedger)[0].verdict == "ticket"


def test_a_damaged_original_is_put_aside_and_does_not_hold_up_the_mails_behind_it(world):
    store(world, mail_bytes("first"), mail_bytes("second", message_id="<2@c>"))
    with world.database.unit_of_work() as uow:
        uow.session.execute(delete(BlobChunk).where(BlobChunk.sha256 == every(world, MailLedger)[0].sha256))
    for _ in range(6):
        while take_next(world):
            continue
        world.clock.move(600)
    assert [row.verdict for row in every(world, MailLedger)] == ["quarantined", "ticket"]


# A clock that ran ahead and was put right


def test_a_mailbox_that_was_read_in_a_time_to_come_is_read_again_at_once(world, server):
    world.clock.move(YEAR)
    fetch_next(world)
    world.clock.move(20)
    assert fetch_next(world)
    world.clock.move(-YEAR)
    server.deliver(mail_bytes(), at=world.clock.now())
    assert fetch_next(world) and len(every(world, MailLedger)) == 1
    assert load(world, world.mailbox_id).next_at == world.clock.now() + timedelta(seconds=20) and not fetch_next(world)


def test_the_longest_wait_a_server_may_ask_for_is_kept(world, server):
    server.fail_next(GatewayError("Slow down.", retry_after=3600))
    assert fetch_next(world) and not fetch_next(world)
    world.clock.move(3600)
    assert fetch_next(world)


def test_a_mailbox_whose_reader_died_in_a_time_to_come_is_free(world):
    world.clock.machine += timedelta(days=400)
    assert claim_mailbox(world) is not None
    world.clock.machine -= timedelta(days=400)
    assert claim_mailbox(world) is not None


def test_a_mail_that_was_stored_in_a_time_to_come_gets_its_verdict(world):
    world.clock.move(YEAR)
    store(world, mail_bytes())
    world.clock.move(-YEAR)
    with world.database.read_session() as session:
        assert count_due_mails(session, now=world.clock.now()) == 1
    assert take_next(world) and len(every(world, Ticket)) == 1


def test_a_mail_whose_next_try_was_planned_in_a_time_to_come_is_sent(world):
    write_mail(world)
    world.mail.fail_next_send(GatewayError("451 later"))
    world.clock.move(YEAR)
    assert send_next(world)
    world.clock.move(-YEAR)
    assert send_next(world) and len(world.mail.sent) == 1


def test_a_mail_that_was_being_sent_in_a_time_to_come_is_taken_up(world, monkeypatch):
    write_mail(world)
    world.clock.machine += timedelta(days=400)
    with monkeypatch.context() as hand:
        hand.setattr(world.mail, "send", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            send_next(world)
    world.clock.machine -= timedelta(days=400)
    assert send_next(world) and every(world, OutgoingMail)[0].state == "sent"


def _interrupt(message):
    raise KeyboardInterrupt


def test_jobs_that_were_planned_in_a_time_to_come_run_at_once_and_then_by_their_interval(world):
    sync_jobs(world)
    world.clock.move(YEAR)
    while claimed := claim_job(world, CHORES, owner="w1"):
        finish_job(world, claimed, result="done")
    world.clock.move(-YEAR)
    with world.database.read_session() as session:
        due = count_due_jobs(world, session, CHORES)
    assert due > 2
    ran = 0
    while claimed := claim_job(world, CHORES, owner="w1"):
        finish_job(world, claimed, result="done")
        ran += 1
    assert ran == due and all(
        job.next_at <= world.clock.now() + timedelta(days=1) for job in every(world, Job) if job.interval_s <= 86400
    )


# Reading a folder


def test_mail_that_had_not_been_read_yet_is_read_when_the_server_numbers_anew_however_old_it_is(world, server):
    fetch_next(world)
    with world.database.unit_of_work() as uow:  # "take in the last 30 days"
        uow.session.get_one(MailboxRow, world.mailbox_id).read_from_at = NOW - timedelta(days=30)
        place = uow.session.scalars(select(MailFolder)).one()
        place.cursor, place.caught_up_at, place.read_from_at = "", None, None
        uow.session.get_one(MailboxRow, world.mailbox_id).next_at = NOW
    for number in range(2 * BATCH_MAILS):
        server.deliver(mail_bytes(str(number), message_id=f"<{number}@c>"), at=NOW - timedelta(days=20))
    assert fetch_next(world) and fetch_next(world) and len(every(world, MailLedger)) == BATCH_MAILS
    server.renumber()
    for _ in range(2):  # after a pause: a server that forgets all the time must not be asked without one
        while fetch_next(world):
            continue
        world.clock.move(20)
    assert len(every(world, MailLedger)) == 2 * BATCH_MAILS


def test_a_backlog_of_days_is_read_to_its_end_when_the_server_numbers_anew_in_the_middle(world, server):
    fetch_next(world)
    world.clock.move(20)
    fetch_next(world)
    world.clock.move(10)
    for number in range(2 * BATCH_MAILS):  # then nobody read it for five days
        server.deliver(mail_bytes(str(number), message_id=f"<{number}@c>"), at=world.clock.now())
    world.clock.move(5 * 86400)
    assert fetch_next(world) and len(every(world, MailLedger)) == BATCH_MAILS
    server.renumber()
    for _ in range(2):  # after a pause: a server that forgets all the time must not be asked without one
        while fetch_next(world):
            continue
        world.clock.move(20)
    assert len(every(world, MailLedger)) == 2 * BATCH_MAILS


def test_a_lease_is_renewed_again_after_the_database_failed_once(world, monkeypatch):
    claimed = claim_mailbox(world)
    calls = []
    real = mail_claims.own_mailbox

    def own(uow, mine):
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("UPDATE", {}, Exception("disk I/O error"))
        return real(uow, mine)

    monkeypatch.setattr(mail_claims, "own_mailbox", own)
    before = load(world, world.mailbox_id).lease_until
    world.clock.machine += timedelta(seconds=30)
    with keeping_mailbox(world, claimed, seconds=0.01):
        while load(world, world.mailbox_id).lease_until == before:
            assert len(calls) < 500


# Sending


def test_a_bug_in_a_sender_is_tried_again_shown_and_logged(world, monkeypatch):
    write_mail(world)
    with monkeypatch.context() as hand, capture_logs() as logs:
        hand.setattr(world.mail, "send", lambda message: {}["secret"])
        assert send_next(world)
    (row,) = every(world, OutgoingMail)
    assert (row.state, row.tries) == ("pending", 1) and "KeyError" in row.last_error
    assert [entry["event"] for entry in logs if entry.get("exc_info")] == ["a mail could not be sent"]
    world.clock.move(30)
    assert send_next(world) and every(world, OutgoingMail)[0].state == "sent"
