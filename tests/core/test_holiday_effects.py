from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from portal.core.calendars import BusinessHours, Holiday, Period, YearlyHoliday, holidays_in, parse_week
from portal.core.holiday_effects import compare_days, duties_on, plan_days, plan_rule
from portal.core.holiday_rules import HolidayRule, OnDate
from portal.core.intervals import Interval
from portal.core.roster import Schedule
from portal.core.shifts import Shift

BERLIN = ZoneInfo("Europe/Berlin")
EVE, CHRISTMAS = date(2026, 12, 24), date(2026, 12, 25)
OFFICE = parse_week(dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "8-12, 13-18"))
RULE = YearlyHoliday("Christmas Eve", HolidayRule(OnDate(12, 24)), Period(780, 1440))
BOB, CAROL = 2, 3


def shop(*holidays: Holiday, yearly=()) -> BusinessHours:
    return BusinessHours(BERLIN, OFFICE, holidays, yearly=tuple(yearly))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def clock(*spans: Interval) -> list[str]:
    return [f"{one.starts_at.astimezone(BERLIN):%d %H:%M}-{one.ends_at.astimezone(BERLIN):%d %H:%M}" for one in spans]


def test_closing_a_day_closes_what_was_open():
    before = shop()
    after = plan_days(before, closed=[Holiday(CHRISTMAS, "Christmas Day"), Holiday(EVE, "Eve", Period(600, 1440))])
    eve, day = compare_days(before, after, [(CHRISTMAS, "Christmas Day"), (EVE, "Eve")])
    assert (eve.on, eve.names, clock(*eve.closes)) == (EVE, ("Eve",), ["24 10:00-24 12:00", "24 13:00-24 18:00"])
    assert clock(*day.closes) == ["25 08:00-25 12:00", "25 13:00-25 18:00"] and day.opens == ()
    assert day.day == Interval(utc(2026, 12, 24, 23), utc(2026, 12, 25, 23))


def test_a_part_that_reaches_past_midnight_is_told_whole():
    before = BusinessHours(BERLIN, parse_week({"thu": "20-04", "fri": "8-12"}))
    (day,) = compare_days(before, plan_days(before, closed=[Holiday(EVE, "Eve", Period(1320, 1620))]), [(EVE, "Eve")])
    assert clock(*day.closes) == ["24 22:00-25 03:00"]


def test_removing_and_changing_a_day_opens_what_it_closed():
    christmas = Holiday(CHRISTMAS, "Christmas Day")
    before = shop(christmas)
    (gone,) = compare_days(before, plan_days(before, removed=[christmas]), [(CHRISTMAS, "Christmas Day")])
    assert clock(*gone.opens) == ["25 08:00-25 12:00", "25 13:00-25 18:00"]
    half = Holiday(CHRISTMAS, "Christmas Day", Period(720, 1440))
    (changed,) = compare_days(before, plan_days(before, closed=[half], removed=[christmas]), [(CHRISTMAS, "")])
    assert clock(*changed.opens) == ["25 08:00-25 12:00"] and changed.closes == ()


def test_two_names_of_a_date_are_told_together():
    before = shop(Holiday(CHRISTMAS, "Inventory"))
    after = plan_days(before, closed=[Holiday(CHRISTMAS, "Christmas Day")])
    (day,) = compare_days(before, after, [(CHRISTMAS, "Christmas Day"), (CHRISTMAS, "Inventory")])
    assert day.names == ("Christmas Day", "Inventory") and not day.closes


def test_an_ignored_day_silences_the_rule_of_its_name_and_a_removed_one_lets_it_speak():
    ignored = plan_days(shop(yearly=[RULE]), ignored=[Holiday(EVE, "Christmas Eve")])
    assert holidays_in(ignored, 2026) == () and len(holidays_in(ignored, 2027)) == 1
    back = plan_days(ignored, removed=[Holiday(EVE, "Christmas Eve")])
    assert len(holidays_in(back, 2026)) == 1


def test_a_rule_is_added_changed_and_removed():
    added = plan_rule(shop(), after=RULE)
    assert [one.on for one in holidays_in(added, 2026)] == [EVE]
    later = YearlyHoliday("Christmas Eve", HolidayRule(OnDate(12, 23)))
    assert [one.on for one in holidays_in(plan_rule(added, before=RULE, after=later), 2026)] == [date(2026, 12, 23)]
    assert holidays_in(plan_rule(added, before=RULE), 2026) == ()


def test_duties_of_a_day_are_cut_to_it_and_joined():
    shifts = (
        Shift(1, BOB, datetime(2026, 12, 24, 18), datetime(2026, 12, 25, 8)),
        Shift(2, CAROL, datetime(2026, 12, 25, 8), datetime(2026, 12, 25, 12)),
        Shift(3, CAROL, datetime(2026, 12, 25, 12), datetime(2026, 12, 27)),
    )
    duties = duties_on(Schedule(BERLIN, shifts=shifts), Interval(utc(2026, 12, 24, 23), utc(2026, 12, 25, 23)))
    assert [(one.person_id, *clock(Interval(one.starts_at, one.ends_at))) for one in duties] == [
        (BOB, "25 00:00-25 08:00"), (CAROL, "25 08:00-26 00:00"),
    ]  # fmt: skip
