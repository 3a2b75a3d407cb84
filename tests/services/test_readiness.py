"""The readiness panel."""

from datetime import date, datetime, timedelta

import pytest

from portal.core.settings import SiteSettings
from portal.models import BusinessPeriod, HolidayRow, MailboxRow, Page, Phone, SettingRow, ShiftRow
from portal.services.readiness import load_readiness
from tests.services.ticket_world import ALICE, BOB, NOW, counted_statements

WALL = datetime(2026, 11, 21, 2, 10)
READY = SiteSettings(sms_provider="twilio", paging_fallback=ALICE, site_live=True)
SMTP = {"smtp": {"host": "smtp.a.example"}}


def look(database, settings=READY, now=NOW):
    with database.read_session() as session:
        return load_readiness(session, settings, now=now)


def add(database, *rows):
    with database.unit_of_work() as uow:
        uow.session.add_all(rows)


def help_of(readiness, key):
    return next(item.help for item in readiness.items if item.key == key)


@pytest.fixture
def shop(database):
    """All is there."""
    add(
        database,
        SettingRow(key="site.zone", value='"UTC"'),
        SettingRow(key="paging.wake_for", value='"everything"'),
        *(BusinessPeriod(weekday=day, opens=480, closes=1020) for day in range(5)),
        MailboxRow(name="desk", kind="imap", address="d@a.example", next_at=NOW, last_ok_at=NOW, options=SMTP),
        Phone(user_id=ALICE, number="+15550100"),
        Phone(user_id=BOB, number="+15550101"),
        ShiftRow(user_id=BOB, starts=WALL - timedelta(days=2), ends=WALL + timedelta(days=14)),
        Page(kind="test", state="acknowledged", opened_at=NOW, acknowledged_at=NOW),
    )
    return database


def test_a_new_site_has_everything_before_it_and_two_statements_say_so(database):
    look(database)  # a process that knows the calendar and the schedule
    with database.read_session() as session, counted_statements(session) as seen:
        readiness = load_readiness(session, SiteSettings(), now=NOW)
    assert readiness.missing == len(readiness.items) == 11
    assert {item.state for item in readiness.items} == {"missing"}
    assert len(seen) == 2


def test_when_all_is_there_nothing_is_missing(shop):
    readiness = look(shop)
    assert [item.key for item in readiness.items if not item.is_done] == []
    assert readiness.missing == 0 and readiness.state_of("shift") == "done"


def test_a_mailbox_at_microsoft_365_is_a_way_to_send(shop):
    with shop.unit_of_work() as uow:
        box = uow.session.query(MailboxRow).one()
        box.kind, box.options = "graph", {"graph": {"address": "d@a.example"}}
    assert look(shop).state_of("sender") == "done"


def test_a_gap_within_two_weeks_is_named_on_the_shops_clock(shop):
    with shop.unit_of_work() as uow:
        uow.session.query(ShiftRow).one().ends = datetime(2026, 11, 28, 8)
        uow.session.query(SettingRow).filter_by(key="site.zone").one().value = '"Europe/Berlin"'
    berlin = SiteSettings(**{**READY.__dict__, "site_zone": "Europe/Berlin"})
    readiness = look(shop, berlin)
    assert readiness.state_of("shift") == "warn"
    assert help_of(readiness, "shift").startswith("Nobody is on call from Sat 28 Nov 08:00, and 5 more times")


def test_a_gap_now_is_said_as_now(shop):
    with shop.unit_of_work() as uow:
        uow.session.query(ShiftRow).one().starts = WALL + timedelta(hours=1)
    assert help_of(look(shop), "shift") == "Nobody is on call now."


def test_a_holiday_needs_somebody_on_call_all_day(shop):
    with shop.unit_of_work() as uow:
        uow.session.query(ShiftRow).delete()
        for day in range(21, 37):
            at = datetime(2026, 11, 1) + timedelta(days=day - 1)
            is_weekday = at.weekday() < 5
            for start, end in ((0, 8), (17, 24)) if is_weekday else ((0, 24),):
                shift = ShiftRow(user_id=BOB, starts=at + timedelta(hours=start), ends=at + timedelta(hours=end))
                uow.session.add(shift)
    assert look(shop).state_of("shift") == "done"
    add(shop, HolidayRow(observed_on=date(2026, 11, 26), name="Thanksgiving", state="accepted"))
    assert help_of(look(shop), "shift") == "Nobody is on call from Thu 26 Nov 08:00."


def test_whoever_is_on_call_without_a_number_is_named(shop):
    with shop.unit_of_work() as uow:
        uow.session.query(Phone).filter_by(user_id=BOB).one().is_stopped = True
    assert help_of(look(shop), "phone") == "No number for Bob."


def test_a_fallback_without_a_phone_a_mailbox_in_trouble_and_the_sandbox_need_a_look(shop):
    with shop.unit_of_work() as uow:
        uow.session.query(Phone).filter_by(user_id=ALICE).delete()
        uow.session.query(MailboxRow).one().last_error = "Wrong password."
    readiness = look(shop, SiteSettings(sms_provider="sandbox", paging_fallback=ALICE))
    assert [readiness.state_of(key) for key in ("fallback", "mailbox", "sms", "live")] == [
        "warn",
        "warn",
        "warn",
        "missing",
    ]
    assert help_of(readiness, "mailbox") == "Not read yet. Wrong password."


def test_a_test_page_nobody_answered_does_not_count(database):
    add(database, Page(kind="test", state="expired", opened_at=NOW))
    assert look(database).state_of("test") == "missing"
