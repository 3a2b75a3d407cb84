from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.calendars import (
    WEEKDAYS,
    BusinessHours,
    Holiday,
    Period,
    SpecialHours,
    Week,
    YearlyHoliday,
    add_working_time,
    closures_on,
    compare_hours,
    format_minute,
    format_week,
    holiday_at,
    holidays_in,
    is_open,
    next_closing,
    next_opening,
    open_intervals,
    parse_day,
    parse_period,
    parse_week,
    subtract_working_time,
    working_minutes_between,
    year_to_review,
)
from portal.core.errors import DomainError
from portal.core.holiday_rules import FromEaster, HolidayRule, OnDate, OnWeekday
from portal.core.intervals import Interval

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = {day: ["08:00-12:00", "13:00-18:00"] for day in WEEKDAYS[:5]}
TRANSITIONS = [
    ("America/New_York", date(2026, 3, 2), date(2026, 10, 26)),
    ("Europe/London", date(2026, 3, 23), date(2026, 10, 19)),
    ("Europe/Berlin", date(2026, 3, 23), date(2026, 10, 19)),
    ("Australia/Sydney", date(2026, 9, 28), date(2026, 3, 30)),
    ("Australia/Lord_Howe", date(2026, 9, 28), date(2026, 3, 30)),
]


def hours(week, zone="UTC", *holidays: Holiday) -> BusinessHours:
    return BusinessHours(ZoneInfo(zone), parse_week(week), holidays)


def every_day(text: str) -> dict[str, str]:
    return dict.fromkeys(WEEKDAYS, text)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def local(zone: str, *parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


# Parsing


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("08:00-12:00", Period(480, 720)),
        (" 8 – 12:30 ", Period(480, 750)),
        ("9 to 17", Period(540, 1020)),
        ("00:00-24:00", Period(0, 1440)),
        ("18:00-00:00", Period(1080, 1440)),
        ("22:00-02:00", Period(1320, 1560)),
    ],
)
def test_a_period_is_read_as_people_write_it(text, period):
    assert parse_period(text) == period


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("morning", "“morning” is not a period. Write it like 08:00-12:00."),
        ("08:00", "is not a period"),
        ("08:00-25:00", "a time that no clock shows"),
        ("08:60-09:00", "a time that no clock shows"),
        ("08:00-24:01", "a time that no clock shows"),
        ("24:00-02:00", "cannot begin at 24:00"),
        ("08:00-08:00", "has no length. Write 00:00-24:00 for the whole day."),
    ],
)
def test_a_period_that_makes_no_sense_is_refused_in_one_sentence(text, sentence):
    with pytest.raises(DomainError, match=sentence):
        parse_period(text)


@pytest.mark.parametrize("bounds", [(-1, 10), (1440, 1500), (10, 10), (10, 5), (10, 1450), (-5, 1435)])
def test_no_period_can_be_built_that_is_not_within_a_day_and_a_night(bounds):
    with pytest.raises(DomainError):
        Period(*bounds)


def test_a_day_is_read_in_order_and_may_be_closed():
    assert parse_day("13-18, 8-12") == (Period(480, 720), Period(780, 1080))
    assert parse_day(" ") == ()


def test_minutes_are_written_as_on_a_clock():
    assert [format_minute(minute) for minute in (0, 65, 1440)] == ["00:00", "01:05", "24:00"]


def test_a_week_survives_being_written_and_read_again():
    week = {"mon": ["08:00-12:00", "13:00-18:00"], "fri": ["22:00-02:00"], "sun": ["00:00-24:00"]}
    assert format_week(parse_week(week)) == week


def test_a_day_may_be_one_text():
    assert parse_week({"mon": "8-12, 13-18"}) == parse_week({"mon": ["08:00-12:00", "13:00-18:00"]})


