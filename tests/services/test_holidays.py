from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from portal.core.calendars import Holiday, Period, YearlyHoliday, holidays_in, is_open, parse_week
from portal.core.errors import DomainError
from portal.core.holiday_lists import Proposal
from portal.core.holiday_rules import HolidayRule, OnDate
from portal.models import AuditEvent, HolidayRuleRow
from portal.services.audit import Change
from portal.services.calendar_edit import add_calendar
from portal.services.calendars import load_hours, save_week
from portal.services.holiday_rules import add_rule
from portal.services.holidays import (
    Decided,
    add_holiday,
    check_name,
    decide_holidays,
    edit_holiday,
    find_holiday,
    list_holidays,
    list_reviewed_years,
    load_closed_days,
    read_rule,
    remove_holiday,
    save_proposals,
    say_state,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CHANGE = Change(None, NOW)
CHRISTMAS = date(2026, 12, 25)
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


def decide(database, ids, **keywords):
    with database.read_session() as session:
        seen = {one: day.mark for one in ids if (day := find_holiday(session, one))}
    return write(database, decide_holidays, seen, **keywords)


def states(database, year=2026):
    return {(entry.name, entry.state) for entry in read(database, list_holidays, year=year)}


def actions(database) -> list[str]:
    with database.read_session() as session:
        return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


# Holidays by hand


def test_a_holiday_is_added_moved_and_removed(database):
    holiday_id = write(database, add_holiday, CHRISTMAS, "  Christmas   Day ")
    assert states(database) == {("Christmas Day", "accepted")}
    write(database, edit_holiday, holiday_id, Holiday(date(2027, 12, 25), "Christmas"))
    assert states(database) == set()
    assert read(database, find_holiday, holiday_id).on == date(2027, 12, 25)
    write(database, remove_holiday, holiday_id)
    assert read(database, find_holiday, holiday_id) is None
    assert actions(database) == ["holiday.add", "holiday.edit", "holiday.remove"]


@pytest.mark.parametrize(
    ("on", "name", "sentence"),
    [
        (CHRISTMAS, "  ", "needs a name"),
        (CHRISTMAS, "x" * 201, "at most 200"),
        (date(1899, 12, 25), "Christmas Day", "between 2000 and 2199"),
    ],
)
def test_a_day_that_cannot_be_meant_is_refused(database, on, name, sentence):
    with pytest.raises(DomainError, match=sentence):
        write(database, add_holiday, on, name)


def test_the_same_day_does_not_stand_twice(database):
    write(database, add_holiday, CHRISTMAS, "Christmas Day")
    with pytest.raises(DomainError, match="Christmas Day on 2026-12-25 stands in the calendar already"):
        write(database, add_holiday, CHRISTMAS, "Christmas Day")
    other = write(database, add_holiday, CHRISTMAS, "Inventory")
    with pytest.raises(DomainError, match="stands in the calendar already"):
        write(database, edit_holiday, other, Holiday(CHRISTMAS, "Christmas Day"))
    write(database, edit_holiday, other, Holiday(CHRISTMAS, "Inventory"))


def test_adding_a_day_that_was_proposed_accepts_it(database):
    (first, *_) = write(database, save_proposals, LIST)
    assert write(database, add_holiday, CHRISTMAS, "Christmas Day") == first
    assert ("Christmas Day", "accepted") in states(database)


def test_a_day_that_is_gone_cannot_be_changed(database):
    with pytest.raises(DomainError, match="This day is gone"):
        write(database, edit_holiday, 99, Holiday(CHRISTMAS, "Christmas Day"))
    with pytest.raises(DomainError, match="This day is gone"):
        write(database, remove_holiday, 99)


# Proposals


def test_proposals_close_nothing_until_they_are_accepted(database):
    ids = write(database, save_proposals, LIST)
    assert len(ids) == 3
    entry = read(database, find_holiday, ids[0])
    assert (entry.state, entry.source, entry.kind) == ("proposed", "DE-BY", "public")
    assert read(database, load_hours).holidays == ()


def test_an_import_never_changes_what_a_person_decided(database):
    ids = write(database, save_proposals, LIST)
    decide(database, ids[:1], accept=True)
    decide(database, ids[1:], accept=False)
    assert write(database, save_proposals, LIST) == []
    assert states(database) == {("Christmas Day", "accepted"), ("Second Day of Christmas", "ignored")}
    assert actions(database).count("holiday.import") == 1


def test_many_days_are_decided_at_once_and_what_is_gone_is_passed_over(database):
    ids = write(database, save_proposals, LIST)
    assert len(decide(database, [*ids, 99], accept=True).done) == 3
    assert decide(database, ids, accept=True) == Decided((), ())
    assert actions(database).count("holiday.accept") == 3


def test_an_ignored_day_can_be_accepted_after_all(database):
    ids = write(database, save_proposals, LIST)
    decide(database, ids, accept=False)
    decide(database, ids[:1], accept=True)
    assert ("Christmas Day", "accepted") in states(database)


def test_a_year_is_reviewed_when_nothing_in_it_waits(database):
    assert read(database, list_reviewed_years) == set()
    ids = write(database, save_proposals, LIST)
    decide(database, [ids[0], ids[2]], accept=True)
    assert read(database, list_reviewed_years) == {2027}
    decide(database, [ids[1]], accept=False)
    assert read(database, list_reviewed_years) == {2026, 2027}


def test_of_two_who_decide_the_same_day_the_later_is_told_and_the_first_one_holds(database):
    ids = write(database, save_proposals, LIST)
    seen = {one: read(database, find_holiday, one).mark for one in ids}
    decide(database, ids[:1], accept=True)
    decided = write(database, decide_holidays, seen, accept=False)
    assert [day.name for day in decided.done] == ["Second Day of Christmas", "Epiphany"]
    assert [say_state(day) for day in decided.missed] == ["Christmas Day on 2026-12-25, accepted"]
    assert states(database) == {("Christmas Day", "accepted"), ("Second Day of Christmas", "ignored")}


def test_of_two_who_edit_the_same_day_the_later_is_told(database):
    day_id = write(database, add_holiday, CHRISTMAS, "Christmas Day")
    seen = read(database, find_holiday, day_id).mark
    write(database, edit_holiday, day_id, Holiday(CHRISTMAS, "Christmas Day", Period(780, 1440)), seen=seen)
    for act, arguments in ((edit_holiday, (Holiday(CHRISTMAS, "Christmas"),)), (remove_holiday, ())):
        with pytest.raises(DomainError, match=r"it is Christmas Day on 2026-12-25, accepted, closed 13:00-24:00"):
            write(database, act, day_id, *arguments, seen=seen)


def test_half_a_day_is_closed_by_hand_and_by_deciding(database):
    write(database, save_week, parse_week({"thu": "8-18", "fri": "8-18"}))
    write(database, add_holiday, date(2026, 12, 24), "Christmas Eve", closed=Period(720, 1440))
    ids = write(database, save_proposals, LIST)
    assert len(decide(database, ids[:1], accept=True, closed=Period(0, 600)).done) == 1
    hours = read(database, load_hours)
    opened = [is_open(hours, datetime(2026, 12, day, hour, tzinfo=UTC)) for day in (24, 25) for hour in (9, 13)]
    assert opened == [True, False, False, True]
    assert len(decide(database, ids[:1], accept=True).done) == 0
    assert read(database, find_holiday, ids[0]).is_half


def test_a_decided_day_stands_instead_of_the_rule_of_its_name(database):
    write(database, add_rule, YearlyHoliday("Christmas Day", HolidayRule(OnDate(12, 25))))
    ids = write(database, save_proposals, LIST)
    assert read(database, load_closed_days, 1)[1][0].except_on == frozenset()
    decide(database, ids[:1], accept=False)
    ((), (rule,)) = read(database, load_closed_days, 1)
    assert rule.except_on == {CHRISTMAS}
    assert holidays_in(read(database, load_hours), 2026) == ()
    assert len(holidays_in(read(database, load_hours), 2027)) == 1


def test_a_row_of_a_rule_is_read_with_its_exceptions():
    row = HolidayRuleRow(name="Eve", rule="12-24", closes_from=780, closes_until=1440, first_year=2026)
    rule = HolidayRule(OnDate(12, 24), 2026)
    assert read_rule(row, except_on=frozenset({CHRISTMAS})) == YearlyHoliday(
        "Eve", rule, Period(780, 1440), frozenset({CHRISTMAS})
    )


def test_names_are_tidied():
    assert check_name("  Christmas \n Day ") == "Christmas Day"


def test_days_of_another_calendar_are_its_own(database):
    other = write(database, add_calendar, "Warehouse")
    write(database, add_holiday, CHRISTMAS, "Christmas Day", calendar_id=other)
    write(database, add_holiday, CHRISTMAS, "Christmas Day")
    assert len(read(database, list_holidays, year=2026, calendar_id=other)) == 1
    assert read(database, load_hours, other).holidays and read(database, list_reviewed_years, other) == {2026}
