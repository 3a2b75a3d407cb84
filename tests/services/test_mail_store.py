from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.core.ports import FetchedMail
from portal.models import MailboxRow, MailLedger, SessionBlobStore
from portal.services import mail_store
from portal.services.mail_store import Arrival, cut_mail, store_mails
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
