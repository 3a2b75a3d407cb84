from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from portal.core.errors import GatewayError
from portal.core.ports import FetchedMail
from portal.models import MailboxRow, MailFolder, MailLedger, SessionBlobStore
from portal.services import mail_fetch
from portal.services.mail_claims import count_due_mailboxes
from portal.services.mail_fetch import fetch_next, read_next
from portal.services.mail_store import BATCH_MAILS, Arrival, store_mails
from portal.services.mailboxes import MailboxForm, Server, ask_check, save_mailbox
from tests.mails import mail_bytes
from tests.services.mail_world import FORM, NOW, add_mailbox, load, make_mail_world
from tests.services.runtime_world import by_alice


@pytest.fixture
def world(tmp_path):
    return make_mail_world(tmp_path)


@pytest.fixture
def mailbox(world):
    return world.mail.add("imap.shop.example")


def rows(world):
    with world.database.read_session() as session:
        return list(session.scalars(select(MailLedger).order_by(MailLedger.id)))


def read_all(world, times=20):
    count = 0
    while fetch_next(world):
        count += 1
        assert count < times
    return count


def test_an_original_is_stored_before_anything_is_made_of_it(world, mailbox):
    add_mailbox(world)
    read_all(world)
    mailbox.deliver(mail_bytes(), at=NOW + timedelta(seconds=15))
    world.clock.move(20)
    assert fetch_next(world)
    (row,) = rows(world)
    assert (row.state, row.verdict, row.provider_id, row.folder) == ("stored", "", "7:1", "INBOX")
    assert row.received_at == NOW + timedelta(seconds=15) and row.listed_at == world.clock.now()
    with world.database.read_session() as session:
        assert SessionBlobStore(session).get(row.sha256) == mail_bytes()
    assert world.woken[-1] == "mail_intake" and not row.is_quiet


def test_the_first_connection_takes_only_what_comes_from_now_on(world, mailbox):
    mailbox.deliver(mail_bytes(), at=NOW - timedelta(hours=1))
    mailbox_id = add_mailbox(world)
    read_all(world)
    assert rows(world) == [] and cursor(world) == "7:1"
    assert load(world, mailbox_id).read_from_at == NOW


def test_the_first_connection_may_look_back_and_is_quiet_then(world, mailbox):
    for hours in (50, 2, 1):
        mailbox.deliver(mail_bytes(str(hours)), at=NOW - timedelta(hours=hours))
    add_mailbox(world, read_from_at=NOW - timedelta(hours=3))
    read_all(world)
    assert [(row.provider_id, row.is_quiet) for row in rows(world)] == [("7:2", True), ("7:3", True)]
    world.clock.move(60)
    mailbox.deliver(mail_bytes("new"), at=world.clock.now())
    read_all(world)
    assert not rows(world)[-1].is_quiet


def test_a_mailbox_is_read_again_after_its_interval_and_not_before(world, mailbox):
    add_mailbox(world)
    read_all(world)
    assert not fetch_next(world)
    world.clock.move(19)
    assert not fetch_next(world)
    world.clock.move(1)
    assert fetch_next(world) and not fetch_next(world)


def test_many_mails_come_in_batches_without_waiting(world, mailbox):
    add_mailbox(world)
    read_all(world)
    for number in range(BATCH_MAILS * 2 + 5):
        mailbox.deliver(mail_bytes(str(number)), at=NOW)
    world.clock.move(20)
    assert read_all(world) == 3 and len(rows(world)) == BATCH_MAILS * 2 + 5
    assert len({row.provider_id for row in rows(world)}) == BATCH_MAILS * 2 + 5


def test_a_received_time_in_the_future_counts_as_now(world, mailbox):
    add_mailbox(world)
    read_all(world)
    mailbox.deliver(mail_bytes(), at=NOW + timedelta(days=365))
    world.clock.move(20)
    read_all(world)
    assert rows(world)[0].received_at == world.clock.now()


