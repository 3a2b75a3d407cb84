from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from portal.core.errors import DomainError
from portal.models import AuditEvent, MailboxRow, MailFolder
from portal.services.mailboxes import (
    Server,
    ask_check,
    ask_read,
    can_send,
    delete_mailbox,
    inbox_folders,
    is_started,
    list_mailboxes,
    load_account,
    own_addresses,
    save_mailbox,
    set_sent_folder,
    start_mailbox,
)
from tests.services.mail_world import FORM, PlainBox, add_mailbox, load, make_mail_world
from tests.services.runtime_world import by_alice


@pytest.fixture
def world(tmp_path):
    return make_mail_world(tmp_path)


def save(world, form, mailbox_id=None):
    with world.database.unit_of_work() as uow:
        return save_mailbox(uow, form, box=world.box, change=by_alice(world), mailbox_id=mailbox_id).id


def test_a_saved_mailbox_opens_with_its_servers_and_passwords(world):
    account = load_account(load(world, save(world, FORM)), world.box)
    assert account.imap == {
        "host": "imap.shop.example",
        "port": 993,
        "security": "tls",
        "user": "help",
        "password": "secret",
    }
    assert account.smtp["host"] == "smtp.shop.example" and "secret" not in repr(account)


def test_passwords_are_sealed_in_the_database_and_absent_from_the_audit(world):
    row = load(world, save(world, FORM))
    assert row.secrets == {"imap": "sealed:secret", "smtp": "sealed:secret"} and "secret" not in str(row.options)
    with world.database.read_session() as session:
        (event,) = session.scalars(select(AuditEvent))
        assert event.action == "mailbox.add" and "secret" not in str(event.data)


def test_a_saved_mailbox_is_read_at_once(world):
    assert load(world, save(world, FORM)).next_at == world.clock.now() and world.woken == ["mail_fetch"]


def test_an_empty_password_keeps_the_stored_one(world):
    mailbox_id = save(world, FORM)
    blank = replace(FORM, name="Desk", imap=replace(FORM.imap, password=""), smtp=replace(FORM.smtp, password=""))
    save(world, blank, mailbox_id)
    assert load_account(load(world, mailbox_id), world.box).imap["password"] == "secret"


def test_a_stored_password_never_goes_to_another_server(world):
    mailbox_id = save(world, FORM)
    with pytest.raises(DomainError, match=r"password for evil\.example again"):
        save(world, replace(FORM, imap=Server("evil.example", 993, "tls", "help")), mailbox_id)


def in_use(world, *, days=30):
    """A mailbox that is read for so many days, and was an hour ago."""
    mailbox_id = save(world, FORM)
    now = world.clock.now()
    with world.database.unit_of_work() as uow:
        row = uow.session.get_one(MailboxRow, mailbox_id)
        row.quiet_before_at = row.read_from_at = now - timedelta(days=days)
        row.last_ok_at = now - timedelta(hours=1)
        uow.session.scalars(select(MailFolder)).one().cursor = "5:9"
    return mailbox_id


def looked_back(world):
    """How far back each folder is read, as a time before now; None: only what comes from now on."""
    with world.database.read_session() as session:
        return {
            one.name: world.clock.now() - one.read_from_at if one.caught_up_at is None else None
            for one in session.scalars(select(MailFolder))
            if one.read_from_at
        }


def test_settings_that_leave_the_place_alone_leave_the_reading_alone(world):
    save(world, replace(FORM, interval_s=60), in_use(world))
    assert folders(world) == [("INBOX", "inbox", "5:9")]


def test_somebody_elses_mailbox_begins_anew_and_quietly(world):
    mailbox_id = in_use(world)
    save(world, replace(FORM, address="it@shop.example", imap=replace(FORM.imap, user="it")), mailbox_id)
    row = load(world, mailbox_id)
    assert (row.quiet_before_at, row.read_from_at, row.last_ok_at) == (None, None, None)
    assert folders(world) == [("INBOX", "inbox", "")] and looked_back(world) == {}


@pytest.mark.parametrize("change", [{"host": "new.shop.example"}, {"user": "help@shop.example"}])
def test_the_same_address_at_another_server_or_by_another_user_is_looked_back_into(world, change):
    """Mail may have gone there for days, or nobody could sign in for a night: it is late and not old."""
    mailbox_id = in_use(world)
    quiet = load(world, mailbox_id).quiet_before_at
    save(world, replace(FORM, imap=replace(FORM.imap, **change)), mailbox_id)
    assert folders(world) == [("INBOX", "inbox", "")] and load(world, mailbox_id).quiet_before_at == quiet
    assert looked_back(world) == {"INBOX": timedelta(days=7)}