@pytest.mark.parametrize(
    ("week", "sentence"),
    [
        ({"monday": ["08:00-12:00"]}, "“monday” is not a weekday. Use mon, tue"),
        ({"tue": ["8"]}, "Tuesday: “8” is not a period"),
        ({"mon": ["08:00-12:00", "11:00-13:00"]}, "Monday 08:00-12:00 and Monday 11:00-13:00 overlap."),
        ({"fri": ["22:00-02:00"], "sat": ["01:00-05:00"]}, "Friday 22:00-02:00 and Saturday 01:00-05:00 overlap."),
        ({"sun": ["22:00-02:00"], "mon": ["00:00-24:00"]}, "Sunday 22:00-02:00 and Monday 00:00-24:00 overlap."),
    ],
)
def test_a_week_that_makes_no_sense_is_refused_naming_the_day(week, sentence):
    with pytest.raises(DomainError, match=sentence):
        parse_week(week)


def test_touching_periods_do_not_overlap():
    parse_week({"fri": ["08:00-12:00", "12:00-24:00"], "sat": ["00:00-05:00"]})


def test_a_week_has_seven_days():
    with pytest.raises(DomainError, match="seven days"):
        Week(((),))


# Open or not


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ((7, 59), False),
        ((8, 0), True),
        ((11, 59), True),
        ((12, 0), False),
        ((12, 59), False),
        ((13, 0), True),
        ((18, 0), False),
    ],
)
def test_opening_minutes_are_open_and_closing_minutes_closed(clock, expected):
    monday = local("Europe/Berlin", 2026, 11, 23, *clock)
    assert is_open(hours(OFFICE, "Europe/Berlin"), monday) is expected


def test_a_period_past_midnight_belongs_to_the_day_it_began():
    friday_night = hours({"fri": ["22:00-02:00"]})
    assert is_open(friday_night, utc(2026, 11, 28, 1, 59))
    assert not is_open(friday_night, utc(2026, 11, 28, 2, 0))
    assert not is_open(friday_night, utc(2026, 11, 27, 1, 0))


def test_an_open_round_the_clock_calendar_loses_no_minute_at_midnight():
    always = hours(every_day("00:00-24:00"), "America/New_York")
    start = utc(2026, 10, 25)
    assert all(is_open(always, start + timedelta(minutes=15 * step)) for step in range(14 * 96))
    assert working_minutes_between(always, start, start + timedelta(days=14)) == 14 * 1440
    assert add_working_time(always, start, minutes=14 * 1440) == start + timedelta(days=14)


def test_an_open_round_the_clock_calendar_is_one_interval():
    span = Interval(utc(2026, 10, 20), utc(2026, 11, 5))
    assert open_intervals(hours(every_day("00:00-24:00"), "Europe/Berlin"), span) == (span,)


def test_closed_all_week_never_opens():
    closed = BusinessHours(BERLIN, Week())
    assert not is_open(closed, utc(2026, 11, 23, 10))
    assert next_opening(closed, utc(2026, 11, 23, 10)) is None


def test_hours_whose_holidays_never_end_do_not_open_within_ten_years():
    days = [Holiday(date(2026, 1, 1) + timedelta(days=number), "Closed for good") for number in range(3700)]
    assert next_opening(hours({"mon": "8-9"}, "UTC", *days), utc(2026, 1, 3)) is None


@pytest.mark.parametrize(
    ("at", "opening"),
    [
        ((2026, 11, 27, 19), (2026, 11, 30, 8)),  # Friday evening to Monday morning
        ((2026, 11, 27, 12, 30), (2026, 11, 27, 13)),
        ((2026, 11, 27, 9), (2026, 11, 27, 9)),
        ((2026, 12, 24, 19), (2026, 12, 28, 8)),  # over Christmas Day and a weekend
    ],
)
def test_the_next_opening_skips_nights_weekends_and_holidays(at, opening):
    office = hours(OFFICE, "Europe/Berlin", Holiday(date(2026, 12, 25), "Christmas Day"))
    assert next_opening(office, local("Europe/Berlin", *at)) == local("Europe/Berlin", *opening)


@pytest.mark.parametrize(
    ("at", "closing"),
    [
        ((2026, 11, 27, 9), (2026, 11, 27, 12)),
        ((2026, 11, 27, 8), (2026, 11, 27, 12)),
        ((2026, 11, 27, 12), None),
        ((2026, 11, 28, 9), None),
    ],
)
def test_the_next_closing_ends_the_opening_of_now(at, closing):
    office = hours(OFFICE, "Europe/Berlin")
    expected = closing and local("Europe/Berlin", *closing)
    assert next_closing(office, local("Europe/Berlin", *at)) == expected