def test_a_mail_over_the_size_is_a_row_with_its_header(world, mailbox, monkeypatch):
    monkeypatch.setattr(mail_fetch, "MAX_MAIL_BYTES", 200)
    add_mailbox(world)
    read_all(world)
    mailbox.deliver(mail_bytes("x" * 5000), at=NOW)
    world.clock.move(20)
    read_all(world)
    (row,) = rows(world)
    assert row.is_cut and row.size > 5000
    with world.database.read_session() as session:
        assert len(SessionBlobStore(session).get(row.sha256)) == 100


def test_reading_the_same_message_twice_makes_one_row(world, mailbox):
    mailbox_id = add_mailbox(world)
    mail = FetchedMail("7:1", "INBOX", NOW, 3, b"abc")
    for expected in (1, 0):
        with world.database.unit_of_work() as uow:
            row = uow.session.get_one(MailboxRow, mailbox_id)
            assert store_mails(uow, row, [mail, mail], now=NOW) == expected
    with world.database.unit_of_work() as uow:
        row = uow.session.get_one(MailboxRow, mailbox_id)
        other = FetchedMail("7:1", "Desk", NOW, 3, b"abc")
        assert store_mails(uow, row, [other], now=NOW, arrival=Arrival(is_quiet=True, is_found_late=True)) == 1
    assert len(rows(world)) == 2 and rows(world)[1].is_quiet and rows(world)[1].is_found_late


def test_a_renumbered_folder_is_read_again_from_where_it_was(world, mailbox):
    add_mailbox(world)
    read_all(world)
    for hours in (100, 1):
        mailbox.deliver(mail_bytes(str(hours)), at=NOW - timedelta(hours=hours))
    mailbox.deliver(mail_bytes("new"), at=NOW + timedelta(seconds=5))
    world.clock.move(20)
    read_all(world)
    mailbox.renumber()
    world.clock.move(20)
    read_all(world)
    assert cursor(world) == "8:3"
    again = [row.provider_id for row in rows(world) if row.provider_id.startswith("8:")]
    assert again == ["8:3"]


def test_an_error_is_shown_on_the_mailbox_and_forgotten_when_it_is_over(world, mailbox):
    mailbox_id = add_mailbox(world)
    read_all(world)
    world.clock.move(20)
    mailbox.fail_next(GatewayError("The mail server broke off."))
    assert fetch_next(world)
    row = load(world, mailbox_id)
    assert row.last_error == "The mail server broke off." and row.tries == 1
    assert row.next_at == world.clock.now() + timedelta(seconds=5) and row.lease_until is None
    world.clock.move(5)
    assert fetch_next(world)
    row = load(world, mailbox_id)
    assert row.last_error == "" and row.tries == 0 and row.last_ok_at == world.clock.now()


def test_a_refused_login_is_tried_rarely_so_that_no_account_is_locked(world, mailbox):
    mailbox_id = add_mailbox(world)
    mailbox.fail_next(GatewayError("The login was refused.", permanent=True, code="login"))
    fetch_next(world)
    assert load(world, mailbox_id).next_at == NOW + timedelta(minutes=5)


def test_a_broken_mailbox_does_not_delay_another(world, mailbox):
    other = world.mail.add("imap.other.example")
    add_mailbox(world)
    add_mailbox(world, name="Other", imap=Server("imap.other.example", 993, "tls", "other", "secret"))
    mailbox.fail_next(GatewayError("down", permanent=True))
    read_all(world)
    other.deliver(mail_bytes(), at=NOW)
    world.clock.move(20)
    read_all(world)
    assert [row.provider_id for row in rows(world)] == ["7:1"]


def test_a_mailbox_somebody_reads_is_not_read_by_another_until_the_lease_ends(world, mailbox):
    mailbox_id = add_mailbox(world)
    with world.database.unit_of_work() as uow:
        row = uow.session.get_one(MailboxRow, mailbox_id)
        row.lease_owner, row.lease_until = "other", world.clock.lease_now() + timedelta(seconds=60)
    assert not fetch_next(world)
    world.clock.move(61)
    world.clock.is_settled = False
    assert not fetch_next(world)
    world.clock.is_settled = True
    assert fetch_next(world)