def test_nothing_from_before_the_mailbox_was_set_up_is_looked_back_for(world):
    mailbox_id = in_use(world, days=2)
    save(world, replace(FORM, imap=replace(FORM.imap, host="new.shop.example")), mailbox_id)
    assert looked_back(world) == {"INBOX": timedelta(days=2)}


def test_a_folder_that_takes_the_place_of_another_is_looked_back_into_as_far_as_mail_may_be_missed(world):
    save(world, replace(FORM, folders=("Desk",)), in_use(world))
    assert folders(world) == [("Desk", "inbox", "")] and looked_back(world) == {"Desk": timedelta(hours=2)}


def test_a_second_folder_joins_without_touching_the_first_and_takes_only_what_comes_from_now_on(world):
    mailbox_id = save(world, FORM)
    with world.database.unit_of_work() as uow:
        uow.session.get_one(MailboxRow, mailbox_id).quiet_before_at = world.clock.now()
        uow.session.scalars(select(MailFolder)).one().cursor = "5:9"
    save(world, replace(FORM, folders=("INBOX", "Desk")), mailbox_id)
    assert folders(world) == [("INBOX", "inbox", "5:9"), ("Desk", "inbox", "")]
    with world.database.read_session() as session:
        assert session.scalars(select(MailFolder.caught_up_at).where(MailFolder.name == "Desk")).one()
    assert inbox_folders(load(world, mailbox_id)) == ("INBOX", "Desk")


def test_a_folder_that_becomes_the_one_of_sent_mail_is_read_anew(world):
    mailbox_id = save(world, replace(FORM, folders=("INBOX", "Old")))
    save(world, replace(FORM, sent_folder="Old"), mailbox_id)
    assert folders(world) == [("INBOX", "inbox", ""), ("Old", "sent", "")]


def test_a_mailbox_that_waits_is_tested_and_not_read_until_somebody_says_from_when(world):
    mailbox_id = save(world, replace(FORM, waits=True))
    row = load(world, mailbox_id)
    assert not is_started(row) and not row.is_enabled and row.check_asked_at == world.clock.now()
    since = world.clock.now() - timedelta(days=7)
    with world.database.unit_of_work() as uow:
        start_mailbox(uow, mailbox_id, read_from_at=since, change=by_alice(world))
    row = load(world, mailbox_id)
    assert is_started(row) and row.is_enabled and row.read_from_at == since and world.woken[-1] == "mail_fetch"
    with pytest.raises(DomainError, match="already"), world.database.unit_of_work() as uow:
        start_mailbox(uow, mailbox_id, read_from_at=None, change=by_alice(world))


def test_the_offered_folder_of_sent_mail_is_taken_with_one_click(world):
    mailbox_id = save(world, FORM)
    with world.database.unit_of_work() as uow:
        set_sent_folder(uow, mailbox_id, folder="Sent Items", change=by_alice(world))
    assert folders(world) == [("INBOX", "inbox", ""), ("Sent Items", "sent", "")]
    assert load(world, mailbox_id).options["sent_folder"] == "Sent Items"
    with pytest.raises(DomainError, match="already"), world.database.unit_of_work() as uow:
        set_sent_folder(uow, mailbox_id, folder="INBOX", change=by_alice(world))


def test_what_a_mailbox_says_of_itself_is_kept(world):
    form = replace(FORM, signature="Your IT\n", takes_duplicates=True, secret_expires_on=date(2027, 1, 31))
    row = load(world, save(world, form))
    assert (row.signature, row.takes_duplicates, row.secret_expires_on) == ("Your IT", True, date(2027, 1, 31))


def test_signing_in_by_oauth_needs_no_password_and_its_secret_is_sealed(world):
    oauth = {"provider": "google", "client_id": "id"}
    imap, smtp = replace(FORM.imap, password=""), replace(FORM.smtp, password="")
    row = load(world, save(world, replace(FORM, imap=imap, smtp=smtp, oauth=oauth, client_secret="hush")))
    assert row.secrets == {"oauth": "sealed:hush"} and "hush" not in str(row.options)
    account = load_account(row, world.box)
    assert account.oauth == {**oauth, "client_secret": "hush"} and "hush" not in repr(account)


