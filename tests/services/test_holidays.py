from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from portal.core.errors import DomainError
from portal.core.holiday_lists import Proposal
from portal.models import AuditEvent
from portal.services.audit import Change
from portal.services.calendars import load_hours
from portal.services.holidays import (
    add_holiday,
    decide_holidays,
    edit_holiday,
    find_holiday,
    list_holidays,
    list_reviewed_years,
    remove_holiday,
    save_proposals,
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


def states(database, year=2026):
    return {(entry.name, entry.state) for entry in read(database, list_holidays, year=year)}


def actions(database) -> list[str]:
    with database.read_session() as session:
        return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


# Holidays by hand


def test_a_holiday_is_added_moved_and_removed(database):
    holiday_id = write(database, add_holiday, CHRISTMAS, "  Christmas   Day ")
    assert states(database) == {("Christmas Day", "accepted")}
    write(database, edit_holiday, holiday_id, on=date(2027, 12, 25), name="Christmas")
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
        write(database, edit_holiday, other, on=CHRISTMAS, name="Christmas Day")
    write(database, edit_holiday, other, on=CHRISTMAS, name="Inventory")


def test_adding_a_day_that_was_proposed_accepts_it(database):
    (first, *_) = write(database, save_proposals, LIST)
    assert write(database, add_holiday, CHRISTMAS, "Christmas Day") == first
    assert ("Christmas Day", "accepted") in states(database)


def test_a_day_that_is_gone_cannot_be_changed(database):
    with pytest.raises(DomainError, match="This day is gone"):
        write(database, edit_holiday, 99, on=CHRISTMAS, name="Christmas Day")
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
    write(database, decide_holidays, ids[:1], accept=True)
    write(database, decide_holidays, ids[1:], accept=False)
    assert write(database, save_proposals, LIST) == []
    assert states(database) == {("Christmas Day", "accepted"), ("Second Day of Christmas", "ignored")}
    assert actions(database).count("holiday.import") == 1


def test_many_days_are_decided_at_once_and_what_is_gone_is_passed_over(database):
    ids = write(database, save_proposals, LIST)
    assert write(database, decide_holidays, [*ids, 99], accept=True) == 3
    assert write(database, decide_holidays, ids, accept=True) == 0
    assert actions(database).count("holiday.accept") == 3


def test_an_ignored_day_can_be_accepted_after_all(database):
    ids = write(database, save_proposals, LIST)
    write(database, decide_holidays, ids, accept=False)
    write(database, decide_holidays, ids[:1], accept=True)
    assert ("Christmas Day", "accepted") in states(database)


def test_a_year_is_reviewed_when_nothing_in_it_waits(database):
    assert read(database, list_reviewed_years) == set()
    ids = write(database, save_proposals, LIST)
    write(database, decide_holidays, [ids[0], ids[2]], accept=True)
    assert read(database, list_reviewed_years) == {2027}
    write(database, decide_holidays, [ids[1]], accept=False)
    assert read(database, list_reviewed_years) == {2026, 2027}