def test_a_reader_that_lost_its_lease_writes_nothing(world, mailbox, monkeypatch):
    mailbox_id = add_mailbox(world)
    read_all(world)
    mailbox.deliver(mail_bytes(), at=NOW)
    world.clock.move(20)
    original = mailbox.fetch

    def steal_then_fetch(*args, **options):
        with world.database.unit_of_work() as uow:
            uow.session.get_one(MailboxRow, mailbox_id).lease_owner = "somebody else"
        return original(*args, **options)

    monkeypatch.setattr(mailbox, "fetch", steal_then_fetch)
    fetch_next(world)
    assert rows(world) == [] and cursor(world) == "7:0"


def test_a_foreign_key_file_is_shown_on_the_mailbox(world, mailbox):
    mailbox_id = add_mailbox(world)
    with world.database.unit_of_work() as uow:
        uow.session.get_one(MailboxRow, mailbox_id).secrets = {"imap": "foreign"}
    assert not fetch_next(world)
    assert "key file" in load(world, mailbox_id).last_error


@pytest.mark.sqlite
def test_a_full_disk_while_storing_loses_nothing_and_frees_the_mailbox(world, mailbox):
    mailbox_id = add_mailbox(world)
    read_all(world)
    mailbox.deliver(mail_bytes("x" * 3_000_000), at=NOW)
    world.clock.move(20)
    _limit_pages(world, extra=100)
    with pytest.raises(OperationalError, match="full"):
        fetch_next(world)
    row = load(world, mailbox_id)
    assert rows(world) == [] and cursor(world) == "7:0" and row.lease_until is None
    _limit_pages(world, extra=10**6)
    world.clock.move(20)
    assert fetch_next(world) and len(rows(world)) == 1


def _limit_pages(world, *, extra):
    """A full disk for one connection: the pool has a single one in this thread."""
    with world.database.writer.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + extra}")


def test_the_test_button_says_what_works(world, mailbox):
    mailbox_id = add_mailbox(world)
    read_all(world)
    mailbox.deliver(mail_bytes(), at=NOW)
    _press(world, mailbox_id)
    assert fetch_next(world)
    row = load(world, mailbox_id)
    assert row.check_asked_at is None and row.lease_until is None
    assert row.check_result == "Reading works: 1 message in INBOX. Sending works: Logged in at smtp.shop.example."


def test_the_test_button_says_what_does_not(world, mailbox):
    mailbox_id = add_mailbox(world, smtp=Server("", 0, ""))
    _press(world, mailbox_id)
    mailbox.fail_next(GatewayError("The login was refused.", permanent=True))
    fetch_next(world)
    assert load(world, mailbox_id).check_result == "The login was refused."
    _press(world, mailbox_id)
    fetch_next(world)
    assert "sends nothing" in load(world, mailbox_id).check_result


def _press(world, mailbox_id):
    with world.database.unit_of_work() as uow:
        ask_check(uow, mailbox_id, change=by_alice(world))


def test_a_folder_that_disappears_is_shown_and_the_others_go_on_until_it_comes_back(world, mailbox):
    mailbox_id = add_mailbox(world, folders=("INBOX", "Desk"))
    read_all(world)
    mailbox.gone.add("INBOX")
    mailbox.deliver(mail_bytes(), at=NOW)
    world.clock.move(20)
    read = read_next(world)
    assert read.new == 1 and "INBOX cannot be opened" in read.error
    row = load(world, mailbox_id)
    assert [one.folder for one in rows(world)] == ["Desk"] and "INBOX cannot be opened" in row.last_error
    assert row.failing_since_at == world.clock.now() and row.last_ok_at < world.clock.now()
    mailbox.gone.clear()
    world.clock.move(20)
    read_all(world)
    row = load(world, mailbox_id)
    assert sorted(one.folder for one in rows(world)) == ["Desk", "INBOX"]
    assert (row.last_error, row.failing_since_at, row.last_ok_at) == ("", None, world.clock.now())


def test_a_missing_folder_of_sent_mail_is_shown_but_requests_count_as_read(world, mailbox):
    mailbox_id = add_mailbox(world, sent_folder="Sent")
    mailbox.gone.add("Sent")
    read_all(world)
    row = load(world, mailbox_id)
    assert "Sent cannot be opened" in row.last_error and row.failing_since_at is None and row.last_ok_at == NOW


