from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.core.calendars import Week, holiday_at, is_open, parse_week
from portal.core.holiday_lists import Proposal
from portal.models import AuditEvent
from portal.services.audit import Change
from portal.services.calendars import load_hours, load_week, save_week
from portal.services.holidays import decide_holidays, save_proposals

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CHANGE = Change(None, NOW)
OFFICE = parse_week({"mon": ["08:00-12:00", "13:00-18:00"], "fri": ["22:00-02:00"]})
LIST = (
    Proposal(date(2026, 12, 25), "Christmas Day", "public", "DE", "BY"),
    Proposal(date(2026, 12, 26), "Second Day of Christmas", "public", "DE", "BY"),
    Proposal(date(2027, 1, 6), "Epiphany", "public", "DE", "BY"),
)


def write(database, act, *arguments, **keywords):
    with database.unit_of_work() as uow:
        return act(uow, *arguments, **keywords, change=CHANGE)


def read(database, load, *arguments, **keywords):
    with database.read_session() as session:
        return load(session, *arguments, **keywords)


# Hours


def test_a_site_without_hours_is_closed(database):
    assert read(database, load_week) == Week()


def test_a_week_comes_back_as_it_was_saved_and_replaces_the_one_before(database):
    write(database, save_week, parse_week({"sun": "10-12"}))
    write(database, save_week, OFFICE)
    assert read(database, load_week) == OFFICE


def test_a_change_of_hours_is_audited_with_before_and_after(database):
    write(database, save_week, OFFICE)
    write(database, save_week, OFFICE)
    with database.read_session() as session:
        (event,) = session.scalars(select(AuditEvent))
        assert event.data == {"before": {}, "after": {"mon": ["08:00-12:00", "13:00-18:00"], "fri": ["22:00-02:00"]}}


def test_hours_are_loaded_with_accepted_holidays_only(database):
    write(database, save_week, parse_week({"fri": "8-18"}))
    ids = write(database, save_proposals, LIST)
    at = datetime(2026, 12, 25, 9, tzinfo=UTC)
    assert is_open(read(database, load_hours), at)
    write(database, decide_holidays, ids[:1], accept=True)
    hours = read(database, load_hours)
    assert not is_open(hours, at)
    assert holiday_at(hours, at).name == "Christmas Day"