def test_a_shop_that_never_closes_has_no_closing():
    always = every_day("0-24")
    assert next_closing(hours(always), utc(2026, 11, 27)) is None
    assert next_closing(hours(always, "UTC", Holiday(date(2026, 12, 25), "Feast")), utc(2026, 11, 27)) == utc(
        2026, 12, 25
    )
    weekend = hours({"fri": "18-24", "sat": "0-24", "sun": "0-20"})
    assert next_closing(weekend, utc(2026, 11, 27, 19)) == utc(2026, 11, 29, 20)


def test_a_change_of_the_hours_is_told_as_what_opens_and_what_closes():
    day = utc(2026, 11, 23)
    change = compare_hours(hours({"mon": "8-12"}), hours({"mon": "9-14"}), Interval(day, day + timedelta(days=7)))
    assert change.opens == (Interval(utc(2026, 11, 23, 12), utc(2026, 11, 23, 14)),)
    assert change.closes == (Interval(utc(2026, 11, 23, 8), utc(2026, 11, 23, 9)),)


# Holidays


def test_a_holiday_lasts_from_midnight_to_midnight_in_the_zone_of_the_shop():
    office = hours(OFFICE, "Europe/Berlin", Holiday(date(2026, 12, 25), "Christmas Day"))
    assert holiday_at(office, local("Europe/Berlin", 2026, 12, 24, 23, 59)) is None
    assert holiday_at(office, local("Europe/Berlin", 2026, 12, 25, 0, 0)).name == "Christmas Day"
    assert holiday_at(office, local("Europe/Berlin", 2026, 12, 25, 23, 59)).name == "Christmas Day"
    assert holiday_at(office, local("Europe/Berlin", 2026, 12, 26, 0, 0)) is None
    assert not is_open(office, local("Europe/Berlin", 2026, 12, 25, 10))


def test_a_holiday_cuts_the_night_that_began_the_evening_before_at_midnight():
    bar = hours({"thu": "20-04", "fri": "20-04"}, "Europe/Berlin", Holiday(date(2026, 12, 25), "Christmas Day"))
    assert is_open(bar, local("Europe/Berlin", 2026, 12, 24, 23, 59))
    assert not is_open(bar, local("Europe/Berlin", 2026, 12, 25, 0, 0))
    assert not is_open(bar, local("Europe/Berlin", 2026, 12, 25, 21, 0))
    assert is_open(bar, local("Europe/Berlin", 2026, 12, 26, 1, 0))


def test_a_half_day_closes_only_its_part():
    eve = Holiday(date(2026, 12, 24), "Christmas Eve", Period(780, 1440))
    office = hours(OFFICE, "Europe/Berlin", eve)
    assert is_open(office, local("Europe/Berlin", 2026, 12, 24, 11, 59))
    assert holiday_at(office, local("Europe/Berlin", 2026, 12, 24, 12, 59)) is None
    assert holiday_at(office, local("Europe/Berlin", 2026, 12, 24, 13)) == eve
    assert not is_open(office, local("Europe/Berlin", 2026, 12, 24, 14))


def test_a_closure_may_run_past_midnight():
    office = hours(every_day("00:00-24:00"), "UTC", Holiday(date(2026, 12, 31), "Party", Period(1200, 1440 + 300)))
    assert holiday_at(office, utc(2027, 1, 1, 4, 59)).name == "Party"
    assert not is_open(office, utc(2027, 1, 1, 4, 59))
    assert is_open(office, utc(2027, 1, 1, 5))


def test_two_holidays_on_one_date_close_it_once():
    office = hours(
        OFFICE, "UTC", Holiday(date(2026, 12, 25), "Christmas Day"), Holiday(date(2026, 12, 25), "Inventory")
    )
    assert holiday_at(office, utc(2026, 12, 25, 9)).name == "Christmas Day"
    assert working_minutes_between(office, utc(2026, 12, 24), utc(2026, 12, 27)) == 540


