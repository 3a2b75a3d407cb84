from datetime import UTC, date, datetime

from portal.core.calendars import WEEKDAYS, Holiday, parse_week
from portal.core.holiday_effects import plan_days
from portal.core.shifts import Shift
from portal.models import HolidayPolicyRow, ScheduleRow, User
from portal.services.audit import Change
from portal.services.calendar_edit import add_calendar
from portal.services.calendars import load_hours, save_week
from portal.services.holiday_effects import load_effects
from portal.services.shifts import add_shift

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHANGE = Change(None, NOW)
DAYS = [Holiday(date(2026, 12, day), f"Day {day}") for day in (24, 25, 26)]


def effects(database, calendar_id=1):
    with database.read_session() as session:
        after = plan_days(load_hours(session, calendar_id), closed=DAYS)
        return load_effects(session, after, [(day.on, day.name) for day in DAYS], now=NOW, calendar_id=calendar_id)


def given_people(uow) -> int:
    bob = User(email="b@a.example", name="Bob", role="technician", created_at=NOW)
    uow.session.add(bob)
    uow.session.flush()
    return bob.id


def test_each_day_says_what_closes_and_who_is_on_call(database):
    with database.unit_of_work() as uow:
        bob = given_people(uow)
        save_week(uow, parse_week(dict.fromkeys(WEEKDAYS[:5], "8-18")), change=CHANGE)
        add_shift(uow, Shift(0, bob, datetime(2026, 12, 24, 18), datetime(2026, 12, 25, 8)), change=CHANGE)
        uow.session.add(HolidayPolicyRow(observed_on=date(2026, 12, 26), policy="nobody"))
    first, second, third = effects(database).days
    assert [(one.starts.hour, one.ends.hour) for one in first.closes] == [(8, 18)]
    assert [(duty.person, duty.when.starts.hour, duty.schedule) for duty in first.duties] == [("Bob", 18, "")]
    assert second.duties[0].when.ends == datetime(2026, 12, 25, 8) and second.opens == ()
    assert [(gap.when.starts.hour, gap.when.ends.day) for gap in second.gaps] == [(8, 26)]
    assert [(gap.when.starts.hour, gap.when.ends.hour) for gap in first.gaps] == [(0, 18)]
    assert (third.closes, third.duties, third.managers, third.gaps) == ((), (), ("",), ())


def test_only_schedules_that_go_by_the_calendar_are_told_and_named_where_there_are_several(database):
    with database.unit_of_work() as uow:
        other = add_calendar(uow, "Warehouse", change=CHANGE)
        uow.session.add(ScheduleRow(name="Warehouse", calendar_id=other, changed_at=NOW))
        uow.session.add(ScheduleRow(name="Network", changed_at=NOW))
    assert [gap.schedule for gap in effects(database).days[0].gaps] == ["On call", "Network"]
    assert [gap.schedule for gap in effects(database, other).days[0].gaps] == [""]
