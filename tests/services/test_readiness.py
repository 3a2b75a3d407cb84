"""The readiness panel."""

from datetime import datetime, timedelta

from portal.core.settings import SiteSettings
from portal.models import BusinessPeriod, MailboxRow, Page, Phone, ShiftRow
from portal.services.readiness import load_readiness
from tests.services.ticket_world import ALICE, BOB, NOW, counted_statements, make_database

WALL = datetime(2026, 11, 21, 2, 10)


def test_a_new_site_has_everything_before_it(tmp_path):
    database = make_database(tmp_path)
    with database.read_session() as session, counted_statements(session) as seen:
        readiness = load_readiness(session, SiteSettings(), now=NOW)
    database.dispose()
    assert readiness.missing == len(readiness.items) == 7
    assert len(seen) == 1


def test_what_is_set_up_counts_and_what_is_over_does_not(tmp_path):
    database = make_database(tmp_path)
    with database.unit_of_work() as uow:
        uow.session.add(BusinessPeriod(weekday=0, opens=540, closes=1020))
        uow.session.add(MailboxRow(name="desk", kind="imap", address="d@a.example", next_at=NOW))
        uow.session.add(Phone(user_id=BOB, number="+15550101", is_stopped=True))
        uow.session.add(ShiftRow(user_id=BOB, starts=WALL - timedelta(days=2), ends=WALL))
        uow.session.add(Page(kind="test", state="expired", opened_at=NOW))
    settings = SiteSettings(sms_provider="sandbox", paging_fallback=ALICE)
    with database.read_session() as session:
        first = load_readiness(session, settings, now=NOW)
    with database.unit_of_work() as uow:
        uow.session.add(Phone(user_id=ALICE, number="+15550100"))
        uow.session.add(ShiftRow(user_id=BOB, starts=WALL, ends=WALL + timedelta(hours=1)))
        uow.session.add(Page(kind="test", state="acknowledged", opened_at=NOW, acknowledged_at=NOW))
    with database.read_session() as session:
        second = load_readiness(session, settings, now=NOW)
    database.dispose()
    assert [item.key for item in first.items if not item.is_done] == ["phone", "shift", "test"]
    assert second.missing == 0
