from datetime import timedelta

import pytest
from sqlalchemy import text

from portal.models import Database, MailboxRow, MailLedger, Page
from portal.services.status import SiteStatus, load_status, schema_version
from tests.services.runtime_world import NOW, make_world


@pytest.fixture
def world(tmp_path):
    world = make_world(tmp_path)
    with world.database.unit_of_work() as uow:
        uow.session.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        uow.session.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
    yield world
    world.database.dispose()


def status(world):
    with world.database.read_session() as session:
        return load_status(session, now=NOW)


def test_an_idle_site_has_nothing_open(world):
    assert status(world) == SiteStatus("0001", 0, 0)


def test_open_pages_and_mails_without_a_verdict_are_counted(world):
    old = NOW - timedelta(minutes=11)
    with world.database.unit_of_work() as uow:
        for number, state in enumerate(("open", "open", "acknowledged", "resolved")):
            uow.session.add(Page(id=number + 1, kind="test", state=state, opened_at=NOW))
        uow.session.add(MailboxRow(id=1, name="Support", kind="imap", address="s@a.example", next_at=NOW))
        uow.session.flush()
        uow.session.add(
            MailLedger(
                mailbox_id=1,
                folder="INBOX",
                provider_id="1:1",
                received_at=old,
                listed_at=old,
                state="stored",
                due_at=old,
            )
        )
    assert status(world) == SiteStatus("0001", 1, 2)


def test_a_database_that_was_never_migrated_says_so(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/empty.sqlite3")
    with database.writer.connect():
        pass
    with database.read_session() as session:
        assert schema_version(session) == ""
        assert load_status(session, now=NOW) == SiteStatus("", 0, 0)
    database.dispose()