def test_a_half_day_that_ends_in_a_doubled_hour_ends_with_its_last_occurrence():
    night = Holiday(date(2026, 10, 25), "Change of the clocks", Period(0, 150))
    always = hours(every_day("0-24"), "Europe/Berlin", night)
    assert next_opening(always, utc(2026, 10, 24, 22)) == utc(2026, 10, 25, 1, 30)


def test_a_holiday_ends_with_its_date_also_where_midnight_comes_twice():
    day = Holiday(date(2026, 10, 31), "Feast")  # clocks in Havana go back from 01:00 to 00:00 after it
    always = hours(every_day("0-24"), "America/Havana", day)
    assert next_opening(always, utc(2026, 10, 31, 12)) == utc(2026, 11, 1, 4)


def test_a_leap_year_has_366_days_of_working_time():
    always = hours(every_day("00:00-24:00"), "America/New_York")
    year = Interval(local("America/New_York", 2028, 1, 1), local("America/New_York", 2029, 1, 1))
    assert working_minutes_between(always, year.starts_at, year.ends_at) == 366 * 1440
    assert add_working_time(always, year.starts_at, minutes=366 * 1440) == year.ends_at


def test_the_29th_of_february_can_be_a_holiday():
    office = hours(every_day("00:00-24:00"), "UTC", Holiday(date(2028, 2, 29), "Leap day"))
    assert working_minutes_between(office, utc(2028, 1, 1), utc(2029, 1, 1)) == 365 * 1440


def test_a_rule_closes_its_day_every_year_but_where_something_else_was_decided():
    eve = YearlyHoliday("Christmas Eve", HolidayRule(OnDate(12, 24), 2026), Period(780, 1440))
    good_friday = YearlyHoliday("Good Friday", HolidayRule(FromEaster(-2)), except_on=frozenset({date(2027, 3, 26)}))
    shop = BusinessHours(
        BERLIN, parse_week(OFFICE), (Holiday(date(2026, 12, 24), "Inventory"),), yearly=(eve, good_friday)
    )
    assert [one.name for one in holidays_in(shop, 2025)] == ["Good Friday"]
    assert [one.name for one in holidays_in(shop, 2026)] == ["Good Friday", "Inventory", "Christmas Eve"]
    assert holidays_in(shop, 2027) == (Holiday(date(2027, 12, 24), "Christmas Eve", Period(780, 1440)),)
    assert is_open(shop, local("Europe/Berlin", 2027, 12, 24, 11))
    assert holiday_at(shop, local("Europe/Berlin", 2027, 12, 24, 13)).name == "Christmas Eve"
    ((closed, _),) = closures_on(shop, date(2027, 12, 24))
    assert closed == Interval(local("Europe/Berlin", 2027, 12, 24, 13), local("Europe/Berlin", 2027, 12, 25))
    assert not is_open(shop, local("Europe/Berlin", 2026, 4, 3, 10))
    assert is_open(shop, local("Europe/Berlin", 2027, 3, 26, 10))


@pytest.mark.parametrize(
    ("today", "reviewed", "year"),
    [
        (date(2026, 5, 1), set(), 2026),
        (date(2026, 5, 1), {2026}, None),
        (date(2026, 8, 31), {2026}, None),
        (date(2026, 9, 1), {2026}, 2027),
        (date(2026, 12, 31), {2026, 2027}, None),
        (date(2026, 12, 31), {2027}, 2026),
    ],
)
def test_in_autumn_the_next_year_wants_to_be_reviewed(today, reviewed, year):
    assert year_to_review(today, reviewed) == year


# Working time: the golden numbers


