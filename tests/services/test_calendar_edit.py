from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from portal.core.calendars import SpecialHours, is_open, parse_week
from portal.core.errors import DomainError
from portal.models import SITE_CALENDAR, AuditEvent, Calendar, HolidayRow, Queue, ScheduleRow, SpecialHoursRow
from portal.services.audit import Change
from portal.services.calendar_edit import (
    add_calendar,
    choose_queue_calendar,
    edit_calendar,
    load_users,
    remove_calendar,
)
from portal.services.calendars import list_calendars, load_hours, load_week, save_week
from portal.services.holidays import add_holiday
from portal.services.special_hours import add_special_hours

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CHANGE = Change(None, NOW)
OFFICE = parse_week({"mon": "8-12, 13-18"})


def write(database, act, *arguments, **keywords):
    with database.unit_of_work() as uow:
        return act(uow, *arguments, **keywords, change=CHANGE)


def read(database, load, *arguments, **keywords):
    with database.read_session() as session:
        return load(session, *arguments, **keywords)


def actions(database) -> list[str]:
    with database.read_session() as session:
        return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


def heads(database) -> list[tuple[str, str]]:
    return [(one.name, one.own_zone) for one in read(database, list_calendars)]


@pytest.fixture
def queue(database) -> int:
    with database.unit_of_work() as uow:
        row = Queue(name="Phones")
        uow.session.add(row)
        uow.session.flush()
        return row.id


def test_a_calendar_is_added_renamed_moved_to_a_zone_and_removed(database):
    nights = write(database, add_calendar, "  Night   shop ", zone="America/New_York")
    assert heads(database) == [("Business hours", ""), ("Night shop", "America/New_York")]
    assert read(database, load_hours, nights).zone.key == "America/New_York"
    assert write(database, edit_calendar, nights, name="Late", zone="", seen=("Night shop", "America/New_York"))
    assert not write(database, edit_calendar, nights, name="Late", zone="", seen=("Night shop", "America/New_York"))
    assert heads(database) == [("Business hours", ""), ("Late", "")]
    write(database, remove_calendar, nights)
    assert heads(database) == [("Business hours", "")]
    assert actions(database) == ["calendar.add", "calendar.edit", "calendar.remove"]


def test_a_new_calendar_may_begin_as_a_copy_with_its_holidays(database):
    write(database, save_week, OFFICE)
    write(database, add_holiday, date(2026, 12, 25), "Christmas Day")
    write(
        database, add_special_hours, SpecialHours(datetime(2026, 12, 1, 8), datetime(2026, 12, 1, 9), False, "Meeting")
    )
    copied = write(database, add_calendar, "Warehouse", copy_of=SITE_CALENDAR)
    first, second = (read(database, load_hours, calendar_id) for calendar_id in (SITE_CALENDAR, copied))
    assert first == second
    write(database, save_week, parse_week({}), calendar_id=copied)
    assert read(database, load_week) == OFFICE
    write(database, remove_calendar, copied)
    with database.read_session() as session:
        for model in (HolidayRow, SpecialHoursRow):
            assert session.scalars(select(model.calendar_id)).all() == [SITE_CALENDAR]


@pytest.mark.parametrize(
    ("name", "zone", "sentence"),
    [
        (" ", "", "Give the calendar a name."),
        ("x" * 81, "", "at most 80 characters"),
        ("business HOURS", "", "There is a calendar called business HOURS already."),
        ("Moon", "Moon/Crater", "“Moon/Crater” is not a time zone. Use a name like Europe/Berlin."),
    ],
)
def test_a_calendar_that_cannot_be_is_refused(database, name, zone, sentence):
    other = write(database, add_calendar, "Other")
    with pytest.raises(DomainError, match=sentence):
        write(database, add_calendar, name, zone=zone)
    with pytest.raises(DomainError, match=sentence):
        write(database, edit_calendar, other, name=name, zone=zone)


