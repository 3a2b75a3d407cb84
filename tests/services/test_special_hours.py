from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from portal.core.calendars import SpecialHours, is_open, parse_week
from portal.core.errors import DomainError
from portal.models import SITE_CALENDAR, AuditEvent
from portal.services.audit import Change
from portal.services.calendar_edit import add_calendar
from portal.services.calendars import load_hours, save_week
from portal.services.special_hours import (
    add_special_hours,
    edit_special_hours,
    find_special_hours,
    list_special_hours,
    plain_special,
    remove_special_hours,
)

NOW = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
EVER = datetime(2000, 1, 1)
PARTY = SpecialHours(datetime(2026, 12, 18, 14), datetime(2026, 12, 18, 18), False, "Party")


def write(database, act, *arguments, at=NOW, **keywords):
    with database.unit_of_work() as uow:
        return act(uow, *arguments, **keywords, change=Change(None, at))


def listed(database, calendar_id=SITE_CALENDAR, since=EVER) -> list[SpecialHours]:
    with database.read_session() as session:
        return [entry.hours for entry in list_special_hours(session, calendar_id, since=since)]


def running(starts: int, ends: int, *, is_open: bool = False) -> SpecialHours:
    """On the day of NOW."""
    return SpecialHours(datetime(2026, 11, 20, starts), datetime(2026, 11, 20, ends), is_open, "Move")


def test_special_hours_are_added_changed_and_removed(database):
    special_id = write(database, add_special_hours, replace(PARTY, name=" The   party "))
    assert listed(database) == [replace(PARTY, name="The party")]
    write(database, edit_special_hours, special_id, replace(PARTY, is_open=True))
    with database.read_session() as session:
        assert find_special_hours(session, special_id).hours == replace(PARTY, is_open=True)
        assert find_special_hours(session, 99) is None
    write(database, remove_special_hours, special_id)
    assert listed(database) == []
    with database.read_session() as session:
        assert session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all() == [
            "special_hours.add",
            "special_hours.edit",
            "special_hours.remove",
        ]


def test_they_close_and_open_the_calendar_they_stand_in_and_no_other(database):
    write(database, save_week, parse_week({"fri": "8-18"}))
    other = write(database, add_calendar, "Other")
    write(database, add_special_hours, replace(PARTY, is_open=True), calendar_id=other)
    write(database, add_special_hours, PARTY)
    at = datetime(2026, 12, 18, 15, tzinfo=UTC)
    with database.read_session() as session:
        assert not is_open(load_hours(session), at)
        assert is_open(load_hours(session, other), at)
    assert listed(database, other) == [replace(PARTY, is_open=True)]


def test_what_is_over_is_not_listed_unless_asked_for(database):
    write(database, add_special_hours, running(8, 9))
    write(database, add_special_hours, running(9, 12))
    write(database, add_special_hours, running(10, 20))
    assert listed(database, since=datetime(2026, 11, 20, 12)) == [running(10, 20)]


@pytest.mark.parametrize(
    ("after", "left"),
    [
        (running(8, 11), None),
        (running(7, 12), None),
        (running(8, 12), [running(8, 12)]),
        (running(8, 15), [running(8, 15)]),
        (replace(running(8, 20), name="Moved"), [replace(running(8, 20), name="Moved")]),
        (running(10, 20), [running(8, 12), running(12, 20)]),
        (running(15, 20), [running(8, 12), running(15, 20)]),
        (running(8, 20, is_open=True), [running(8, 12), running(12, 20, is_open=True)]),
    ],
)
def test_of_what_has_begun_only_the_rest_changes(database, after, left):
    special_id = write(database, add_special_hours, running(8, 20))
    if left is None:
        with pytest.raises(DomainError, match="That lies in the past"):
            write(database, edit_special_hours, special_id, after)
        return
    write(database, edit_special_hours, special_id, after)
    assert listed(database) == left


def test_what_begins_this_minute_has_not_begun(database):
    special_id = write(database, add_special_hours, running(12, 20))
    write(database, edit_special_hours, special_id, running(13, 20))
    assert listed(database) == [running(13, 20)]
    write(database, edit_special_hours, special_id, running(12, 20))
    write(database, remove_special_hours, special_id)
    assert listed(database) == []


def test_removing_what_has_begun_ends_it_now(database):
    special_id = write(database, add_special_hours, running(8, 20))
    write(database, remove_special_hours, special_id)
    assert listed(database) == [running(8, 12)]
    for act, arguments in ((remove_special_hours, ()), (edit_special_hours, (running(8, 20),))):
        with pytest.raises(DomainError, match="This is over"):
            write(database, act, special_id, *arguments)


def test_of_two_who_edit_the_later_is_told(database):
    special_id = write(database, add_special_hours, PARTY)
    write(database, edit_special_hours, special_id, replace(PARTY, name="Feast"), seen=PARTY)
    with pytest.raises(DomainError, match="Somebody else changed this meanwhile"):
        write(database, edit_special_hours, special_id, replace(PARTY, name="Ball"), seen=PARTY)
    write(database, edit_special_hours, special_id, replace(PARTY, name="Feast"), seen=PARTY)


def test_what_cannot_be_meant_is_refused(database):
    special_id = write(database, add_special_hours, PARTY)
    for special, sentence in (
        (PARTY, "The very same stands in the calendar already."),
        (replace(PARTY, name="x" * 201), "at most 200 characters"),
        (replace(PARTY, ends=datetime(2200, 1, 1)), "The year must lie between 2000 and 2199."),
    ):
        with pytest.raises(DomainError, match=sentence):
            write(database, add_special_hours, special)
    with pytest.raises(DomainError, match="This calendar is gone"):
        write(database, add_special_hours, PARTY, calendar_id=99)
    write(database, remove_special_hours, special_id)
    with pytest.raises(DomainError, match="are gone: somebody removed them"):
        write(database, remove_special_hours, special_id)


def test_special_hours_are_said_plainly():
    assert plain_special(PARTY) == {
        "kind": "closed", "from": "2026-12-18 14:00", "to": "2026-12-18 18:00", "name": "Party",
    }  # fmt: skip
    assert "name" not in plain_special(replace(PARTY, name="", is_open=True))
