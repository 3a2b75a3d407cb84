from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from portal.core.calendars import Period, YearlyHoliday, holidays_in
from portal.core.errors import DomainError
from portal.core.holiday_lists import Proposal
from portal.core.holiday_rules import HolidayRule, parse_day_of_year
from portal.models import AuditEvent, HolidayRuleRow
from portal.services.audit import Change
from portal.services.calendars import load_hours
from portal.services.holiday_rules import (
    add_rule,
    edit_rule,
    except_date,
    find_rule,
    list_rules,
    plain_rule,
    remove_rule,
)
from portal.services.holidays import find_holiday, read_rule, remove_holiday, save_proposals

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = NOW.date()
CHANGE = Change(None, NOW)
EVE = date(2026, 12, 24)


def rule(day="12-24", name="Christmas Eve", first=None, last=None, closed=None) -> YearlyHoliday:
    return YearlyHoliday(name, HolidayRule(parse_day_of_year(day), first, last), closed or Period(0, 1440))


def write(database, act, *arguments, **keywords):
    with database.unit_of_work() as uow:
        return act(uow, *arguments, **keywords, change=CHANGE)


def read(database, load, *arguments, **keywords):
    with database.read_session() as session:
        return load(session, *arguments, **keywords)


def closed_days(database, *years) -> list[str]:
    hours = read(database, load_hours)
    return [f"{one.on} {one.name}" for year in years for one in holidays_in(hours, year)]


def mark(database, rule_id) -> str:
    return read(database, find_rule, rule_id, today=TODAY).mark


def test_a_rule_closes_its_day_every_year_and_shows_the_next_dates(database):
    write(database, add_rule, rule("easter +1", "Easter Monday"))
    write(database, add_rule, rule(name="  Christmas  Eve", first=2026, closed=Period(780, 1440)))
    first, second = read(database, list_rules, today=TODAY)
    assert (first.yearly.name, first.words, first.text) == ("Christmas Eve", "24 December", "12-24")
    assert first.next_on == (EVE, date(2027, 12, 24), date(2028, 12, 24))
    assert second.words == "1 day after Easter"
    assert closed_days(database, 2025, 2027) == [
        "2025-04-21 Easter Monday", "2027-03-29 Easter Monday", "2027-12-24 Christmas Eve",
    ]  # fmt: skip
    assert plain_rule(first.yearly) == {"day": "12-24", "closed": "13:00-24:00", "first_year": 2026}


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (rule(name=" "), "needs a name"),
        (rule(first=1999), "between 2000 and 2199"),
        (rule(last=2200), "between 2000 and 2199"),
        (rule(first=2030), "on 24 December stands in the calendar already"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(database, wanted, sentence):
    write(database, add_rule, rule())
    with pytest.raises(DomainError, match=sentence):
        write(database, add_rule, wanted)


def test_a_rule_that_never_held_is_changed_and_removed_without_a_trace_in_the_past(database):
    rule_id = write(database, add_rule, rule(first=2026))
    changed = rule("12-23", first=2026)
    assert write(database, edit_rule, rule_id, changed, seen=mark(database, rule_id), today=TODAY) == rule_id
    assert closed_days(database, 2025, 2026) == ["2026-12-23 Christmas Eve"]
    write(database, remove_rule, rule_id, seen=mark(database, rule_id), today=TODAY)
    assert read(database, find_rule, rule_id, today=TODAY) is None


def test_an_edit_holds_from_the_next_date_on_and_what_has_been_stays(database):
    rule_id = write(database, add_rule, rule())
    later = write(database, edit_rule, rule_id, rule("12-23"), seen=mark(database, rule_id), today=TODAY)
    assert closed_days(database, 2025, 2026) == ["2025-12-24 Christmas Eve", "2026-12-23 Christmas Eve"]
    write(database, remove_rule, later, today=date(2026, 12, 23))
    assert closed_days(database, 2025, 2026, 2027) == ["2025-12-24 Christmas Eve", "2026-12-23 Christmas Eve"]
    with database.read_session() as session:
        assert list(session.scalars(select(AuditEvent.action))) == [
            "holiday_rule.add", "holiday_rule.edit", "holiday_rule.remove",
        ]  # fmt: skip


def test_a_rule_may_end_but_not_before_it_was(database):
    rule_id = write(database, add_rule, rule())
    with pytest.raises(DomainError, match="It closed the shop in 2025, and that stays"):
        write(database, edit_rule, rule_id, rule(last=2024), seen=mark(database, rule_id), today=TODAY)
    write(database, edit_rule, rule_id, rule(last=2026), seen=mark(database, rule_id), today=TODAY)
    write(database, edit_rule, rule_id, rule(last=2026), seen=mark(database, rule_id), today=TODAY)
    assert closed_days(database, 2026, 2027) == ["2026-12-24 Christmas Eve"]


def test_of_two_who_change_a_rule_the_later_is_told(database):
    rule_id = write(database, add_rule, rule())
    seen = mark(database, rule_id)
    write(database, edit_rule, rule_id, rule(last=2030), seen=seen, today=TODAY)
    with pytest.raises(DomainError, match="Somebody changed this rule meanwhile"):
        write(database, edit_rule, rule_id, rule(last=2031), seen=seen, today=TODAY)
    with pytest.raises(DomainError, match="Somebody changed this rule meanwhile"):
        write(database, remove_rule, rule_id, seen=seen, today=TODAY)
    with pytest.raises(DomainError, match="This rule is gone"):
        write(database, remove_rule, 99, today=TODAY)


def test_one_year_may_be_excepted_and_that_undone(database):
    rule_id = write(database, add_rule, rule())
    day_id = write(database, except_date, rule_id, EVE)
    assert closed_days(database, 2026, 2027) == ["2027-12-24 Christmas Eve"]
    assert read(database, find_rule, rule_id, today=TODAY).next_on[0] == date(2027, 12, 24)
    assert read(database, find_holiday, day_id).state == "ignored"
    with pytest.raises(DomainError, match="is ignored already"):
        write(database, except_date, rule_id, EVE)
    with pytest.raises(DomainError, match="does not fall on 2026-12-25"):
        write(database, except_date, rule_id, date(2026, 12, 25))
    write(database, remove_holiday, day_id)
    assert closed_days(database, 2026) == ["2026-12-24 Christmas Eve"]


def test_excepting_a_year_decides_a_proposal_of_the_same_day(database):
    rule_id = write(database, add_rule, rule())
    (day_id,) = write(database, save_proposals, [Proposal(EVE, "Christmas Eve", "public", "DE")])
    assert write(database, except_date, rule_id, EVE) == day_id
    assert read(database, find_holiday, day_id).state == "ignored"


def test_a_row_is_read_as_it_was_written(database):
    rule_id = write(database, add_rule, rule("4th thu nov", "Thanksgiving", 2026, 2030, Period(720, 1440)))
    entry = read(database, find_rule, rule_id, today=TODAY)
    assert entry.yearly == rule("4th thu nov", "Thanksgiving", 2026, 2030, Period(720, 1440))
    with database.read_session() as session:
        assert read_rule(session.get_one(HolidayRuleRow, rule_id)) == entry.yearly