def test_mail_sent_by_hand_is_marked_as_such_and_never_taken_from_before(world, mailbox):
    mailbox.deliver(mail_bytes("old"), at=NOW - timedelta(hours=1))
    add_mailbox(world, sent_folder="Sent", read_from_at=NOW - timedelta(days=1))
    read_all(world)
    assert [(one.folder, one.is_sent) for one in rows(world)] == [("INBOX", False)]
    mailbox.deliver(mail_bytes("new"), at=NOW)
    world.clock.move(20)
    read_all(world)
    assert [(one.folder, one.is_sent) for one in rows(world)][1:] == [("INBOX", False), ("Sent", True)]


def test_a_folder_that_joins_later_is_not_looked_back_into(world, mailbox):
    mailbox_id = add_mailbox(world, read_from_at=NOW - timedelta(days=30))
    read_all(world)
    mailbox.deliver(mail_bytes("a year of mail"), at=NOW)
    with world.database.unit_of_work() as uow:
        form = MailboxForm(**{**vars(FORM), "folders": ("INBOX", "Desk")})
        save_mailbox(uow, form, box=world.box, change=by_alice(world), mailbox_id=mailbox_id)
    world.clock.move(20)
    read_all(world)
    assert [one.folder for one in rows(world)] == ["INBOX"]


def test_a_renumbered_message_keeps_its_row_also_when_it_names_neither_itself_nor_a_date(world, mailbox):
    add_mailbox(world)
    read_all(world)
    for _ in range(2):  # twice the same bytes in the same second: two events, and two they stay
        mailbox.deliver(b"From: monitor@shop.example\r\nSubject: disk full\r\n\r\nC:\r\n", at=NOW)
    world.clock.move(20)
    read_all(world)
    assert [row.provider_id for row in rows(world)] == ["7:1", "7:2"]
    mailbox.renumber()
    world.clock.move(20)
    read_all(world)
    assert [row.provider_id for row in rows(world)] == ["8:1", "8:2"] and cursor(world) == "8:2"
    mailbox.deliver(b"From: monitor@shop.example\r\nSubject: disk full\r\n\r\nC:\r\n", at=NOW)
    world.clock.move(20)
    read_all(world)
    assert len(rows(world)) == 3


def test_a_bug_of_an_adapter_is_shown_on_the_mailbox_and_logged(world, mailbox, monkeypatch):
    mailbox_id = add_mailbox(world)
    monkeypatch.setattr(mailbox, "start", lambda folder, since: {}["secret"])
    with capture_logs() as logs:
        assert "KeyError" in read_next(world).error
    assert "KeyError" in load(world, mailbox_id).last_error and "secret" not in load(world, mailbox_id).last_error
    assert [entry["event"] for entry in logs if entry.get("exc_info")] == ["a mailbox could not be read"]


def test_the_test_button_counts_by_age_and_finds_the_folder_of_sent_mail(world, mailbox):
    for days in (0, 3, 20, 90):
        mailbox.deliver(mail_bytes(str(days)), at=NOW - timedelta(days=days))
    mailbox.sent_folder = "Sent Items"
    mailbox_id = add_mailbox(world, waits=True)
    assert read_next(world).task == "check" and read_next(world) is None and rows(world) == []
    found = load(world, mailbox_id).options["found"]
    assert found == {"counts": {"1": 1, "7": 2, "30": 3, "all": 4}, "sent": "Sent Items"}


def test_a_server_that_cannot_list_its_folders_passes_the_test(world, mailbox, monkeypatch):
    mailbox_id = add_mailbox(world, waits=True)
    monkeypatch.setattr(mailbox, "find_sent", _refuse)
    read_next(world)
    assert load(world, mailbox_id).check_ok and load(world, mailbox_id).options["found"]["sent"] == ""


def _refuse():
    raise GatewayError("no LIST for you")


def test_due_mailboxes_are_counted(world, mailbox):
    add_mailbox(world)
    with world.database.read_session() as session:
        count = count_due_mailboxes(session, now=NOW, lease_now=NOW)
        before = count_due_mailboxes(session, now=NOW - timedelta(seconds=1), lease_now=NOW)
    assert (count, before) == (1, 0)


def cursor(world):
    with world.database.read_session() as session:
        return session.scalars(select(MailFolder.cursor)).one()
