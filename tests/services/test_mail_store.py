from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.core.mail_heads import parse_head
from portal.core.ports import FetchedMail
from portal.models import MailboxRow, MailLedger, SessionBlobStore
from portal.services import mail_store
from portal.services.mail_store import Arrival, cut_mail, retire_ids, store_mails
from tests.services.mail_world import NOW, add_mailbox, make_mail_world


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    world.mailbox_id = add_mailbox(world)
    yield world
    world.database.dispose()


def mail(provider_id="7:1", raw=b"From: x\r\n\r\nbody", **changes):
    values = {"folder": "INBOX", "received_at": NOW, "size": len(raw or b""), "raw": raw}
    return FetchedMail(provider_id, **{**values, **changes})


def store(world, *mails, **arrival):
    with world.database.unit_of_work() as uow:
        row = uow.session.get_one(MailboxRow, world.mailbox_id)
        return store_mails(uow, row, mails, now=NOW, arrival=Arrival(**arrival))


def rows(world):
    with world.database.read_session() as session:
        return list(session.scalars(select(MailLedger).order_by(MailLedger.id)))


def test_a_message_is_stored_once_with_how_it_came(world):
    assert store(world, mail(), mail(), is_sent=True, is_quiet=True, is_found_late=True) == 1
    assert store(world, mail()) == 0
    (row,) = rows(world)
    assert row.is_sent and row.is_quiet and row.is_found_late and row.state == "stored"
    with world.database.read_session() as session:
        assert SessionBlobStore(session).get(row.sha256) == mail().raw


def is_old(provider_id):
    return provider_id.startswith("7:")


@pytest.mark.parametrize(
    ("again", "count"),
    [
        (mail("8:1"), 0),
        (mail("8:1", raw=b"other"), 1),
        (mail("8:1", received_at=NOW - timedelta(minutes=1)), 1),
        (mail("8:1", folder="Desk"), 1),
        (mail("7:2"), 0),
    ],
)
def test_a_folder_that_is_read_anew_gives_only_what_has_no_row(world, again, count):
    store(world, mail())
    assert store(world, again, is_renumbered=is_old) == count
    assert again.provider_id in [row.provider_id for row in rows(world)]


def test_as_many_copies_stay_as_there_were(world):
    store(world, mail("7:1"), mail("7:2"))
    assert store(world, mail("8:1"), mail("8:2"), mail("8:3"), is_renumbered=is_old) == 1
    assert [row.provider_id for row in rows(world)] == ["8:1", "8:2", "8:3"]


def test_a_copy_with_a_number_of_its_own_is_a_message_of_its_own(world):
    store(world, mail("8:1"))
    assert store(world, mail("8:2"), is_renumbered=is_old) == 1


def test_a_mail_over_the_size_is_cut_to_its_header(monkeypatch):
    monkeypatch.setattr(mail_store, "MAX_MAIL_BYTES", 10)
    cut = cut_mail(mail(conversation_id="c"))
    assert (cut.raw, cut.header, cut.conversation_id) == (None, b"From: x\r\n\r\n", "c")
    assert cut_mail(mail(raw=b"short")).raw == b"short" and cut_mail(mail(raw=None)).raw is None


def test_ids_that_may_come_again_are_taken_from_their_rows_which_are_known_by_their_content(world, monkeypatch):
    monkeypatch.setattr(mail_store, "_AT_ONCE", 2)
    mails = [mail(f"7:{uid}", raw=f"From: x\r\n\r\n{uid}".encode()) for uid in range(1, 8)]
    store(world, *mails, mail("7:9", folder="Desk"))
    late = {"7:5", "7:6", "7:7"}
    assert retire_ids(world.database, world.mailbox_id, "INBOX", is_reused=lambda one: one in late | {"7:9"}) == 3
    ids = [row.provider_id for row in rows(world)]
    assert ids == ["7:1", "7:2", "7:3", "7:4", "7:5~5", "7:6~6", "7:7~7", "7:9"]
    assert store(world, mail("7:5", raw=b"From: x\r\n\r\nother")) == 1
    again = mail("7:6", raw=mails[4].raw)
    assert store(world, again, is_renumbered=lambda one: "~" in one) == 0 and rows(world)[4].provider_id == "7:6"


def test_a_number_given_to_another_message_is_noticed_where_the_content_is_asked_for(world):
    store(world, mail("7:1"), mail("7:1", folder="Desk", raw=b"other"))
    assert store(world, mail("7:1"), checks_content=True) == 0
    assert store(world, mail("7:1", raw=b"new"), checks_content=True) == 1
    assert [row.provider_id for row in rows(world)] == ["7:1~1", "7:1", "7:1"]


def test_mail_from_before_is_shown_and_waits_for_nothing(world):
    raw = b"From: Dana <dana@customer.example>\r\nSubject: old\r\n\r\nbody"
    store(world, mail(raw=raw), old_ones={"7:1": parse_head(raw)})
    (row,) = rows(world)
    assert (row.state, row.verdict, row.sender, row.subject) == ("done", "ignored", "dana@customer.example", "old")
    assert "before this mailbox was read" in row.reason and row.verdict_at == NOW and row.message_id == ""