def test_the_folder_of_sent_mail_comes_and_goes_without_touching_the_other(world):
    mailbox_id = save(world, FORM)
    save(world, replace(FORM, sent_folder="Sent"), mailbox_id)
    assert folders(world) == [("INBOX", "inbox", ""), ("Sent", "sent", "")]
    save(world, FORM, mailbox_id)
    assert folders(world) == [("INBOX", "inbox", "")]


def folders(world):
    with world.database.read_session() as session:
        return [(one.name, one.role, one.cursor) for one in session.scalars(select(MailFolder).order_by(MailFolder.id))]


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (replace(FORM, name=" "), "a name"),
        (replace(FORM, name="x" * 91), "a name"),
        (replace(FORM, address="help"), "mail address"),
        (replace(FORM, imap=replace(FORM.imap, host="")), "server and the user name"),
        (replace(FORM, imap=replace(FORM.imap, password="")), r"password for imap\.shop"),
        (replace(FORM, smtp=replace(FORM.smtp, password="")), r"password for smtp\.shop"),
        (replace(FORM, interval_s=1), "interval"),
        (replace(FORM, smtp=replace(FORM.smtp, port=0)), "port and the security"),
        (replace(FORM, imap=replace(FORM.imap, security="none")), "port and the security"),
        (replace(FORM, folders=()), "a folder"),
        (replace(FORM, sent_folder="INBOX"), "another one for sent mail"),
        (replace(FORM, sent_folder="x" * 201), "at most 200"),
    ],
)
def test_what_is_wrong_with_the_form_is_named(world, form, message):
    with pytest.raises(DomainError, match=message):
        save(world, form)


def test_two_mailboxes_cannot_share_a_name(world):
    save(world, FORM)
    with pytest.raises(DomainError, match="already"):
        save(world, FORM)


def test_a_mailbox_may_send_nothing(world):
    account = load_account(load(world, save(world, replace(FORM, smtp=Server("", 0, "")))), world.box)
    assert account.smtp == {}


def test_mailboxes_are_listed_and_their_addresses_are_ours(world):
    add_mailbox(world, name="Zebra", address="Zebra@shop.example")
    add_mailbox(world, name="Ant", address="ant@shop.example")
    with world.database.read_session() as session:
        assert [row.name for row in list_mailboxes(session)] == ["Ant", "Zebra"]
        assert own_addresses(session) == {"zebra@shop.example", "ant@shop.example"}


def test_every_mailbox_that_is_on_can_be_asked_for_at_once(world):
    mailbox_id = add_mailbox(world)
    add_mailbox(world, name="Off", is_enabled=False)
    world.clock.move(60)
    with world.database.unit_of_work() as uow:
        assert ask_read(uow, now=world.clock.now()) == 1
    assert load(world, mailbox_id).next_at == world.clock.now()


def test_a_removed_mailbox_keeps_its_row_and_loses_its_secrets(world):
    mailbox_id = add_mailbox(world)
    with world.database.unit_of_work() as uow:
        delete_mailbox(uow, mailbox_id, change=by_alice(world))
    row = load(world, mailbox_id)
    assert row.secrets == {} and not row.is_enabled
    with world.database.read_session() as session:
        assert list_mailboxes(session) == []
    add_mailbox(world)


def test_the_test_button_leaves_a_question_for_a_worker(world):
    mailbox_id = add_mailbox(world)
    with world.database.unit_of_work() as uow:
        ask_check(uow, mailbox_id, change=by_alice(world))
    assert load(world, mailbox_id).check_asked_at == world.clock.now() and world.woken[-1] == "mail_fetch"


def _start(uow, mailbox_id, *, change):
    start_mailbox(uow, mailbox_id, read_from_at=None, change=change)


@pytest.mark.parametrize("act", [delete_mailbox, ask_check, _start])
def test_a_mailbox_that_is_gone_is_named(world, act):
    with pytest.raises(DomainError, match="gone"), world.database.unit_of_work() as uow:
        act(uow, 99, change=by_alice(world))
    with pytest.raises(DomainError, match="gone"):
        save(world, FORM, 99)


def test_a_foreign_key_file_is_a_sentence(world):
    mailbox_id = add_mailbox(world)
    row = load(world, mailbox_id)
    row.secrets = {"imap": "other"}
    with pytest.raises(DomainError, match="key file"):
        load_account(row, PlainBox())


def test_what_can_send():
    assert can_send({"graph": {"address": "a@b.example"}}) and can_send({"smtp": {"host": "smtp.b.example"}})
    assert not can_send({}) and not can_send({"smtp": {}, "graph": {}})