def test_the_sites_own_calendar_is_renamed_but_neither_moved_nor_removed(database):
    write(database, edit_calendar, SITE_CALENDAR, name="Office", zone="")
    with pytest.raises(DomainError, match="zone is set on the settings page"):
        write(database, edit_calendar, SITE_CALENDAR, name="Office", zone="Europe/Paris")
    with pytest.raises(DomainError, match="The site’s own hours cannot be removed"):
        write(database, remove_calendar, SITE_CALENDAR)
    assert heads(database) == [("Office", "")]


def test_who_went_by_a_removed_calendar_is_named_and_goes_by_the_sites_hours(database, queue):
    other = write(database, add_calendar, "Other")
    assert write(database, choose_queue_calendar, queue, other)
    assert not write(database, choose_queue_calendar, queue, other)
    with database.unit_of_work() as uow:
        uow.session.add(ScheduleRow(name="Nights", calendar_id=other, changed_at=NOW))
    users = read(database, load_users, other)
    assert users.names == ("the queue Phones", "the schedule Nights")
    assert write(database, remove_calendar, other) == users
    with database.read_session() as session:
        assert session.get(Queue, queue).calendar_id is None
        assert session.scalars(select(ScheduleRow.calendar_id)).all() == [None, None]
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "calendar.remove")).one()
    assert event.data == {"queues": ["Phones"], "schedules": ["Nights"]}


def test_a_queue_goes_back_to_the_sites_hours(database, queue):
    other = write(database, add_calendar, "Other")
    write(database, choose_queue_calendar, queue, other)
    assert write(database, choose_queue_calendar, queue, SITE_CALENDAR)
    assert read(database, load_users, other).names == ()
    assert not write(database, choose_queue_calendar, queue, None)
    with database.read_session() as session:
        assert session.get(Queue, queue).calendar_id is None
    assert actions(database).count("queue.calendar") == 2


def test_of_two_who_edit_a_calendar_the_later_is_told(database):
    other = write(database, add_calendar, "Other")
    write(database, edit_calendar, other, name="First", zone="", seen=("Other", ""))
    with pytest.raises(DomainError, match="Somebody else changed this calendar meanwhile"):
        write(database, edit_calendar, other, name="Second", zone="", seen=("Other", ""))


def test_a_new_calendar_is_not_taken_for_one_that_is_gone(database):
    """Processes keep hours by the calendar's id and version."""
    before = write(database, add_calendar, "Before")
    write(database, save_week, OFFICE, calendar_id=before)
    assert read(database, load_hours, before).week == OFFICE
    write(database, remove_calendar, before)
    after = write(database, add_calendar, "After")
    write(database, save_week, parse_week({"sun": "9-10"}), calendar_id=after)
    assert read(database, load_hours, after).week == parse_week({"sun": "9-10"})


def test_what_is_gone_is_said(database, queue):
    for act, arguments, keywords in (
        (edit_calendar, (99,), {"name": "X", "zone": ""}),
        (remove_calendar, (99,), {}),
        (choose_queue_calendar, (queue, 99), {}),
        (choose_queue_calendar, (99, None), {}),
        (add_calendar, ("X",), {"copy_of": 99}),
    ):
        with pytest.raises(DomainError, match="is gone: somebody removed it meanwhile"):
            write(database, act, *arguments, **keywords)


def test_a_zone_holds_for_everything_in_the_calendar(database):
    other = write(database, add_calendar, "Tokyo", zone="Asia/Tokyo")
    write(database, save_week, parse_week({"mon": "9-17"}), calendar_id=other)
    assert is_open(read(database, load_hours, other), datetime(2026, 11, 23, 0, tzinfo=UTC))
    write(database, edit_calendar, other, name="Tokyo", zone="Europe/Berlin")
    assert not is_open(read(database, load_hours, other), datetime(2026, 11, 23, 0, tzinfo=UTC))
    with database.read_session() as session:
        assert session.get(Calendar, other).changed_at == NOW