WORKING = dict.fromkeys(WEEKDAYS[:5], "8-18")
NINE_TO_NINE, NINTH = every_day("9-21"), utc(2026, 11, 9, 23)
GOLDEN = {
    "a working day in New York": (
        (every_day("9-18"), "America/New_York", []), utc(2007, 1, 1, 22), 120, utc(2007, 1, 2, 15)
    ),
    "the same in Moscow": ((every_day("9-18"), "Europe/Moscow", []), utc(2007, 1, 1, 22), 120, utc(2007, 1, 2, 8)),
    "New York, Monday to Friday, closed on New Year": (
        (dict.fromkeys(WEEKDAYS[:5], "9-18"), "America/New_York", [date(2007, 1, 1)]),
        utc(2007, 1, 1, 22), 120, utc(2007, 1, 2, 16),
    ),
    "due: four hours from Monday 17:00": ((WORKING, "UTC", []), utc(2026, 11, 23, 17), 240, utc(2026, 11, 24, 11)),
    "warn: three hours from Monday 17:00": ((WORKING, "UTC", []), utc(2026, 11, 23, 17), 180, utc(2026, 11, 24, 10)),
    "48 hours of nine to nine": ((NINE_TO_NINE, "UTC", []), NINTH, 2880, utc(2026, 11, 13, 21)),
    "with the 13th closed": ((NINE_TO_NINE, "UTC", [date(2026, 11, 13)]), NINTH, 2880, utc(2026, 11, 14, 21)),
    "with the 11th and the 13th closed": (
        (NINE_TO_NINE, "UTC", [date(2026, 11, 11), date(2026, 11, 13)]), NINTH, 2880, utc(2026, 11, 15, 21)
    ),
    "no minute lost at midnight": ((every_day("0-24"), "UTC", []), utc(2026, 11, 9, 23), 2880, utc(2026, 11, 11, 23)),
    "lunch does not count": ((OFFICE, "UTC", []), utc(2026, 11, 23, 11, 30), 60, utc(2026, 11, 23, 13, 30)),
    "a doubled hour is worked twice": (
        (every_day("0-24"), "Europe/Berlin", []), utc(2026, 10, 24, 22), 1500, utc(2026, 10, 25, 23)
    ),
    "also within a night": (({"sun": "1-5"}, "Europe/Berlin", []), utc(2026, 10, 24, 20), 300, utc(2026, 10, 25, 4)),
    "a missing hour is not worked": (
        ({"sun": "1-5"}, "Europe/Berlin", []), utc(2026, 3, 29), 180, utc(2026, 3, 29, 3)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_numbers_of_working_time(name):
    (week, zone, closed), start, minutes, due = GOLDEN[name]
    calendar = hours(week, zone, *(Holiday(day, "Closed") for day in closed))
    assert add_working_time(calendar, start, minutes=minutes) == due
    assert working_minutes_between(calendar, start, due) == minutes
    assert subtract_working_time(calendar, due, minutes=minutes) == next_opening(calendar, start)


def test_a_deadline_is_warned_of_an_hour_of_working_time_before():
    shop = hours(dict.fromkeys(WEEKDAYS[:5], "8-18"))
    due = add_working_time(shop, utc(2026, 11, 23, 17), minutes=240)
    assert due == utc(2026, 11, 24, 11) and subtract_working_time(shop, due, minutes=60) == utc(2026, 11, 24, 10)


@pytest.mark.parametrize(
    ("at", "minutes", "start"),
    [
        (utc(2026, 11, 24, 9), 60, utc(2026, 11, 24, 8)),
        (utc(2026, 11, 24, 9), 61, utc(2026, 11, 23, 17, 59)),
        (utc(2026, 11, 24, 3), 30, utc(2026, 11, 23, 17, 30)),
        (utc(2026, 11, 23, 8), 540, utc(2026, 11, 20, 8)),
        (utc(2026, 11, 22), 0, utc(2026, 11, 22)),
    ],
)
def test_working_time_is_counted_back_over_lunch_nights_and_weekends(at, minutes, start):
    assert subtract_working_time(hours(OFFICE), at, minutes=minutes) == start


def special(day: int, start: int, end: int, *, is_open: bool) -> SpecialHours:
    """On a day of November 2026; an hour over 24 lies on the next day."""
    midnight = datetime(2026, 11, day)
    return SpecialHours(midnight + timedelta(hours=start), midnight + timedelta(hours=end), is_open)


@pytest.mark.parametrize(
    ("exceptions", "expected"),
    [
        ([], [(8, 12), (13, 18)]),
        ([special(24, 10, 14, is_open=False)], [(8, 10), (14, 18)]),
        ([special(24, 12, 13, is_open=True)], [(8, 18)]),
        ([special(24, 20, 28, is_open=True)], [(8, 12), (13, 18), (20, 28)]),
        ([special(23, 20, 33, is_open=False)], [(9, 12), (13, 18)]),
        ([special(24, 8, 18, is_open=False), special(24, 9, 10, is_open=True)], [(9, 10)]),
        ([special(20, 0, 200, is_open=False)], []),
    ],
)
def test_exceptions_close_and_open_stretches_of_time(exceptions, expected):
    shop = BusinessHours(ZoneInfo("UTC"), parse_week(OFFICE), (), tuple(exceptions))
    day = utc(2026, 11, 24)
    found = open_intervals(shop, Interval(day, day + timedelta(hours=28)))
    assert [
        ((one.starts_at - day) / timedelta(hours=1), (one.ends_at - day) / timedelta(hours=1)) for one in found
    ] == expected


def test_an_extra_opening_opens_also_on_a_holiday_and_in_a_shop_without_hours():
    opening = special(24, 9, 12, is_open=True)
    for week in ({}, OFFICE):
        shop = BusinessHours(ZoneInfo("UTC"), parse_week(week), (Holiday(date(2026, 11, 24), "Feast"),), (opening,))
        assert next_opening(shop, utc(2026, 11, 24)) == utc(2026, 11, 24, 9)
        assert is_open(shop, utc(2026, 11, 24, 11, 59)) and not is_open(shop, utc(2026, 11, 24, 12))


def test_an_exception_that_ends_before_it_starts_is_refused():
    with pytest.raises(DomainError, match="ends before it starts"):
        special(24, 12, 12, is_open=False)


def test_working_time_of_moscow_starts_when_moscow_opens():
    moscow = hours(every_day("9-18"), "Europe/Moscow")
    assert next_opening(moscow, utc(2007, 1, 1, 22)) == utc(2007, 1, 2, 6)


def test_no_working_time_at_all_is_due_at_the_next_opening():
    assert add_working_time(hours(OFFICE), utc(2026, 11, 22), minutes=0) == utc(2026, 11, 23, 8)


def test_periods_that_overlap_in_the_doubled_hour_are_counted_once():
    calendar = hours({"sun": ["00:00-02:30", "02:30-05:00"]}, "Europe/Berlin")
    start, end = utc(2026, 10, 24, 20), utc(2026, 10, 25, 20)
    assert working_minutes_between(calendar, start, end) == 360
    assert add_working_time(calendar, start, minutes=360) == local("Europe/Berlin", 2026, 10, 25, 5)


def test_a_period_swallowed_by_the_missing_hour_holds_no_time():
    calendar = hours({"sun": ["02:10-02:40", "10:00-11:00"]}, "Europe/Berlin")
    assert next_opening(calendar, utc(2026, 3, 28, 12)) == utc(2026, 3, 29, 8)
    assert add_working_time(calendar, utc(2026, 3, 28, 12), minutes=30) == utc(2026, 3, 29, 8, 30)


def test_periods_inside_one_doubled_hour_swallow_each_other():
    calendar = hours({"sun": ["02:00-02:20", "02:30-02:40"]}, "Europe/Berlin")
    day = utc(2026, 10, 24, 22)
    assert open_intervals(calendar, Interval(day, day + timedelta(days=1))) == (
        Interval(utc(2026, 10, 25, 0, 0), utc(2026, 10, 25, 1, 40)),
    )
    assert add_working_time(calendar, day, minutes=100) == utc(2026, 10, 25, 1, 40)


def test_time_that_runs_backwards_holds_no_working_minutes():
    assert working_minutes_between(hours(OFFICE), utc(2026, 11, 24, 12), utc(2026, 11, 23, 8)) == 0


def test_working_time_cannot_be_negative():
    for move in (add_working_time, subtract_working_time):
        with pytest.raises(DomainError, match="cannot be negative"):
            move(hours(OFFICE), utc(2026, 11, 23), minutes=-1)


@pytest.mark.parametrize("week", [{}, {"mon": "8-9"}])
def test_hours_that_cannot_hold_the_amount_say_so(week):
    for move in (add_working_time, subtract_working_time):
        with pytest.raises(DomainError, match="too rarely"):
            move(hours(week), utc(2026, 11, 23), minutes=1_000_000)


# Properties


@st.composite
def weeks(draw) -> Week:
    """Any week: marks on the line of its minutes, taken in pairs, no period over a day."""
    marks = sorted(draw(st.sets(st.integers(0, 7 * 96 - 1), max_size=20)))
    days: list[list[Period]] = [[] for _ in WEEKDAYS]
    for start, end in zip(marks[::2], marks[1::2], strict=False):
        day, quarter = divmod(start, 96)
        length = min(end - start, 95 if quarter else 96)
        days[day].append(Period(quarter * 15, (quarter + length) * 15))
    return Week(tuple(map(tuple, days)))


@st.composite
def calendars(draw) -> BusinessHours:
    zone = ZoneInfo(draw(st.sampled_from([zone for zone, *_ in TRANSITIONS])))
    days = draw(st.lists(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=5))
    exceptions = draw(st.lists(st.tuples(st.integers(0, 365 * 96), st.integers(1, 500), st.booleans()), max_size=4))
    quarter, first = timedelta(minutes=15), datetime(2026, 1, 1)
    special = tuple(
        SpecialHours(first + n * quarter, first + (n + m) * quarter, is_open) for n, m, is_open in exceptions
    )
    yearly = draw(st.lists(st.builds(YearlyHoliday, st.just("Rule"), st.builds(HolidayRule, yearly_days)), max_size=2))
    holidays = tuple(Holiday(day, "Closed", draw(parts)) for day in days)
    return BusinessHours(zone, draw(weeks()), holidays, special, tuple(yearly))


parts = st.sampled_from([Period(0, 1440), Period(780, 1440), Period(0, 720), Period(1320, 1600)])
yearly_days = st.one_of(
    st.builds(OnWeekday, st.sampled_from([1, 5, -1]), st.integers(0, 6), st.integers(1, 12)),
    st.builds(FromEaster, st.integers(-60, 60), st.booleans()),
)


instants = st.integers(0, 365 * 1440).map(lambda minute: utc(2026, 1, 1) + timedelta(minutes=minute))


@given(weeks())
def test_any_week_survives_being_written_and_read_again(week):
    assert parse_week(format_week(week)) == week


@given(calendars(), instants, st.integers(1, 5000))
def test_what_was_added_lies_between(calendar, at, minutes):
    try:
        due = add_working_time(calendar, at, minutes=minutes)
    except DomainError:
        return  # it never opens, or by an exception only
    assert working_minutes_between(calendar, at, due) == minutes
    assert is_open(calendar, due - timedelta(seconds=1))


@given(calendars(), instants, st.integers(1, 5000))
def test_adding_and_subtracting_the_same_returns(calendar, at, minutes):
    opening = next_opening(calendar, at)
    if opening is None:
        return
    try:
        due = add_working_time(calendar, at, minutes=minutes)
    except DomainError:
        return  # a week without hours, opened by an exception only
    assert subtract_working_time(calendar, due, minutes=minutes) == opening


@given(calendars(), instants, st.integers(0, 3000), st.integers(0, 3000))
def test_working_time_adds_up_over_any_cut(calendar, at, first, second):
    middle = at + timedelta(minutes=first)
    end = middle + timedelta(minutes=second)
    parts = working_minutes_between(calendar, at, middle) + working_minutes_between(calendar, middle, end)
    assert working_minutes_between(calendar, at, end) == parts


@given(calendars(), instants)
def test_the_next_opening_is_open_and_nothing_before_it_is(calendar, at):
    opening = next_opening(calendar, at)
    if opening is not None:
        assert is_open(calendar, opening)
        assert working_minutes_between(calendar, at, opening) == 0
        assert is_open(calendar, at) == (opening == at)


@given(calendars(), instants)
def test_a_shop_is_never_open_on_a_holiday(calendar, at):
    regular = replace(calendar, special=())
    assert not (is_open(regular, at) and holiday_at(regular, at))
