from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from portal.core.calendars import Week, holiday_at, is_open, parse_week
from portal.core.errors import DomainError
from portal.core.holiday_lists import Proposal
from portal.models import AuditEvent
from portal.services.audit import Change
from portal.services.calendar_edit import add_calendar
from portal.services.calendars import find_calendar, list_calendars, load_hours, load_week, save_week
from portal.services.holidays import decide_holidays, find_holiday, save_proposals

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
    seen = {ids[0]: read(database, find_holiday, ids[0]).mark}
    write(database, decide_holidays, seen, accept=True)
    hours = read(database, load_hours)
    assert not is_open(hours, at)
    assert holiday_at(hours, at).name == "Christmas Day"


# Several


def test_calendars_are_found_by_name_in_any_case_or_by_number(database):
    with database.unit_of_work() as uow:
        other = add_calendar(uow, "Night Shop", change=CHANGE)
        add_calendar(uow, "1", change=CHANGE)
    assert [one.name for one in read(database, list_calendars)] == ["Business hours", "1", "Night Shop"]
    assert read(database, find_calendar, " night  SHOP ") == other == read(database, find_calendar, str(other))
    assert read(database, find_calendar, "1") == 3
    assert read(database, find_calendar, "Day shop") is None


def test_each_calendar_has_its_own_week(database):
    with database.unit_of_work() as uow:
        other = add_calendar(uow, "Night Shop", zone="Asia/Tokyo", change=CHANGE)
    write(database, save_week, OFFICE, calendar_id=other)
    assert read(database, load_week, other) == OFFICE and read(database, load_week) == Week()
    with database.read_session() as session:
        assert session.scalars(select(AuditEvent.subject).where(AuditEvent.action == "hours.edit")).all() == [
            "Night Shop"
        ]


def test_of_two_who_edit_a_week_the_later_is_told(database):
    write(database, save_week, OFFICE, seen=Week())
    with pytest.raises(DomainError, match="Somebody else changed these hours meanwhile"):
        write(database, save_week, parse_week({"sun": "10-12"}), seen=Week())
    write(database, save_week, OFFICE, seen=Week())
    assert read(database, load_week) == OFFICE


def test_hours_of_a_calendar_that_is_gone_are_neither_read_nor_written(database):
    with pytest.raises(DomainError, match="This calendar is gone"):
        read(database, load_hours, 99)
    with pytest.raises(DomainError, match="This calendar is gone"):
        write(database, save_week, OFFICE, calendar_id=99)
